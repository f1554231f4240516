"""Which cell serves which spot, and by what: its operator's word, its operator's map, or the model of its range."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from collector.coverage.radius import ENVIRONMENTS
from collector.coverage.sphere import Floats, Indices, Pairs, bearings, kilometres, within
from collector.coverage.spots import Spots, inside_of
from collector.coverage.stock import GROUPS, NOBODY, TECHNOLOGIES, Flags, Stock
from collector.places import Operator, Places
from collector.records import Area

SECTOR_DEGREES = 75.0
EVERYWHERE_KM = 0.2  # so near the mast, an azimuth does not matter
# Cells on one mast are as near as each other: a tie is never cut through.
SAME_DISTANCE_KM = 0.001
ASSUMED_RANGES = 3.0

Links = tuple[Indices, Indices]  # cells and the spots that they serve
Words = dict[int, list[tuple[int, int]]]  # of a group: cells and the spots that they are said to serve


NONE: Links = (np.empty(0, np.intp), np.empty(0, np.intp))


class Source(IntEnum):
    """What says that a cell serves a spot, the strongest first."""

    DECLARED = 0
    MAPPED = 1
    MODELLED = 2
    ASSUMED = 3


@dataclass(frozen=True, slots=True)
class Served:
    """All links but the assumed ones. `villages` and `zones`: what each group of cells was taken from there."""

    links: Links
    villages: NDArray[np.intp]
    zones: NDArray[np.intp]
    strays: int


class Reach:
    """Cells that count, where they are, and how far each reaches in each of ENVIRONMENTS (km)."""

    def __init__(self, stock: Stock, spots: Spots, ranges: Floats, counts: Flags) -> None:
        self.group = np.where(counts, stock.group, NOBODY)
        self._spots = spots
        self._place = stock.vectors()
        self._lat, self._lon, self._azimuth = stock.lat, stock.lon, stock.azimuth
        self._ranges = np.where(stock.placed[:, None], ranges, np.nan)
        self.placed = stock.placed

    def modelled(self, cells: Indices) -> Links:
        """The spots in the range of each of these cells, and in its sector."""
        found = [NONE]
        for cell, spot, km in self._within(cells, np.arange(self._spots.count), 1.0):
            seen = self._sees(cell, spot, km)
            found.append((cell[seen].astype(np.int32), spot[seen].astype(np.int32)))
        return joined(found)

    def _sees(self, cell: Indices, spot: Indices, km: Floats) -> Flags:
        """Whether the spot is in the cell's sector, or so near that it does not matter."""
        seen = np.ones(len(cell), np.bool_)
        far = np.flatnonzero((km > EVERYWHERE_KM) & np.isfinite(self._azimuth[cell]))
        if len(far):
            cell, spot = cell[far], spot[far]
            aim = bearings(self._lat[cell], self._lon[cell], self._spots.vectors[spot])
            seen[far] = np.abs((aim - self._azimuth[cell] + 180) % 360 - 180) <= SECTOR_DEGREES
        return seen

    def nearest(self, cells: Indices, spots: Indices) -> Links:
        """The nearest of these cells to each of these spots, with all that are as near."""
        if not len(cells) or not len(spots):
            return NONE
        aims = self._spots.vectors[spots]
        least = kilometres(cKDTree(self._place[cells]).query(aims)[0])
        pairs = within(aims, least + SAME_DISTANCE_KM, self._place[cells])
        return joined([NONE, *((cells[cell], spots[spot]) for spot, cell, _ in pairs)])

    def assumed(self, cells: Indices, spots: Indices) -> Links:
        """Of these cells within three ranges of a spot, the nearest of each group, with all that are as near."""
        pairs = [*self._within(cells, spots, ASSUMED_RANGES)]
        if not pairs:
            return NONE
        cell, spot, km = (np.concatenate(part) for part in zip(*pairs, strict=True))
        key = spot * GROUPS + self.group[cell]
        order = np.argsort(km, kind="stable")
        keys, first = np.unique(key[order], return_index=True)
        least = km[order][first]
        close = km <= least[np.searchsorted(keys, key)] + SAME_DISTANCE_KM
        return cell[close], spot[close]

    def _within(self, cells: Indices, spots: Indices, times: float) -> Iterator[Pairs]:
        for column in range(len(ENVIRONMENTS)):
            here = spots[self._spots.environment[spots] == column]
            reach = times * self._ranges[cells, column]
            for cell, spot, km in within(self._place[cells], reach, self._spots.vectors[here]):
                yield cells[cell], here[spot], km


