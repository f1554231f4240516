"""The plan against the values: gaps, paces, projections and statuses. Pure: the clock is an argument."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from collector.plan import periods
from collector.plan.comparing import missing, worse
from collector.plan.days import DAY, day_of, ends
from collector.plan.pace import observed_pace
from collector.plan.present import Present, present, standing
from collector.plan.records import Demand, Indicator, Plan, Value
from collector.plan.results import Assessment, Day, Judgement, Pace, Status, Verdict

# Whatever takes longer than a century is not coming.
NEVER = 36_525.0


def compute(
    plan: Plan, values: Mapping[str, Value] | None, days: Mapping[str, Sequence[Day]], now: float
) -> tuple[Assessment, ...]:
    """Every indicator at `now` (Unix seconds).

    `values` are live, by indicator; what is measured but not known now is NOTHING_KNOWN or left out. None: no service
    is at work, and the journal's `days` (by indicator, in order) stand for them.
    """
    return tuple(
        _assessed(one, (values or {}).get(one.id), days.get(one.id, ()), now, at_work=values is not None)
        for one in plan.indicators
    )


def _assessed(
    indicator: Indicator, live: Value | None, days: Sequence[Day], now: float, *, at_work: bool
) -> Assessment:
    today = day_of(now)
    found = present(indicator, live, days, today, at_work=at_work)
    ended = indicator.ended(today)
    pace = None if ended else observed_pace(indicator, days, today)
    demands = () if ended else tuple(goal.on(today) for goal in indicator.goals)
    return Assessment(
        indicator=indicator,
        origin=found.origin,
        actual=found.actual,
        mean=found.mean,
        as_of=found.as_of,
        observation=found.observation,
        pace=pace,
        ended=ended,
        judgements=tuple(_judged(indicator, one, found, pace, days, now) for one in demands),
    )


def _judged(
    indicator: Indicator, demand: Demand, found: Present, pace: Pace | None, days: Sequence[Day], now: float
) -> Judgement:
    if demand.recurring is not None:
        return periods.judged(indicator, demand, demand.recurring, days, now)
    lower, upper = _gaps(found.mean, demand)
    if demand.due is None:
        return Judgement(demand, None, gap_lower=lower, gap_upper=upper)
    due_at = ends(demand.due)
    days_left = (due_at - now) / DAY
    days_to_go = _days_to_go(found.mean, pace, demand)
    status = _status(standing(found, demand), days_to_go, days_left)
    return Judgement(
        demand,
        status,
        due_at=due_at,
        gap_lower=lower,
        gap_upper=upper,
        required=_required(found.mean, demand, days_left),
        projected=_projected(days_to_go, now) if status is not Status.MET else None,
    )


def _gaps(value: Value | None, demand: Demand) -> tuple[float | None, float | None]:
    if value is None:
        return None, None
    found = [abs(missing(bound, demand)) if math.isfinite(bound) else None for bound in (value.lower, value.upper)]
    return found[0], found[1]


def _required(value: Value | None, demand: Demand, days_left: float) -> float | None:
    """Change a day that the worse bound needs from now on; None past the due day."""
    if value is None or days_left <= 0 or not math.isfinite(bound := worse(value, demand)):
        return None
    return missing(bound, demand) / days_left


def _status(verdict: Verdict, days_to_go: Sequence[float], days_left: float) -> Status:
    """By the verdict; of what is not met, by the due day and then by the pace of each bound."""
    if verdict is not Verdict.UNMET:
        return Status.MET if verdict is Verdict.MET else Status.UNKNOWN
    if days_left <= 0:
        return Status.MISSED
    if not days_to_go:
        return Status.UNKNOWN
    if max(days_to_go) <= days_left:
        return Status.ON_TRACK
    return Status.BEHIND if min(days_to_go) > days_left else Status.UNKNOWN


def _projected(days_to_go: Sequence[float], now: float) -> float | None:
    latest = max(days_to_go, default=math.inf)
    return now + latest * DAY if latest <= NEVER else None


def _days_to_go(value: Value | None, pace: Pace | None, demand: Demand) -> tuple[float, ...]:
    """Days until each bound satisfies the demand at its own pace, infinite if never; nothing without a pace."""
    if value is None or pace is None:
        return ()
    return tuple(_days(missing(bound, demand), slope) for bound, slope in zip(_pair(value), _pair(pace), strict=True))


def _pair(of: Value | Pace) -> tuple[float, float]:
    return of.lower, of.upper


def _days(change: float, slope: float) -> float:
    if change == 0:
        return 0.0
    # Also what is infinitely far away; and a pace that is too small to divide by leads nowhere.
    days = change / slope if math.isfinite(change) and slope * change > 0 else math.inf
    return days if days <= NEVER else math.inf
