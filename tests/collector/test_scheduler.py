"""Slots, the trigger, and what a change of the target set leaves undisturbed."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.model import Spec, Target
from collector.scheduler import SLOT, Scheduler, Slot, SlotTrigger, next_after, slot_of

INTERVALS = st.integers(1, 86_400_000_000)
INSTANTS = st.integers(0, 4_000_000_000_000_000)


class Nothing(Spec):
    """A spec with no settings."""

    text: str = ""

    @property
    def peer(self) -> str:
        return "nowhere"


def target(name: str, interval: float = 60.0, text: str = "") -> Target:
    return Target(name, "s", "none", Nothing(text=text), interval, 0.5)


@given(INTERVALS, INSTANTS, st.data())
def test_the_next_instant_is_congruent_and_strictly_later(interval: int, now: int, data: st.DataObject) -> None:
    phase = data.draw(st.integers(0, interval - 1))
    upcoming = next_after(Slot(interval, phase), now)
    assert now < upcoming <= now + interval
    assert (upcoming - phase) % interval == 0


@given(INTERVALS, INSTANTS)
def test_the_trigger_is_exact_in_datetimes(interval: int, now: int) -> None:
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=now)
    upcoming = SlotTrigger(Slot(interval, 0)).get_next_fire_time(None, moment)
    assert timedelta(0) < upcoming - moment <= timedelta(microseconds=interval)


@given(st.text(min_size=1, max_size=30), st.floats(1, 86_400))
def test_a_slot_is_stable_and_within_its_interval(name: str, interval: float) -> None:
    slot = slot_of(target(name, interval))
    assert slot == slot_of(target(name, interval))
    assert slot.phase % SLOT == 0
    assert 0 <= slot.phase < slot.interval


def test_targets_spread_evenly_over_the_slots() -> None:
    counts = Counter(slot_of(target(f"target-{number}", 30.0)).phase for number in range(5000))
    assert len(counts) == 300
    assert max(counts.values()) < 40


class Runs:
    """Counts runs; each takes `length` seconds."""

    def __init__(self, length: float = 0.0) -> None:
        self.length = length
        self.started: list[tuple[str, float]] = []
        self.cancelled: list[str] = []
        self.skipped: list[str] = []

    async def __call__(self, chosen: Target) -> None:
        self.started.append((chosen.id, time.time()))
        try:
            await asyncio.sleep(self.length)
        except asyncio.CancelledError:
            self.cancelled.append(chosen.id)
            raise


async def test_a_target_runs_at_its_phase() -> None:
    runs = Runs()
    scheduler = Scheduler(runs, runs.skipped.append)
    scheduler.start()
    scheduler.apply({"a": target("a", 1.0)})
    await asyncio.sleep(2.2)
    await scheduler.drain(1)
    phase = slot_of(target("a", 1.0)).phase / 1e6
    assert len(runs.started) in {2, 3}
    for _, moment in runs.started:
        assert (moment - phase) % 1.0 < 0.2


async def test_the_first_run_comes_within_the_limit_and_soon_runs_beside_the_slot() -> None:
    runs = Runs()
    scheduler = Scheduler(runs, runs.skipped.append)
    scheduler.start()
    scheduler.apply({"a": target("a", 86_400.0)})
    scheduler.soon("a", 0.05)
    scheduler.soon("unknown", 0.05)
    await asyncio.sleep(0.2)
    await scheduler.drain(1)
    assert [name for name, _ in runs.started] == ["a"]


async def test_of_two_plans_the_sooner_one_stays() -> None:
    """A trap now, and the second look at a target in ten seconds: neither puts the other off."""
    runs = Runs()
    scheduler = Scheduler(runs, runs.skipped.append)
    scheduler.start()
    scheduler.apply({name: target(name, 86_400.0) for name in "ab"})
    for first, second in ((0.05, 5.0), (5.0, 0.05)):
        name = "a" if first < second else "b"
        scheduler.soon(name, first)
        scheduler.soon(name, second)
    await asyncio.sleep(0.2)
    for delay in (0, 0, 0.05):
        scheduler.soon("a", delay)
    await asyncio.sleep(0.2)
    await scheduler.drain(1)
    assert [name for name, _ in runs.started] == ["a", "b", "a"]


async def test_a_run_that_is_not_over_is_never_joined_by_a_second() -> None:
    runs = Runs(length=5)
    scheduler = Scheduler(runs, runs.skipped.append)
    scheduler.start()
    scheduler.apply({"a": target("a", 1.0)})
    await asyncio.sleep(2.3)
    await scheduler.drain(0.05)
    assert len(runs.started) == 1
    assert runs.skipped
    assert set(runs.skipped) == {"a"}
    assert runs.cancelled == ["a"]


async def test_now_runs_at_once_and_waits_for_the_run_under_way() -> None:
    runs = Runs(length=0.2)
    scheduler = Scheduler(runs, runs.skipped.append)
    scheduler.start()
    scheduler.apply({"a": target("a", 3600.0)})
    await asyncio.gather(scheduler.now("a"), scheduler.now("a"))
    assert len(runs.started) == 1
    await scheduler.drain(1)


async def test_a_change_disturbs_only_what_changed() -> None:
    runs = Runs(length=5)
    scheduler = Scheduler(runs, runs.skipped.append)
    scheduler.start()
    targets = {name: target(name, 3600.0) for name in "abc"}
    scheduler.apply(targets)
    for name in "abc":
        scheduler.soon(name, 0)
    await asyncio.sleep(0.1)
    assert scheduler.running == 3
    scheduler.apply({"a": target("a", 3600.0), "b": target("b", 3600.0, "changed")})
    await asyncio.sleep(0.1)
    assert sorted(runs.cancelled) == ["b", "c"]
    assert scheduler.running == 1
    await scheduler.drain(0)


async def test_an_exception_of_a_run_reaches_no_other_target() -> None:
    async def explode(chosen: Target) -> None:
        started.append(chosen.id)
        if chosen.id == "a":
            raise RuntimeError("boom")

    started: list[str] = []
    scheduler = Scheduler(explode, started.append)
    scheduler.start()
    scheduler.apply({name: target(name, 3600.0) for name in "ab"})
    for name in "ab":
        scheduler.soon(name, 0)
    await asyncio.sleep(0.1)
    await scheduler.drain(1)
    assert sorted(started) == ["a", "b"]


async def test_rephase_plans_every_slot_strictly_later_than_now() -> None:
    runs = Runs()
    scheduler = Scheduler(runs, runs.skipped.append)
    scheduler.start()
    scheduler.apply({f"t{number}": target(f"t{number}", 60.0) for number in range(100)})
    scheduler.rephase()
    now = datetime.now(UTC)
    assert all(now <= job.next_run_time <= now + timedelta(seconds=60) for job in scheduler._jobs.values())
    await scheduler.drain(1)


@pytest.mark.parametrize("jump", [3600.0, -3600.0, 30 * 86_400.0])
async def test_a_clock_jump_is_noticed_within_seconds_and_plans_anew(jump: float) -> None:
    moved = 0.0
    runs = Runs()
    scheduler = Scheduler(runs, runs.skipped.append, lambda: time.time() + moved)
    scheduler.start()
    scheduler.apply({"a": target("a", 1.0)})
    await asyncio.sleep(0.1)
    moved = jump
    await asyncio.sleep(2.2)
    assert scheduler.clock_jumps == 1
    assert 1 <= len(runs.started) <= 3
    await scheduler.drain(1)


async def test_what_goes_while_its_slot_begins_does_not_run() -> None:
    """The members of a slot begin one by one; the first here takes the others out of the configuration."""
    started: list[str] = []

    async def run(chosen: Target) -> None:
        started.append(chosen.id)
        scheduler.apply({"first": members["first"]})

    scheduler = Scheduler(run, started.append)
    slot = slot_of(target("first", 1.0))
    same = (name for number in range(10_000) if slot_of(target(name := f"t{number}", 1.0)) == slot)
    members = {name: target(name, 1.0) for name in ("first", next(same), next(same))}
    scheduler.start()
    scheduler.apply(members)
    await asyncio.sleep(1.15)
    await scheduler.drain(1)
    assert set(started) == {"first"}


async def test_a_drain_starts_nothing_that_its_last_runs_would_have_soon() -> None:
    started: list[str] = []

    async def run(chosen: Target) -> None:
        started.append(chosen.id)
        await asyncio.sleep(0.1)
        scheduler.soon("other", 0)
        scheduler.soon(chosen.id, 0.1)

    scheduler = Scheduler(run, started.append)
    scheduler.start()
    scheduler.apply({"one": target("one", 86_400.0), "other": target("other", 86_400.0)})
    asked = asyncio.create_task(scheduler.now("one"))
    await asyncio.sleep(0.01)
    await scheduler.drain(1)
    await asked
    await asyncio.sleep(0.3)
    assert started == ["one"]


async def test_a_drain_waits_also_for_what_its_last_runs_need() -> None:
    """A failing run asks the uplink, which is a target too, before it knows what its failure means."""
    ended: list[str] = []

    async def run(chosen: Target) -> None:
        await asyncio.sleep(0.1)
        if chosen.id == "one":
            await scheduler.now("uplink")
        ended.append(chosen.id)

    scheduler = Scheduler(run, ended.append)
    scheduler.start()
    scheduler.apply({"one": target("one", 86_400.0), "uplink": target("uplink", 86_400.0)})
    asked = asyncio.create_task(scheduler.now("one"))
    await asyncio.sleep(0.01)
    await scheduler.drain(1)
    assert ended == ["uplink", "one"]
    await asked


async def test_a_drain_cuts_off_what_takes_too_long_and_what_that_began() -> None:
    cancelled: list[str] = []

    async def run(chosen: Target) -> None:
        try:
            if chosen.id == "one":
                await asyncio.sleep(0.05)
                await scheduler.now("uplink")
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            cancelled.append(chosen.id)
            raise

    scheduler = Scheduler(run, cancelled.append)
    scheduler.start()
    scheduler.apply({"one": target("one", 86_400.0), "uplink": target("uplink", 86_400.0)})
    asked = asyncio.create_task(scheduler.now("one"))
    await asyncio.sleep(0.01)
    begun = time.monotonic()
    await scheduler.drain(0.3)
    assert 0.2 < time.monotonic() - begun < 1
    assert sorted(cancelled) == ["one", "uplink"]
    assert not scheduler.running
    await asked
