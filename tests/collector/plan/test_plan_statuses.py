"""What an indicator is said to be, from its value, its days and the clock."""

from __future__ import annotations

import math
from datetime import date

import pytest

from collector.model import Basis
from collector.plan import (
    NOTHING_KNOWN,
    Comparator,
    Demand,
    Goal,
    Indicator,
    Observation,
    Origin,
    Revision,
    Status,
    Unit,
    Value,
)
from tests.collector.plan.planning import assessed, at, days, indicator, judged, least, seen

NOW = "2026-11-23 12:00"


@pytest.mark.parametrize(
    ("comparator", "value", "status"),
    [
        (Comparator.GE, Value(0.5, 0.6), Status.MET),
        (Comparator.GE, Value(0.4, 0.5), Status.UNKNOWN),
        (Comparator.GE, Value(0.3, 0.4), Status.MISSED),
        (Comparator.GT, Value(0.6, 0.7), Status.MET),
        (Comparator.GT, Value(0.5, 0.5), Status.MISSED),
        (Comparator.GT, Value(0.5, 0.6), Status.UNKNOWN),
        (Comparator.LE, Value(0.4, 0.5), Status.MET),
        (Comparator.LE, Value(0.5, 0.6), Status.UNKNOWN),
        (Comparator.LE, Value(0.6, 0.7), Status.MISSED),
        (Comparator.LT, Value(0.4, 0.4), Status.MET),
        (Comparator.LT, Value(0.5, 0.5), Status.MISSED),
        (Comparator.EQ, Value(0.5, 0.5), Status.MET),
        (Comparator.EQ, Value(0.4, 0.6), Status.UNKNOWN),
        (Comparator.EQ, Value(0.6, 0.7), Status.MISSED),
    ],
)
def test_the_worse_bound_meets_and_the_better_one_misses(comparator: Comparator, value: Value, status: Status) -> None:
    one = indicator(Demand(0.5, comparator, date(2025, 12, 31)))
    assert judged(one, value, (), NOW).status is status


def test_what_is_due_may_be_reached_until_the_end_of_its_day() -> None:
    """In Asia/Ho_Chi_Minh, which is seven hours ahead of UTC."""
    one = indicator(least(1.0, "2025-12-31"))
    before, after = (judged(one, Value.exactly(0.8), (), moment) for moment in ("2025-12-31 23:59", "2026-01-01 00:00"))
    assert (before.status, after.status) == (Status.UNKNOWN, Status.MISSED)
    assert before.due_at == at("2026-01-01 00:00") == 1767200400.0
    assert before.required == pytest.approx(0.2 * 1440)
    assert after.required is None


@pytest.mark.parametrize(
    ("step", "status"),
    [(0.0012, Status.ON_TRACK), (0.0001, Status.BEHIND), (-0.001, Status.BEHIND), (0.0, Status.BEHIND)],
)
def test_the_pace_decides_of_what_is_not_yet_due(step: float, status: Status) -> None:
    """0.1 is missing with 100 days left: 0.001 a day is needed."""
    past = days("2026-10-24", [0.9 - step * (30 - place) for place in range(30)])
    found = judged(indicator(least(1.0, "2027-03-02")), Value.exactly(0.9), past, "2026-11-23 00:00")
    assert found.status is status
    assert found.gap_lower == pytest.approx(0.1, abs=0.01)
    assert (found.projected is None) == (step <= 0)


def test_a_bound_that_arrives_and_one_that_does_not_leave_it_unknown() -> None:
    """A feed that fell silent pulls the lower bound down, and tells nothing of the pace."""
    quiet = [(0.5 + 0.002 * place, 0.5 + 0.002 * place) for place in range(60)]
    silent = [(0.1, 0.62 + 0.002 * place) for place in range(10)]
    past = days("2026-09-14", [*quiet, *silent])
    found = judged(indicator(least(0.99, "2027-12-31")), Value(0.1, 0.64), past, "2026-11-23 12:00")
    assert found.status is Status.UNKNOWN


