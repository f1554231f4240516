"""What becomes of coverage when stations fail: by the service's own engine."""

from __future__ import annotations

import random
import time
from collections.abc import Collection, Iterable, Iterator
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING

from collector.demo.mobile.figures import Figures as Wanted
from collector.demo.mobile.network import MOBIFONE, Mast, Network, Station, network
from collector.places import Places
from collector.records import CellState, Technology

if TYPE_CHECKING:  # loaded only where a fault is reckoned: it takes memory
    from collector.coverage.figures import Figures, Level

NODE_MASTS = 60
# Villages that lose their last signal with a node: some, and not a whole district.
LOST = range(1, 31)


class Outlook:
    """Figures of one network, and which of its faults would show well. `well`: while nothing is wrong."""

    def __init__(self, places: Places, network: Network) -> None:
        from collector.coverage.links import build  # noqa: PLC0415  see above

        self.network = network
        self._communes = [commune.code for commune in places.communes]
        cells = [station.cell(CellState.ACTIVE) for station in network.stations]
        self._links = build(cells, (), places, places.ranges, time.time())
        self.well = self.without(())

    def without(self, stations: Iterable[Station]) -> Figures:
        """The figures while these are out."""
        from collector.coverage.counting import count  # noqa: PLC0415  see above

        out = set(stations)
        active, down = CellState.ACTIVE, CellState.DOWN
        return count(self._links, [one.cell(down if one in out else active) for one in self.network.stations])

    def covered(self, figures: Figures, technology: Technology = Technology.G4) -> dict[str, int]:
        """Villages with signal, by code of the commune."""
        return dict(zip(self._communes, _level(figures, technology).communes.upper.tolist(), strict=True))

    @property
    def coming(self) -> tuple[str, int]:
        """The category of the zone that is to have 5G, and how many of it have 5G already."""
        zones = {zone.id: zone.category for zone in self._links.places.zones}
        category = zones[self.network.coming_at]
        return category, round(_level(self.well, Technology.G5).zones[category].lower)

    def losses(self, figures: Figures) -> dict[str, int]:
        """Villages still with 4G in each commune where some lost it."""
        before, after = self.covered(self.well), self.covered(figures)
        return {code: after[code] for code in after if after[code] != before[code]}

    @cached_property
    def lonely(self) -> list[str]:
        """Communes that hear nobody else: without their own stations all their villages lose signal, and no others."""
        return [code for code in sorted({one.mast.commune for one in self.network.stations}) if self._is_lonely(code)]

    def _is_lonely(self, commune: str) -> bool:
        after = self.without(self.network.within(commune))
        return self.losses(after) == {commune: 0} and self.covered(after, Technology.G3)[commune] == 0

    def nodes(self, blackout: Collection[Station], chance: random.Random) -> Iterator[tuple[Mast, dict[str, int]]]:
        """Masts of MobiFone in any order, with which the nearest 60 fail so that some villages lose their last 4G.

        With each the villages that still have it, by commune. The same villages do so beside a blackout, no zone is
        the worse for it, and none of the masts is in the dark already.
        """
        dark = {station.mast.number for station in blackout}
        apart = self.losses(self.without(blackout))
        masts = sorted({station.mast.number: station.mast for station in self.network.of(MOBIFONE)}.items())
        for _, mast in chance.sample(masts, len(masts)):
            near = self.network.around(MOBIFONE, mast.number, NODE_MASTS)
            if dark.intersection(one.number for one in near):
                continue
            out = self.network.on(near, MOBIFONE)
            figures = self.without(out)
            losses = self.losses(figures)
            both = self.losses(self.without([*out, *blackout]))
            if self._lost(losses) in LOST and both == {**apart, **losses} and self._spares_zones(figures):
                yield mast, losses

    def _lost(self, losses: dict[str, int]) -> int:
        before = self.covered(self.well)
        return sum(before[code] - left for code, left in losses.items())

    def _spares_zones(self, figures: Figures) -> bool:
        return all(_level(figures, one).zones == _level(self.well, one).zones for one in (Technology.G4, Technology.G5))


@lru_cache(maxsize=1)
def outlook(places: Places, wanted: Wanted) -> Outlook:
    """Of the network that is made up for these places. Raises ValueError where none can be."""
    return Outlook(places, network(places, wanted))


def _level(figures: Figures, technology: Technology) -> Level:
    return figures.levels[technology]
