"""Counts anew, from the links and the states of the cells. Pure; nothing is kept between two counts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from collector.coverage.figures import Bounds, Figures, Freshness, Level, Spread
from collector.coverage.links import Links
from collector.coverage.serving import Source
from collector.coverage.sphere import Indices
from collector.coverage.states import STATES, Codes, Known, States, states
from collector.coverage.stock import GROUPS, TECHNOLOGIES, Bits, Flags
from collector.records import CellState, Technology

# A zone is covered when so many hundredths of its grid are.
ZONE_PERCENT = 95


def count(links: Links, known: Sequence[Known]) -> Figures:
    """All figures, from what is known of each cell in the order that `links` was built of."""
    return recount(links, states(known))


def recount(links: Links, now: States) -> Figures:
    """The same, from columns."""
    served = _Served.of(links, now)
    counted = links.counted
    usable = bool((links.own != 0).any())
    inhabitants = np.nansum(links.population[counted]) if np.isfinite(links.population[counted]).any() else None
    return Figures(
        links=links,
        states=now,
        lower=served.lower,
        upper=served.upper,
        villages=int(counted.sum()),
        inhabitants=None if inhabitants is None else float(inhabitants),
        communes=_per_commune(links, np.ones(links.spots.villages, np.bool_)),
        zones=Counter(zone.category for zone in links.places.zones),
        levels={one: served.level(one) for one in links.technologies} if usable else {},
        cells=_cells(links, now),
        sites=_sites(links, presences := _presences(links, now)),
        presences=presences,
    )


@dataclass(frozen=True, slots=True)
class _Served:
    """What each spot has now: surely, at most, at most had planned work not been; and each pair with a site."""

    links: Links
    now: States
    lower: Bits
    upper: Bits
    unplanned: Bits
    pairs: Bits

    @classmethod
    def of(cls, links: Links, now: States) -> _Served:
        surely = np.where(now.are(CellState.ACTIVE), links.own, np.uint64(0))
        pairs = links.sure.per_pair(surely)
        upper = _at_most(links, now.are(CellState.ACTIVE, CellState.UNKNOWN))
        planned = now.are(CellState.PLANNED)
        unplanned = upper
        if planned.any():
            unplanned = _at_most(links, now.are(CellState.ACTIVE, CellState.UNKNOWN, CellState.PLANNED))
        return cls(links, now, links.sure.per_spot(pairs), upper, unplanned, pairs)

    def level(self, technology: Technology) -> Level:
        """The figures at a technology."""
        links, counted = self.links, self.links.counted
        wanted = links.at_least(technology)
        villages = len(counted)
        lower, upper = (bits[:villages] & wanted for bits in (self.lower, self.upper))
        able = links.all_bits[:villages] & wanted != 0
        lost = counted & able & (upper == 0)
        planned = lost & (self.unplanned[:villages] & wanted != 0)
        serving = self.pairs & wanted != 0
        sites = links.sure.summed(serving)
        networks = [links.network(number) for number in range(len(links.places.operators))]
        operators = sum(((lower & network != 0).astype(np.intp) for network in networks), np.zeros(villages, np.intp))
        any_network = lower != 0, upper != 0
        own = [(lower & network != 0, upper & network != 0) for network in networks]
        return Level(
            technology=technology,
            covered=_counts(counted, *any_network),
            uncovered=int((counted & (upper == 0)).sum()),
            lost=int(lost.sum()),
            lost_planned=int(planned.sum()),
            single_operator=int((counted & (operators == 1)).sum()),
            single_site=int((counted & (sites[:villages] == 1)).sum()),
            twofold=int((counted & (sites[:villages] > 1)).sum()),
            assumed=int((counted & able & (links.sure_bits[:villages] & wanted == 0)).sum()),
            made=_made(links, wanted),
            operators={name: _counts(counted, *both) for name, both in self._used(lower, upper).items()},
            best=_best([_counts(counted, *both) for both in own]),
            inhabitants=_people(links, *any_network),
            best_inhabitants=_best_people([_people(links, *both) for both in own]),
            communes=_spread(links, *any_network),
            zones=_zones(links, shares := self._zone_shares(wanted)),
            zone_shares=shares,
            sites=sites,
            critical=_critical(links, serving, sites),
            freshness=self._freshness(wanted),
        )

    def _used(self, lower: Bits, upper: Bits) -> dict[str, tuple[Flags, Flags]]:
        """Whom the customers of each operator have signal of; an operator none of whose cells is known is left out."""
        links = self.links
        known = np.bitwise_or.reduce(links.own)
        found = {}
        for number, operator in enumerate(links.places.operators):
            usable = links.usable(number)
            if known & usable:
                found[operator.id] = lower & usable != 0, upper & usable != 0
        return found

    def _zone_shares(self, wanted: np.uint64) -> Spread:
        """Spots of each zone that are served."""
        first = self.links.spots.villages
        starts = self.links.spots.zone_starts - first
        found = []
        for bits in (self.lower, self.upper):
            served = (bits[first:] & wanted != 0).astype(np.intp)
            found.append(np.add.reduceat(served, starts) if len(starts) else served)
        return Spread(*found)

    def _freshness(self, wanted: np.uint64) -> Freshness:
        cells = self.links.linked & (self.links.own & wanted != 0)
        known = cells & ~self.now.are(CellState.UNKNOWN)
        observed = self.now.observed[known]
        observed = observed[np.isfinite(observed)]
        share = float(known.sum() / cells.sum()) if cells.any() else None
        return Freshness(share, float(observed.min()) if len(observed) else None)


def _at_most(links: Links, cells: Flags) -> Bits:
    on = np.where(cells, links.own, np.uint64(0))
    found = links.sure.reached(on)
    return found | links.assumed.reached(on) if len(links.assumed.spots) else found


def _counts(counted: Flags, lower: Flags, upper: Flags) -> Bounds:
    return Bounds(int((counted & lower).sum()), int((counted & upper).sum()))


def _people(links: Links, lower: Flags, upper: Flags) -> Bounds | None:
    """Inhabitants who have signal, of the villages that say how many they are."""
    known = links.counted & np.isfinite(links.population)
    if not known.any():
        return None
    return Bounds(float(links.population[known & lower].sum()), float(links.population[known & upper].sum()))


def _best(networks: Sequence[Bounds]) -> Bounds:
    lower, upper = (max((bound[side] for bound in networks), default=0) for side in (0, 1))
    return Bounds(lower, upper)


def _best_people(networks: Sequence[Bounds | None]) -> Bounds | None:
    known = [bounds for bounds in networks if bounds is not None]
    return _best(known) if known else None


def _per_commune(links: Links, villages: Flags) -> Indices:
    commune = links.spots.commune[: len(villages)]
    return np.bincount(commune[villages & (commune >= 0)], minlength=len(links.places.communes))


def _spread(links: Links, lower: Flags, upper: Flags) -> Spread:
    return Spread(_per_commune(links, lower), _per_commune(links, upper))


def _made(links: Links, wanted: np.uint64) -> Mapping[Source, int]:
    """Villages of the territory by the strongest source that reaches them."""
    left = links.counted.copy()
    found: dict[Source, int] = {}
    able = links.sure_bits[: len(left)] & wanted
    for source in (Source.DECLARED, Source.MAPPED, Source.MODELLED):
        groups = np.flatnonzero(links.taken.villages[:GROUPS] == source).tolist()
        reached = left & (able & np.uint64(sum(1 << group for group in groups)) != 0)
        found[source] = int(reached.sum())
        left &= ~reached
    found[Source.ASSUMED] = int((left & (links.all_bits[: len(left)] & wanted != 0)).sum())
    return found


def covered(links: Links, served: Indices) -> Flags:
    """Whether each zone is covered, from how many of its spots are."""
    enough: Flags = 100 * served >= ZONE_PERCENT * links.spots.zone_sizes
    return enough


def _zones(links: Links, shares: Spread) -> Mapping[str, Bounds]:
    """Zones that are covered, by category."""
    lower, upper = (covered(links, side) for side in shares)
    categories = [zone.category for zone in links.places.zones]
    found = {}
    for category in sorted(set(categories)):
        own = np.array([one == category for one in categories], np.bool_)
        found[category] = Bounds(int((own & lower).sum()), int((own & upper).sum()))
    return found


def _critical(links: Links, serving: Flags, sites: Indices) -> Indices:
    """Villages of the territory whose only site this is, for each site."""
    last = links.sure.summed(np.where(serving, links.sure.pair_site, 0))
    alone = links.counted & (sites[: len(links.counted)] == 1)
    return np.bincount(last[: len(alone)][alone], minlength=len(links.sites.ids))


def _cells(links: Links, now: States) -> Mapping[tuple[str, Technology, CellState], int]:
    """Cells by state, of each operator and technology that has any."""
    group, known = links.stock.group, links.stock.group >= 0
    found = np.bincount(group[known] * len(STATES) + now.codes[known], minlength=GROUPS * len(STATES))
    table = found.reshape(GROUPS, len(STATES)).tolist()
    operators = links.places.operators
    return {
        (operators[number // len(TECHNOLOGIES)].id, TECHNOLOGIES[number % len(TECHNOLOGIES)], state): counted
        for number, row in enumerate(table)
        if any(row)
        for state, counted in zip(STATES, row, strict=True)
    }


def _presences(links: Links, now: States) -> Codes:
    presence = links.presence
    if not len(presence.starts):
        return np.empty(0, np.int8)
    return np.maximum.reduceat(now.codes[presence.order], presence.starts)


def _sites(links: Links, presences: Codes) -> Mapping[tuple[str, CellState], int]:
    """Sites by state, of each operator that has any."""
    operators = links.places.operators
    found = np.bincount(links.presence.operator * len(STATES) + presences, minlength=len(operators) * len(STATES))
    return {
        (operator.id, state): counted
        for operator, row in zip(operators, found.reshape(-1, len(STATES)).tolist(), strict=True)
        if any(row)
        for state, counted in zip(STATES, row, strict=True)
    }
