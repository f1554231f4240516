"""Days, months and years by the province's clock."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from collector.plan.records import Recurring

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
DAY = 86400.0
_ONE = timedelta(days=1)


def day_of(moment: float) -> date:
    """The day in which a moment (Unix seconds) lies."""
    return datetime.fromtimestamp(moment, ZONE).date()


def begins(day: date) -> float:
    """Unix seconds of the first moment of a day."""
    return datetime.combine(day, time(), ZONE).timestamp()


def ends(day: date) -> float:
    """Unix seconds of the first moment after a day: whatever is due on it is late from then on."""
    return begins(day + _ONE)


@dataclass(frozen=True, slots=True)
class Period:
    """A month or a year; `first` and `last` are its days."""

    name: str
    first: date
    last: date

    def holds(self, day: date) -> bool:
        """Whether a day lies in it."""
        return self.first <= day <= self.last


def period_of(day: date, recurring: Recurring) -> Period:
    """The month or year in which a day lies."""
    if recurring is Recurring.YEARLY:
        return Period(str(day.year), date(day.year, 1, 1), date(day.year, 12, 31))
    first = day.replace(day=1)
    following = (first + timedelta(days=31)).replace(day=1)
    return Period(f"{day:%Y-%m}", first, following - _ONE)


def period_before(period: Period, recurring: Recurring) -> Period:
    """The one that ended when this one began."""
    return period_of(period.first - _ONE, recurring)
