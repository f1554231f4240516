"""The sample table: every line is rendered when its value comes, and a scrape only joins lines.

Formats: Prometheus text 0.0.4 and OpenMetrics 1.0. Sample lines are the same in both; headers differ.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
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


class _Family:
    __slots__ = ("lines", "openmetrics", "text")

    def __init__(self, metric: Metric) -> None:
        self.text = _text_header(metric)
        self.openmetrics = _openmetrics_header(metric)
        self.lines: dict[str, bytes] = {}


class _Owner:
    """What one owner last gave, and its labels as they stand in a line: alone, and before a sample's own."""

    __slots__ = ("alone", "before", "families", "labels", "name", "series")

    def __init__(self, name: str, labels: Labels) -> None:
        pairs = _pairs(labels)
        self.name = name
        self.labels = labels
        self.alone = f"{{{pairs}}}" if pairs else ""
        self.before = f"{{{pairs}," if pairs else "{"
        self.families: frozenset[str] = frozenset()
        self.series = 0


def _pairs(labels: Iterable[tuple[str, str]]) -> str:
    return ",".join(f'{name}="{escape(value)}"' for name, value in labels)


@lru_cache(maxsize=16_384)
def _own_pairs(names: tuple[str, ...], values: tuple[str, ...]) -> str:
    # The columns of a table's row, and the phases of all targets, have the same labels.
    return _pairs(zip(names, values, strict=True))


def _lines(owner: _Owner, samples: Iterable[Sample]) -> dict[str, dict[str, str]]:
    """Lines by family and own labels."""
    lines: dict[str, dict[str, str]] = {}
    alone, before = owner.alone, owner.before
    for metric, values, value in samples:
        name = metric.name
        own = _own_pairs(metric.labels, values) if values else ""
        labels = f"{before}{own}}}" if own else alone
        line = f"{name}{labels} {float(value)!r}\n" if isfinite(value) else f"{name}{labels} {number(value)}\n"
        if name in lines:
            lines[name][own] = line
        else:
            lines[name] = {own: line}
    return lines


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
            entry = self._owners[owner] = _Owner(owner, labels)
        owner = entry.name  # the very object that the families know: they find it without comparing texts
        samples = tuple(samples)
        lines = _lines(entry, samples)
        if entry.families != lines.keys():
            self._change_families(entry, owner, samples)
        for name, some in lines.items():
            self._families[name].lines[owner] = "".join(some.values()).encode()
        series = sum(map(len, lines.values()))
        self.series += series - entry.series
        entry.series = series

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
