"""Of what time the data of a feed is, as its map says where that stands."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from collector.documents import selected
from collector.fields import JmesPath
from collector.mapping.layout import AsOf
from collector.mapping.moments import Moments
from collector.mapping.rowmap import TimeFormat
from collector.model import ProbeFailed, Reason
from collector.records import Record
from collector.sources.fetched import Fetched


def said(rule: AsOf | None, fetched: Fetched, content: Any = None) -> Any:
    """What a document, which holds `content`, says of when its data is; None where it does not.

    Raises ProbeFailed(UNEXPECTED) where the expression does not fit what is there.
    """
    if rule is None:
        return None
    if rule.by == "modified":
        return fetched.modified
    if rule.by == "name" and rule.pattern is not None:
        return rule.pattern.found(fetched.name)
    return None if rule.path is None else _in_document(content, rule.path)


def as_of(rule: AsOf | None, times: TimeFormat, said: Iterable[Any], records: Iterable[Record]) -> float | None:
    """Unix seconds of the oldest of what documents `said`; None where none says it.

    Raises ProbeFailed(UNEXPECTED) for a time that cannot be read: its data may be of any age.
    """
    if rule is None:
        return None
    if rule.by == "latest":
        return max((moment for record in records if (moment := _observed(record)) is not None), default=None)
    if rule.by == "modified":
        return min((moment for moment in said if moment is not None), default=None)
    return oldest(said, times)


def live(rule: AsOf | None, asked: float) -> float | None:
    """The time of an answer that is made when we ask, which we did at `asked`; None for all others."""
    return asked if rule is not None and rule.by == "answer" else None


def oldest(said: Iterable[Any], times: TimeFormat) -> float | None:
    """Unix seconds of the earliest time in `said`, without nulls. Raises ProbeFailed(UNEXPECTED)."""
    moments = Moments(times)
    try:
        return min((moments.instant(value) for value in said if value is not None), default=None)
    except ValueError as error:
        raise ProbeFailed(Reason.UNEXPECTED, f"time of the data: {error}") from error


def _observed(record: Record) -> float | None:
    return getattr(record, "observed_at", None)


def _in_document(content: Any, path: JmesPath) -> Any:
    try:
        return selected(content, path)
    except ValueError as error:
        raise ProbeFailed(Reason.UNEXPECTED, f"time of the data: {error}") from error
