"""Made-up villages and zones: as many zones as the report counts, and about as many villages as such a province has."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from fractions import Fraction
from math import pi, sqrt

from collector.demo.mobile.land import Land, Point, Spaced, apart, beside
from collector.places import Commune, Village, Zone
from collector.records import Technology

SEED = 57
VILLAGES = 900
VILLAGES_APART, ZONES_APART = 0.6, 1.0  # km
# A zone without 5G is so far from those that have it (km) that no mast of theirs reaches it.
OUT_OF_REACH = 4.0
PARK_RADIUS = 0.6  # km
LEAST_VILLAGES = 4
URBAN = "urban-centre"
# How each category is called, and in which communes its zones may be: codes; none: anywhere.
KINDS: Mapping[str, tuple[str, str, tuple[str, ...]]] = {
    "industrial-park-dung-quat": (
        "Khu công nghiệp Dung Quất",
        "Dung Quat industrial park",
        ("21061", "21040", "21109"),
    ),
    "industrial-park": ("Khu công nghiệp", "Industrial park", ("21028", "21220", "21439")),
    "industrial-cluster": ("Cụm công nghiệp", "Industrial cluster", ()),
    "transport-hub": (
        "Nhà ga, cảng, bến xe",
        "Station, port or bus station",
        ("21172", "21025", "21235", "21400", "21439", "21478", "21061", "21211", "21548", "21289"),
    ),
}
OUTLINED = ("industrial-park-dung-quat", "industrial-park")
# Communes and wards that National Road 1A goes through, from north to south.
ROAD = (
    "21040",
    "21181",
    "21172",
    "21025",
    "21028",
    "21235",
    "21238",
    "21400",
    "21433",
    "21451",
    "21439",
    "21472",
    "21478",
)


def settle(land: Land) -> tuple[Village, ...]:
    """Villages of the territory, more where a commune is large or a ward."""
    chance = random.Random(f"{SEED} villages")  # noqa: S311  a play, not a secret
    weights = [_weight(commune) for commune in land.territory]
    others, found = Spaced(), []
    for commune, weight in zip(land.territory, weights, strict=True):
        for number in range(1, max(LEAST_VILLAGES, round(VILLAGES * weight / sum(weights))) + 1):
            place = land.somewhere(commune, chance, others, VILLAGES_APART)
            found.append(_village(commune, number, place, _people(commune, chance)))
    return tuple(found)


def _weight(commune: Commune) -> float:
    return sqrt(commune.area_km2 or 1.0) * (1.5 if commune.kind == "phuong" else 1.0)


def _village(commune: Commune, number: int, place: Point, people: int) -> Village:
    what = "Tổ dân phố" if commune.kind == "phuong" else "Thôn"
    return Village(
        id=f"thon-{commune.code}-{number:02}",
        name=f"{what} {number}, {commune.name}",
        commune=commune.code,
        lat=place.lat,
        lon=place.lon,
        population=people,
        synthetic=True,
        official=Technology.G4,
    )


def _people(commune: Commune, chance: random.Random) -> int:
    """Fewer where a commune is wide; tens only, for nobody counted them."""
    least, most = (900, 3200) if commune.kind == "phuong" else (500, 2300)
    return 10 * round(chance.uniform(least, most) / (10 + (commune.area_km2 or 0) / 15))


def zone(land: Land, shares: Mapping[str, Fraction]) -> tuple[Zone, ...]:
    """Zones of each category of `shares`: as many as its denominator, of which the first numerator have 5G."""
    chance = random.Random(f"{SEED} zones")  # noqa: S311  a play, not a secret
    urban = tuple(_urban(land))
    wanted = [
        (category, number, number <= share.numerator)
        for category, share in shares.items()
        if category in KINDS
        for number in range(1, share.denominator + 1)
    ]
    with_5g = [Point(one.lat, one.lon) for one in urban]
    found = []
    # Those with 5G first: the others keep away from them.
    for category, number, served in sorted(wanted, key=lambda each: not each[2]):
        codes = KINDS[category][2]
        place = _place(land, chance, _at(land, codes, number, chance), [] if served else with_5g)
        if served:
            with_5g.append(place)
        found.append(_zone(category, number, place))
    order = list(KINDS)
    return (*sorted(found, key=lambda one: (order.index(one.category), one.id)), *urban)


def _at(land: Land, codes: Sequence[str], number: int, chance: random.Random) -> Iterator[Commune]:
    """Communes to try, in order."""
    known = {commune.code: commune for commune in land.territory}
    named = [known[code] for code in codes if code in known]
    if named:
        first = (number - 1) % len(named)
        yield from named[first:] + named[:first]
    yield from chance.sample(land.territory, len(land.territory))


def _place(land: Land, chance: random.Random, communes: Iterable[Commune], away: Sequence[Point]) -> Point:
    """A place in the first of the communes that has one far enough from what to keep away from."""
    for commune in communes:
        for _ in range(20):
            found = land.somewhere(commune, chance, Spaced(), ZONES_APART)
            if all(apart(found, other) >= OUT_OF_REACH for other in away):
                return found
    raise ValueError("no place is left for a zone")


def _zone(category: str, number: int, place: Point) -> Zone:
    name_vi, name_en, _ = KINDS[category]
    return Zone(
        id=f"{category}-{number:02}",
        name_vi=f"{name_vi} {number} (mô phỏng)",
        name_en=f"{name_en} {number} (simulated)",
        category=category,
        lat=place.lat,
        lon=place.lon,
        synthetic=True,
    )


def outline(one: Zone) -> tuple[Point, ...]:
    """The hexagon that a park is; nothing for others."""
    if one.category not in OUTLINED:
        return ()
    return tuple(beside(Point(one.lat, one.lon), PARK_RADIUS, corner * pi / 3) for corner in range(6))


def _urban(land: Land) -> Iterator[Zone]:
    known = {commune.code: commune for commune in land.territory}
    for number, code in enumerate(ROAD, start=1):
        if code in known:
            commune = known[code]
            yield Zone(
                id=f"{URBAN}-{number:02}",
                name_vi=f"Trung tâm {commune.name} (mô phỏng)",
                name_en=f"Centre of {commune.name} (simulated)",
                category=URBAN,
                lat=commune.lat,
                lon=commune.lon,
                synthetic=True,
            )


def served(zones: Iterable[Zone], shares: Mapping[str, Fraction]) -> list[Zone]:
    """The zones that have 5G: of each category the first, and all urban centres along the road."""
    found: list[Zone] = []
    by_category: dict[str, list[Zone]] = {}
    for one in sorted(zones, key=lambda one: one.id):
        by_category.setdefault(one.category, []).append(one)
    for category, own in by_category.items():
        found += own[: round(shares.get(category, Fraction(1)) * len(own))]
    return found
