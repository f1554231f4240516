"""Daily means: every second of a day is credited once, to the value that held."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.journal import Daily, Journal, Saved, reading_ledger
from collector.plan import NOTHING_KNOWN, ZONE, DailyMeans, Day, Plan, Status, Value, days_of
from collector.plan.days import DAY, begins, day_of
from collector.plan.means import KEPT, LONGEST
from tests.collector.plan.planning import at, days, indicator, judged, least

ONE = indicator(least(1.0, "2025-12-31"))
PLAN = Plan((ONE,))


class Kept:
    """The sums that a journal would keep."""

    def __init__(self) -> None:
        self.sums: dict[tuple[str, str, str], list[float]] = defaultdict(lambda: [0.0, 0.0])

    def __call__(self, day: date, name: str, bound: str, value: float, seconds: float) -> None:
        sums = self.sums[day.isoformat(), name, bound]
        sums[0] += value * seconds
        sums[1] += seconds

    def rows(self) -> list[Daily]:
        """As the journal gives them back."""
        return [Daily(*key, weighted / seconds, seconds) for key, (weighted, seconds) in sorted(self.sums.items())]


def played(means: DailyMeans, begin: float, end: float, value: Callable[[float], Value], step: float = 15.0) -> None:
    """Record every `step` seconds."""
    moment = begin
    while moment <= end:
        means.record(PLAN, {"one": value(moment)}, moment)
        moment += step


def test_a_value_holds_until_the_next_record() -> None:
    means = DailyMeans(Kept())
    for moment, value in ((0, 0.5), (10, 1.0), (40, 0.0), (50, 0.0)):
        means.record(PLAN, {"one": Value(value / 2, value)}, at("2026-11-23 12:00") + moment)
    (day,) = means.days()["one"]
    assert (day.day, day.seconds) == (date(2026, 11, 23), 50)
    assert [day.lower, day.upper] == [pytest.approx(0.35), pytest.approx(0.7)]
    assert day.met("ge 1.0") == -20  # unknown for half a minute, certainly not met for the rest


def test_midnight_is_the_provinces() -> None:
    means = DailyMeans(Kept())
    played(means, at("2026-11-22 23:59:50"), at("2026-11-23 00:00:20"), lambda _: Value.exactly(0.5))
    assert [(str(day.day), day.seconds) for day in means.days()["one"]] == [("2026-11-22", 10), ("2026-11-23", 20)]


@pytest.mark.parametrize("step", [LONGEST + 1, -30, 0, 86400])
def test_time_of_which_nobody_knows_is_not_credited(step: float) -> None:
    means = DailyMeans(Kept())
    for moment in (0, step):
        means.record(PLAN, {"one": Value.exactly(0.5)}, at("2026-11-23 12:00") + moment)
    assert means.days() == {}


def test_what_has_no_bound_is_not_credited() -> None:
    means = DailyMeans(Kept())
    for moment, value in enumerate((NOTHING_KNOWN, Value.exactly(0.5), NOTHING_KNOWN, NOTHING_KNOWN)):
        means.record(PLAN, {"one": value}, at("2026-11-23 12:00") + moment)
    means.record(PLAN, {}, at("2026-11-23 12:00:05"))
    assert [day.seconds for day in means.days()["one"]] == [1]


def test_an_hour_without_power_flips_no_status() -> None:
    """At whatever time of the day, and also not of a demand of 100 %."""
    for start in ("2026-11-23 00:00", "2026-11-23 12:00", "2026-11-23 23:00"):
        for usual, status in ((1.0, Status.MET), (0.8, Status.MISSED)):
            means = DailyMeans(Kept())
            begin = at(start)

            def held(moment: float, usual: float = usual, begin: float = begin) -> Value:
                return Value.exactly(0.1 if begin <= moment < begin + 3600 else usual)

            played(means, begin - DAY, begin - 15, held, 60)
            moment = begin
            while moment < begin + 7200:
                means.record(PLAN, {"one": held(moment)}, moment)
                found = judged(
                    ONE, held(moment), means.days()["one"], datetime.fromtimestamp(moment, ZONE).isoformat(" ")
                )
                assert found.status is status
                moment += 60
            assert found.gap_lower is not None
            assert found.gap_lower > 1 - usual


values = st.integers(0, 8).map(lambda number: number / 8)
steps = st.lists(st.tuples(st.integers(1, 90), values, values), min_size=1, max_size=60)


@given(steps=steps, start=st.integers(0, 120))
def test_equals_a_second_by_second_count(steps: list[tuple[int, float, float]], start: int) -> None:
    begin = begins(date(2026, 11, 23)) - start
    kept, counted = Kept(), defaultdict[date, list[float]](lambda: [0.0, 0.0, 0.0])
    means, moment = DailyMeans(kept), begin
    for step, a, b in steps:
        means.record(PLAN, {"one": Value(min(a, b), max(a, b))}, moment)
        for second in range(step if step <= LONGEST else 0):
            sums = counted[day_of(moment + second)]
            sums[0] += min(a, b)
            sums[1] += max(a, b)
            sums[2] += 1
        moment += step
    means.record(PLAN, {}, moment)
    found = means.days().get("one", ())
    assert [(day.day, day.seconds) for day in found] == [(day, sums[2]) for day, sums in sorted(counted.items())]
    for day in found:
        sums = counted[day.day]
        assert [day.lower, day.upper] == [pytest.approx(sums[0] / sums[2]), pytest.approx(sums[1] / sums[2])]
    # The journal says the same as the memory.
    again = days_of(kept.rows()).get("one", ())
    assert len(again) == len(found)
    for day, other in zip(found, again, strict=True):
        assert (day.day, day.seconds) == (other.day, other.seconds)
        assert [day.lower, day.upper] == [pytest.approx(other.lower), pytest.approx(other.upper)]
        assert day.met("ge 1.0") == pytest.approx(other.met("ge 1.0"))


def test_what_never_changes_has_exactly_that_mean() -> None:
    means = DailyMeans(Kept())
    played(means, at("2026-11-22 12:00"), at("2026-11-23 12:00"), lambda _: Value.exactly(1.0), 7.3)
    assert [day.lower for day in means.days()["one"]] == [1.0, 1.0]


def read(path: Path) -> dict[str, tuple[Day, ...]]:
    """What another process reads of that day."""
    with reading_ledger(path) as ledger:
        return days_of(ledger.days(date(2026, 11, 23), date(2026, 11, 23)))


async def test_a_restart_goes_on_with_the_day(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    noon = at("2026-11-23 12:00")
    for begin, value in ((noon, 1.0), (noon + 300, 0.5)):
        journal = await Journal.open(path)
        kept = await journal.days(date(2026, 11, 22), date(2026, 11, 23))
        means = DailyMeans(journal.add_daily, kept)
        played(means, begin, begin + 60, lambda _, value=value: Value.exactly(value))  # type: ignore[misc]
        journal.save(Saved(), begin + 60)
        await journal.close()
    (day,) = means.days()["one"]
    assert [day.seconds, day.lower] == [120, pytest.approx(0.75)]
    (stored,) = (await asyncio.to_thread(read, path))["one"]
    assert [stored.seconds, stored.lower, stored.met("ge 1.0")] == [120, pytest.approx(0.75), pytest.approx(0.0)]


def test_days_that_are_too_old_go() -> None:
    old = days("2024-01-01", [0.5])
    kept = Kept()
    kept(old[0].day, "one", "lower", 0.5, 60)
    kept(old[0].day, "one", "upper", 0.5, 60)
    means = DailyMeans(kept, kept.rows())
    assert len(means.days()["one"]) == 1
    played(means, at("2026-11-23 12:00"), at("2026-11-23 12:01"), lambda _: Value.exactly(0.5))
    assert [day.day for day in means.days()["one"]] == [date(2026, 11, 23)]
    assert KEPT.days >= 731


def test_a_day_that_a_clock_set_back_brings_again_stays_in_order() -> None:
    means = DailyMeans(Kept())
    played(means, at("2026-11-23 00:00"), at("2026-11-23 00:01"), lambda _: Value.exactly(0.5))
    played(means, at("2026-11-22 12:00"), at("2026-11-22 12:01"), lambda _: Value.exactly(0.5))
    assert [day.day.day for day in means.days()["one"]] == [22, 23]
