"""What the operators' systems of the simulated province say, read by the real kinds, guarded, and counted."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import asdict
from functools import lru_cache
from pathlib import Path

import pytest

from collector.coverage.counting import count
from collector.coverage.figures import Figures, Level
from collector.coverage.links import build
from collector.demo.agents.descriptions import describe
from collector.demo.effects import Effect
from collector.demo.faults import Fault, chosen, script
from collector.demo.lab import OVERLAYS, write_lab
from collector.demo.mischief import Mischief
from collector.demo.mobile.figures import figures
from collector.demo.mobile.network import network
from collector.demo.province import Province
from collector.demo.wiring import plan
from collector.intake import Holdings, Network, Source, merged
from collector.model import Outcome, Target
from collector.places import Places
from collector.records import CellState, Technology
from collector.runner import Runner
from collector.service import Service
from collector.settings import Config, load
from collector.sources.feed import FeedSpec
from exporters.exposition import Exposition

PROJECT = Path(__file__).parents[3]
SHIPPED = [PROJECT / "config", *OVERLAYS]
OLDEST = 20.0
ALARMED = ("op-viettel", "op-mobifone")  # whose state another feed tells, too


@lru_cache(maxsize=1)
def shipped() -> Config:
    return load(SHIPPED)


def places() -> Places:
    found = shipped().places
    assert found is not None
    return found


def feeds(config: Config) -> dict[str, Target]:
    return {name: target for name, target in config.targets.items() if isinstance(target.spec, FeedSpec)}


class Observed:
    """The feeds of a running province, held and counted as the service does."""

    def __init__(self, province: Province, runner: Runner, config: Config, aside: Path) -> None:
        assert province.air is not None
        self.mischief = Mischief(province)
        self.targets = feeds(config)
        self._air = province.air
        self.refused: dict[str, str] = {}
        self.unmatched: dict[str, int] = {}
        self._runner = runner
        self._network = Network()
        self.holdings = Holdings(Exposition())
        self.holdings.apply(self.targets, places(), aside)

    async def look(self) -> Figures:
        """Poll every feed once, and count."""
        self.refused = {}
        for target in self.targets.values():
            result = await self.holdings.take(await self._runner.run(target))
            if result.outcome is not Outcome.OK:
                self.refused[target.id] = result.detail
        return await asyncio.to_thread(self.counted)

    def counted(self) -> Figures:
        """Count what is held."""
        now, held = time.time(), self.holdings
        sources = [
            Source(one.batch, one.as_of, one.spec.oldest, held.fresh(one), one.spec.operator or "")
            for one in held.by_target.values()
            if one.batch is not None
        ]
        self._network = merged(sources, now, self._network)
        self.unmatched = self._network.unmatched
        return count(build(self._network.cells, (), places(), places().ranges, now), self._network.known)

    @contextmanager
    def earlier(self, seconds: float) -> Iterator[None]:
        """The operators' clocks are behind meanwhile."""
        self._air.clock = lambda: time.time() - seconds
        try:
            yield
        finally:
            self._air.clock = time.time

    async def play(self, effects: Iterable[Effect], begin: bool = True) -> None:
        """Begin or end what a fault does."""
        for effect in effects:
            await self.mischief.apply(effect, begin)


@asynccontextmanager
async def observed(tmp_path: Path) -> AsyncIterator[Observed]:
    config = shipped()
    mobile = await asyncio.to_thread(network, places(), figures(config.plan))
    made = plan(feeds(config).values(), {})
    province = await asyncio.to_thread(Province, made, {}, {}, tmp_path, mobile)
    service = None
    try:
        ready = await province.start(lambda _step, _done, _of: None)
        lab = await asyncio.to_thread(write_lab, tmp_path, asdict(ready), "127.0.0.1:0")
        local = await asyncio.to_thread(load, [*SHIPPED, lab])
        service = Service([*SHIPPED, lab], Exposition())
        yield Observed(province, await service.open(local), local, tmp_path / "aside")
    finally:
        if service is not None:
            await service.stop()
        await province.stop()


@lru_cache(maxsize=1)
def faults() -> dict[str, Fault]:
    """The faults of the script."""
    return {fault.id: fault for fault in script(shipped(), describe(), 57, chosen(None))}


@pytest.fixture(autouse=True, scope="module")
def prepared() -> None:
    """What takes its time, before any loop runs."""
    shipped()
    faults()


def differing(before: Figures, after: Figures) -> set[str]:
    """Which figures moved: names as the series have them, with operator or category."""
    found = {f"cells {key}" for key in after.cells if before.cells.get(key) != after.cells[key]}
    found |= {f"sites {key}" for key in after.sites if before.sites.get(key) != after.sites[key]}
    for one in Technology:
        if one in after.levels:
            found |= {f"{one} {name}" for name in _moved(before.levels[one], after.levels[one])}
    return found


def _moved(before: Level, after: Level) -> Iterable[str]:
    for side in ("lower", "upper"):
        if getattr(before.covered, side) != getattr(after.covered, side):
            yield f"covered {side}"
        for operator in before.operators:
            if getattr(before.operators[operator], side) != getattr(after.operators[operator], side):
                yield f"{operator} {side}"
        for category in before.zones:
            if getattr(before.zones[category], side) != getattr(after.zones[category], side):
                yield f"{category} {side}"


