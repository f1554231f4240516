"""When targets run: one APScheduler job per interval and 100 ms phase slot, which starts its targets and returns."""

from __future__ import annotations

import asyncio
import hashlib
import math
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import structlog
from apscheduler.job import Job
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.base import BaseTrigger

from collector.model import Target

SLOT = 100_000  # microseconds
# Turns of the loop over which the runs of a slot begin, at most.
TURNS = 20
FIRST_RUN_WITHIN = 30.0
# Wall and monotonic clock drift apart by slewing, never by this much in a second.
CLOCK_JUMP = 2.0
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)

log = structlog.get_logger(__name__)


class Slot(NamedTuple):
    """Interval and phase in microseconds."""

    interval: int
    phase: int


def slot_of(target: Target) -> Slot:
    """The slot of a target: stable for its id and interval, over restarts, reloads and machines."""
    interval = round(target.interval * 1_000_000)
    digest = int.from_bytes(hashlib.blake2b(target.id.encode(), digest_size=8).digest())
    return Slot(interval, digest % max(1, interval // SLOT) * SLOT)


def next_after(slot: Slot, now: int) -> int:
    """The smallest instant congruent to the phase that is strictly later than `now` (microseconds since 1970)."""
    return now + slot.interval - (now - slot.phase) % slot.interval


class SlotTrigger(BaseTrigger):  # type: ignore[misc]  # APScheduler has no types
    """Fires at each instant of its slot; ignores when it fired last, so that a clock jump costs one step."""

    def __init__(self, slot: Slot) -> None:
        self.slot = slot

    def get_next_fire_time(self, _previous: datetime | None, now: datetime) -> datetime:
        """Whole microseconds: a float here once gave a time equal to `now`, and the scheduler span for ever."""
        return _EPOCH + next_after(self.slot, (now - _EPOCH) // _MICROSECOND) * _MICROSECOND


class Scheduler:
    """Starts `run(target)` for each target at its slot, never twice at a time; tells `skipped(id)` what it left out."""

    def __init__(
        self,
        run: Callable[[Target], Awaitable[None]],
        skipped: Callable[[str], None],
        wall_clock: Callable[[], float] = time.time,
    ) -> None:
        self._run = run
        self._wall_clock = wall_clock
        self._skipped = skipped
        self._targets: dict[str, Target] = {}
        self._slots: dict[Slot, dict[str, Target]] = {}
        self._jobs: dict[Slot, Job] = {}
        self._running: dict[str, asyncio.Task[None]] = {}
        # With the loop's time of each: uvloop's handles of what is due at once do not tell it.
        self._soon: dict[str, tuple[float, asyncio.TimerHandle]] = {}
        self._apscheduler = AsyncIOScheduler(
            timezone=UTC, job_defaults={"misfire_grace_time": None, "coalesce": True, "max_instances": 1}
        )
        self._guard: asyncio.Task[None] | None = None
        self._draining = False
        self.clock_jumps = 0
        self.late_runs = 0
        self.lateness = 0.0

    def start(self) -> None:
        """Begin; must be called on the loop that runs the targets."""
        self._apscheduler.start()
        self._guard = asyncio.create_task(self._watch_clock())

    def apply(self, targets: Mapping[str, Target]) -> None:
        """Take over a new set of targets; what did not change keeps its phase and the run under way."""
        old = self._targets
        for target_id in old.keys() - targets.keys():
            self._remove(old[target_id])
        for target_id, target in targets.items():
            known = old.get(target_id)
            if known is not None and (known is target or known == target):
                continue
            if known is not None:
                self._remove(known)
            self._add(target)
        self._targets = dict(targets)
        for slot in [slot for slot, members in self._slots.items() if not members]:
            del self._slots[slot]
            self._jobs.pop(slot).remove()

    def soon(self, target_id: str, delay: float) -> None:
        """Run a target once more, in `delay` seconds or sooner if that is planned already, beside its slot.

        An unknown target, or one that runs then, is left alone; nothing is planned any more once `drain` has begun.
        """
        if self._draining:
            return
        loop = asyncio.get_running_loop()
        due, planned = loop.time() + delay, self._soon.get(target_id)
        if planned is not None:
            if planned[0] <= due:
                return
            planned[1].cancel()
        self._soon[target_id] = due, loop.call_later(delay, self._run_soon, target_id)

    async def now(self, target_id: str) -> None:
        """Run a target at once, or wait for the run under way. Raises KeyError when it is unknown."""
        target = self._targets[target_id]
        task = self._running.get(target_id) or self._begin(target)
        await asyncio.wait([task])

    async def drain(self, limit: float) -> None:
        """Start nothing more, wait up to `limit` seconds for what runs and what that needs now, then cancel it."""
        self._draining = True
        if self._guard is not None:
            self._guard.cancel()
            self._apscheduler.shutdown(wait=False)
        for _, handle in self._soon.values():
            handle.cancel()
        ends = time.monotonic() + limit
        while self._running and (left := ends - time.monotonic()) > 0:
            await asyncio.wait(self._running.values(), timeout=left)
        late = list(self._running.values())
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)

    def next_run(self, target_id: str) -> float:
        """Unix time of the next run of a known target by its slot. Raises KeyError."""
        return next_after(slot_of(self._targets[target_id]), time.time_ns() // 1000) / 1e6

    @property
    def running(self) -> int:
        """How many runs are under way or wait for a place."""
        return len(self._running)

    def rephase(self) -> None:
        """Plan every slot anew from the present wall clock."""
        now = datetime.now(UTC)
        for job in self._jobs.values():
            job.modify(next_run_time=job.trigger.get_next_fire_time(None, now))

    def _add(self, target: Target) -> None:
        slot = slot_of(target)
        members = self._slots.setdefault(slot, {})
        members[target.id] = target
        if slot not in self._jobs:
            self._jobs[slot] = self._apscheduler.add_job(self._fire, SlotTrigger(slot), args=[slot])
        wait = (next_after(slot, time.time_ns() // 1000) - time.time_ns() // 1000) / 1e6
        if wait > FIRST_RUN_WITHIN:
            self.soon(target.id, slot.phase / 1e6 % FIRST_RUN_WITHIN)

    def _remove(self, target: Target) -> None:
        self._slots[slot_of(target)].pop(target.id)
        planned = self._soon.pop(target.id, None)
        if planned is not None:
            planned[1].cancel()
        task = self._running.pop(target.id, None)
        if task is not None:
            task.cancel()

    async def _fire(self, slot: Slot) -> None:
        late = (time.time_ns() // 1000 - slot.phase) % slot.interval / 1e6
        self.lateness = max(self.lateness, late)
        members = self._slots.get(slot, {})
        if late > 1.0:
            self.late_runs += len(members)
        # Those that begin in one turn of the loop wait for each other, and measure that; but turns are not free.
        self._begin_some(members, tuple(members.values()), math.ceil(len(members) / TURNS))

    def _begin_some(self, members: Mapping[str, Target], waiting: Sequence[Target], at_once: int) -> None:
        for target in waiting[:at_once]:
            if self._draining or members.get(target.id) is not target:
                continue  # removed, or changed, since the slot began
            if target.id in self._running:
                self._skipped(target.id)
            else:
                self._begin(target)
        if len(waiting) > at_once:
            asyncio.get_running_loop().call_soon(self._begin_some, members, waiting[at_once:], at_once)

    def _run_soon(self, target_id: str) -> None:
        self._soon.pop(target_id, None)
        target = self._targets.get(target_id)
        if target is not None and target_id not in self._running:
            self._begin(target)

    def _begin(self, target: Target) -> asyncio.Task[None]:
        task = self._running[target.id] = asyncio.get_running_loop().create_task(self._one(target))
        return task

    async def _one(self, target: Target) -> None:
        task = asyncio.current_task()
        try:
            await self._run(target)
        except Exception as error:  # noqa: BLE001  one target must not reach another
            log.error("run failed", target=target.id, error=repr(error))
        finally:
            if self._running.get(target.id) is task:
                del self._running[target.id]

    async def _watch_clock(self) -> None:
        offset = self._wall_clock() - time.monotonic()
        while True:
            await asyncio.sleep(1)
            now = self._wall_clock() - time.monotonic()
            if abs(now - offset) > CLOCK_JUMP:
                self.clock_jumps += 1
                log.warning("the wall clock jumped; planning anew", seconds=round(now - offset, 3))
                self.rephase()
            offset = now
