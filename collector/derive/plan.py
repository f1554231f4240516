"""Where the province stands against its plan, as samples: what is demanded of its indicators, and what follows."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from datetime import date

from collector.model import Metric, MetricType, Sample
from collector.plan import Assessment, Judgement, Status

INFO = Metric(
    "hatang_plan_info",
    "An indicator of the plan. basis: on whose word anything is demanded of it; proposed is not official.",
    MetricType.INFO,
    ("indicator", "unit", "basis", "name_vi", "name_en"),
)
ACTUAL = Metric(
    "hatang_plan_actual",
    "What an indicator is now, in its unit: it lies between both bounds.",
    labels=("indicator", "bound"),
)
TARGET = Metric(
    "hatang_plan_target",
    "What is demanded of an indicator, by its due date, each month or year (monthly, yearly), or without date (none).",
    labels=("indicator", "due"),
)
DUE = Metric(
    "hatang_plan_due_timestamp_seconds",
    "Unix time from which on what is not reached is missed.",
    labels=("indicator", "due"),
)
GAP = Metric(
    "hatang_plan_gap",
    "What the daily mean of a bound lacks of what is demanded, in the indicator's unit; 0 where nothing is missing.",
    labels=("indicator", "due", "bound"),
)
REQUIRED = Metric(
    "hatang_plan_required_pace_per_day",
    "Change a day that the worse bound needs until the due date.",
    labels=("indicator", "due"),
)
OBSERVED = Metric(
    "hatang_plan_observed_pace_per_day",
    "Change a day of the lower bound over the last 180 days, or between the last two observations.",
    labels=("indicator",),
)
PROJECTED = Metric(
    "hatang_plan_projected_timestamp_seconds",
    "Unix time at which both bounds satisfy the demand, at their observed pace.",
    labels=("indicator", "due"),
)
STATUS = Metric(
    "hatang_plan_status",
    "1 for where an indicator stands against a demand: met, missed, on-track, behind or unknown.",
    labels=("indicator", "due", "status"),
)
METRICS = (INFO, ACTUAL, TARGET, DUE, GAP, REQUIRED, OBSERVED, PROJECTED, STATUS)


def samples(assessments: Iterable[Assessment], today: date) -> Iterator[Sample]:
    """What the assessments say. Unknown and infinite numbers have no sample; of what is history, only its name has."""
    for one in assessments:
        name, indicator = one.indicator.id, one.indicator
        labels = name, indicator.unit.value, indicator.basis(today), indicator.name_vi, indicator.name_en
        yield Sample(INFO, labels, 1.0)
        if one.ended:
            continue
        if one.actual is not None:
            yield from _known(ACTUAL, {(name, "lower"): one.actual.lower, (name, "upper"): one.actual.upper})
        if one.pace is not None:
            yield Sample(OBSERVED, (name,), one.pace.lower)
        for judgement in one.judgements:
            yield from _judged(name, judgement)


def _judged(name: str, one: Judgement) -> Iterator[Sample]:
    due = one.demand.label
    yield Sample(TARGET, (name, due), one.demand.value)
    yield from _known(GAP, {(name, due, "lower"): one.gap_lower, (name, due, "upper"): one.gap_upper})
    for metric, value in ((DUE, one.due_at), (REQUIRED, one.required), (PROJECTED, one.projected)):
        yield from _known(metric, {(name, due): value})
    if one.status is not None:
        for status in Status:
            yield Sample(STATUS, (name, due, status.value), float(status is one.status))


def _known(metric: Metric, values: Mapping[tuple[str, ...], float | None]) -> Iterator[Sample]:
    for labels, value in values.items():
        if value is not None and math.isfinite(value):
            yield Sample(metric, labels, value)
