"""Run one target once: wait for a place, start the clock, probe, and say ok, fail or error."""

from __future__ import annotations

import asyncio
import time
import traceback
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, Protocol

import structlog

from collector.model import DETAIL_LIMIT, Kind, Metric, Outcome, ProbeFailed, Reason, Result, Sample, Target, Undecided
from collector.net import LOCAL_ERRNOS, Context, Net
from collector.records import Documents

SUCCESS = Metric("probe_success", "Whether the last run was ok: 1 or 0; absent when we could not tell.")
DURATION = Metric("probe_duration_seconds", "How long the last run took.")
RUNNER_METRICS = (SUCCESS, DURATION)

LABEL_LIMIT = 200
# A run during which the loop stood still for this share of its time limit says nothing of its target.
STALL_SHARE = 0.25

log = structlog.get_logger(__name__)


class Stalls(Protocol):
    """Says how long the event loop stood still."""

    def longest_since(self, moment: float) -> float:
        """Seconds of the longest stall since `moment` of the monotonic clock."""


class Emitter:
    """Collects what a probe measures, as it measures it."""

    __slots__ = ("_names", "samples")

    def __init__(self, names: frozenset[str]) -> None:
        self._names = names
        self.samples: list[Sample] = []

    def __call__(self, metric: Metric, value: float, *labels: str) -> None:
        if metric.name not in self._names:
            raise ValueError(f"{metric.name} is not declared by this kind")
        if len(labels) != len(metric.labels):
            raise ValueError(f"{metric.name} has labels {metric.labels}, got {labels}")
        self.samples.append(Sample(metric, tuple(map(_clean, labels)) if labels else labels, float(value)))


def _clean(label: str) -> str:
    # A device's own words: bounded, and no control character can forge a line.
    if len(label) <= LABEL_LIMIT and label.isprintable():
        return label
    return "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in label[:LABEL_LIMIT])


class Gate:
    """Bounds the runs in flight, in all and per peer."""

    def __init__(self, in_flight: int, per_peer: int) -> None:
        self._all = asyncio.Semaphore(in_flight)
        self._per_peer = per_peer
        self._peers: dict[str, tuple[asyncio.Semaphore, int]] = {}
        self.in_flight = 0

    @asynccontextmanager
    async def enter(self, peer: str) -> AsyncIterator[None]:
        """Wait for a place; the peer's own queue comes first, so that a slow peer takes no common place."""
        semaphore, users = self._peers.get(peer) or (asyncio.Semaphore(self._per_peer), 0)
        self._peers[peer] = (semaphore, users + 1)
        try:
            async with semaphore, self._all:
                self.in_flight += 1
                try:
                    yield
                finally:
                    self.in_flight -= 1
        finally:
            semaphore, users = self._peers[peer]
            if users == 1:
                del self._peers[peer]
            else:
                self._peers[peer] = (semaphore, users - 1)


class Runner:
    """Runs targets of the given kinds; `resources` holds what each kind opened, by kind name."""

    def __init__(
        self, kinds: Mapping[str, Kind[Any, Any]], net: Net, resources: Mapping[str, Any], gate: Gate, stalls: Stalls
    ) -> None:
        common = frozenset(metric.name for metric in RUNNER_METRICS)
        self._kinds = kinds
        self._names = {name: common.union(metric.name for metric in kind.metrics) for name, kind in kinds.items()}
        self._net = net
        self._resources = resources
        self.gate = gate
        self._stalls = stalls
        # The last bug told of each target: a bug that stays is news once.
        self._told: dict[str, str] = {}

    async def run(self, target: Target) -> Result:
        """One run of `target`. Raises nothing but CancelledError."""
        async with self.gate.enter(target.spec.peer):
            return await self._timed(target)

    async def _timed(self, target: Target) -> Result:
        emit = Emitter(self._declared(target))
        started, begun = time.time(), time.monotonic()
        resource = self._resources.get(target.kind)
        context = Context(self._net, begun + target.timeout, resource, target.interval)
        kind, batch = self._kinds[target.kind], None
        documents: Documents = ()
        try:
            async with asyncio.timeout(target.timeout):
                batch = await kind.probe(target.spec, emit, context)
            outcome, reason, detail = Outcome.OK, None, ""
        except ProbeFailed as failed:
            outcome, reason, detail, documents = Outcome.FAIL, failed.reason, failed.detail, failed.documents
        except TimeoutError:
            outcome, reason, detail = Outcome.FAIL, Reason.TIMEOUT, f"no result within {target.timeout:g} s"
        except (Exception, SystemExit) as error:  # noqa: BLE001  whatever a probe raises stays its own affair
            outcome, (reason, detail) = Outcome.ERROR, self._our_fault(target, error)
        duration = time.monotonic() - begun
        if outcome is Outcome.FAIL and self._stalled(begun, target):
            outcome, detail = Outcome.ERROR, f"our own loop stood still: {detail}"
        if outcome is not Outcome.ERROR and not kind.feed:
            emit(SUCCESS, outcome is Outcome.OK)
        emit(DURATION, duration)
        return Result(target.id, outcome, started, duration, reason, detail, tuple(emit.samples), batch, documents)

    def _declared(self, target: Target) -> frozenset[str]:
        names = self._names[target.kind]
        own = target.spec.declared()
        return names.union(metric.name for metric in own) if own else names

    def _stalled(self, begun: float, target: Target) -> bool:
        return self._stalls.longest_since(begun) > STALL_SHARE * target.timeout

    def _our_fault(self, target: Target, error: BaseException) -> tuple[Reason, str]:
        if isinstance(error, PermissionError):
            return Reason.PERMISSION, str(error)
        if isinstance(error, Undecided):
            return Reason.LOCAL, str(error)[:DETAIL_LIMIT]
        if isinstance(error, OSError) and (error.errno in LOCAL_ERRNOS or error.filename is not None):
            return Reason.LOCAL, str(error)  # no descriptors left, a certificate file that is gone, ...
        detail = f"{type(error).__name__}: {error}"[:DETAIL_LIMIT]
        if self._told.get(target.id) != detail:
            self._told[target.id] = detail
            log.error("probe raised", target=target.id, kind=target.kind, error=detail, where=where(error))
        return Reason.BUG, detail


def where(error: BaseException) -> list[str]:
    """The frames that an error came through, as `file:line function`."""
    # The source lines of a full traceback would be read from disk, on the loop.
    frames = traceback.walk_tb(error.__traceback__)
    return [f"{frame.f_code.co_filename}:{line} {frame.f_code.co_name}" for frame, line in frames]
