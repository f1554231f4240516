"""The plan as the service and the journal tell it: a line for each demand, which programs read and tables show."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict

from collector.model import Basis
from collector.plan import (
    ZONE,
    Assessment,
    Comparator,
    Demand,
    Figure,
    Footing,
    Goal,
    Indicator,
    Judgement,
    Measured,
    Origin,
    Plan,
    Status,
    Unit,
    Value,
    day_of,
)
from collector.plan.figures import CHOOSERS

_ORDER = (Status.MISSED, Status.BEHIND, Status.UNKNOWN, Status.ON_TRACK, Status.MET)
_NOBODY = Footing()


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True)


class How(_Part):
    """How the value was made, and how fresh it is. None: that does not apply, or nobody knows.

    `by` is the figure, the metric, the feed or the report; `oldest` is when the oldest of it was measured, and
    `known_share` the share of it whose state is known; `made_by` counts villages by what says that they have signal.
    """

    by: str
    oldest: AwareDatetime | None = None
    known_share: float | None = None
    made_by: dict[str, int] = {}
    synthetic: bool = False


class Before(_Part):
    """What a target was until a day, that day included."""

    until: date
    target: float
    comparator: Comparator
    due: str
    act: str | None = None
    basis: Basis


class Past(_Part):
    """How the month or year before ended."""

    period: str
    status: Status
    lower: float | None = None
    upper: float | None = None


class Line(_Part):
    """An indicator with one of its demands, or with none. Ratios are 0 to 1, paces a day, numbers None if unknown."""

    indicator: str
    name_vi: str
    name_en: str
    unit: Unit
    origin: Origin
    as_of: date | None = None
    source: str | None = None
    actual_lower: float | None = None
    actual_upper: float | None = None
    mean_lower: float | None = None
    mean_upper: float | None = None
    observed_pace_per_day: float | None = None
    pace_fitted: bool | None = None
    history: bool = False
    target: float | None = None
    comparator: Comparator | None = None
    due: str | None = None
    status: Status | None = None
    gap_lower: float | None = None
    gap_upper: float | None = None
    required_pace_per_day: float | None = None
    projected: date | None = None
    basis: Basis | None = None
    official: bool | None = None
    act: str | None = None
    confirmed: bool | None = None
    period: str | None = None
    past: Past | None = None
    how: How
    revisions: tuple[Before, ...] = ()

    @property
    def rank(self) -> tuple[int, float]:
        """Worst first, and among equals the widest gap for what is demanded."""
        if self.target is None:
            return len(_ORDER) + 1 + self.history, 0.0
        place = _ORDER.index(self.status) if self.status is not None else len(_ORDER)
        gaps = [gap for gap in (self.gap_lower, self.gap_upper) if gap is not None]
        return place, -max(gaps, default=0.0) / (abs(self.target) or 1.0)


class Named(_Part):
    """A report that observations are from."""

    name_vi: str
    name_en: str


class Left(_Part):
    """A figure of the province's report that nothing follows, and why."""

    entry: str
    metric: str
    reason: str


class Told(_Part):
    """The whole plan at one moment, what is worst first. `read_from` is where its values are from."""

    at: AwareDatetime
    zone: str = ZONE.key
    read_from: Literal["service", "journal", "reports"]
    indicators: tuple[Line, ...]
    references: dict[str, Named] = {}
    not_followed: tuple[Left, ...] = ()


def told(
    plan: Plan,
    assessments: Iterable[Assessment],
    now: float,
    read_from: Literal["service", "journal", "reports"],
    footings: Mapping[str, Footing] | None = None,
) -> Told:
    """What the assessments of `now` (Unix seconds) say; `footings` are by indicator, of live values."""
    grounds = footings or {}
    found = [
        _line(one, judgement, grounds.get(one.indicator.id, _NOBODY), now)
        for one in assessments
        for judgement in one.judgements or (None,)
    ]
    return Told(
        at=_moment(now),
        read_from=read_from,
        indicators=tuple(sorted(found, key=lambda line: line.rank)),
        references={one.id: Named(name_vi=one.name_vi, name_en=one.name_en) for one in plan.references},
        not_followed=tuple(
            Left(entry=one.entry, metric=one.metric, reason=one.reason) for one in plan.reported if one.reason
        ),
    )


