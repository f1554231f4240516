"""Daily time-weighted means of what indicators were, made as time goes by."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from datetime import date, timedelta
from typing import Protocol

from collector.plan.comparing import verdict
from collector.plan.days import day_of, ends
from collector.plan.records import Indicator, Plan, Value
from collector.plan.results import Day, Verdict

LOWER, UPPER = "lower", "upper"
# Time between two records of which nobody knows what happened in it, when it is longer.
LONGEST = 60.0
# A year that is judged needs the one before it.
KEPT = timedelta(days=800)
_WEIGHTS = {Verdict.MET: 1.0, Verdict.UNMET: -1.0, Verdict.UNKNOWN: 0.0}


class Row(Protocol):
    """What the journal says of a day (YYYY-MM-DD) and a bound: its mean over some seconds."""

    @property
    def day(self) -> str: ...
    @property
    def indicator(self) -> str: ...
    @property
    def bound(self) -> str: ...
    @property
    def mean(self) -> float: ...
    @property
    def seconds(self) -> float: ...


Add = Callable[[date, str, str, float, float], None]


def days_of(rows: Iterable[Row]) -> dict[str, tuple[Day, ...]]:
    """The journal's daily values by indicator, in order. A day of which a bound is missing is left out."""
    found: dict[str, dict[date, dict[str, Row]]] = {}
    for row in rows:
        found.setdefault(row.indicator, {}).setdefault(date.fromisoformat(row.day), {})[row.bound] = row
    return {
        indicator: tuple(_day(day, by_day[day]) for day in sorted(by_day) if by_day[day].keys() >= {LOWER, UPPER})
        for indicator, by_day in found.items()
    }


class DailyMeans:
    """Credits to each day what indicators were during it, and remembers the days.

    `add` hands on each credit (day, indicator, bound, value, seconds), to be kept over restarts; `rows` are what was
    kept. A value holds from its record to the next one, of which no more than LONGEST seconds are credited: time in
    which nobody recorded, and infinite bounds, leave a day with fewer seconds.
    """

    def __init__(self, add: Add, rows: Iterable[Row] = ()) -> None:
        self._add = add
        self._days = {name: {one.day: one for one in days} for name, days in days_of(rows).items()}
        self._held: tuple[Plan, Mapping[str, Value]] = (Plan(), {})
        self._since = math.inf

    def record(self, plan: Plan, values: Mapping[str, Value], now: float) -> None:
        """Let what was recorded before have held until `now` (Unix seconds), and `values` hold from now on."""
        if 0 < now - self._since <= LONGEST:
            self._credit(self._since, now)
        self._held, self._since = (plan, dict(values)), now

    def days(self) -> dict[str, tuple[Day, ...]]:
        """All days that are known, by indicator, in order: a copy that does not change."""
        return {name: tuple(days.values()) for name, days in self._days.items()}

    def _credit(self, since: float, until: float) -> None:
        while since < until:
            day = day_of(since)
            end = min(until, ends(day))
            for indicator in self._held[0].indicators:
                value = self._held[1].get(indicator.id)
                if value is not None and value.finite and not indicator.ended(day):
                    self._credited(indicator, value, day, end - since)
            since = end

    def _credited(self, indicator: Indicator, value: Value, day: date, seconds: float) -> None:
        days = self._days.setdefault(indicator.id, {})
        known = days.get(day)
        if known is None:
            self._days[indicator.id] = days = _room_for(day, days)
        before = days[day] if known is not None else Day(day, 0.0, 0.0, 0.0)
        balance = dict(before.balance)
        self._add(day, indicator.id, LOWER, value.lower, seconds)
        self._add(day, indicator.id, UPPER, value.upper, seconds)
        for test, weight in _weights(indicator, value, day).items():
            self._add(day, indicator.id, test, weight, seconds)
            balance[test] = balance.get(test, 0.0) + weight * seconds
        total = before.seconds + seconds
        days[day] = Day(
            day,
            (before.lower * before.seconds + value.lower * seconds) / total,
            (before.upper * before.seconds + value.upper * seconds) / total,
            total,
            tuple(balance.items()),
        )


def _weights(indicator: Indicator, value: Value, day: date) -> dict[str, float]:
    demands = (goal.on(day) for goal in indicator.goals)
    return {demand.test: _WEIGHTS[verdict(value, demand)] for demand in demands if demand.recurring is None}


def _room_for(day: date, days: Mapping[date, Day]) -> dict[date, Day]:
    """The days in order, with a place for another, without those that are too old."""
    return {one: days.get(one, Day(one, 0.0, 0.0, 0.0)) for one in sorted({*days, day}) if day - one <= KEPT}


def _day(day: date, rows: Mapping[str, Row]) -> Day:
    lower, upper = rows[LOWER], rows[UPPER]
    balance = ((name, row.mean * row.seconds) for name, row in rows.items() if name not in {LOWER, UPPER})
    return Day(day, lower.mean, upper.mean, lower.seconds, tuple(balance))
