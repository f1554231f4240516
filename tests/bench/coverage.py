"""What it costs to link cells to villages and to count anew, for a province and for a country."""

from __future__ import annotations

import asyncio
import gc
import json
import random
import resource
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from math import sqrt
from pathlib import Path
from statistics import median
from typing import Any

from collector.places import (
    Carrier,
    Commune,
    Environment,
    Operator,
    Places,
    Propagation,
    RangeModel,
    Terrain,
    Village,
    Zone,
)
from collector.records import Cell, CellState, Technology
from tests.bench.children import Broken
from tests.bench.effort import Effort
from tests.bench.figures import Budget, Figure

MB = 1_000_000
OPERATORS = ("viettel", "vinaphone", "mobifone", "vietnamobile")
# Technology, MHz, EIRP and threshold (dBm), and how many of a hundred cells are so.
CARRIERS = ((("3G", 2100, 50, -100), 25), (("4G", 1800, 30, -105), 50), (("5G", 2550, 39, -110), 25))
HEIGHTS = (25.0, 30.0, 35.0, 42.0, 50.0)
# A province of 5,155 km2 has 3,700 cells: the same density at any size.
KM2_PER_CELL = 5155 / 3700


@dataclass(frozen=True, slots=True)
class Size:
    """What is measured, and what it may cost: milliseconds and megabytes."""

    name: str
    cells: int
    villages: int
    build: float
    recount: float
    memory: float | None = None


SIZES = (
    Size("province", 3_700, 1_000, 50, 50),
    Size("country", 350_000, 100_000, 3000, 2000, 600),
)


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a cell."""

    state: CellState
    observed_at: float | None


async def measure(folder: Path, effort: Effort) -> list[Figure]:
    """Milliseconds of CPU of a build and of a recount with its series, and the memory of a process that does both."""
    figures: list[Figure] = []
    for size in SIZES:
        effort.say(f"coverage: {size.cells:,} cells, {size.villages:,} villages")
        argv = (sys.executable, "-m", "tests.bench.coverage", size.name, str(effort.rounds))
        child = await asyncio.create_subprocess_exec(*argv, stdout=asyncio.subprocess.PIPE)
        output, _ = await child.communicate()
        if child.returncode:
            raise Broken(f"coverage of a {size.name} ended with {child.returncode}")
        figures += _figures(size, json.loads(output))
    return figures


def _figures(size: Size, found: dict[str, Any]) -> list[Figure]:
    name = f"coverage, {size.cells:,} x {size.villages:,}"
    note = f"{found['links']:,} links, {found['series']:,} series, {found['covered']:.1%} covered"
    sound = 0.3 < found["covered"] < 1
    figures = [
        Figure(f"{name}: build", "ms", found["build"], Budget(size.build), note=note, sound=sound),
        Figure(f"{name}: recount", "ms", found["recount"], Budget(size.recount), sound=sound),
    ]
    budget = None if size.memory is None else Budget(size.memory)
    return [*figures, Figure(f"{name}: memory", "MB", [found["memory"]], budget, sound=sound)]


def inventory(cells: int, villages: int) -> tuple[tuple[Cell, ...], Places]:
    """An inventory of the density of a province: two cells a site, villages, communes and zones among them."""
    chance = random.Random(7)
    side = sqrt(cells * KM2_PER_CELL) / 111.0  # degrees, near enough
    masts = [(8.0 + chance.random() * side, 104.0 + chance.random() * side) for _ in range(cells // 2)]
    found = tuple(_cell(number, masts[number % len(masts)], chance) for number in range(cells))
    return found, _places(villages, side, chance)


def _cell(number: int, mast: tuple[float, float], chance: random.Random) -> Cell:
    ((technology, band, _, _),) = chance.choices([carrier for carrier, _ in CARRIERS], [share for _, share in CARRIERS])
    return Cell(
        operator=OPERATORS[number * 7 % len(OPERATORS)],
        key=str(number),
        technology=Technology(technology),
        lat=mast[0],
        lon=mast[1],
        band=band,
        height=chance.choice(HEIGHTS),
    )


def _places(villages: int, side: float, chance: random.Random) -> Places:
    spots = [(8.0 + chance.random() * side, 104.0 + chance.random() * side) for _ in range(villages)]
    official = Technology.G4
    return Places(
        communes=tuple(
            Commune(f"c{number}", "Xã", "xa" if number % 5 else "phuong", lat, lon)
            for number, (lat, lon) in enumerate(spots[::10])
        ),
        villages=tuple(
            Village(f"v{number}", "Thôn", "", lat, lon, 800, official=official)
            for number, (lat, lon) in enumerate(spots)
        ),
        zones=tuple(Zone(f"z{number}", "Khu", "Zone", "port", *spot) for number, spot in enumerate(spots[:32])),
        operators=(*map(Operator, OPERATORS), Operator("gtel", roams_on=("vinaphone",))),
        technologies=(),
        ranges=_ranges(),
    )


def _ranges() -> RangeModel:
    carriers = tuple(
        Carrier(Technology(technology), band, eirp, threshold, threshold - 10, default=True)
        for (technology, band, eirp, threshold), _ in CARRIERS
    )
    terrains = (
        Terrain(Environment.OPEN, Propagation.RMA),
        Terrain(Environment.TOWN, Propagation.UMA),
        Terrain(Environment.MOUNTAIN, Propagation.RMA, 15),
    )
    # The basic threshold: as many links as the table of radii gives with the bands below 1 GHz, which reach as far.
    return RangeModel(carriers, terrains, 1.28, 8, 35, 1.5, 20, 5, 5, "basic")


def _timed(work: Callable[[], Any], rounds: int) -> tuple[Any, list[float]]:
    """What the work gave last, and milliseconds of CPU of each time: nothing else runs in the thread meanwhile."""
    times, found = [], None
    for _ in range(rounds):
        found = None  # the one before is gone when the next is made, as it is in the service
        gc.collect()
        begun = time.process_time()
        found = work()
        times.append(1000 * (time.process_time() - begun))
    return found, times


def main(name: str, rounds: int) -> None:
    """Measure one size in this process, and print what was found as JSON."""
    from collector.coverage.counting import count  # noqa: PLC0415 - what they load is measured
    from collector.coverage.links import build  # noqa: PLC0415
    from collector.derive import coverage  # noqa: PLC0415

    size = next(one for one in SIZES if one.name == name)
    cells, places = inventory(size.cells, size.villages)
    states = random.Random(11).choices([*CellState], [90, 4, 2, 2, 2], k=len(cells))
    known = [Known(state, 1_700_000_000.0 + number % 900) for number, state in enumerate(states)]
    links, building = _timed(lambda: build(cells, (), places, places.ranges, 1_700_000_000.0), rounds)
    samples, counting = _timed(lambda: coverage.samples(count(links, known)), rounds)
    covered = median(sample.value for sample in samples if sample.metric is coverage.COVERAGE)
    found = {
        "build": building,
        "recount": counting,
        "links": len(links.sure.cell) + len(links.assumed.cell),
        "series": len(samples),
        "covered": covered,
        "memory": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / MB,
    }
    print(json.dumps(found))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
