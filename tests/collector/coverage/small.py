"""A small province to change one thing of at a time: one commune of open land, and villages along a road."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from math import cos, radians
from typing import Any

from collector.coverage.counting import count
from collector.coverage.figures import Figures, Level
from collector.coverage.links import Links, build
from collector.places import Commune, Operator, Places, Village
from collector.records import Area, Cell, CellState, Technology
from tests.collector.coverage.provinces import Known
from tests.collector.coverage.ranges import rules, shipped

LAT, LON = 15.1, 108.8
NOW = datetime(2026, 11, 23, tzinfo=UTC).timestamp()
ACTIVE, DOWN, PLANNED, SLEEPING, UNKNOWN = (
    CellState.ACTIVE,
    CellState.DOWN,
    CellState.PLANNED,
    CellState.SLEEPING,
    CellState.UNKNOWN,
)
OPERATORS = (
    Operator("viettel", ("452-04",)),
    Operator("vinaphone", ("452-02",)),
    Operator("mobifone", ("452-01",)),
    Operator("gtel", ("452-07",), roams_on=("vinaphone",)),
)


def east(km: float) -> float:
    """Longitude so many kilometres east of the commune's centre."""
    return LON + km / 111.195 / cos(radians(LAT))


def village(name: str, km: float, **given: Any) -> Village:
    """A village on the road."""
    return Village(name, name, given.pop("commune", ""), LAT, east(km), **given)


def cell(key: str, km: float | None = 0.0, technology: str = "4G", operator: str = "viettel", **given: Any) -> Cell:
    """A cell at the road: LTE 1800 at 35 m, if not said otherwise, which reaches 1.01 km."""
    lon = None if km is None else east(km)
    return Cell(operator, key, Technology(technology), lat=None if km is None else LAT, lon=lon, **given)


def places(villages: Sequence[Village], **given: Any) -> Places:
    """One commune, and nothing else that is not given."""
    empty = Places((Commune("1", "Xã Một", "xa", LAT, LON),), tuple(villages), (), OPERATORS, rules(), shipped())
    return replace(empty, **given)


def linked(cells: Sequence[Cell], where: Places, areas: Sequence[Area] = (), at: float = NOW) -> Links:
    """The links of an inventory."""
    return build(cells, areas, where, where.ranges, at)


def figures(links: Links, *states: CellState) -> Figures:
    """The count with these states of the cells; those beyond are active."""
    every = [*states, *[ACTIVE] * (len(links.stock.cells) - len(states))]
    return count(links, [Known(state, NOW) for state in every])


def level(links: Links, *states: CellState, technology: Technology = Technology.G4) -> Level:
    """The figures at one technology."""
    return figures(links, *states).levels[technology]


def served(links: Links, technology: Technology = Technology.G4) -> list[str]:
    """Villages that have signal for sure with every cell on."""
    wanted = links.at_least(technology)
    has = (links.sure_bits & wanted != 0).tolist()
    return [one.id for one, there in zip(links.places.villages, has, strict=False) if there]
