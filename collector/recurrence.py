"""Recurrence rules as calendars write them (RFC 5545, section 3.3.10), checked strictly and bounded in work."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import MAXYEAR, UTC, datetime, timedelta
from functools import cache, lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from dateutil import rrule

from collector.nearest import nearest

# A rule that comes more often than hourly is no plan of work, and dear to reckon with.
FREQUENCIES = {name: getattr(rrule, name) for name in ("YEARLY", "MONTHLY", "WEEKLY", "DAILY", "HOURLY")}
MAX_NUMBER = 9999
_EPOCH = 1970
_WEEKDAYS = {name: getattr(rrule, name) for name in ("MO", "TU", "WE", "TH", "FR", "SA", "SU")}
_BYDAY = re.compile(r"([+-]?[1-9]\d?)?(MO|TU|WE|TH|FR|SA|SU)")
_NUMBER = re.compile(r"[+-]?\d{1,4}")
_UNTIL = re.compile(r"(\d{8})(?:T(\d{6})(Z)?)?")
# Smallest and largest number of each part that lists numbers; those from 1 may also count from the end, below zero.
_LISTS = {
    "BYMONTH": (1, 12),
    "BYWEEKNO": (1, 53),
    "BYYEARDAY": (1, 366),
    "BYMONTHDAY": (1, 31),
    "BYHOUR": (0, 23),
    "BYMINUTE": (0, 59),
    "BYSECOND": (0, 59),
    "BYSETPOS": (1, 366),
}
_NEVER_NEGATIVE = frozenset({"BYMONTH", "BYHOUR", "BYMINUTE", "BYSECOND"})
# Parts that the RFC does not allow at these frequencies.
_NOT_WITH = {
    "BYWEEKNO": ("MONTHLY", "WEEKLY", "DAILY", "HOURLY"),
    "BYYEARDAY": ("MONTHLY", "WEEKLY", "DAILY"),
    "BYMONTHDAY": ("WEEKLY",),
}
# Its own cache holds eight.
_zone = cache(ZoneInfo)
# Years after which the calendar repeats, and for how many a rule is followed at least.
_CYCLE, _AHEAD = 400, 200


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule in its parts; `until` is in UTC where `utc`, else local, and includes its own moment."""

    options: Mapping[str, Any]
    until: datetime | None
    utc: bool
    count: int | None


def parsed(text: str) -> Rule:
    """The rule in `text`, such as `FREQ=MONTHLY;BYDAY=-1SA`. Raises ValueError with words for whoever wrote it."""
    parts: dict[str, str] = {}
    for part in text.strip().upper().removeprefix("RRULE:").split(";"):
        name, _, value = part.partition("=")
        if name not in _READERS:
            raise ValueError(f"unknown part '{name[:20]}'{nearest(name[:20], _READERS)}")
        if name in parts:
            raise ValueError(f"{name} is there twice")
        parts[name] = value
    _agree(parts)
    read = {name: _READERS[name](name, value) for name, value in parts.items()}
    until, utc = read.pop("UNTIL", (None, False))
    count = read.pop("COUNT", None)
    return Rule({_KEYWORDS.get(name, name.lower()): value for name, value in read.items()}, until, utc, count)


def times(rule: Rule, first: datetime, zone: ZoneInfo, until: datetime | None = None) -> Iterator[datetime]:
    """The times that fit the rule, from `first` on, as local times without zone, in order.

    `until` is a local time, for a rule that does not say itself when it ends. Raises ValueError for a rule of which
    the parts rule each other out.
    """
    # Reckoned in the last cycle that Python knows, the search for a day that never comes (30 February) ends soon.
    shift = (MAXYEAR - _AHEAD - first.year) // _CYCLE * _CYCLE
    last = until or _local(rule, zone)
    if last is not None:
        last = last.replace(year=last.year + shift) if last.year + shift <= MAXYEAR else None
    found = rrule.rrule(dtstart=first.replace(year=first.year + shift), until=last, count=rule.count, **rule.options)
    return _back(iter(found), shift)


def checked_timetable(text: str) -> str:
    """A rule that says by itself when to come, for `following`. Raises ValueError with words for whoever wrote it."""
    rule = parsed(text)
    if rule.count is not None or rule.until is not None or "interval" in rule.options:
        raise ValueError("a timetable has no INTERVAL, COUNT or UNTIL")
    if rule.options["freq"] == FREQUENCIES["HOURLY"]:
        raise ValueError("name the hours: FREQ=DAILY;BYHOUR=8,9,10")
    if rule.options["freq"] == FREQUENCIES["WEEKLY"] and "byweekday" not in rule.options:
        raise ValueError("name the days: BYDAY=MO,TU")
    if following(text, "UTC", 0.0) is None:
        raise ValueError("never comes")
    return text


