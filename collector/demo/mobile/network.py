"""Made-up masts and base stations: as many as the report counts, so that every village has 4G, and as many zones 5G."""

from __future__ import annotations

import random
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from math import pi

from collector.demo.mobile.figures import Figures
from collector.demo.mobile.land import Land, Point, Spaced, apart, beside
from collector.demo.mobile.settling import SEED, served
from collector.places import Places, Zone
from collector.records import Cell, CellState, Technology

VIETTEL, VINAPHONE, MOBIFONE, VIETNAMOBILE = "op-viettel", "op-vinaphone", "op-mobifone", "op-vietnamobile"
# Whose stations there are, and how many of ten: nobody published it.
SHARES = {VIETTEL: 4.5, VINAPHONE: 2.6, MOBIFONE: 2.1, VIETNAMOBILE: 0.8}
PREFIX = {VIETTEL: "VTL", VINAPHONE: "VNP", MOBIFONE: "MBF", VIETNAMOBILE: "VNM"}
# MHz. Those of 5G as licensed; see config/inventory.d/technologies.yaml.
BANDS = {
    Technology.G3: {VINAPHONE: 2100, MOBIFONE: 2100, VIETNAMOBILE: 900},
    Technology.G4: dict.fromkeys(SHARES, 1800),
    Technology.G5: {VIETTEL: 2550, VINAPHONE: 3750, MOBIFONE: 3850},
}
# Kilometres. A mast that is to serve a village or a zone is so near that even in a town LTE 1800 reaches it (0.52 km).
AT_HOME, ANYWHERE = (0.08, 0.30), (0.35, 1.60)
MASTS_APART = 0.15
# No 5G at 2.5 GHz and more is heard farther off (1.94 km in open land), not even at the edge of a park.
UNHEARD = 2.8


@dataclass(frozen=True, slots=True)
class Mast:
    """A position; `commune` is the code of the commune that it is in, `height` metres."""

    number: int
    commune: str
    place: Point
    height: int


@dataclass(frozen=True, slots=True)
class Station:
    """One base station: what an operator has of one technology on one mast. `band` is MHz."""

    mast: Mast
    operator: str
    technology: Technology
    band: int

    @property
    def site(self) -> str:
        """The operator's code of the mast."""
        return f"{PREFIX[self.operator]}{self.mast.number:04}"

    @property
    def key(self) -> str:
        """The operator's name of the station."""
        return f"{self.site}-{self.technology}"

    def cell(self, state: CellState) -> Cell:
        """As a feed has it."""
        return Cell(
            operator=self.operator,
            key=self.key,
            technology=self.technology,
            site=self.site,
            lat=self.mast.place.lat,
            lon=self.mast.place.lon,
            band=self.band,
            height=float(self.mast.height),
            state=state,
        )


@dataclass(frozen=True, slots=True)
class Network:
    """All base stations by mast; `coming` is one of 5G that is not on the air yet, at the zone of this id."""

    stations: tuple[Station, ...]
    coming: Station
    coming_at: str

    def around(self, operator: str, hub: int, count: int) -> list[Mast]:
        """The masts of an operator nearest to the mast number `hub`."""
        masts = {station.mast.number: station.mast for station in self.of(operator)}
        middle = masts[hub].place
        return sorted(masts.values(), key=lambda mast: (apart(middle, mast.place), mast.number))[:count]

    def on(self, masts: Iterable[Mast], operator: str) -> list[Station]:
        """What an operator has on these masts."""
        numbers = {mast.number for mast in masts}
        return [station for station in self.of(operator) if station.mast.number in numbers]

    def within(self, commune: str) -> list[Station]:
        """All that is in a commune. Raises KeyError where nothing is."""
        found = [station for station in self.stations if station.mast.commune == commune]
        if not found:
            raise KeyError(commune)
        return found

    def of(self, operator: str) -> tuple[Station, ...]:
        """Those of one operator."""
        return tuple(station for station in self.stations if station.operator == operator)