def served(reach: Reach, stock: Stock, spots: Spots, areas: Sequence[Area], places: Places) -> Served:
    """Who serves whom: of each operator's technology, the first source that is given wins."""
    said, strays = _words(reach, stock, spots, places)
    inside = _inside(areas, spots, places.operators)
    villages, zones = _sources(said, inside, spots)
    told = NONE if not said else _pairs(pair for pairs in said.values() for pair in pairs)
    cell, spot = reach.modelled(np.flatnonzero((reach.group != NOBODY) & reach.placed))
    if not said and not inside:
        return Served((cell, spot), villages, zones, strays)
    source = np.where(spot < spots.villages, villages[reach.group[cell]], zones[reach.group[cell]])
    links = [told, _of(cell, spot, source == Source.MODELLED)]
    for group, held in inside.items():
        own = reach.group[cell] == group
        links += _mapped(reach, group, held[_asked(held, spots, villages[group], zones[group])], (cell[own], spot[own]))
    return Served(joined(links), villages, zones, strays)


def _words(reach: Reach, stock: Stock, spots: Spots, places: Places) -> tuple[Words, int]:
    """The spots that operators say their cells serve, by group; and how many names nobody knows."""
    if not any(cell.villages for cell in stock.cells):
        return {}, 0
    known: dict[str, Iterable[int]] = {village.id: (number,) for number, village in enumerate(places.villages)}
    ends = [*spots.zone_starts.tolist()[1:], spots.count]
    for zone, start, end in zip(places.zones, spots.zone_starts.tolist(), ends, strict=False):
        known.setdefault(zone.id, range(start, end))
    said: Words = defaultdict(list)
    strays = 0
    for cell, (record, group) in enumerate(zip(stock.cells, reach.group.tolist(), strict=True)):
        if record.villages and group != NOBODY:
            strays += sum(name not in known for name in record.villages)
            said[group] += [(cell, spot) for name in record.villages for spot in known.get(name, ())]
    return {group: pairs for group, pairs in said.items() if pairs}, strays


def _inside(areas: Sequence[Area], spots: Spots, operators: Sequence[Operator]) -> dict[int, Indices]:
    """The spots in what operators declare as covered, by group."""
    numbers = {operator.id: number for number, operator in enumerate(operators)}
    declared: defaultdict[int, list[Area]] = defaultdict(list)
    for area in areas:
        if area.operator in numbers:
            group = numbers[area.operator] * len(TECHNOLOGIES) + TECHNOLOGIES.index(area.technology)
            declared[group].append(area)
    return {
        group: np.unique(inside_of([area.geometry for area in own], spots.lat, spots.lon)[0])
        for group, own in declared.items()
    }


def _sources(said: Words, inside: dict[int, Indices], spots: Spots) -> tuple[Indices, Indices]:
    """Where each group's links to villages and to zones are from."""
    villages = np.full(GROUPS, int(Source.MODELLED), np.intp)
    villages[list(inside)] = Source.MAPPED
    zones = villages.copy()
    for group, pairs in said.items():
        if any(spot < spots.villages for _, spot in pairs):
            villages[group] = Source.DECLARED
        if any(spot >= spots.villages for _, spot in pairs):
            zones[group] = Source.DECLARED
    return villages, zones


def _asked(held: Indices, spots: Spots, villages: int, zones: int) -> Flags:
    """Which of the spots in a map are to be taken from it."""
    taken: Flags = np.where(held < spots.villages, villages, zones) == Source.MAPPED
    return taken


def _mapped(reach: Reach, group: int, held: Indices, near: Links) -> Iterator[Links]:
    """The spots in a group's map: tied to its cells in range, else to the nearest."""
    tied = _of(*near, np.isin(near[1], held))
    yield tied
    own = np.flatnonzero((reach.group == group) & reach.placed)
    yield reach.nearest(own, np.setdiff1d(held, tied[1]))


def _of(cell: Indices, spot: Indices, kept: Flags) -> Links:
    return cell[kept], spot[kept]


def _pairs(pairs: Iterable[tuple[int, int]]) -> Links:
    cell, spot = np.array([*pairs], np.intp).T
    return cell, spot


def joined(links: Sequence[Links]) -> Links:
    """All of these links together."""
    cell, spot = (np.concatenate(part) for part in zip(*links, strict=True))
    return cell, spot
