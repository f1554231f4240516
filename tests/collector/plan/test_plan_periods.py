"""Demands that come again each month or year."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from collector.plan import Comparator, Day, Demand, Past, Recurring, Status, Unit, Value
from collector.plan.days import period_before, period_of
from tests.collector.plan.planning import at, days, indicator, judged, seen

MONTHLY = indicator(Demand(0.995, Comparator.GE, recurring=Recurring.MONTHLY))
YEARLY = indicator(Demand(0.03, Comparator.GE, recurring=Recurring.YEARLY))


def month(bad: dict[int, float], until: int, first: str = "2026-11-01") -> tuple[Day, ...]:
    """Days of a month, all perfect but for some."""
    return days(first, [bad.get(day, 1.0) for day in range(1, until + 1)])


def test_periods_are_calendar_months_and_years() -> None:
    november = period_of(date(2026, 11, 23), Recurring.MONTHLY)
    assert (november.name, november.first, november.last) == ("2026-11", date(2026, 11, 1), date(2026, 11, 30))
    assert period_before(period_of(date(2024, 3, 31), Recurring.MONTHLY), Recurring.MONTHLY).last == date(2024, 2, 29)
    assert period_of(date(2026, 12, 31), Recurring.MONTHLY).last == date(2026, 12, 31)
    assert period_before(period_of(date(2026, 1, 1), Recurring.YEARLY), Recurring.YEARLY).name == "2025"


@pytest.mark.parametrize(
    ("bad", "status"),
    [
        ({}, Status.ON_TRACK),
        ({1: 23 / 24}, Status.ON_TRACK),  # an hour without power on the first day, of 3.6 hours in the month
        ({2: 20 / 24}, Status.MISSED),  # four hours: nothing mends that month
    ],
)
def test_a_month_has_a_budget(bad: dict[int, float], status: Status) -> None:
    found = judged(MONTHLY, Value.exactly(1.0), month(bad, 2), "2026-11-03 00:00")
    assert (found.status, found.period, found.due_at) == (status, "2026-11", at("2026-12-01 00:00"))
    assert (found.required, found.projected) == (None, None)


def test_what_nobody_saw_may_have_taken_the_budget() -> None:
    unseen = (*month({}, 10), *days("2026-11-12", [1.0]))
    assert judged(MONTHLY, Value.exactly(1.0), unseen, "2026-11-13 00:00").status is Status.UNKNOWN
    doubtful = days("2026-11-01", [(0.5, 1.0)])
    assert judged(MONTHLY, Value.exactly(1.0), doubtful, "2026-11-02 00:00").status is Status.UNKNOWN


def test_time_before_it_became_known_is_outside_the_month() -> None:
    found = judged(MONTHLY, Value.exactly(1.0), days("2026-11-20", [1.0], 3600.0), "2026-11-21 00:00")
    assert (found.status, found.past) == (Status.ON_TRACK, None)


@pytest.mark.parametrize(
    ("bad", "status"), [({3: 0.9}, Status.MET), ({3: 0.8}, Status.MISSED), ({3: 0.86}, Status.MET)]
)
def test_the_month_before_is_met_or_missed(bad: dict[int, float], status: Status) -> None:
    past = month(bad, 31, "2026-10-01")
    found = judged(MONTHLY, Value.exactly(1.0), (*days("2026-09-30", [1.0]), *past), "2026-11-01 00:30")
    assert found.past is not None
    assert (found.past.period, found.past.status) == ("2026-10", status)
    assert found.status is Status.UNKNOWN  # nothing of November was seen yet


def test_the_month_before_is_unknown_when_too_little_of_it_was_seen() -> None:
    some = (*days("2026-09-30", [1.0]), *month({}, 20, "2026-10-01"))
    found = judged(MONTHLY, Value.exactly(1.0), (*some, *days("2026-11-01", [1.0])), "2026-11-02 00:00")
    assert found.past == Past("2026-10", Value.exactly(1.0), Status.UNKNOWN)
    lost = (*days("2026-09-30", [1.0]), *days("2026-10-01", [0.0]))
    assert (judged(MONTHLY, None, lost, "2026-11-02").past or found.past).status is Status.MISSED


def test_a_year_is_what_was_last_reported_of_it() -> None:
    one = seen(YEARLY, ("2024-12-31", 0.02), ("2025-06-30", 0.01), ("2025-12-31", 0.031), ("2026-06-30", 0.025))
    found = judged(one, None, (), "2026-11-23 12:00")
    assert (found.status, found.period) == (Status.BEHIND, "2026")
    assert found.gap_lower == pytest.approx(0.005)
    assert found.past == Past("2025", Value.exactly(0.031), Status.MET)
    assert judged(one, None, (), "2027-01-01 00:00").past == Past("2026", Value.exactly(0.025), Status.MISSED)
    assert judged(one, None, (), "2027-01-01 00:00").status is Status.UNKNOWN
    assert judged(seen(YEARLY, ("2026-06-30", 0.03)), None, (), "2026-11-23").status is Status.MET


def test_what_is_dated_tomorrow_says_nothing_today() -> None:
    """A clerk may enter a value before its day; it counts from that day on."""
    one = seen(YEARLY, ("2026-06-30", 0.025), ("2026-12-01", 0.031))
    assert judged(one, None, (), "2026-11-30 23:59").status is Status.BEHIND
    assert judged(one, None, (), "2026-12-01 00:00").status is Status.MET


def test_what_is_measured_no_more_is_what_somebody_stated_since() -> None:
    """As of demands with a date: days of which the journal still knows do not silence who reports of later ones."""
    one = seen(YEARLY, ("2026-06-30", 0.031))
    before = days("2025-12-30", [0.02, 0.02])
    for told in (one, replace(one, source=None)):
        found = judged(told, None, before, "2026-11-23 12:00")
        assert (found.status, found.gap_lower) == (Status.MET, 0.0)
    entered = replace(one, source=None)
    assert judged(entered, None, days("2026-03-01", [0.02]), "2026-11-23 12:00").status is Status.MET


def test_what_is_no_share_of_time_is_judged_by_its_mean() -> None:
    one = indicator(Demand(1.4, Comparator.LE, recurring=Recurring.MONTHLY), unit=Unit.NUMBER)
    good, bad = days("2026-11-01", [1.3, 1.45]), days("2026-11-01", [1.3, 1.6])
    assert judged(one, None, good, "2026-11-03 00:00").status is Status.ON_TRACK
    assert judged(one, None, bad, "2026-11-03 00:00").status is Status.BEHIND
    assert judged(one, None, bad[:1], "2026-11-03 00:00").status is Status.UNKNOWN
