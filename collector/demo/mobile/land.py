"""Where something may stand: in a commune, on land. Only centres and areas of communes are known; the rest is rough."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import cos, hypot, pi, radians, sin, sqrt
from typing import NamedTuple

from collector.places import Commune

KM_PER_DEGREE = 111.195
_SHRINK = cos(radians(15.0))  # of a degree of longitude, at the latitude of the province
# Latitude and longitude of the shore from north to south, within some kilometres.
_SHORE = (
    (15.45, 108.72),
    (15.40, 108.78),
    (15.30, 108.90),
    (15.22, 108.92),
    (15.14, 108.88),
    (15.00, 108.92),
    (14.82, 108.98),
    (14.66, 109.05),
    (14.50, 109.08),
)
ISLAND = "dac-khu"
TRIES = 300


class Point(NamedTuple):
    """Degrees WGS 84."""

    lat: float
    lon: float


def apart(one: Point, other: Point) -> float:
    """Kilometres between two places of the province, in the plane."""
    return KM_PER_DEGREE * hypot(other[0] - one[0], (other[1] - one[1]) * _SHRINK)


def beside(middle: Point, km: float, turn: float) -> Point:
    """The place at a distance, `turn` radians from the east; to five decimals, about a metre."""
    step = km / KM_PER_DEGREE
    return Point(round(middle.lat + step * sin(turn), 5), round(middle.lon + step * cos(turn) / _SHRINK, 5))


def shore(lat: float) -> float:
    """Longitude of the shore."""
    for (north, west), (south, east) in pairwise(_SHORE):
        if south <= lat <= north:
            return west + (east - west) * (north - lat) / (north - south)
    return _SHORE[0][1] if lat > _SHORE[0][0] else _SHORE[-1][1]


@dataclass(frozen=True, slots=True)
class Land:
    """The communes of a province; `territory` are those where something is put."""

    communes: Sequence[Commune]
    territory: Sequence[Commune]

    @classmethod
    def of(cls, communes: Sequence[Commune], territory: str) -> Land:
        """All communes, and those of the territory."""
        return cls(communes, [commune for commune in communes if commune.territory == territory])

    def commune_at(self, place: Point) -> Commune:
        """The one whose centre is nearest."""
        lat, lon = place
        return min(self.communes, key=lambda one: (one.lat - lat) ** 2 + ((one.lon - lon) * _SHRINK) ** 2)

    def holds(self, commune: Commune, place: Point) -> bool:
        """Whether a place is in a commune and not in the sea."""
        return (commune.kind == ISLAND or place.lon < shore(place.lat)) and self.commune_at(place) is commune

    def is_ours(self, place: Point) -> bool:
        """Whether a place is in the territory and not in the sea."""
        commune = self.commune_at(place)
        return commune in self.territory and self.holds(commune, place)

    def somewhere(self, commune: Commune, chance: random.Random, others: Spaced, km: float) -> Point:
        """A place in a commune, that far from all `others` if there is one; it is then one of them."""
        middle, reach = Point(commune.lat, commune.lon), radius(commune)
        for tried in range(TRIES):
            place = beside(middle, reach * sqrt(chance.random()), chance.uniform(0, 2 * pi))
            # Of a small commune on the shore not much is left: closer and closer together.
            if self.holds(commune, place) and others.free(place, km * (1 - tried / TRIES)):
                break
        else:
            place = beside(middle, 0.05 + 0.1 * chance.random(), chance.uniform(0, 2 * pi))
        others.add(place)
        return place


def radius(commune: Commune) -> float:
    """Kilometres, of a round commune of that area."""
    return sqrt((commune.area_km2 or 50.0) / pi)


class Spaced:
    """Places by squares of a kilometre and more, to find what is near."""

    def __init__(self, places: Iterable[Point] = ()) -> None:
        self._squares: dict[tuple[int, int], list[Point]] = {}
        for place in places:
            self.add(place)

    def add(self, place: Point) -> None:
        """One more."""
        self._squares.setdefault(_square(place), []).append(place)

    def free(self, place: Point, km: float) -> bool:
        """Whether none is within so many kilometres (at most one)."""
        row, column = _square(place)
        around = ((row + i, column + j) for i in (-1, 0, 1) for j in (-1, 0, 1))
        return all(apart(place, other) >= km for square in around for other in self._squares.get(square, ()))


def _square(place: Point) -> tuple[int, int]:
    return int(place.lat * 100), int(place.lon * 100)