def network(places: Places, wanted: Figures) -> Network:
    """The stations, the same ones every time. Raises ValueError where the figures leave no room for them."""
    chance = random.Random(f"{SEED} stations")  # noqa: S311  a play, not a secret
    land = Land.of(places.communes, places.territory)
    with_5g = served(places.zones, wanted.shares)
    without = [zone for zone in places.zones if zone not in with_5g]
    masts = _masts(land, places, wanted.positions, chance)
    owners = chance.choices(list(SHARES), list(SHARES.values()), k=len(masts))
    first = [_station(mast, owner, Technology.G4) for mast, owner in zip(masts, owners, strict=True)]
    modern = _modern(first, with_5g, without, wanted.with_5g)
    rest = wanted.stations - len(first) - len(modern)
    old = [station for station in first if station.operator in BANDS[Technology.G3]]
    old = chance.sample(old, max(0, min(rest // 2, len(old))))
    third = [_station(station.mast, station.operator, Technology.G3) for station in old]
    if not 0 <= rest - len(third) <= len(first):
        raise ValueError(f"{wanted.stations} stations do not fit on {wanted.positions} masts")
    shared = [_second(station, chance) for station in chance.sample(first, rest - len(third))]
    stations = sorted((*first, *modern, *third, *shared), key=lambda one: (one.mast.number, one.key))
    zone, mast = _next(without, masts)
    return Network(tuple(stations), _station(mast, VIETTEL, Technology.G5), zone.id)


def _station(mast: Mast, operator: str, technology: Technology) -> Station:
    return Station(mast, operator, technology, BANDS[technology][operator])


def _second(first: Station, chance: random.Random) -> Station:
    """The station of another operator on the same mast."""
    others = [operator for operator in SHARES if operator != first.operator]
    (other,) = chance.choices(others, [SHARES[operator] for operator in others])
    return _station(first.mast, other, Technology.G4)


def _masts(land: Land, places: Places, count: int, chance: random.Random) -> list[Mast]:
    """One at each village and each zone, and the others where people are."""
    others = Spaced()
    spots = [_near(land, home, AT_HOME, others, chance) for home in _homes(places)]
    people = [village.population or 0 for village in places.villages]
    homes = chance.choices(places.villages, people, k=count - len(spots))
    spots += [_near(land, Point(home.lat, home.lon), ANYWHERE, others, chance) for home in homes]
    return [
        Mast(number, land.commune_at(place).code, place, chance.choice((30, 35, 42)))
        for number, place in enumerate(spots, start=1)
    ]


def _homes(places: Places) -> Iterator[Point]:
    yield from (Point(village.lat, village.lon) for village in places.villages)
    yield from (Point(zone.lat, zone.lon) for zone in places.zones)


def _near(land: Land, middle: Point, between: tuple[float, float], others: Spaced, chance: random.Random) -> Point:
    """A free place between two distances from the middle (km), in the territory if there is one."""
    for tried in range(40):
        place = beside(middle, chance.uniform(*between), chance.uniform(0, 2 * pi))
        ashore = tried >= 20 or land.is_ours(place)
        if ashore and others.free(place, MASTS_APART):
            break
    else:
        raise ValueError(f"no place is left for a mast near {middle}")
    others.add(place)
    return place


def _modern(
    first: Iterable[Station], with_5g: Collection[Zone], without: Collection[Zone], count: int
) -> list[Station]:
    """So many masts get 5G: those nearest to zones that have it, and none that a zone without would hear."""
    fit = [station for station in first if all(_apart(station, zone) > UNHEARD for zone in without)]
    fit.sort(key=lambda station: (min(_apart(station, zone) for zone in with_5g), station.key))
    if len(fit) < count:
        raise ValueError(f"no room for {count} stations of 5G")
    able = BANDS[Technology.G5]
    return [
        _station(station.mast, station.operator if station.operator in able else VIETTEL, Technology.G5)
        for station in fit[:count]
    ]


def _apart(station: Station, zone: Zone) -> float:
    return apart(station.mast.place, Point(zone.lat, zone.lon))


def _next(without: Sequence[Zone], masts: Sequence[Mast]) -> tuple[Zone, Mast]:
    """The first cluster that is to have 5G, and the mast beside it."""
    zone = min((zone for zone in without if zone.category == "industrial-cluster"), key=lambda zone: zone.id)
    return zone, min(masts, key=lambda mast: apart(mast.place, Point(zone.lat, zone.lon)))
