"""Of what time the data of a feed is, as its map says where that stands."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from collector.documents import selected
from collector.fields import JmesPath
from collector.mapping.layout import AsOf
from collector.mapping.moments import Moments
from collector.mapping.rowmap import TimeFormat
from collector.model import ProbeFailed, Reason
from collector.records import Record
from collector.sources.fetched import Fetched


@dataclass(frozen=True, slots=True)
class Page:
    """One document of a feed: as it came, and what it holds."""

    fetched: Fetched
    content: Any


def as_of(rule: AsOf, times: TimeFormat, pages: Sequence[Page], records: Iterable[Record]) -> float | None:
    """Unix seconds of the oldest of `pages`; None where none says it, and for an answer that is made when we ask.

    Raises ProbeFailed(UNEXPECTED) for a time that cannot be read: its data may be of any age.
    """
    if rule.by == "answer":
        return None
    if rule.by == "latest":
        return max((moment for record in records if (moment := _observed(record)) is not None), default=None)
    if rule.by == "modified":
        said: list[Any] = [page.fetched.modified for page in pages]
        return min((moment for moment in said if moment is not None), default=None)
    if rule.by == "name" and rule.pattern is not None:
        said = [rule.pattern.found(page.fetched.name) for page in pages]
    elif rule.by == "document" and rule.path is not None:
        said = [_in_document(page.content, rule.path) for page in pages]
    else:
        raise ProbeFailed(Reason.UNEXPECTED, f"no time stands {rule.by} the rows of JSON")
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
