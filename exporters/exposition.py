"""The sample table: every line is rendered when its value comes, and a scrape only joins lines.

Formats: Prometheus text 0.0.4 and OpenMetrics 1.0. Sample lines are the same in both; headers differ.
"""

from __future__ import annotations

from collections.abc import Iterable
from math import inf, isfinite, isnan

from collector.model import Labels, Metric, MetricType, Sample

_TEXT_TYPES = {
    MetricType.GAUGE: "gauge",
    MetricType.COUNTER: "counter",
    MetricType.INFO: "gauge",
    MetricType.UNKNOWN: "untyped",
}
# OpenMetrics names a family without the suffix that its type gives to its samples.
_SUFFIXES = {MetricType.COUNTER: "_total", MetricType.INFO: "_info"}
# Labels that change with each run (a banner's date) must not pile up.
SPARE_HEADS = 32
_ESCAPES = str.maketrans({"\\": r"\\", '"': r"\"", "\n": r"\n"})
_HELP_ESCAPES = str.maketrans({"\\": r"\\", "\n": r"\n"})


def escape(value: str) -> str:
    """A label value as both formats quote it."""
    return value.translate(_ESCAPES)


def number(value: float) -> str:
    """A sample value as both formats write it; it reads back as the same float."""
    if isfinite(value):
        return repr(float(value))
    return "NaN" if isnan(value) else "+Inf" if value == inf else "-Inf"


def _text_header(metric: Metric) -> bytes:
    words = metric.help.translate(_HELP_ESCAPES)
    return f"# HELP {metric.name} {words}\n# TYPE {metric.name} {_TEXT_TYPES[metric.type]}\n".encode()


def _openmetrics_header(metric: Metric) -> bytes:
    family = metric.name.removesuffix(_SUFFIXES.get(metric.type, ""))
    return f"# HELP {family} {escape(metric.help)}\n# TYPE {family} {metric.type}\n".encode()


# Name, own label names and own label values of a sample. The same name may come with other labels after a reload.
_Series = tuple[str, tuple[str, ...], tuple[str, ...]]


class _Family:
    __slots__ = ("lines", "openmetrics", "text")

    def __init__(self, metric: Metric) -> None:
        self.text = _text_header(metric)
        self.openmetrics = _openmetrics_header(metric)
        self.lines: dict[str, bytes] = {}


class _Owner:
    """What one owner last gave; `heads` keeps the part of each line before its value."""

    __slots__ = ("families", "heads", "labels", "series")

    def __init__(self, labels: Labels) -> None:
        self.labels = labels
        self.heads: dict[_Series, str] = {}
        self.families: frozenset[str] = frozenset()
        self.series = 0

    def lines(self, samples: Iterable[Sample]) -> dict[_Series, str]:
        """The line of each series, in the order in which they came first."""
        heads, lines = self.heads, {}
        for metric, values, value in samples:
            series = (metric.name, metric.labels, values)
            head = heads.get(series) or self._head(series)
            lines[series] = f"{head}{float(value)!r}\n" if isfinite(value) else f"{head}{number(value)}\n"
        if len(heads) > 2 * len(lines) + SPARE_HEADS:
            self.heads = {series: heads[series] for series in lines}
        return lines

    def _head(self, series: _Series) -> str:
        metric, names, values = series
        pairs = (*self.labels, *zip(names, values, strict=True))
        inner = ",".join(f'{name}="{escape(value)}"' for name, value in pairs)
        head = self.heads[series] = f"{metric}{{{inner}}} " if inner else f"{metric} "
        return head


class Exposition:
    """Samples by owner (a target's values, a target's state, the service itself). Not thread-safe: loop only."""

    def __init__(self) -> None:
        self._families: dict[str, _Family] = {}
        self._owners: dict[str, _Owner] = {}
        # Thousands of owners give the same few sets of families.
        self._shapes: dict[frozenset[str], frozenset[str]] = {}
        self.series = 0

    def put(self, owner: str, labels: Labels, samples: Iterable[Sample]) -> None:
        """Replace all that `owner` gave; `labels` go before each sample's own. A series given twice: the last wins."""
        entry = self._owners.get(owner)
        if entry is None or entry.labels != labels:
            self.drop(owner)
            entry = self._owners[owner] = _Owner(labels)
        samples = tuple(samples)
        lines = entry.lines(samples)
        texts: dict[str, str] = {}
        for series, line in lines.items():
            name = series[0]
            texts[name] = texts[name] + line if name in texts else line
        if entry.families != texts.keys():
            self._change_families(entry, owner, samples)
        for name, text in texts.items():
            self._families[name].lines[owner] = text.encode()
        self.series += len(lines) - entry.series
        entry.series = len(lines)

    def _change_families(self, entry: _Owner, owner: str, samples: Iterable[Sample]) -> None:
        metrics = {sample.metric.name: sample.metric for sample in samples}
        for name in entry.families.difference(metrics):
            self._remove(name, owner)
        for name, metric in metrics.items():
            if name not in self._families:
                self._families[name] = _Family(metric)
        names = frozenset(metrics)
        entry.families = self._shapes.setdefault(names, names)

    def drop(self, owner: str) -> None:
        """Forget an owner: none of its series is in the next scrape."""
        entry = self._owners.pop(owner, None)
        if entry is None:
            return
        self.series -= entry.series
        for name in entry.families:
            self._remove(name, owner)

    def render(self, openmetrics: bool = False) -> bytes:
        """The whole exposition; OpenMetrics comes without its closing `# EOF`."""
        parts: list[bytes] = []
        for name in sorted(self._families):
            family = self._families[name]
            parts.append(family.openmetrics if openmetrics else family.text)
            parts.extend(family.lines.values())
        return b"".join(parts)

    def render_owner(self, *owners: str) -> bytes:
        """Text 0.0.4 of what the given owners gave, for `/probe`."""
        parts: list[bytes] = []
        for name in sorted(self._families):
            lines = [line for owner in owners if (line := self._families[name].lines.get(owner))]
            if lines:
                parts += [self._families[name].text, *lines]
        return b"".join(parts)

    def _remove(self, name: str, owner: str) -> None:
        family = self._families[name]
        del family.lines[owner]
        if not family.lines:
            del self._families[name]
