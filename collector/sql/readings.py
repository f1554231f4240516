"""From the rows of an answer to values of metrics, and to a verdict: pure functions, no I/O."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import tzinfo
from typing import Any, NamedTuple

from collector.documents import refutation
from collector.measures import scaled
from collector.model import Metric, ProbeFailed, Reason
from collector.sql.queries import Expectation, Query
from collector.sql.values import label, number, plain


class Answer(NamedTuple):
    """The rows of one query, at most as many as were asked for, and whether there were more."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]
    more: bool


@dataclass(slots=True)
class Readings:
    """Values with the labels of their rows, how many rows had the labels of another, how many cells were no number."""

    values: list[tuple[Metric, float, tuple[str, ...]]] = field(default_factory=list)
    duplicates: int = 0
    unreadable: int = 0


def read(query: Query, answer: Answer, zone: tzinfo) -> Readings:
    """The metrics of `query`. NULL is no value. Raises ProbeFailed when the answer lacks a column."""
    place = {name: index for index, name in reversed(list(enumerate(answer.columns)))}
    labels = [_find(name, place) for name in query.labels]
    columns = [
        (_find(one.column, place), one.scale, family) for one, family in zip(query.metrics, query.families, strict=True)
    ]
    readings, seen = Readings(), set()
    if not columns:
        return readings
    for row in answer.rows:
        values = tuple(label(row[index]) for index in labels)
        if values in seen:
            readings.duplicates += 1
            continue
        seen.add(values)
        for index, scale, family in columns:
            if row[index] is None:
                continue
            try:
                readings.values.append((family, scaled(number(row[index], zone), scale), values))
            except ValueError:
                readings.unreadable += 1
    return readings


def _find(name: str, place: Mapping[str, int]) -> int:
    if name not in place:
        raise ProbeFailed(Reason.UNEXPECTED, f"the answer has no column {name!r}, only {', '.join(place) or 'none'}")
    return place[name]


def disappointment(expect: Expectation, answer: Answer, zone: tzinfo) -> str | None:
    """What is not as expected."""
    count = f"{'more than ' if answer.more else ''}{len(answer.rows)} rows"
    if expect.at_least is not None and len(answer.rows) < expect.at_least:
        return f"{count}, expected at least {expect.at_least}"
    if expect.at_most is not None and (answer.more or len(answer.rows) > expect.at_most):
        return f"{count}, expected at most {expect.at_most}"
    if expect.condition is None:
        return None
    return refutation(objects(answer, zone), expect.condition)


def objects(answer: Answer, zone: tzinfo) -> Sequence[Mapping[str, Any]]:
    """The rows as JSON has them."""
    return [{name: plain(cell, zone) for name, cell in zip(answer.columns, row, strict=True)} for row in answer.rows]