def test_without_a_pace_what_is_not_due_is_unknown() -> None:
    assert judged(indicator(least(1.0, "2030-12-31")), Value.exactly(0.4), (), NOW).status is Status.UNKNOWN


def test_two_points_must_lie_a_week_apart() -> None:
    one = indicator(least(1.0, "2030-12-31"))
    for count, fitted in ((7, False), (8, True)):
        pace = assessed(one, Value.exactly(0.5), days("2026-11-01", [0.5] * count), NOW).pace
        assert (pace is not None) is fitted


def test_else_the_last_two_observations_of_any_age_do() -> None:
    one = seen(indicator(least(1.0, "2030-12-31")), ("2019-01-01", 0.9), ("2020-01-01", 0.1), ("2020-01-11", 0.2))
    pace = assessed(one, Value.exactly(0.5), (), NOW).pace
    assert pace is not None
    assert [pace.lower, pace.upper] == [pytest.approx(0.01), pytest.approx(0.01)]
    assert (pace.fitted, pace.points) == (False, 2)


def test_observations_count_beside_daily_means_and_the_day_that_is_not_over_does_not() -> None:
    one = seen(indicator(), ("2026-05-26", 0.0), ("2026-05-27", 0.1))
    past = days("2026-11-22", [0.28, 0.9])
    pace = assessed(one, Value.exactly(0.9), past, NOW).pace
    assert pace is not None
    # 2026-05-27 is 180 days ago, the day before is not counted any more.
    assert [pace.lower, pace.points] == [pytest.approx(0.18 / 179), 2]
    assert pace.fitted


def test_an_hour_without_power_flips_no_status() -> None:
    """Not of what all of the time is demanded of, and not in the first hour of a day."""
    for value, demanded, status in (
        (1.0, 1.0, Status.MET),
        (0.8, 1.0, Status.MISSED),
        (0.95, 0.9, Status.MET),
    ):
        one = indicator(least(demanded, "2025-12-31"))
        test = one.goals[0].demand.test
        sign = 1.0 if status is Status.MET else -1.0
        whole = days("2026-11-22", [value])
        cut = days("2026-11-23", [0.3], seconds=3600)
        before = tuple(type(day)(day.day, day.lower, day.upper, day.seconds, ((test, sign * 86400),)) for day in whole)
        during = tuple(type(day)(day.day, day.lower, day.upper, day.seconds, ((test, -3600.0),)) for day in cut)
        assert judged(one, Value.exactly(0.3), (*before, *during), "2026-11-23 01:00").status is status


def test_a_loss_that_stays_is_missed_within_a_day() -> None:
    one = indicator(least(1.0, "2025-12-31"))
    test = one.goals[0].demand.test
    lost = tuple(
        type(day)(day.day, day.lower, day.upper, day.seconds, ((test, net),))
        for day, net in zip(days("2026-11-22", [0.95, 0.9]), (0.0, -86400.0), strict=True)
    )
    assert judged(one, Value.exactly(0.9), lost, "2026-11-23 23:59").status is Status.MISSED


def test_a_stale_feed_makes_unknown_never_missed() -> None:
    for value in (1.0, 0.8):
        one = seen(indicator(least(1.0, "2025-12-31")), ("2025-03-20", value))
        past = days("2026-11-20", [value] * 4)
        # Cells of one operator unknown; everything unknown; the figure gone; nothing of the feed since the restart.
        for live in (Value(0.2, 1.0), NOTHING_KNOWN, None):
            assert judged(one, live, past, NOW).status is Status.UNKNOWN
        assert judged(one, None, days("2026-10-01", [value]), NOW, at_work=False).status is Status.UNKNOWN


def test_what_was_never_measured_is_what_was_last_observed() -> None:
    one = seen(indicator(least(1.0, "2025-12-31")), ("2025-03-20", 0.8))
    found = assessed(one, None, (), NOW)
    assert (found.origin, found.as_of, found.mean) == (Origin.OBSERVATION, date(2025, 3, 20), Value.exactly(0.8))
    assert found.judgements[0].status is Status.MISSED
    assert found.judgements[0].gap_lower == pytest.approx(0.2)


