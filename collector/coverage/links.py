"""Everything about who serves whom that does not change with the state of a cell: built once per inventory."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from collector.coverage.layer import Layer, layer
from collector.coverage.radius import ranges_km
from collector.coverage.serving import NONE, Reach, Served, joined, served
from collector.coverage.sites import Sites, merge
from collector.coverage.sphere import Indices
from collector.coverage.spots import Spots, communes_at, spots
from collector.coverage.stock import TECHNOLOGIES, Bits, Flags, Stock, at_least, of_operators, stock
from collector.places import MOST_OPERATORS, Places, RangeModel, TechnologyRule
from collector.records import Area, Cell, Technology

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")


@dataclass(frozen=True, slots=True)
class Presence:
    """Each operator on each of its sites, in the order of `site`, then `operator`; `first` is one of its cells.

    `order` are all cells of known operators, `starts` where each presence begins among them.
    """

    site: Indices
    operator: Indices
    first: Indices
    order: Indices
    starts: Indices


@dataclass(frozen=True, slots=True)
class Links:
    """Who serves whom. `technologies` are those that count, until `until` (Unix seconds): then build anew.

    `sure` are links that are declared or modelled, `assumed` those that only the official figure speaks for. Bits are
    those of stock.py: `own` of each cell (none if it does not count), `sure_bits` and `all_bits` of what each spot has
    with every cell on. `linked`: the cell serves a spot. `counted`: villages of the territory. `strays` counts
    villages that operators declare and nobody knows.
    """

    places: Places
    technologies: tuple[Technology, ...]
    until: float
    stock: Stock
    sites: Sites
    site_commune: Indices
    presence: Presence
    spots: Spots
    sure: Layer
    assumed: Layer
    own: Bits
    sure_bits: Bits
    all_bits: Bits
    linked: Flags
    counted: Flags
    population: NDArray[np.float64]
    taken: Served

    @property
    def strays(self) -> int:
        """Names of villages and zones that operators declare as served and nobody knows."""
        return self.taken.strays

    def at_least(self, technology: Technology) -> np.uint64:
        """The bits that satisfy a demand for a technology."""
        return at_least(technology, self.technologies)

    def network(self, operator: int) -> np.uint64:
        """The bits of one operator's own network."""
        return of_operators([operator])

    def usable(self, operator: int) -> np.uint64:
        """The bits of all networks that an operator's customers use: its own, and those it roams on."""
        operators = self.places.operators
        hosts = (number for number, host in enumerate(operators) if host.id in operators[operator].roams_on)
        return of_operators([operator, *hosts])


def build(cells: Sequence[Cell], areas: Sequence[Area], places: Places, ranges: RangeModel, at: float) -> Links:
    """The links of `cells` as technologies count at `at` (Unix seconds). Raises ValueError beyond 16 operators."""
    day = datetime.fromtimestamp(at, ZONE).date()
    technologies = tuple(one for one in TECHNOLOGIES if _counts(one, day, places.technologies))
    found = stock(cells, places.operators)
    sites = merge(found)
    lat, lon = sites.positions(found)
    found = replace(found, lat=lat, lon=lon)
    where = spots(places)
    counts = np.isin(found.technology, [TECHNOLOGIES.index(one) for one in technologies])
    reach = Reach(found, where, ranges_km(cells, ranges), counts)
    taken = served(reach, found, where, areas, places)
    own = np.where(counts, found.bits(), np.uint64(0))
    sure = layer(taken.links[1], taken.links[0], sites.of_cell, where.count)
    sure_bits = sure.reached(own)
    beside = _assumed(reach, places, technologies, sure_bits)
    assumed = layer(beside[1], beside[0], sites.of_cell, where.count)
    linked = np.zeros(len(cells), np.bool_)
    linked[sure.cell] = True
    linked[assumed.cell] = True
    return Links(
        places=places,
        technologies=technologies,
        until=_until(day, places.technologies),
        stock=found,
        sites=sites,
        site_commune=communes_at(sites.lat, sites.lon, places.communes),
        presence=_presence(found, sites),
        spots=where,
        sure=sure,
        assumed=assumed,
        own=own,
        sure_bits=sure_bits,
        all_bits=sure_bits | assumed.reached(own),
        linked=linked,
        counted=_counted(places, where),
        population=np.array([np.nan if one.population is None else one.population for one in places.villages], float),
        taken=replace(taken, links=NONE),
    )


def _counts(technology: Technology, day: date, rules: Iterable[TechnologyRule]) -> bool:
    own = [rule for rule in rules if rule.technology is technology]
    return not own or any(rule.holds(day) for rule in own)


def _until(day: date, rules: Iterable[TechnologyRule]) -> float:
    """When the next technology begins or ceases to count."""
    turns = [turn for rule in rules for turn in (rule.valid_from, rule.valid_to) if turn is not None and turn > day]
    if not turns:
        return float("inf")
    return datetime.combine(min(turns), datetime.min.time(), ZONE).timestamp()


def _assumed(reach: Reach, places: Places, technologies: Iterable[Technology], sure: Bits) -> tuple[Indices, Indices]:
    """Links to villages that the official figure calls covered and nothing else reaches."""
    links = [NONE]
    officially = np.array([one.official.rank if one.official else 0 for one in places.villages], np.intp)
    for technology in technologies:
        wanted = (officially >= technology.rank) & (sure[: len(officially)] & at_least(technology, technologies) == 0)
        number = TECHNOLOGIES.index(technology)
        cells = np.flatnonzero((reach.group % len(TECHNOLOGIES) == number) & (reach.group >= 0) & reach.placed)
        if wanted.any() and len(cells):
            links.append(reach.assumed(cells, np.flatnonzero(wanted)))
    return joined(links)


def _presence(stock: Stock, sites: Sites) -> Presence:
    known = np.flatnonzero(stock.operator >= 0)
    key = sites.of_cell[known] * MOST_OPERATORS + stock.operator[known]
    order = known[np.argsort(key, kind="stable")]
    site, operator = sites.of_cell[order], stock.operator[order]
    fresh = np.ones(len(order), np.bool_)
    fresh[1:] = (site[1:] != site[:-1]) | (operator[1:] != operator[:-1])
    starts = np.flatnonzero(fresh)
    return Presence(site[starts], operator[starts], order[starts], order, starts)


def _counted(places: Places, where: Spots) -> Flags:
    """The villages of the territory."""
    if not places.territory:
        return np.ones(where.villages, np.bool_)
    inside = np.array([commune.territory == places.territory for commune in places.communes] or [False], np.bool_)
    return inside[where.commune[: where.villages]]
