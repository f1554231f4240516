"""Our own faults blame no target."""

from __future__ import annotations

import asyncio
import os
import resource
import time
from contextlib import ExitStack
from dataclasses import replace

import pytest

from collector.model import Outcome, Reason, Result, Sample
from collector.observer import Observer
from collector.runner import SUCCESS

FAILED = Result("web", Outcome.FAIL, 1.0, 0.1, Reason.TIMEOUT, "no answer", (Sample(SUCCESS, (), 0),))


class Uplink:
    """Gateways that answer or do not."""

    def __init__(self, **outcomes: Outcome) -> None:
        self.outcomes = outcomes
        self.polls = 0

    async def poll(self, name: str) -> Result:
        self.polls += 1
        await asyncio.sleep(0.01)
        reason = None if self.outcomes[name] is Outcome.OK else Reason.TIMEOUT
        return Result(name, self.outcomes[name], time.time(), 0.0, reason)


def observing(uplink: Uplink) -> Observer:
    observer = Observer(uplink.poll, lambda _: 0.0, lambda: False)
    observer.apply(list(uplink.outcomes))
    return observer


def impaired(observer: Observer) -> set[str]:
    return {sample.labels[0] for sample in observer.samples() if sample.value}


async def test_a_failure_while_the_uplink_is_lost_is_ours() -> None:
    observer = observing(Uplink(first=Outcome.FAIL, second=Outcome.FAIL))
    judged = await observer.judged(FAILED)
    assert (judged.outcome, judged.reason) == (Outcome.ERROR, Reason.LOCAL)
    assert "our own uplink" in judged.detail
    assert not judged.samples
    assert impaired(observer) == {"uplink"}


async def test_one_gateway_that_answers_is_enough() -> None:
    observer = observing(Uplink(first=Outcome.FAIL, second=Outcome.OK))
    assert await observer.judged(FAILED) is FAILED
    assert impaired(observer) == set()


@pytest.mark.parametrize("reason", [Reason.REFUSED, Reason.UNEXPECTED, Reason.TLS, Reason.AUTH])
async def test_an_answer_came_from_somebody(reason: Reason) -> None:
    uplink = Uplink(first=Outcome.FAIL)
    answered = replace(FAILED, reason=reason)
    assert await observing(uplink).judged(answered) is answered
    assert uplink.polls == 0


async def test_a_storm_asks_the_uplink_once() -> None:
    uplink = Uplink(first=Outcome.FAIL)
    observer = observing(uplink)
    judged = await asyncio.gather(*(observer.judged(replace(FAILED, target=f"t{number}")) for number in range(500)))
    assert {one.outcome for one in judged} == {Outcome.ERROR}
    assert uplink.polls == 1


async def test_the_uplinks_own_polls_count_and_end_it() -> None:
    observer = observing(Uplink(first=Outcome.FAIL))
    await observer.judged(FAILED)
    assert impaired(observer) == {"uplink"}
    hung = replace(FAILED, started=time.time() - 0.1)
    await observer.judged(Result("first", Outcome.OK, time.time(), 0.0))
    assert impaired(observer) == set()
    assert (await observer.judged(hung)).outcome is Outcome.ERROR, "it was asked while the uplink was lost"
    assert (await observer.judged(replace(FAILED, started=time.time()))).outcome is Outcome.FAIL


async def test_the_uplinks_own_silence_is_ours_too_once_all_of_it_is_silent() -> None:
    observer = observing(Uplink(first=Outcome.FAIL, second=Outcome.FAIL))
    first, second = (replace(FAILED, target=name) for name in ("first", "second"))
    assert await observer.judged(first) is first
    assert (await observer.judged(second)).outcome is Outcome.ERROR
    assert (await observer.judged(first)).outcome is Outcome.ERROR
    assert impaired(observer) == {"uplink"}


async def test_an_uplink_stays_lost_although_its_own_silence_is_ours() -> None:
    """Whoever polls a gateway is told what it counts as."""
    uplink = Uplink(first=Outcome.FAIL, second=Outcome.FAIL)

    async def counted(name: str) -> Result:
        return await observer.judged(await uplink.poll(name))

    observer = Observer(counted, lambda _: 0.0, lambda: False)
    observer.apply(["first", "second"])
    for _ in range(3):
        assert (await observer.judged(FAILED)).outcome is Outcome.ERROR
        assert impaired(observer) == {"uplink"}
        for name in ("first", "second"):
            await counted(name)
    await observer.judged(Result("first", Outcome.ERROR, time.time(), 0.0, Reason.LOCAL, "our own loop stood still"))
    assert impaired(observer) == {"uplink"}, "an error says nothing"
    uplink.outcomes["second"] = Outcome.OK
    await counted("second")
    assert impaired(observer) == set()


async def test_without_an_uplink_to_ask_a_failure_is_the_targets() -> None:
    assert await observing(Uplink()).judged(FAILED) is FAILED


async def test_every_cause_is_exported() -> None:
    observer = Observer(Uplink().poll, lambda _: 5.0, lambda: True)
    await observer.measure()
    assert {sample.labels[0]: bool(sample.value) for sample in observer.samples()} == {
        "uplink": False,
        "resolver": True,
        "descriptors": False,
        "loop": True,
    }


async def test_a_gateway_that_is_taken_out_while_it_is_asked_says_nothing() -> None:
    async def gone(name: str) -> Result:
        await asyncio.sleep(0.01)
        raise KeyError(name)

    observer = Observer(gone, lambda _: 0.0, lambda: False)
    observer.apply(["first", "second"])
    assert await observer.judged(FAILED) is FAILED
    assert impaired(observer) == set()


async def test_an_answer_of_a_gateway_that_was_taken_out_meanwhile_counts_for_nothing() -> None:
    observer = observing(Uplink(first=Outcome.FAIL, second=Outcome.FAIL))
    judging = asyncio.create_task(observer.judged(FAILED))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    observer.apply(["second"])
    await judging
    assert impaired(observer) == {"uplink"}, "the one that is left does not answer"


async def test_without_any_descriptor_left_they_are_short() -> None:
    """Counting them takes one, too."""
    observer = Observer(Uplink().poll, lambda _: 0.0, lambda: False)
    await observer.measure()
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    lowest = os.dup(0)
    os.close(lowest)
    with ExitStack() as stack:
        stack.callback(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))
        resource.setrlimit(resource.RLIMIT_NOFILE, (lowest, hard))
        await observer.measure()
    assert impaired(observer) == {"descriptors"}
    await observer.measure()
    assert impaired(observer) == set()