def test_what_somebody_states_after_a_feed_fell_silent_stands() -> None:
    one = seen(indicator(least(1.0, "2025-12-31")), ("2026-11-01", 1.0))
    assert judged(one, None, days("2026-06-01", [0.8]), NOW).status is Status.MET
    assert judged(one, None, days("2026-11-02", [0.8]), NOW).status is Status.UNKNOWN


def test_an_observation_counts_from_its_day_on() -> None:
    one = seen(indicator(least(1.0, "2025-12-31")), ("2025-03-20", 0.8), ("2026-12-01", 1.0))
    assert judged(one, None, (), NOW).status is Status.MISSED
    assert judged(one, None, (), "2026-12-01 00:00").status is Status.MET


@pytest.mark.parametrize(
    ("comparator", "unit", "bounds"),
    [
        (Comparator.GT, Unit.RATIO, Value(0.95, 1.0)),
        (Comparator.LT, Unit.RATIO, Value(0.0, 0.95)),
        (Comparator.GT, Unit.COUNT, Value(0.95, math.inf)),
        (Comparator.LE, Unit.COUNT, Value(0.0, 0.95)),
        (Comparator.APPROX, Unit.COUNT, Value(0.95, 0.95)),
    ],
)
def test_an_observation_says_no_more_than_it_says(comparator: Comparator, unit: Unit, bounds: Value) -> None:
    assert Observation(date(2025, 3, 20), 0.95, comparator).bounds(unit) == bounds


def test_without_a_due_day_there_is_only_a_gap() -> None:
    found = judged(indicator(least(0.25)), Value(0.1, 0.2), (), NOW)
    assert (found.status, found.due_at, found.required, found.projected) == (None, None, None, None)
    assert [found.gap_lower, found.gap_upper] == [pytest.approx(0.15), pytest.approx(0.05)]


def test_a_demand_that_was_revised_is_judged_as_it_was_then() -> None:
    goal = Goal(least(1.0, "2027-12-31"), (Revision(date(2026, 6, 30), least(0.8, "2025-12-31")),))
    before, after = (judged(indicator(goal), Value.exactly(0.7), (), day) for day in ("2026-06-30", "2026-07-01"))
    assert (before.demand.label, before.status) == ("2025-12-31", Status.MISSED)
    assert (after.demand.label, after.status) == ("2027-12-31", Status.UNKNOWN)


def test_what_is_history_is_neither_judged_nor_measured() -> None:
    one = seen(indicator(least(1.0, "2025-12-31")), ("2025-03-20", 0.8))
    ended = Indicator(
        **{name: getattr(one, name) for name in one.__dataclass_fields__} | {"valid_to": date(2025, 6, 30)}
    )
    found = assessed(ended, Value.exactly(0.9), days("2026-11-20", [0.9] * 4), NOW)
    assert (found.ended, found.judgements, found.mean, found.pace) == (True, (), Value.exactly(0.8), None)


def test_the_weakest_word_says_how_official_an_indicator_is() -> None:
    law = Demand(1.0, Comparator.GE, date(2030, 1, 1), basis=Basis.LAW)
    ours = Demand(1.0, Comparator.GE, date(2026, 1, 1), basis=Basis.PROPOSED)
    assert not ours.official
    assert indicator(law).basis(date(2026, 1, 1)) == "law"
    assert indicator(law, ours).basis(date(2026, 1, 1)) == "proposed"
    assert indicator().basis(date(2026, 1, 1)) == "none"


def test_the_sum_of_a_day_loses_nothing_to_rounding() -> None:
    """A tenth added up a thousand times is still a tenth."""
    low = sum([0.1] * 1000) / 1000
    assert judged(indicator(least(0.1, "2025-12-31")), Value(min(low, 0.1 - 1e-13), 0.1), (), NOW).status is Status.MET
