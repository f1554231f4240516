"""From a document to samples and links: no I/O; large documents are read in a thread."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from collector.documents import document, refutation, selected
from collector.fields import JmesPath
from collector.measures import word
from collector.model import Metric, Sample
from collector.rest.paging import address
from collector.rest.shape import ROOT, Follow, Inherited, RestMetric

DROP_REASONS = ("limit", "label", "duplicate")
# What documents on the way said of labels: (name of the document, expression) -> text, None when it is no text.
Facts = Mapping[tuple[str, str], str | None]


@dataclass(slots=True)
class Page:
    """What was read from one document: `links` are by step, `facts` for it and what it leads to."""

    content: Any
    facts: Facts
    samples: list[Sample] = field(default_factory=list)
    links: list[tuple[Follow, str]] = field(default_factory=list)
    fault: str | None = None


class Reader:
    """Reads the documents of one run, one after another; counts what it read and what it could not use."""

    def __init__(
        self,
        metrics: Iterable[RestMetric],
        families: Mapping[str, Metric],
        steps: Iterable[Follow],
        condition: JmesPath | None,
        max_rows: int,
    ) -> None:
        self._metrics: dict[str, list[tuple[RestMetric, Metric]]] = {}
        self._inherited: dict[str, dict[str, JmesPath]] = {}
        for metric in metrics:
            self._metrics.setdefault(metric.of, []).append((metric, families[metric.name]))
            for source in metric.labels.values():
                if isinstance(source, Inherited):
                    self._inherited.setdefault(source.of, {})[source.value.text] = source.value
        self._steps = tuple(steps)
        self._condition = condition
        self._room = max_rows
        self._series: set[tuple[str, tuple[str, ...]]] = set()
        self.rows = self.missing = self.unreadable = 0
        self.dropped = dict.fromkeys(DROP_REASONS, 0)

    @property
    def found_nothing(self) -> bool:
        """Whether there was something to find, and none of it was there."""
        return not self._series and bool(self.missing or self.unreadable)

    def read(self, body: bytes, name: str, facts: Facts, first: bool) -> Page:
        """The document `body`, called `name`. Raises ValueError when it is none."""
        content = document(body)
        own = {(name, text): _label(content, path) for text, path in self._inherited.get(name, {}).items()}
        page = Page(content, {**facts, **own})
        if first and name == ROOT and self._condition is not None:
            page.fault = refutation(content, self._condition)
        rows_of: dict[str, list[Any]] = {}
        for metric, family in self._metrics.get(name, ()):
            key = metric.rows.text if metric.rows is not None else ""
            if key not in rows_of:
                rows_of[key] = self._rows(content, metric.rows)
            page.samples += self._samples(metric, family, rows_of[key], page.facts)
        page.links += self._links(content, name)
        return page

    def _rows(self, content: Any, path: JmesPath | None) -> list[Any]:
        found = content if path is None else _selected(content, path)
        rows = found if isinstance(found, list) and path is not None else [found]
        rows = [row for row in rows if row is not None]
        if found is None:
            self.missing += 1
        kept = list(islice(rows, self._room))
        self._room -= len(kept)
        self.rows += len(kept)
        self.dropped["limit"] += len(rows) - len(kept)
        return kept

    def _samples(self, metric: RestMetric, family: Metric, rows: Iterable[Any], facts: Facts) -> Iterator[Sample]:
        for row in rows:
            labels = _labels(metric, row, facts)
            answer = _selected(row, metric.value) if metric.value is not None else 1
            if labels is None:
                self.dropped["label"] += 1
            elif answer is None:
                self.missing += 1
            else:
                yield from self._said(metric, family, labels, answer)

    def _said(self, metric: RestMetric, family: Metric, labels: tuple[str, ...], answer: Any) -> Iterator[Sample]:
        if (metric.name, labels) in self._series:
            self.dropped["duplicate"] += 1
            return
        try:
            samples = metric.samples(family, labels, answer)
        except ValueError:
            self.unreadable += 1
            return
        self._series.add((metric.name, labels))
        yield from samples

    def _links(self, content: Any, name: str) -> Iterator[tuple[Follow, str]]:
        for step in self._steps:
            if step.of != name:
                continue
            found = _selected(content, step.links)
            for link in found if isinstance(found, list) else [found]:
                if link is None:
                    continue
                try:
                    yield step, address(link)
                except ValueError:
                    self.unreadable += 1


def _selected(content: Any, path: JmesPath) -> Any:
    try:
        return selected(content, path)
    except ValueError:
        return {}  # neither null nor anything that can be read


def _label(content: Any, path: JmesPath) -> str | None:
    answer = _selected(content, path)
    if answer is None:
        return ""
    try:
        return word(answer)
    except ValueError:
        return None


def _labels(metric: RestMetric, row: Any, facts: Facts) -> tuple[str, ...] | None:
    labels = []
    for source in metric.labels.values():
        label = _label(row, source) if isinstance(source, JmesPath) else facts[source.of, source.value.text]
        if label is None:
            return None
        labels.append(label)
    return tuple(labels)
