"""Goals that come again: each month or year is judged by itself."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from collector.plan.comparing import UPWARD, missing, satisfied, verdict
from collector.plan.days import Period, begins, day_of, ends, period_before, period_of
from collector.plan.records import Demand, Indicator, Observation, Recurring, Unit, Value
from collector.plan.results import Day, Judgement, Past, Status, Verdict

# Of a period of which less was observed, the rest may change what is said: it counts both ways.
SUFFICIENT = 0.99
_OVER = {Verdict.MET: Status.MET, Verdict.UNMET: Status.MISSED, Verdict.UNKNOWN: Status.UNKNOWN}
_SO_FAR = {Verdict.MET: Status.ON_TRACK, Verdict.UNMET: Status.BEHIND, Verdict.UNKNOWN: Status.UNKNOWN}
_SEEN = {Verdict.MET: Status.MET, Verdict.UNMET: Status.BEHIND, Verdict.UNKNOWN: Status.UNKNOWN}


@dataclass(frozen=True, slots=True)
class Tally:
    """A period so far, in seconds and value times seconds.

    `expected` is the time since it began or the indicator became known, `left` what is to come of it.
    """

    lower: float
    upper: float
    observed: float
    expected: float
    left: float

    @property
    def mean(self) -> Value:
        """Over the time that was observed."""
        lower, upper = self.lower / self.observed, self.upper / self.observed
        return Value(min(lower, upper), upper)

    @property
    def length(self) -> float:
        """The whole of it."""
        return self.expected + self.left

    @property
    def sufficient(self) -> bool:
        """Whether enough of it was observed."""
        return self.observed >= SUFFICIENT * self.expected


def judged(indicator: Indicator, demand: Demand, recurring: Recurring, days: Sequence[Day], now: float) -> Judgement:
    """The period that is running, and beside it the one before.

    Measured days count, unless nothing is measured any more and somebody stated something newer.
    """
    today = day_of(now)
    period = period_of(today, recurring)
    before = period_before(period, recurring)
    seen = _seen(indicator, period, today)
    if indicator.source is not None and days and (seen is None or seen.day <= days[-1].day):
        value, status = _running(indicator.unit, demand, tally(period, days, now))
    else:
        value = seen.bounds(indicator.unit) if seen is not None else None
        status = _SEEN[verdict(value, demand)] if value is not None else Status.UNKNOWN
    return Judgement(
        demand,
        status,
        due_at=ends(period.last),
        gap_lower=abs(missing(value.lower, demand)) if value is not None and value.finite else None,
        gap_upper=abs(missing(value.upper, demand)) if value is not None and value.finite else None,
        period=period.name,
        past=_past(indicator, demand, before, days, now),
    )


def tally(period: Period, days: Sequence[Day], now: float) -> Tally | None:
    """What the days of a period add up to; None where none was observed."""
    inside = [one for one in days if period.holds(one.day) and one.seconds > 0]
    if not inside:
        return None
    until = min(now, ends(period.last))
    observed = math.fsum(one.seconds for one in inside)
    known = days[0]
    if known.day < period.first:
        expected = until - begins(period.first)
    else:  # of the day on which it became known, what was before is nobody's
        expected = known.seconds + max(0.0, until - ends(known.day))
    return Tally(
        math.fsum(one.lower * one.seconds for one in inside),
        math.fsum(one.upper * one.seconds for one in inside),
        observed,
        max(expected, observed),
        max(0.0, ends(period.last) - now),
    )


def _running(unit: Unit, demand: Demand, so_far: Tally | None) -> tuple[Value | None, Status]:
    if so_far is None:
        return None, Status.UNKNOWN
    if unit is Unit.RATIO and demand.comparator in UPWARD:
        return so_far.mean, _of_budget(demand, so_far)
    if not so_far.sufficient:
        return so_far.mean, Status.UNKNOWN
    return so_far.mean, _SO_FAR[verdict(so_far.mean, demand)]


def _of_budget(demand: Demand, so_far: Tally) -> Status:
    """Missed once not even a faultless rest of the period would do; on track while what was lost leaves enough."""
    length, observed = so_far.length, so_far.observed
    if not satisfied((so_far.upper + length - observed) / length, demand):
        return Status.MISSED
    unseen = 0.0 if so_far.sufficient else so_far.expected - observed
    kept = (so_far.lower + length - observed - unseen) / length
    return Status.ON_TRACK if satisfied(kept, demand) else Status.UNKNOWN


def _past(indicator: Indicator, demand: Demand, period: Period, days: Sequence[Day], now: float) -> Past | None:
    whole = tally(period, days, now)
    if whole is None:
        seen = _seen(indicator, period, period.last)
        if seen is None:
            return None
        value = seen.bounds(indicator.unit)
        return Past(period.name, value, _OVER[verdict(value, demand)])
    judged_by = whole.mean
    if not whole.sufficient:
        least, most = (0.0, 1.0) if indicator.unit is Unit.RATIO else (-math.inf, math.inf)
        unseen = whole.expected - whole.observed
        judged_by = Value(
            (whole.lower + least * unseen) / whole.expected, (whole.upper + most * unseen) / whole.expected
        )
    return Past(period.name, whole.mean, _OVER[verdict(judged_by, demand)])


def _seen(indicator: Indicator, period: Period, until: date) -> Observation | None:
    """What was last observed of the period, up to a day."""
    return next((one for one in reversed(indicator.observations) if one.day <= until and period.holds(one.day)), None)
