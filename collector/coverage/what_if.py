"""Who would lose signal if something failed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from collector.coverage.counting import covered, recount
from collector.coverage.figures import Figures
from collector.coverage.links import Links
from collector.coverage.sphere import Indices
from collector.coverage.stock import Flags
from collector.nearest import nearest
from collector.records import Technology


@dataclass(frozen=True, slots=True)
class Loss:
    """Ids of villages and zones that surely have signal at a technology now and would not; how many people live there.

    `inhabitants`: of the villages that say how many they are; None where none does.
    """

    villages: tuple[str, ...]
    zones: tuple[str, ...]
    inhabitants: float | None


@dataclass(frozen=True, slots=True)
class WhatIf:
    """What would be, beside what is. `cells` and `sites` count what fails; `losses` are of all networks together.

    `operators`: villages that the customers of each operator would lose.
    """

    cells: int
    sites: int
    before: Figures
    after: Figures
    losses: Mapping[Technology, Loss]
    operators: Mapping[str, Mapping[Technology, tuple[str, ...]]]


def what_if(figures: Figures, *, site: str = "", operator: str = "", commune: str = "") -> WhatIf:
    """Fail all cells that are of all the given: a site, an operator, the sites in a commune.

    Raises ValueError when nothing is given, or a name is not known.
    """
    links = figures.links
    failing = _failing(links, site, operator, commune)
    after = recount(links, figures.states.without(failing))
    return WhatIf(
        cells=int(failing.sum()),
        sites=len(np.unique(links.sites.of_cell[failing])),
        before=figures,
        after=after,
        losses={one: _loss(figures, after, one) for one in figures.levels},
        operators=_operators(figures, after),
    )


def _failing(links: Links, site: str, operator: str, commune: str) -> Flags:
    if not (site or operator or commune):
        raise ValueError("name a site, an operator or a commune")
    failing = np.ones(len(links.stock.cells), np.bool_)
    if site:
        failing &= links.sites.of_cell == _number("site", site, links.sites.ids)
    if operator:
        failing &= links.stock.operator == _number("operator", operator, [one.id for one in links.places.operators])
    if commune:
        number = _number("commune", commune, [one.code for one in links.places.communes])
        failing &= links.site_commune[links.sites.of_cell] == number
    return failing


def _number(what: str, name: str, known: Sequence[str]) -> int:
    if name not in known:
        raise ValueError(f"unknown {what} {name!r}{nearest(name, known)}")
    return known.index(name)


def _loss(before: Figures, after: Figures, technology: Technology) -> Loss:
    links = before.links
    numbers = np.flatnonzero(_gone(before, after, links.at_least(technology)))
    people = links.population[numbers]
    known = bool(np.isfinite(links.population).any())
    lost = float(np.nansum(people)) if known else None
    return Loss(_names(links, numbers), _zones(before, after, technology), lost)


def _gone(before: Figures, after: Figures, wanted: np.uint64) -> Flags:
    """Villages that have any of these bits before and none after."""
    count = before.links.spots.villages
    gone: Flags = (before.lower[:count] & wanted != 0) & (after.lower[:count] & wanted == 0)
    return gone


def _names(links: Links, numbers: Indices) -> tuple[str, ...]:
    return tuple(links.places.villages[number].id for number in numbers.tolist())


def _zones(before: Figures, after: Figures, technology: Technology) -> tuple[str, ...]:
    """Zones that are covered before and not after."""
    links = before.links
    had, has = (covered(links, figures.levels[technology].zone_shares.lower) for figures in (before, after))
    return tuple(links.places.zones[number].id for number in np.flatnonzero(had & ~has).tolist())


def _operators(before: Figures, after: Figures) -> dict[str, dict[Technology, tuple[str, ...]]]:
    links = before.links
    return {
        operator.id: {
            one: _names(links, np.flatnonzero(_gone(before, after, links.at_least(one) & links.usable(number))))
            for one in before.levels
        }
        for number, operator in enumerate(links.places.operators)
    }
