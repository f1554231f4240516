"""Whether we ourselves can see: our uplink, name server, descriptors and event loop. Our faults blame no target."""

from __future__ import annotations

import asyncio
import errno
import os
import resource
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from enum import StrEnum

from collector.model import Metric, Outcome, Reason, Result, Sample
from collector.runner import SUCCESS

IMPAIRED = Metric(
    "hatang_observer_impaired",
    "Whether we ourselves cannot see, by cause: then targets are unknown.",
    labels=("cause",),
)
# What a dead uplink looks like from the inside; a refusal or a bad answer came from somebody.
_UPLINK_REASONS = frozenset({Reason.TIMEOUT, Reason.UNREACHABLE, Reason.RESOLVE})
# An answer of the uplink so young needs no second one.
CHECKED_WITHIN = 2.0
STALL = 1.0
STALL_MEMORY = 30.0
DESCRIPTOR_SHARE = 0.95


class Cause(StrEnum):
    """What keeps us from seeing."""

    UPLINK = "uplink"
    RESOLVER = "resolver"
    DESCRIPTORS = "descriptors"
    LOOP = "loop"


class Observer:
    """Judges our own sight. `poll` runs a configured target now and gives its result; KeyError for any other."""

    def __init__(
        self,
        poll: Callable[[str], Awaitable[Result]],
        longest_stall_since: Callable[[float], float],
        resolver_impaired: Callable[[], bool],
    ) -> None:
        self._poll = poll
        self._longest_stall_since = longest_stall_since
        self._resolver_impaired = resolver_impaired
        self._uplink: tuple[str, ...] = ()
        self._results: dict[str, Result] = {}
        self._asking: asyncio.Task[None] | None = None
        self._descriptors_short = False
        self._lost_at = 0.0  # Unix time when the uplink was last seen to be lost

    def apply(self, uplink: Sequence[str]) -> None:
        """Take over the ids of the targets that stand for our uplink: while one of them answers, it works."""
        self._uplink = tuple(uplink)
        self._results = {name: result for name, result in self._results.items() if name in uplink}

    async def judged(self, result: Result) -> Result:
        """The result as it may count: a failure that our own uplink explains becomes an error of ours."""
        ours = result.target in self._uplink
        if ours and result.outcome is not Outcome.ERROR:  # an error of ours says nothing of the uplink
            self._results[result.target] = result
        if result.outcome is not Outcome.FAIL or result.reason not in _UPLINK_REASONS or not self._uplink:
            return result
        if not ours:
            await self._ask_uplink()
        if self.uplink_lost:
            self._lost_at = time.time()
        # What was asked while it was lost may come back, unanswered, a little later.
        return _our_fault(result) if result.started <= self._lost_at else result

    @property
    def uplink_lost(self) -> bool:
        """Whether every target that stands for our uplink failed when it was last asked."""
        known = [self._results.get(name) for name in self._uplink]
        return bool(known) and all(one is not None and one.outcome is Outcome.FAIL for one in known)

    async def measure(self) -> None:
        """Count our descriptors; off the loop."""
        self._descriptors_short = await asyncio.to_thread(_descriptors_short)

    def samples(self) -> list[Sample]:
        """All causes, 0 or 1."""
        impaired = self.impaired()
        return [Sample(IMPAIRED, (cause.value,), cause in impaired) for cause in Cause]

    def impaired(self) -> list[Cause]:
        """What keeps us from seeing now."""
        causes = {
            Cause.UPLINK: self.uplink_lost,
            Cause.RESOLVER: self._resolver_impaired(),
            Cause.DESCRIPTORS: self._descriptors_short,
            Cause.LOOP: self._longest_stall_since(time.monotonic() - STALL_MEMORY) > STALL,
        }
        return [cause for cause, whether in causes.items() if whether]

    async def _ask_uplink(self) -> None:
        now = time.time()
        if all((known := self._results.get(name)) and now - _ended(known) < CHECKED_WITHIN for name in self._uplink):
            return
        if self._asking is None or self._asking.done():
            self._asking = asyncio.create_task(self._ask_all())
        await asyncio.shield(self._asking)

    async def _ask_all(self) -> None:
        # One that answers settles it; those that hang would only delay the verdict.
        asked = [asyncio.ensure_future(self._ask(name)) for name in self._uplink]
        for finished in asyncio.as_completed(asked):
            result = await finished
            if result is None:
                continue
            if result.outcome is not Outcome.ERROR:  # that is what we made of it: `judged` has seen it as it was
                self._results[result.target] = result
            if result.outcome is Outcome.OK:
                return

    async def _ask(self, name: str) -> Result | None:
        try:
            return await self._poll(name)
        except KeyError:  # taken out of the configuration meanwhile
            return None


def _ended(result: Result) -> float:
    return result.started + result.duration


def _our_fault(result: Result) -> Result:
    samples = tuple(sample for sample in result.samples if sample.metric is not SUCCESS)
    return replace(
        result,
        outcome=Outcome.ERROR,
        reason=Reason.LOCAL,
        detail=f"our own uplink is lost: {result.detail}",
        samples=samples,
    )


def _descriptors_short() -> bool:
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        return len(os.listdir("/proc/self/fd")) > DESCRIPTOR_SHARE * soft  # noqa: PTH208  only their number counts
    except OSError as error:
        if error.errno not in {errno.EMFILE, errno.ENFILE}:
            raise
        return True  # there is none left to count them with
