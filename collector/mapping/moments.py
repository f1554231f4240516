"""Times as tables write them: texts of many layouts, Unix seconds, Excel's days, and times without a zone."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

from collector.mapping.rowmap import TimeFormat
from collector.mapping.words import shown, text

# 1970 to 2199: nothing that a network says is of another time.
_LATEST = 7_258_118_400.0
# Day 60 of Excel's calendar is 1900-02-29, which never was: days after it count from here.
_EXCEL = datetime(1899, 12, 30)  # noqa: DTZ001  local time
_EXCEL_DAYS = (25_569, 109_575)
_NUMBER = re.compile(r"[0-9]{1,14}(?:[.,][0-9]{1,18})?")
_CLOCK = re.compile(r"%[HIMSTXcps]")
_REMEMBERED = 20_000


class Moments:
    """Reads times in the declared layouts, in turn. Everything raises ValueError for what is no time."""

    def __init__(self, layout: TimeFormat) -> None:
        self._formats, self._zone = layout.formats, layout.tz
        self._known: dict[tuple[str, bool], float] = {}

    def instant(self, value: object) -> float:
        """Unix seconds; a day alone is when it begins."""
        return self._remembered(value, whole_day=False)

    def end(self, value: object) -> float:
        """Unix seconds; a day alone is when it ends."""
        return self._remembered(value, whole_day=True)

    def day(self, value: object) -> date:
        """The day that a time falls on in the zone of the map."""
        return datetime.fromtimestamp(self.instant(value), self._zone).date()

    def _remembered(self, value: object, *, whole_day: bool) -> float:
        # Many rows of a table have the same few times, and layouts are slow to read.
        if not isinstance(value, str):
            return self._read(value, whole_day)
        if (known := self._known.get((value, whole_day))) is None:
            known = self._read(value, whole_day)
            if len(self._known) < _REMEMBERED:
                self._known[value, whole_day] = known
        return known

    def _read(self, value: object, whole_day: bool) -> float:
        found = self._found(value)
        if found is None:
            raise ValueError(f"{shown(value)} is no time ({', '.join(self._formats)})")
        try:
            seconds = self._seconds(found, whole_day)
        except (OverflowError, ValueError, OSError):
            seconds = math.nan
        if not 0 <= seconds < _LATEST:
            raise ValueError(f"{shown(value)} is not within 1970 to 2199")
        return seconds

    def _found(self, value: object) -> datetime | date | None:
        if isinstance(value, date):  # a datetime is one, too
            return value
        if isinstance(value, bool) or not isinstance(value, (str, int, float)):
            return None
        for name in self._formats:
            try:
                return _READERS.get(name, _by_layout)(text(value), name)
            except (ValueError, OverflowError):
                continue
        return None

    def _seconds(self, found: datetime | date, whole_day: bool) -> float:
        if not isinstance(found, datetime):
            later = timedelta(days=1) if whole_day else timedelta()
            found = datetime(found.year, found.month, found.day) + later  # noqa: DTZ001  the zone follows
        return (found if found.tzinfo is not None else found.replace(tzinfo=self._zone)).timestamp()


def _iso(value: str, _: str) -> datetime | date:
    if value.isdigit() and len(value) != 8:
        raise ValueError(value)
    try:
        return date.fromisoformat(value)
    except ValueError:
        return datetime.fromisoformat(value)


def _amount(value: str) -> float:
    if not _NUMBER.fullmatch(value):
        raise ValueError(value)
    return float(value.replace(",", "."))


def _unix(value: str, _: str) -> datetime:
    return datetime.fromtimestamp(_amount(value), UTC)


def _unix_ms(value: str, _: str) -> datetime:
    return datetime.fromtimestamp(_amount(value) / 1000, UTC)


def _excel(value: str, _: str) -> datetime | date:
    days = _amount(value)
    if not _EXCEL_DAYS[0] <= days <= _EXCEL_DAYS[1]:
        raise ValueError(value)
    # Excel keeps a second as 0.0000115740740741 days.
    moment = _EXCEL + timedelta(seconds=round(days * 86_400, 3))
    return moment.date() if days.is_integer() else moment


def _by_layout(value: str, layout: str) -> datetime | date:
    found = datetime.strptime(value, layout)  # noqa: DTZ007  the zone follows
    return found if _CLOCK.search(layout) else found.date()


_READERS: dict[str, Callable[[str, str], datetime | date]] = {
    "iso": _iso,
    "unix": _unix,
    "unix-ms": _unix_ms,
    "excel": _excel,
}
