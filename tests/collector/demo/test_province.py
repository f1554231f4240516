"""The whole simulated province in its own process, polled once by the real kinds; and what can be done to it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from collector.demo.agents.descriptions import describe
from collector.demo.children import ChildFailed, ProvinceProcess
from collector.demo.effects import Do, Effect
from collector.demo.faults import Fault, chosen, script
from collector.demo.lab import OVERLAYS, write_lab
from collector.model import Outcome, Reason, Result, Target
from collector.runner import Runner
from collector.service import Service
from collector.settings import Config, load
from exporters.exposition import Exposition

AT_A_TIME = 8
# Most of what these befall would only take a test its time.
SILENCING = ("centre-isolated", "uplink-lost")
# What only shows when somebody was heard, and then not for a while.
LISTENED_FOR = ("silent-river-stations",)
# What is read well, and then refused: see test_mobile_feeds.py.
GUARDED = {"feed-stale", "feed-cut", "feed-doubled", "feed-moved"}
PROJECT = Path(__file__).parents[3]


class Inhabited:
    """A running province, and polls of it."""

    def __init__(self, province: ProvinceProcess, config: Config, runner: Runner) -> None:
        self.province = province
        self.config = config
        self._runner = runner

    async def poll(self, *names: str) -> dict[str, Result]:
        """One run of each of these targets."""
        places = asyncio.Semaphore(AT_A_TIME)

        async def run(target: Target) -> Result:
            async with places:
                return await self._runner.run(target)

        results = await asyncio.gather(*(run(self.config.targets[name]) for name in names))
        return {result.target: result for result in results}


@asynccontextmanager
async def inhabited(tmp_path: Path) -> AsyncIterator[Inhabited]:
    shipped = [PROJECT / "config", *OVERLAYS]
    province = await ProvinceProcess.start(shipped, tmp_path)
    service = None
    try:
        ready = await province.ready(unheard)
        lab = await asyncio.to_thread(write_lab, tmp_path, ready, "127.0.0.1:0")
        service = Service([*shipped, lab], Exposition())
        config = await asyncio.to_thread(load, [*shipped, lab])
        yield Inhabited(province, config, await service.open(config))
    finally:
        if service is not None:
            await service.stop()
        await province.stop()


def unheard(step: str, done: int, of: int) -> None:
    """Progress that nobody asked for."""


async def test_every_shipped_target_is_answered_as_it_wants_to_be(tmp_path: Path) -> None:
    async with inhabited(tmp_path) as it:
        results = await it.poll(*it.config.targets)
    unwell = {name: result.detail for name, result in results.items() if result.outcome is not Outcome.OK}
    assert unwell == {}
    missing = {
        name: sample.value
        for name, result in results.items()
        for sample in result.samples
        if sample.metric.name in {"snmp_scrape_missing_values", "snmp_scrape_unreadable_values"} and sample.value
    }
    assert missing == {}, "objects that a profile asks for and the simulated device does not have"


@pytest.mark.system
async def test_every_fault_fails_what_it_says_and_goes_away_again(tmp_path: Path) -> None:
    async with inhabited(tmp_path) as it:
        every = await asyncio.to_thread(script, it.config, await asyncio.to_thread(describe), 57, chosen(None))
        faults = [fault for fault in every if fault.id not in (*SILENCING, *LISTENED_FOR)]
        befallen = [target for fault in faults for target in fault.targets]
        await play(it, faults, begin=True)
        during = await it.poll(*befallen)
        await play(it, faults, begin=False)
        await asyncio.sleep(2)  # the name server's denial is kept for a second
        after = await it.poll(*befallen)
    failing = {target for fault in faults for target in fault.targets if fails(fault)}
    assert {name for name, result in during.items() if result.outcome is Outcome.FAIL} == failing
    assert {name: result.detail for name, result in after.items() if result.outcome is not Outcome.OK} == {}


async def play(it: Inhabited, faults: Iterable[Fault], *, begin: bool) -> None:
    for fault in faults:
        for effect in fault.effects:
            if effect.do is not Do.ANNOUNCE:
                await it.province.apply(effect, begin)


def fails(fault: Fault) -> bool:
    """Whether the fault says that probes fail, not only that what they read is refused."""
    told = any("failure_info" in show.query for show in fault.shows)
    return fault.id == "flapping" or (told and fault.id not in GUARDED)


@pytest.mark.system
@pytest.mark.parametrize("name", SILENCING)
async def test_what_is_cut_off_hangs_and_the_rest_answers(tmp_path: Path, name: str) -> None:
    async with inhabited(tmp_path) as it:
        (fault,) = script(it.config, await asyncio.to_thread(describe), 57, chosen(name))
        inside = by_kind(it.config.targets[target] for target in fault.targets)
        outside = by_kind(target for target in it.config.targets.values() if target.id not in fault.targets)
        await play(it, [fault], begin=True)
        during = await it.poll(*inside, *outside)
        await play(it, [fault], begin=False)
        after = await it.poll(*inside)
    assert {during[target].reason for target in inside} == {Reason.TIMEOUT}
    assert {during[target].outcome for target in outside} == {Outcome.OK}
    assert {target: result.detail for target, result in after.items() if result.outcome is not Outcome.OK} == {}


def by_kind(targets: Iterable[Target]) -> list[str]:
    """Two targets of each kind."""
    found: dict[str, list[str]] = {}
    for target in targets:
        found.setdefault(target.kind, []).append(target.id)
    return [name for names in found.values() for name in names[:2]]


@pytest.mark.system
async def test_a_silent_river_fails_alone_and_is_heard_again(tmp_path: Path) -> None:
    async with inhabited(tmp_path) as it:
        (fault,) = script(it.config, await asyncio.to_thread(describe), 57, chosen(*LISTENED_FOR))
        listening = [name for name, target in it.config.targets.items() if target.kind == "mqtt"]
        before = await it.poll(*listening)
        await play(it, [fault], begin=True)
        await asyncio.sleep(fault.polled_within - it.config.targets[fault.targets[0]].interval + 0.5)
        during = await it.poll(*listening)
        await play(it, [fault], begin=False)
        await asyncio.sleep(1.5)  # until the next reading
        after = await it.poll(*listening)
    assert {result.outcome for result in before.values()} == {Outcome.OK}
    assert {name for name, result in during.items() if result.outcome is not Outcome.OK} == {*fault.targets}
    assert during[fault.targets[0]].detail.startswith("2 of 2 silent: ")
    assert {result.outcome for result in after.values()} == {Outcome.OK}


@pytest.mark.system
async def test_an_effect_on_what_is_not_there_is_refused(tmp_path: Path) -> None:
    async with inhabited(tmp_path) as it:
        with pytest.raises(ChildFailed, match=r"could not silence khong-co\.quangngai\.example"):
            await it.province.apply(Effect(Do.SILENCE, "khong-co.quangngai.example"), begin=True)
        await it.province.apply(Effect(Do.CLOSE, "csdl-dat-dai.quangngai.example:1521"), begin=True)
        assert (await it.poll("csdl-dat-dai-database"))["csdl-dat-dai-database"].detail == "connection refused"
