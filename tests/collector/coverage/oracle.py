"""Coverage as one would count it by hand: every cell against every place, no arrays, nothing of the engine's code.

Written from the definitions only; slow. Distances by the haversine formula, path loss as worked out in the notes.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from itertools import product
from math import asin, atan2, cos, degrees, isfinite, log10, radians, sin, sqrt

from shapely import Point

from collector.places import Carrier, Environment, Operator, Places, Village, Zone
from collector.records import Area, Cell, CellState, Technology

EARTH = 6371.0088
Where = tuple[float, float]  # latitude, longitude


def km(one: Where, other: Where) -> float:
    """Great-circle distance."""
    phi, psi = radians(one[0]), radians(other[0])
    half = sin((psi - phi) / 2) ** 2 + cos(phi) * cos(psi) * sin(radians(other[1] - one[1]) / 2) ** 2
    return 2 * EARTH * asin(sqrt(half))


def bearing(one: Where, other: Where) -> float:
    """Initial course from one to the other, degrees."""
    phi, psi, lam = radians(one[0]), radians(other[0]), radians(other[1] - one[1])
    return degrees(atan2(sin(lam) * cos(psi), cos(phi) * sin(psi) - sin(phi) * cos(psi) * cos(lam)))


@dataclass
class Asked:
    """Somewhere signal is asked for."""

    where: Where
    commune: int | None
    environment: Environment
    village: Village | None = None
    zone: Zone | None = None


class Oracle:
    """All that the engine says, by hand."""

    def __init__(self, cells: Sequence[Cell], areas: Sequence[Area], places: Places, at: float) -> None:
        self.cells, self.areas, self.places = cells, areas, places
        day = (datetime.fromtimestamp(at, UTC) + timedelta(hours=7)).date()
        self.valid = [
            technology
            for technology in Technology
            if all(rule.holds(day) for rule in places.technologies if rule.technology is technology)
        ]
        self.known = {operator.id: operator for operator in places.operators}
        self.site = self._sites()
        self.where = [self._where(number) for number in range(len(cells))]
        self.asked = [self._village(village) for village in places.villages]
        self.asked += [asked for zone in places.zones for asked in self._zone(zone)]
        self.sure: set[tuple[int, int]] = set()
        self.assumed: set[tuple[int, int]] = set()
        for operator, technology in product(self.known, self.valid):
            self.sure |= self._links(operator, technology)
        for technology in self.valid:
            self.assumed |= self._assume(technology)

    # Sites

    def _sites(self) -> list[int]:
        site = list(range(len(self.cells)))
        changed = True
        while changed:
            changed = False
            for one, other in product(range(len(site)), repeat=2):
                if site[one] < site[other] and self._same(one, other):
                    old = site[other]
                    site = [site[one] if number == old else number for number in site]
                    changed = True
        return site

    def _same(self, one: int, other: int) -> bool:
        first, second = self.cells[one], self.cells[other]
        if _has(first) and _has(second) and km(_at(first), _at(second)) <= 0.05:
            return True
        if not first.site or first.site != second.site:
            return False
        if first.operator == second.operator:
            return True
        middles = [self._middle(cell.operator, cell.site) for cell in (first, second)]
        return middles[0] is None or middles[1] is None or km(middles[0], middles[1]) <= 0.5

    def _middle(self, operator: str, code: str) -> Where | None:
        return _mean([cell for cell in self.cells if (cell.operator, cell.site) == (operator, code)])

    def _where(self, number: int) -> Where | None:
        cell = self.cells[number]
        if _has(cell):
            return _at(cell)
        return _mean([one for one, site in zip(self.cells, self.site, strict=True) if site == self.site[number]])

    # Places

    def _commune(self, where: Where) -> int | None:
        communes = self.places.communes
        for number, commune in enumerate(communes):
            if commune.geometry is not None and commune.geometry.intersects(Point(where[1], where[0])):
                return number
        distances = [km(where, (commune.lat, commune.lon)) for commune in communes]
        return distances.index(min(distances)) if distances else None

    def _asked(self, where: Where, commune: int | None) -> Asked:
        environment = Environment.OPEN
        if commune is not None:
            own = self.places.communes[commune]
            environment = own.environment or (Environment.TOWN if own.kind == "phuong" else Environment.OPEN)
        return Asked(where, commune, environment)

    def _village(self, village: Village) -> Asked:
        codes = [commune.code for commune in self.places.communes]
        where = village.lat, village.lon
        asked = self._asked(where, codes.index(village.commune) if village.commune in codes else self._commune(where))
        asked.village = village
        return asked

    def _zone(self, zone: Zone) -> list[Asked]:
        found = [self._asked(where, self._commune(where)) for where in _grid(zone)]
        for asked in found:
            asked.zone = zone
        return found

    # Links

    def reach(self, cell: Cell, environment: Environment) -> float:
        """Range in kilometres; 0 where the model knows none."""
        model = self.places.ranges
        own = [carrier for carrier in model.carriers if carrier.technology is cell.technology]
        near = [carrier for carrier in own if cell.band and 1 / 1.5 <= carrier.mhz / cell.band <= 1.5]
        if not own:
            return 0.0
        carrier = min(near, key=lambda one: abs(log10(one.mhz / (cell.band or 1)))) if near else _default(own)
        threshold = carrier.good_dbm if model.level == "good" else carrier.basic_dbm
        loss = carrier.eirp_dbm - threshold - 1.28 * 8 - 20 * log10(carrier.mhz / 1000)
        if environment is Environment.TOWN:
            return float(min(5.0, 10 ** ((loss - 130.78) / 39.08)))
        mast = min(max(cell.height or model.mast_height, 10.0), 150.0)
        constant = 161.04 - 7.1 * log10(20) + 7.5 * log10(5) - (24.37 - 3.7 * (5 / mast) ** 2) * log10(mast)
        constant -= 3.2 * log10(11.75 * 1.5) ** 2 - 4.97
        loss -= 15 if environment is Environment.MOUNTAIN else 0
        return float(min(5.0, 10 ** ((loss - constant) / (43.42 - 3.1 * log10(mast)))))

    def _in_range(self, number: int, asked: Asked) -> bool:
        cell, where = self.cells[number], self.where[number]
        if where is None or km(where, asked.where) > self.reach(cell, asked.environment):
            return False
        if cell.azimuth is None or km(where, asked.where) <= 0.2:
            return True
        off = abs(bearing(where, asked.where) - cell.azimuth) % 360
        return min(off, 360 - off) <= 75

    def _links(self, operator: str, technology: Technology) -> set[tuple[int, int]]:
        own = [
            number
            for number, cell in enumerate(self.cells)
            if (cell.operator, cell.technology) == (operator, technology)
        ]
        found = set()
        for kind in ("village", "zone"):
            here = [number for number, asked in enumerate(self.asked) if getattr(asked, kind) is not None]
            said = {(number, spot) for number in own for spot in here if self._said(number, spot)}
            found |= said or self._unsaid(operator, technology, own, here)
        return found

    def _said(self, number: int, spot: int) -> bool:
        asked = self.asked[spot]
        names = {village.id for village in self.places.villages}
        if asked.village is not None:
            return asked.village.id in self.cells[number].villages
        return asked.zone is not None and asked.zone.id in set(self.cells[number].villages) - names

    def _unsaid(self, operator: str, technology: Technology, own: list[int], here: list[int]) -> set[tuple[int, int]]:
        maps = [area.geometry for area in self.areas if (area.operator, area.technology) == (operator, technology)]
        if not maps:
            return {(number, spot) for number in own for spot in here if self._in_range(number, self.asked[spot])}
        found: set[tuple[int, int]] = set()
        for spot in here:
            asked = self.asked[spot]
            if not any(one.intersects(Point(asked.where[1], asked.where[0])) for one in maps):
                continue
            near = [number for number in own if self._in_range(number, asked)]
            found |= {(number, spot) for number in near or self._nearest(own, asked)}
        return found

    def _nearest(self, numbers: Iterable[int], asked: Asked) -> list[int]:
        far = {number: km(where, asked.where) for number in numbers if (where := self.where[number]) is not None}
        return [number for number, one in far.items() if one <= min(far.values()) + 0.001]

    def _assume(self, technology: Technology) -> set[tuple[int, int]]:
        found = set()
        for spot, asked in enumerate(self.asked):
            village = asked.village
            if village is None or village.official is None or village.official.rank < technology.rank:
                continue
            if any(one == spot and self.cells[number].technology >= technology for number, one in self.sure):
                continue
            for operator in self.known:
                near = [
                    number for number in range(len(self.cells)) if self._thrice(number, operator, technology, asked)
                ]
                found |= {(number, spot) for number in self._nearest(near, asked)}
        return found

    def _thrice(self, number: int, operator: str, technology: Technology, asked: Asked) -> bool:
        cell, where = self.cells[number], self.where[number]
        if where is None or (cell.operator, cell.technology) != (operator, technology):
            return False
        return km(where, asked.where) <= 3 * self.reach(cell, asked.environment)


class Moment:
    """What holds with these states of the cells."""

    def __init__(self, oracle: Oracle, states: Sequence[CellState]) -> None:
        self.oracle, self.states = oracle, states

    def serving(self, technology: Technology, spot: int, states: set[CellState], assumed: bool) -> list[int]:
        """Cells that serve a spot at a technology or better."""
        links = self.oracle.sure | self.oracle.assumed if assumed else self.oracle.sure
        cells = self.oracle.cells
        return sorted(
            number
            for number, one in links
            if one == spot and cells[number].technology >= technology and self.states[number] in states
        )

    def lower(self, technology: Technology, spot: int) -> list[int]:
        """Those that surely do."""
        return self.serving(technology, spot, {CellState.ACTIVE}, False)

    def upper(self, technology: Technology, spot: int) -> list[int]:
        """Those that may."""
        return self.serving(technology, spot, {CellState.ACTIVE, CellState.UNKNOWN}, True)

    def of(self, numbers: Iterable[int], operator: Operator, roaming: bool = True) -> list[int]:
        """Those whose signal an operator's customers can use."""
        hosts = {operator.id, *(operator.roams_on if roaming else ())}
        return [number for number in numbers if self.oracle.cells[number].operator in hosts]

    @cached_property
    def villages(self) -> list[int]:
        """Spots that are villages of the territory."""
        places = self.oracle.places
        return [
            spot
            for spot, asked in enumerate(self.oracle.asked)
            if asked.village is not None
            and (
                not places.territory
                or (asked.commune is not None and places.communes[asked.commune].territory == places.territory)
            )
        ]

    def sites(self, technology: Technology, spot: int) -> set[int]:
        """Sites of the cells that surely serve."""
        return {self.oracle.site[number] for number in self.lower(technology, spot)}

    def zone(self, technology: Technology, zone: Zone, most: bool) -> bool:
        """Whether 95 % of a zone has signal."""
        own = [spot for spot, asked in enumerate(self.oracle.asked) if asked.zone is zone]
        served = [spot for spot in own if (self.upper if most else self.lower)(technology, spot)]
        return len(served) * 100 >= 95 * len(own)


