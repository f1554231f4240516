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
    """What one owner last gave; `heads` keeps the part of each line before its value."""

    __slots__ = ("families", "heads", "labels", "series")

    def __init__(self, labels: Labels) -> None:
        self.labels = labels
        self.heads: dict[tuple[str, tuple[str, ...]], str] = {}
        self.families: frozenset[str] = frozenset()
        self.series = 0

    def head(self, metric: Metric, values: tuple[str, ...]) -> str:
        """`name{labels} ` of one sample, rendered once."""
        key = (metric.name, values)
        head = self.heads.get(key)
        if head is None:
            pairs = (*self.labels, *zip(metric.labels, values, strict=True))
            inner = ",".join(f'{name}="{escape(value)}"' for name, value in pairs)
            head = self.heads[key] = f"{metric.name}{{{inner}}} " if inner else f"{metric.name} "
        return head


class Exposition:
    """Samples by owner (a target's values, a target's state, the service itself). Not thread-safe: loop only."""

    def __init__(self) -> None:
        self._families: dict[str, _Family] = {}
        self._owners: dict[str, _Owner] = {}
        self.series = 0

    def put(self, owner: str, labels: Labels, samples: Iterable[Sample]) -> None:
        """Replace all that `owner` gave; `labels` go before each sample's own. A series given twice: the last wins."""
        entry = self._owners.get(owner)
        if entry is None or entry.labels != labels:
            self.drop(owner)
            entry = self._owners[owner] = _Owner(labels)
        lines = self._lines(entry, samples)
        for name in entry.families.difference(lines):
            self._remove(name, owner)
        for name, (metric, family_lines) in lines.items():
            family = self._families.get(name)
            if family is None:
                family = self._families[name] = _Family(metric)
            family.lines[owner] = "".join(family_lines.values()).encode()
        entry.families = frozenset(lines)
        self.series -= entry.series
        entry.series = sum(len(family_lines) for _, family_lines in lines.values())
        self.series += entry.series

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

    def _lines(self, entry: _Owner, samples: Iterable[Sample]) -> dict[str, tuple[Metric, dict[str, str]]]:
        lines: dict[str, tuple[Metric, dict[str, str]]] = {}
        for metric, values, value in samples:
            head = entry.head(metric, values)
            known = lines.get(metric.name)
            if known is None:
                known = lines[metric.name] = (metric, {})
            known[1][head] = f"{head}{number(value)}\n"
        return lines

    def _remove(self, name: str, owner: str) -> None:
        family = self._families[name]
        del family.lines[owner]
        if not family.lines:
            del self._families[name]
