"""One village, zone or site at a time, for who asks: never as series."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from collector.coverage.counting import covered
from collector.coverage.figures import Figures
from collector.coverage.links import Links
from collector.coverage.serving import Source
from collector.coverage.states import STATES
from collector.coverage.stock import GROUPS
from collector.places import Village, Zone
from collector.records import CellState, Technology


@dataclass(frozen=True, slots=True)
class Signal:
    """At one technology: whether there is signal at least and at most, and of how many active sites.

    `operators` are those whose own network surely serves; `source` is the strongest that any link has, None without.
    """

    lower: bool
    upper: bool
    sites: int
    operators: tuple[str, ...]
    source: Source | None


@dataclass(frozen=True, slots=True)
class VillageDetail:
    """A village and what it has; `commune` is the code of the one that it counts for, '' without communes."""

    village: Village
    commune: str
    signal: Mapping[Technology, Signal]


@dataclass(frozen=True, slots=True)
class ZoneDetail:
    """A zone, and whether it is covered and which shares of it are served, at least and at most."""

    zone: Zone
    covered: Mapping[Technology, tuple[bool, bool]]
    shares: Mapping[Technology, tuple[float, float]]


@dataclass(frozen=True, slots=True)
class SiteDetail:
    """A site: where (None if unknown), the state of each operator on it, and the villages that hang on it alone."""

    id: str
    name: str
    lat: float | None
    lon: float | None
    commune: str
    operators: Mapping[str, CellState]
    critical: Mapping[Technology, int]


def villages(figures: Figures) -> Iterator[VillageDetail]:
    """All villages, in the order of the inventory."""
    links = figures.links
    signals = [_signals(figures, technology) for technology in figures.levels]
    for number, (village, commune) in enumerate(zip(links.places.villages, communes(links), strict=True)):
        own = {technology: signal[number] for technology, signal in zip(figures.levels, signals, strict=True)}
        yield VillageDetail(village, commune, own)


def communes(links: Links) -> list[str]:
    """Codes of the communes that the villages count for, in the order of the inventory; '' without communes."""
    codes, count = [commune.code for commune in links.places.communes], len(links.places.villages)
    return [codes[number] if codes else "" for number in links.spots.commune[:count].tolist()]


def _signals(figures: Figures, technology: Technology) -> list[Signal]:
    """What each village has at a technology."""
    links, count = figures.links, figures.links.spots.villages
    wanted = links.at_least(technology)
    lower, upper = (bits[:count] & wanted for bits in (figures.lower, figures.upper))
    networks = [(operator.id, int(links.network(number))) for number, operator in enumerate(links.places.operators)]
    names: dict[int, tuple[str, ...]] = {}
    for bits in np.unique(lower).tolist():
        names[bits] = tuple(name for name, network in networks if bits & network)
    rows = zip(
        lower.tolist(),
        (upper != 0).tolist(),
        figures.levels[technology].sites[:count].tolist(),
        _sources(figures, technology),
        strict=True,
    )
    return [Signal(bits != 0, most, sites, names[bits], source) for bits, most, sites, source in rows]


def _sources(figures: Figures, technology: Technology) -> list[Source | None]:
    links, count = figures.links, figures.links.spots.villages
    wanted = links.at_least(technology)
    found: list[Source | None] = [None] * count
    for number in np.flatnonzero(links.all_bits[:count] & wanted).tolist():
        found[number] = Source.ASSUMED
    for source in (Source.MODELLED, Source.MAPPED, Source.DECLARED):
        groups = np.flatnonzero(links.taken.villages[:GROUPS] == source).tolist()
        bits = wanted & np.uint64(sum(1 << group for group in groups))
        for number in np.flatnonzero(links.sure_bits[:count] & bits).tolist():
            found[number] = source
    return found


def zones(figures: Figures) -> Iterator[ZoneDetail]:
    """All zones, in the order of the inventory."""
    links = figures.links
    sizes = links.spots.zone_sizes.tolist()
    sides = {one: level.zone_shares for one, level in figures.levels.items()}
    marks = {one: tuple(covered(links, side).tolist() for side in shares) for one, shares in sides.items()}
    for number, zone in enumerate(links.places.zones):
        shares = {
            one: (float(side.lower[number]) / sizes[number], float(side.upper[number]) / sizes[number])
            for one, side in sides.items()
        }
        yield ZoneDetail(zone, {one: (mark[0][number], mark[1][number]) for one, mark in marks.items()}, shares)


def sites(figures: Figures) -> Iterator[SiteDetail]:
    """All sites of known operators, in the order of their numbers."""
    links, presence = figures.links, figures.links.presence
    on: dict[int, dict[str, CellState]] = {}
    names: dict[int, str] = {}
    rows = zip(presence.site.tolist(), presence.operator.tolist(), presence.first.tolist(), strict=True)
    for (site, operator, first), code in zip(rows, figures.presences.tolist(), strict=True):
        on.setdefault(site, {})[links.places.operators[operator].id] = STATES[code]
        names.setdefault(site, links.stock.cells[first].name)
    for number, states in on.items():
        yield _site(figures, number, names[number], states)


def _site(figures: Figures, number: int, name: str, states: Mapping[str, CellState]) -> SiteDetail:
    links = figures.links
    lat, lon = float(links.sites.lat[number]), float(links.sites.lon[number])
    placed = np.isfinite(lat)
    commune = int(links.site_commune[number])
    return SiteDetail(
        links.sites.ids[number],
        name,
        lat if placed else None,
        lon if placed else None,
        links.places.communes[commune].code if commune >= 0 else "",
        states,
        {technology: int(level.critical[number]) for technology, level in figures.levels.items()},
    )