def _line(one: Assessment, judgement: Judgement | None, footing: Footing, now: float) -> Line:
    indicator, pace = one.indicator, one.pace
    return Line(
        indicator=indicator.id,
        name_vi=indicator.name_vi,
        name_en=indicator.name_en,
        unit=indicator.unit,
        origin=one.origin,
        as_of=one.as_of,
        source=one.observation.source if one.observation is not None else None,
        **_bounds("actual", one.actual),
        **_bounds("mean", one.mean),
        observed_pace_per_day=pace.lower if pace is not None else None,
        pace_fitted=pace.fitted if pace is not None else None,
        history=one.ended,
        **(_demanded(judgement) | _goal(indicator, judgement.demand, now) if judgement is not None else {}),
        how=_how(one, footing),
    )


def _bounds(name: str, value: Value | None) -> dict[str, float | None]:
    sides = {"lower": value.lower, "upper": value.upper} if value is not None else {}
    return {f"{name}_{side}": bound for side, bound in sides.items() if math.isfinite(bound)}


def _demanded(judgement: Judgement) -> dict[str, Any]:
    demand, past = judgement.demand, judgement.past
    return {
        **_asked(demand),
        "status": judgement.status,
        "gap_lower": judgement.gap_lower,
        "gap_upper": judgement.gap_upper,
        "required_pace_per_day": judgement.required,
        "projected": day_of(judgement.projected) if judgement.projected is not None else None,
        "official": demand.official,
        "confirmed": demand.confirmed,
        "period": judgement.period or None,
        "past": Past(period=past.period, status=past.status, **_sides(past.value)) if past is not None else None,
    }


def _asked(demand: Demand) -> dict[str, Any]:
    found = {"target": demand.value, "comparator": demand.comparator, "due": demand.label, "basis": demand.basis}
    return {**found, "act": demand.act or None}


def _sides(value: Value | None) -> dict[str, float | None]:
    return {name.removeprefix("_"): bound for name, bound in _bounds("", value).items()}


def _goal(indicator: Indicator, demand: Demand, now: float) -> dict[str, Any]:
    """Earlier forms of what is demanded: those that are over."""
    today = day_of(now)
    goal = next((one for one in indicator.goals if one.on(today) == demand), Goal(demand))
    return {
        "revisions": tuple(Before(until=one.until, **_asked(one.demand)) for one in goal.revisions if one.until < today)
    }


def _how(one: Assessment, footing: Footing) -> How:
    if one.origin is Origin.OBSERVATION and one.observation is not None:
        return How(by=f"report {one.observation.source}".strip())
    return How(
        by=_source(one.indicator),
        oldest=_moment(footing.oldest) if footing.oldest is not None else None,
        known_share=footing.known,
        made_by=dict(footing.made_by),
        synthetic=footing.synthetic,
    )


def _source(indicator: Indicator) -> str:
    """In words: `figure coverage villages technology=3G`."""
    source = indicator.source
    if source is None:
        return "report"
    if isinstance(source, Figure):
        chosen = [f"{name}={value}" for name in CHOOSERS if (value := getattr(source, name))]
        return " ".join(("figure", source.view, source.name, *chosen))
    if isinstance(source, Measured):
        chosen = [f"{name}={value}" for name in ("target", "system") if (value := getattr(source, name))]
        return " ".join(("metric", source.name, *chosen, *("=".join(pair) for pair in source.labels)))
    return f"feed {source.feed}".strip()


def _moment(at: float) -> datetime:
    """To the millisecond, by the province's clock."""
    return datetime.fromtimestamp(round(at, 3), ZONE)
