"""Plans, days and moments for tests."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime

from collector.plan import (
    ZONE,
    Assessment,
    Comparator,
    Day,
    Demand,
    Figure,
    Goal,
    Indicator,
    Judgement,
    Observation,
    Plan,
    Unit,
    Value,
    compute,
)

FIGURE = Figure("coverage", "villages", "3G")


def at(text: str) -> float:
    """Unix seconds of a local time in the province, such as `2026-11-23 12:00`."""
    return datetime.fromisoformat(text).replace(tzinfo=ZONE).timestamp()


def indicator(*goals: Goal | Demand, name: str = "one", unit: Unit = Unit.RATIO) -> Indicator:
    """A measured one."""
    whole = tuple(goal if isinstance(goal, Goal) else Goal(goal) for goal in goals)
    return Indicator(name, "Một", "One", unit, FIGURE, whole)


def seen(one: Indicator, *observations: tuple[str, float]) -> Indicator:
    """With dated observations."""
    return replace(one, observations=tuple(Observation(date.fromisoformat(day), value) for day, value in observations))


def least(value: float, due: str | None = None) -> Demand:
    """At least so much."""
    return Demand(value, Comparator.GE, date.fromisoformat(due) if due is not None else None)


def days(first: str, values: Sequence[float | tuple[float, float]], seconds: float = 86400.0) -> tuple[Day, ...]:
    """Consecutive days."""
    start = date.fromisoformat(first).toordinal()
    pairs = [value if isinstance(value, tuple) else (value, value) for value in values]
    return tuple(Day(date.fromordinal(start + place), *pair, seconds) for place, pair in enumerate(pairs))


def assessed(one: Indicator, live: Value | None, past: Sequence[Day], now: str, at_work: bool = True) -> Assessment:
    """An indicator at a local time, while the service runs or not."""
    values = {one.id: live} if live is not None else {}
    (found,) = compute(Plan((one,)), values if at_work else None, {one.id: past} if past else {}, at(now))
    return found


def judged(one: Indicator, live: Value | None, past: Sequence[Day], now: str, at_work: bool = True) -> Judgement:
    """Its only judgement."""
    (found,) = assessed(one, live, past, now, at_work).judgements
    return found