def _has(cell: Cell) -> bool:
    return cell.lat is not None and cell.lon is not None and isfinite(cell.lat) and isfinite(cell.lon)


def _at(cell: Cell) -> Where:
    assert cell.lat is not None
    assert cell.lon is not None
    return cell.lat, cell.lon


def _mean(cells: Iterable[Cell]) -> Where | None:
    placed = [_at(cell) for cell in cells if _has(cell)]
    if not placed:
        return None
    return sum(lat for lat, _ in placed) / len(placed), sum(lon for _, lon in placed) / len(placed)


def _default(carriers: Sequence[Carrier]) -> Carrier:
    return next(carrier for carrier in carriers if carrier.default)


def _grid(zone: Zone) -> list[Where]:
    """Points 200 m apart, as far from the west edge as from the east one, and from the south as from the north."""
    if zone.geometry is None:
        return [(zone.lat, zone.lon)]
    west, south, east, north = zone.geometry.bounds
    degree = EARTH * radians(1)
    high, wide = 0.2 / degree, 0.2 / degree / cos(radians((south + north) / 2))
    found = []
    rows, columns = int((north - south) / high), int((east - west) / wide)
    for row, column in product(range(rows + 1), range(columns + 1)):
        lat = (south + north) / 2 + (row - rows / 2) * high
        lon = (west + east) / 2 + (column - columns / 2) * wide
        if zone.geometry.intersects(Point(lon, lat)):
            found.append((lat, lon))
    middle = zone.geometry.representative_point()
    return found or [(middle.y, middle.x)]
