"""What is counted: for each technology, how many have signal at least, and at most."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from collector.coverage.links import Links
from collector.coverage.serving import Source
from collector.coverage.sphere import Indices
from collector.coverage.states import STATES, Codes, States
from collector.coverage.stock import Bits
from collector.records import CellState, Technology


class Bounds(NamedTuple):
    """At least: what is unknown counts as down, and assumed links not. At most: unknown as up, and assumed ones do."""

    lower: float
    upper: float

    def ratio(self, whole: float) -> Bounds | None:
        """As shares of `whole`; None of nothing."""
        return Bounds(self.lower / whole, self.upper / whole) if whole else None


class Spread(NamedTuple):
    """Bounds for each of many, in their order."""

    lower: Indices
    upper: Indices


class Freshness(NamedTuple):
    """Of the cells that serve anybody: the share whose state is known, and the oldest word of one (Unix seconds).

    None of none.
    """

    share: float | None
    oldest: float | None


@dataclass(frozen=True, slots=True)
class Level:
    """Figures at one technology or better; villages are those of the territory.

    `uncovered`: surely without signal, though unknown cells were up. Of them `lost` have cells that would serve them
    were they on, and `lost_planned` would have signal but for planned work. `single_operator`, `single_site` and
    `twofold` count villages with one active network, one active site, and two or more. `assumed`: nothing but
    assumed links reaches the village. `made`: villages by the strongest source that reaches them.
    `operators` counts with roaming, `best` the operator's own network that covers most. `critical`: villages that lose
    their last server if the site fails, for each site; `inhabitants`: those of the villages that say how many.
    """

    technology: Technology
    covered: Bounds
    uncovered: int
    lost: int
    lost_planned: int
    single_operator: int
    single_site: int
    twofold: int
    assumed: int
    made: Mapping[Source, int]
    operators: Mapping[str, Bounds]
    best: Bounds
    inhabitants: Bounds | None
    best_inhabitants: Bounds | None
    communes: Spread
    zones: Mapping[str, Bounds]
    zone_shares: Spread
    sites: Indices
    critical: Indices
    freshness: Freshness


@dataclass(frozen=True, slots=True)
class Figures:
    """All figures of one moment. `lower` and `upper` are what each spot has, as bits of stock.py.

    `villages` are those of the territory, `inhabitants` theirs where said (None: nowhere), `communes` the villages of
    each commune, `zones` of each category. `cells` by operator, technology and state; `sites` by operator and state;
    `presences` is the state of each operator on each of its sites. `levels` is empty while no cell is known.
    """

    links: Links
    states: States
    lower: Bits
    upper: Bits
    villages: int
    inhabitants: float | None
    communes: Indices
    zones: Mapping[str, int]
    levels: Mapping[Technology, Level]
    cells: Mapping[tuple[str, Technology, CellState], int]
    sites: Mapping[tuple[str, CellState], int]
    presences: Codes

    def presence_states(self) -> list[CellState]:
        """The states of the presences, in their order."""
        return [STATES[code] for code in self.presences.tolist()]