async def test_all_formats_together_give_the_report_s_figures(tmp_path: Path) -> None:
    """Every station is read as it was made up, whatever the format, and the five figures come out at the worst."""
    async with observed(tmp_path) as it:
        counted = await it.look()
    assert it.refused == {}
    made = network(places(), figures(shipped().plan))
    assert sum(number for (_, _, state), number in counted.cells.items() if state is CellState.ACTIVE) == len(
        made.stations
    )
    read = {(cell.operator, cell.site, cell.technology): cell for cell in counted.links.stock.cells}
    assert len(read) == len(made.stations)
    for station in made.stations:
        cell = read[station.operator, station.site, station.technology]
        assert (cell.band, cell.height) == (station.band, station.mast.height)
        assert (cell.lat, cell.lon) == tuple(station.mast.place)
    assert len(counted.links.sites.ids) == figures(shipped().plan).positions
    villages, zones = counted.levels[Technology.G4], counted.levels[Technology.G5].zones
    assert villages.covered.lower == counted.villages == len(places().villages)
    assert villages.assumed == 0
    assert {name: bounds.lower for name, bounds in zones.items() if name != "urban-centre"} == {
        "industrial-park-dung-quat": 4,
        "industrial-park": 1,
        "industrial-cluster": 2,
        "transport-hub": 9,
    }


async def test_a_negative_feed_recovers_from_sixty_outages_to_none_within_one_period(tmp_path: Path) -> None:
    node = faults()["transmission-node-down"]
    async with observed(tmp_path) as it:
        well = await it.look()
        await it.play(node.effects)
        hurt = await it.look()
        await it.play(node.effects, begin=False)
        again = await it.look()
        assert it.refused == {}
        assert it.unmatched == {}
    assert hurt.sites["op-mobifone", CellState.DOWN] == 60
    moved = {name for name in differing(well, hurt) if not name.startswith(("cells", "sites"))}
    assert "4G covered upper" in moved
    assert all("covered" in name or "op-mobifone" in name for name in moved)
    assert differing(well, again) == set()


async def test_a_blackout_befalls_all_operators_of_one_commune_only(tmp_path: Path) -> None:
    fault = faults()["district-blackout"]
    number = [commune.code for commune in places().communes].index(fault.befalls)
    async with observed(tmp_path) as it:
        well = await it.look()
        await it.play(fault.effects)
        dark = await it.look()
    for technology in (Technology.G3, Technology.G4):
        for side in ("lower", "upper"):
            before = getattr(well.levels[technology].communes, side)
            after = getattr(dark.levels[technology].communes, side)
            assert after[number] == 0 < before[number]
            assert [n for n, pair in enumerate(zip(before, after, strict=True)) if pair[0] != pair[1]] == [number]


async def test_a_zone_is_switched_on(tmp_path: Path) -> None:
    fault = faults()["zone-on-air"]
    async with observed(tmp_path) as it:
        well = await it.look()
        await it.play(fault.effects)
        more = await it.look()
        await it.play(fault.effects, begin=False)
        again = await it.look()
    key = ("op-viettel", Technology.G5, CellState.ACTIVE)
    assert more.cells[key] == well.cells[key] + 1
    moved = differing(well, more)
    assert {"5G industrial-cluster lower", "5G industrial-cluster upper"} <= moved
    assert all(name.startswith(("cells ('op-viettel', <Technology.G5", "5G")) for name in moved)
    assert differing(well, again) == set()


@pytest.mark.parametrize(
    ("name", "guard"),
    [
        ("feed-stale", "age"),
        ("feed-login-page", "shape"),
        ("feed-cut", "rows"),
        ("feed-doubled", "duplicates"),
        ("feed-moved", "moved"),
    ],
)
async def test_a_spoilt_feed_changes_nothing_but_by_becoming_too_old(tmp_path: Path, name: str, guard: str) -> None:
    """At once nothing moves; after the oldest age its stations are unknown unless another feed tells of them."""
    fault = faults()[name]
    (target,) = fault.targets
    async with observed(tmp_path) as it:
        well = await it.look()
        with it.earlier(2 * OLDEST if name == "feed-stale" else 0.0):
            await it.play(fault.effects)
        at_once = await it.look()
        holding = it.holdings.by_target[target]
        assert dict(holding.refused) == {guard: 1}
        assert list(it.refused) == [target]
        assert differing(well, at_once) == set()
        holding.fresh_until = 0.0
        aged = await asyncio.to_thread(it.counted)
        await it.play(fault.effects, begin=False)
        again = await it.look()
    assert differing(well, again) == set()
    assert sum(aged.cells.values()) == sum(well.cells.values())
    operator = holding.spec.operator or ""
    moved = differing(well, aged)
    if operator in ALARMED:
        assert moved == set()
        return
    assert any(key[0] == operator and number for key, number in aged.cells.items() if key[2] is CellState.UNKNOWN)
    assert not any(each.endswith("upper") for each in moved)
    # Gtel has the signal of Vinaphone; what nobody else serves falls in all figures.
    mine = (operator, "op-gtel lower", "covered lower", *(f"{category} lower" for category in well.zones))
    assert all(any(word in each for word in mine) for each in moved), moved
