"""What follows from the plan and the values: days, paces, gaps, statuses. Plain data.

Ratios are shares from 0 to 1. Moments are Unix seconds; days are those of the province's clock.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

from collector.plan.records import Demand, Indicator, Observation, Value


class Status(StrEnum):
    """Where an indicator stands against a goal."""

    MET = "met"
    MISSED = "missed"
    ON_TRACK = "on-track"
    BEHIND = "behind"
    UNKNOWN = "unknown"


class Verdict(StrEnum):
    """Whether a value satisfies a goal now, as far as its bounds tell."""

    MET = "met"
    UNMET = "unmet"
    UNKNOWN = "unknown"


class Origin(StrEnum):
    """Where a present value comes from."""

    LIVE = "live"
    JOURNAL = "journal"
    OBSERVATION = "observation"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Day:
    """Time-weighted means of both bounds over `seconds` of a day.

    `balance` has by each demand's test the seconds in which it was met, less those in which it certainly was not.
    """

    day: date
    lower: float
    upper: float
    seconds: float
    balance: tuple[tuple[str, float], ...] = ()

    def met(self, test: str) -> float | None:
        """Seconds in which a demand was met less those in which it was not; None where nobody counted."""
        return dict(self.balance).get(test)

    @property
    def value(self) -> Value:
        """Both means."""
        return Value(self.lower, max(self.lower, self.upper))


@dataclass(frozen=True, slots=True)
class Pace:
    """Change a day of each bound.

    `fitted`: by least squares over the last 180 days; else from the last two observations, however old. `points` says
    over how many.
    """

    lower: float
    upper: float
    fitted: bool
    points: int


@dataclass(frozen=True, slots=True)
class Past:
    """How the period before the present one ended."""

    period: str
    value: Value | None
    status: Status


@dataclass(frozen=True, slots=True)
class Judgement:
    """A demand against the value. What cannot be said, or does not apply, is None.

    `gap` is what is missing, by the bound that misses it, 0 where nothing is: its lower bound is that of the value.
    `required` is the change a day until the due moment; `projected` is when the demand is met at the observed pace.
    """

    demand: Demand
    status: Status | None
    due_at: float | None = None
    gap_lower: float | None = None
    gap_upper: float | None = None
    required: float | None = None
    projected: float | None = None
    period: str = ""
    past: Past | None = None


@dataclass(frozen=True, slots=True)
class Assessment:
    """An indicator now: `actual` is what is known this moment, `mean` what its status is judged by.

    `observation` is what both stand on where nothing is measured.
    """

    indicator: Indicator
    origin: Origin
    actual: Value | None = None
    mean: Value | None = None
    as_of: date | None = None
    observation: Observation | None = None
    pace: Pace | None = None
    ended: bool = False
    judgements: tuple[Judgement, ...] = ()


@dataclass(frozen=True, slots=True)
class Footing:
    """What a live value rests on. None: that does not apply, or nobody knows.

    `oldest` is when the oldest of it was measured or stated (Unix seconds), `known` the share of it that is known and
    fresh, `made_by` the villages by what says that they have signal. `synthetic`: some of it is simulated.
    """

    oldest: float | None = None
    known: float | None = None
    synthetic: bool = False
    made_by: Mapping[str, int] = field(default_factory=dict)


def weighted(days: Iterable[Day]) -> Value | None:
    """Mean of each bound over several days, by the seconds of each; None without any."""
    some = [(one.value, one.seconds) for one in days if one.seconds > 0]
    total = math.fsum(seconds for _, seconds in some)
    if not some:
        return None
    lower = math.fsum(value.lower * seconds for value, seconds in some) / total
    upper = math.fsum(value.upper * seconds for value, seconds in some) / total
    return Value(min(lower, upper), upper)