@lru_cache(maxsize=4096)
def following(text: str, zone: str, moment: float) -> float | None:
    """The first time after `moment` that fits a timetable (Unix seconds); None for one that never comes.

    What it leaves open is as early as can be: the first day, midnight. Reads a file for the first time in a zone.
    """
    rule, here = parsed(text), _zone(zone)
    # From a day before, so that no skipped hour hides the first one; whole weeks, months and years are reckoned.
    day = datetime.fromtimestamp(moment, here).replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None)
    day -= timedelta(days=1)
    begins = {
        FREQUENCIES["DAILY"]: day,
        FREQUENCIES["WEEKLY"]: day - timedelta(weeks=2),
        FREQUENCIES["MONTHLY"]: day.replace(day=1),
        FREQUENCIES["YEARLY"]: day.replace(month=1, day=1),
    }
    found = (at.replace(tzinfo=here).timestamp() for at in times(rule, begins[rule.options["freq"]], here))
    return next((at for at in found if at > moment), None)


def _back(found: Iterator[datetime], shift: int) -> Iterator[datetime]:
    while True:
        try:
            at = next(found)
        except (StopIteration, ValueError, OverflowError):  # its last week may reach beyond what Python knows
            return
        yield at.replace(year=at.year - shift)


def _local(rule: Rule, zone: ZoneInfo) -> datetime | None:
    if rule.until is None or not rule.utc:
        return rule.until
    return rule.until.replace(tzinfo=UTC).astimezone(zone).replace(tzinfo=None)


def _agree(parts: Mapping[str, str]) -> None:
    frequency = parts.get("FREQ")
    if frequency is None:
        raise ValueError("needs FREQ, such as FREQ=WEEKLY")
    if "UNTIL" in parts and "COUNT" in parts:
        raise ValueError("UNTIL and COUNT cannot stand together")
    for name, frequencies in _NOT_WITH.items():
        if name in parts and frequency in frequencies:
            raise ValueError(f"{name} cannot stand with FREQ={frequency}")
    numbered = any(char.isdigit() for char in parts.get("BYDAY", ""))
    if numbered and (frequency not in {"YEARLY", "MONTHLY"} or "BYWEEKNO" in parts):
        raise ValueError("a number in BYDAY (the 2nd Sunday: 2SU) needs FREQ=MONTHLY or YEARLY, without BYWEEKNO")
    if "BYSETPOS" in parts and not (_LISTS.keys() | {"BYDAY"}) - {"BYSETPOS"} & parts.keys():
        raise ValueError("BYSETPOS needs another part that begins with BY")


def _frequency(_: str, text: str) -> int:
    if text in {"SECONDLY", "MINUTELY"}:
        raise ValueError(f"FREQ={text} comes too often: at most HOURLY")
    if text not in FREQUENCIES:
        raise ValueError(f"unknown FREQ '{text[:20]}'; valid: {', '.join(FREQUENCIES)}")
    frequency: int = FREQUENCIES[text]
    return frequency


def _positive(name: str, text: str) -> int:
    if not _NUMBER.fullmatch(text) or not 1 <= int(text) <= MAX_NUMBER:
        raise ValueError(f"{name} must be a number from 1 to {MAX_NUMBER}")
    return int(text)


def _numbers(name: str, text: str) -> tuple[int, ...]:
    least, most = _LISTS[name]
    numbers = tuple(int(part) if _NUMBER.fullmatch(part) else MAX_NUMBER for part in text.split(","))
    bare = numbers if name in _NEVER_NEGATIVE else tuple(map(abs, numbers))
    if not all(least <= number <= most for number in bare):
        raise ValueError(f"{name} must list numbers from {least} to {most}")
    return numbers


def _weekdays(_: str, text: str) -> tuple[Any, ...]:
    matches = [_BYDAY.fullmatch(part) for part in text.split(",")]
    if not all(matches):
        raise ValueError("BYDAY must list days such as MO,TU or -1SA (the last Saturday)")
    days = [(_WEEKDAYS[match[2]], match[1]) for match in matches if match]
    if any(abs(int(number)) > 53 for _, number in days if number):
        raise ValueError("BYDAY counts to 53 at most")
    return tuple(day(int(number)) if number else day for day, number in days)


def _weekday(name: str, text: str) -> Any:
    if text not in _WEEKDAYS:
        raise ValueError(f"{name} must be one of {', '.join(_WEEKDAYS)}")
    return _WEEKDAYS[text]


def _until(_: str, text: str) -> tuple[datetime | None, bool]:
    match = _UNTIL.fullmatch(text)
    day, clock, utc = match.groups() if match else ("", "", None)
    try:
        until = datetime.fromisoformat(f"{day}T{clock or '235959'}")  # a day includes all of it
    except ValueError:
        raise ValueError("UNTIL must be a time such as 20261231T170000Z, or a day such as 20261231") from None
    if until.year < _EPOCH:
        raise ValueError(f"UNTIL must not lie before {_EPOCH}")
    # Some calendars write the year 9999 for "always".
    return (until, utc is not None) if until.year < MAXYEAR - _CYCLE else (None, False)


_KEYWORDS = {"BYDAY": "byweekday"}
_READERS: Mapping[str, Callable[[str, str], Any]] = {
    "FREQ": _frequency,
    "INTERVAL": _positive,
    "COUNT": _positive,
    "UNTIL": _until,
    "BYDAY": _weekdays,
    "WKST": _weekday,
    **dict.fromkeys(_LISTS, _numbers),
}
