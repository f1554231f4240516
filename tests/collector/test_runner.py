"""Three outcomes, time limits, and the gate; with kinds made for the purpose."""

from __future__ import annotations

import asyncio
import errno
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest

from collector.model import Emit, Kind, Metric, Outcome, ProbeFailed, Reason, Result, Spec, Target, Undecided
from collector.net import AddressMap, Context, Net, Resolver
from collector.runner import Gate, Runner
from collector.stalls import StallWatch
from tests.probing import NeverStalled, values

SEEN = Metric("seen", "What was seen.", labels=("what",))
Probe = Callable[[Any, Emit, Context[None]], Awaitable[None]]


class Plain(Spec):
    """Nothing but a peer."""

    where: str = "here"

    @property
    def peer(self) -> str:
        return self.where


def target(timeout: float = 0.3, where: str = "here") -> Target:
    return Target("t", "s", "plain", Plain(where=where), 60.0, timeout)


@pytest.fixture
async def net() -> AsyncIterator[Net]:
    resolver = Resolver()
    yield Net(resolver, AddressMap({}))
    await resolver.close()


def runner(net: Net, probe: Probe, gate: Gate | None = None, stalls: StallWatch | None = None) -> Runner:
    kind = Kind("plain", "For tests.", Plain, (SEEN,), probe)
    return Runner({"plain": kind}, net, {}, gate or Gate(100, 100), stalls or NeverStalled())


async def run(net: Net, probe: Probe) -> Result:
    return await runner(net, probe).run(target())


async def test_returning_is_ok(net: Net) -> None:
    async def probe(spec: Plain, emit: Emit, context: Context[None]) -> None:
        emit(SEEN, 3, "it")

    result = await run(net, probe)
    assert result.outcome is Outcome.OK
    assert result.reason is None
    assert values(result)["seen{it}"] == 3
    assert values(result)["probe_success"] == 1
    assert 0 < values(result)["probe_duration_seconds"] == result.duration < 0.3


async def test_probe_failed_is_the_targets_fault(net: Net) -> None:
    async def probe(spec: Plain, emit: Emit, context: Context[None]) -> None:
        raise ProbeFailed(Reason.REFUSED, "x" * 500)

    result = await run(net, probe)
    assert (result.outcome, result.reason) == (Outcome.FAIL, Reason.REFUSED)
    assert len(result.detail) == 200
    assert values(result)["probe_success"] == 0


async def test_what_was_emitted_before_a_timeout_survives(net: Net) -> None:
    async def probe(spec: Plain, emit: Emit, context: Context[None]) -> None:
        emit(SEEN, 1, "early")
        await asyncio.sleep(10)

    result = await run(net, probe)
    assert (result.outcome, result.reason) == (Outcome.FAIL, Reason.TIMEOUT)
    assert values(result)["seen{early}"] == 1
    assert 0.29 < result.duration < 0.6


@pytest.mark.parametrize(
    ("raised", "reason"),
    [
        (RuntimeError("boom"), Reason.BUG),
        (SystemExit(3), Reason.BUG),
        (PermissionError(errno.EPERM, "not allowed"), Reason.PERMISSION),
        (Undecided("nothing was heard yet"), Reason.LOCAL),
        (OSError(errno.EMFILE, "no descriptors"), Reason.LOCAL),
    ],
)
async def test_anything_else_is_our_fault_and_success_is_absent(
    net: Net, raised: BaseException, reason: Reason
) -> None:
    async def probe(spec: Plain, emit: Emit, context: Context[None]) -> None:
        raise raised

    result = await run(net, probe)
    assert (result.outcome, result.reason) == (Outcome.ERROR, reason)
    assert "probe_success" not in values(result)


@pytest.mark.parametrize(
    ("metric", "labels"), [(Metric("not_declared", "No."), ()), (SEEN, ()), (SEEN, ("one", "too many"))]
)
async def test_a_metric_that_was_not_declared_is_refused(net: Net, metric: Metric, labels: tuple[str, ...]) -> None:
    async def probe(spec: Plain, emit: Emit, context: Context[None]) -> None:
        emit(metric, 1, *labels)

    assert (await run(net, probe)).reason is Reason.BUG


async def test_a_hostile_label_is_bounded_and_cleaned(net: Net) -> None:
    async def probe(spec: Plain, emit: Emit, context: Context[None]) -> None:
        emit(SEEN, 1, "a\x00b\n" + "x" * 500)

    [name] = [name for name in values(await run(net, probe)) if name.startswith("seen")]
    assert name.startswith("seen{a\ufffdb\ufffdxxx")
    assert len(name) == len("seen{}") + 200


async def test_a_failure_during_our_own_stall_is_an_error(net: Net) -> None:
    stalls = StallWatch()
    stalls.start()

    async def probe(spec: Plain, emit: Emit, context: Context[None]) -> None:
        await asyncio.get_running_loop().run_in_executor(None, lambda: None)
        begun = time.monotonic()
        while time.monotonic() - begun < 0.5:  # the loop stands still, as a blocking call makes it
            sum(range(1000))
        await asyncio.sleep(1)

    result = await runner(net, probe, stalls=stalls).run(target())
    stalls.stop()
    assert (result.outcome, result.reason) == (Outcome.ERROR, Reason.TIMEOUT)
    assert "our own" in result.detail


async def test_waiting_for_a_place_is_not_part_of_the_run(net: Net) -> None:
    async def probe(spec: Plain, emit: Emit, context: Context[None]) -> None:
        await asyncio.sleep(0.1)

    busy = runner(net, probe, Gate(1, 1))
    results = await asyncio.gather(*(busy.run(target()) for _ in range(5)))
    assert all(result.outcome is Outcome.OK and result.duration < 0.2 for result in results)


async def test_a_slow_peer_takes_no_place_of_others(net: Net) -> None:
    async def probe(spec: Plain, emit: Emit, context: Context[None]) -> None:
        await asyncio.sleep(0.25 if spec.where == "slow" else 0)

    busy = runner(net, probe, Gate(2, 1))
    slow = [asyncio.create_task(busy.run(target(where="slow"))) for _ in range(5)]
    await asyncio.sleep(0.01)
    begun = time.monotonic()
    await asyncio.gather(*(busy.run(target(where=f"other-{number}")) for number in range(20)))
    assert time.monotonic() - begun < 0.2
    for task in slow:
        task.cancel()
    await asyncio.gather(*slow, return_exceptions=True)
    assert busy.gate.in_flight == 0
    assert not busy.gate._peers
