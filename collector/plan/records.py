"""The plan as plain data: indicators, where their values come from, what is demanded of them by when, what was seen.

Ratios are shares from 0 to 1. Moments are Unix seconds; days are those of the province's clock.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import TypeAlias

from collector.model import Basis


class Unit(StrEnum):
    """What an indicator counts."""

    RATIO = "ratio"
    COUNT = "count"
    NUMBER = "number"
    TERABYTE = "terabyte"


class Comparator(StrEnum):
    """How a value stands to another; of an observation, how exactly it was stated (`gt`: more than)."""

    GE = "ge"
    GT = "gt"
    LE = "le"
    LT = "lt"
    EQ = "eq"
    APPROX = "approx"


class Recurring(StrEnum):
    """How often a goal is judged anew."""

    MONTHLY = "monthly"
    YEARLY = "yearly"


@dataclass(frozen=True, slots=True)
class Value:
    """What is known of a figure: it lies between the bounds. Infinite bounds say that nothing is known there."""

    lower: float
    upper: float

    def __post_init__(self) -> None:
        if not self.lower <= self.upper:
            raise ValueError(f"the lower bound {self.lower} is not below the upper one {self.upper}")

    @classmethod
    def exactly(cls, value: float) -> Value:
        """Both bounds the same."""
        return cls(value, value)

    @property
    def finite(self) -> bool:
        """Whether both bounds say something."""
        return math.isfinite(self.lower) and math.isfinite(self.upper)


NOTHING_KNOWN = Value(-math.inf, math.inf)


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure of a view. What is empty is not asked: a figure of coverage has no objective."""

    view: str
    name: str
    technology: str = ""
    category: str = ""
    objective: str = ""
    part_of: str = ""


@dataclass(frozen=True, slots=True)
class Measured:
    """The sum over series of one name, of a target or of all targets of a system; `labels` are theirs or the target's.

    `scale` is the factor to the indicator's unit.
    """

    name: str
    target: str = ""
    system: str = ""
    labels: tuple[tuple[str, str], ...] = ()
    scale: float = 1.0


@dataclass(frozen=True, slots=True)
class Stated:
    """What a feed of indicators says; `feed` is a target's id, empty for any."""

    feed: str = ""


Source: TypeAlias = Figure | Measured | Stated


@dataclass(frozen=True, slots=True)
class Observation:
    """What somebody saw, or wrote, of a day."""

    day: date
    value: float
    comparator: Comparator = Comparator.EQ
    source: str = ""
    note: str = ""

    def bounds(self, unit: Unit) -> Value:
        """What it says for certain: `more than 0.95` of a ratio leaves everything up to 1."""
        least, most = (0.0, 1.0) if unit is Unit.RATIO else (0.0, math.inf)
        if self.comparator in {Comparator.GE, Comparator.GT}:
            return Value(self.value, max(self.value, most))
        if self.comparator in {Comparator.LE, Comparator.LT}:
            return Value(min(self.value, least), self.value)
        return Value.exactly(self.value)


@dataclass(frozen=True, slots=True)
class Demand:
    """A value, and by when. `due` is the last day on which it may be reached; None: no day is set."""

    value: float
    comparator: Comparator
    due: date | None = None
    recurring: Recurring | None = None
    act: str = ""
    basis: Basis = Basis.PROPOSED
    confirmed: bool = True

    @property
    def label(self) -> str:
        """The value of the label `due`: a date, `monthly`, `yearly` or `none`."""
        if self.recurring is not None:
            return self.recurring.value
        return self.due.isoformat() if self.due is not None else "none"

    @property
    def test(self) -> str:
        """What is compared, as text that stays the same while it does: `ge 0.95`."""
        return f"{self.comparator} {self.value!r}"

    @property
    def official(self) -> bool:
        """Whether anybody but us demands it."""
        return self.basis is not Basis.PROPOSED


@dataclass(frozen=True, slots=True)
class Revision:
    """What a goal demanded until a day, that day included."""

    until: date
    demand: Demand


@dataclass(frozen=True, slots=True)
class Goal:
    """What is demanded now, and the earlier forms of it, oldest first."""

    demand: Demand
    revisions: tuple[Revision, ...] = ()

    def on(self, day: date) -> Demand:
        """What it demanded on a day."""
        return next((one.demand for one in self.revisions if day <= one.until), self.demand)


@dataclass(frozen=True, slots=True)
class Indicator:
    """One measurable thing of the plan. Without `source` its value is what was last observed.

    After `valid_to` it is history: nothing is measured or demanded of it any more. Observations are in order.
    """

    id: str
    name_vi: str
    name_en: str
    unit: Unit
    source: Source | None = None
    goals: tuple[Goal, ...] = ()
    observations: tuple[Observation, ...] = ()
    valid_to: date | None = None
    note: str = ""

    def ended(self, day: date) -> bool:
        """Whether it is history on a day."""
        return self.valid_to is not None and day > self.valid_to

    def basis(self, day: date) -> str:
        """The weakest word on which anything is demanded of it: never more official than any goal. Else `none`."""
        order = tuple(Basis)
        found = [order.index(goal.on(day).basis) for goal in self.goals]
        return order[max(found)].value if found else "none"


@dataclass(frozen=True, slots=True)
class Reference:
    """Where observations come from, by the short name that they give: a report and the territory that it is about."""

    id: str
    name_vi: str
    name_en: str


@dataclass(frozen=True, slots=True)
class Reported:
    """A figure of the province's report: the indicator that carries it, or the reason why none does."""

    entry: str
    metric: str
    indicator: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Plan:
    """All indicators by id, in the order of the file."""

    indicators: tuple[Indicator, ...] = ()
    references: tuple[Reference, ...] = ()
    reported: tuple[Reported, ...] = ()

    def named(self) -> dict[str, Indicator]:
        """The indicators by id."""
        return {one.id: one for one in self.indicators}
