"""What an indicator's value is now, and by what it is judged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from collector.plan.comparing import verdict
from collector.plan.records import NOTHING_KNOWN, Demand, Indicator, Observation, Value
from collector.plan.results import Day, Origin, Verdict, weighted

# A status follows today and the day before: a new day does not begin with the chances of its first minutes.
RECENT = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Present:
    """`actual` is what is known this moment, `mean` what is judged, `recent` the days that it is the mean of."""

    origin: Origin
    actual: Value | None = None
    mean: Value | None = None
    as_of: date | None = None
    observation: Observation | None = None
    recent: tuple[Day, ...] = ()


def present(indicator: Indicator, live: Value | None, days: Sequence[Day], today: date, *, at_work: bool) -> Present:
    """The live value and the mean of the last days; else the last observation.

    What was measured and is no longer heard of is unknown, until somebody states something newer. What was never
    measured is what was last observed. Unless the service is `at_work`, the journal's last days stand for live values.
    """
    seen = _last(indicator, today)
    if indicator.source is None or indicator.ended(today):
        return _observed(indicator, seen)
    recent = tuple(one for one in days if today - RECENT <= one.day <= today)
    if live is not None:
        mean = weighted(recent) if live.finite else None
        return Present(Origin.LIVE, live, mean or live, today, recent=recent)
    if recent and not at_work:
        return Present(Origin.JOURNAL, recent[-1].value, weighted(recent), recent[-1].day, recent=recent)
    if not days or (seen is not None and seen.day > days[-1].day):
        return _observed(indicator, seen)
    return Present(Origin.NONE, NOTHING_KNOWN, NOTHING_KNOWN, days[-1].day)


def standing(now: Present, demand: Demand) -> Verdict:
    """Whether the demand is met: by the means, but for two cases.

    What cannot be told at this moment is unknown. What was met for the greater part of the time of which that can be
    told is met, although an outage took something from its mean: of a demand of 100 % every outage does.
    """
    if now.actual is None or now.mean is None:
        return Verdict.UNKNOWN
    by_mean = verdict(now.mean, demand)
    if verdict(now.actual, demand) is Verdict.UNKNOWN and not _mostly_met(now, demand):
        return Verdict.UNKNOWN
    counted = [met for one in now.recent if (met := one.met(demand.test)) is not None]
    return Verdict.MET if by_mean is not Verdict.MET and sum(counted) > 0 else by_mean


def _mostly_met(now: Present, demand: Demand) -> bool:
    """Of a day that the journal tells of: whether it was met for most of it, although for some time nobody knew."""
    if now.origin is not Origin.JOURNAL or not now.recent:
        return False
    last = now.recent[-1]
    return (last.met(demand.test) or 0.0) > last.seconds / 2


def _last(indicator: Indicator, today: date) -> Observation | None:
    return next((one for one in reversed(indicator.observations) if one.day <= today), None)


def _observed(indicator: Indicator, seen: Observation | None) -> Present:
    if seen is None:
        return Present(Origin.NONE)
    value = seen.bounds(indicator.unit)
    return Present(Origin.OBSERVATION, value, value, seen.day, seen)
