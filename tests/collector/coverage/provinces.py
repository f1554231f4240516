"""Small provinces to try, made by hypothesis: a few kilometres wide, so that everything may reach anything."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from hypothesis import strategies as st
from shapely import Polygon, box

from collector.places import Commune, Environment, Operator, Places, TechnologyRule, Village, Zone
from collector.records import Area, Cell, CellState, Technology
from tests.collector.coverage.ranges import shipped

OPERATORS = (
    Operator("viettel", ("452-04",)),
    Operator("vinaphone", ("452-02",)),
    Operator("gtel", ("452-07",), roams_on=("vinaphone",)),
)
RULES = (TechnologyRule(Technology.G2, valid_to=date(2026, 9, 15)), TechnologyRule(Technology.G4))
SOUTH, WEST = 15.1, 108.8
# In steps of 11 m: neither 50 m, 200 m nor 500 m is a distance between two of them.
_STEPS = st.integers(0, 600)
_LATITUDES = _STEPS.map(lambda steps: SOUTH + steps / 10_000)
_LONGITUDES = _STEPS.map(lambda steps: WEST + steps / 10_000)
_NAMES = tuple(f"v{number}" for number in range(8))


@dataclass(frozen=True)
class Known:
    """What is known of a cell."""

    state: CellState
    observed_at: float | None = None


@dataclass(frozen=True)
class Province:
    """An inventory, the places, and what is known of each cell at each of several moments."""

    cells: tuple[Cell, ...]
    areas: tuple[Area, ...]
    places: Places
    history: tuple[tuple[Known, ...], ...]


@st.composite
def _positions(draw: st.DrawFn) -> tuple[float | None, float | None]:
    if draw(st.integers(0, 9)) == 0:
        return None, None
    return draw(_LATITUDES), draw(_LONGITUDES)


@st.composite
def _masts(draw: st.DrawFn) -> list[tuple[float | None, float | None]]:
    """Some of them are close to others: within 50 m, or not quite."""
    masts = draw(st.lists(_positions(), min_size=1, max_size=5))
    for lat, lon in masts[: draw(st.integers(0, 3))]:
        if lat is not None and lon is not None:
            masts.append((lat + draw(st.integers(2, 6)) / 10_000, lon))
    return masts


@st.composite
def _cells(draw: st.DrawFn, number: int, masts: list[tuple[float | None, float | None]]) -> Cell:
    lat, lon = draw(st.sampled_from(masts))
    return Cell(
        operator=draw(st.sampled_from(["viettel", "vinaphone", "vinaphone", "gtel", "nobody"])),
        key=str(number),
        technology=draw(st.sampled_from(Technology)),
        site=draw(st.sampled_from(["", "", "A", "B"])),
        lat=lat,
        lon=lon,
        band=draw(st.sampled_from([None, 700, 900, 1800, 2550, 3])),
        height=draw(st.sampled_from([None, 5.0, 25.0, 42.0])),
        azimuth=draw(st.none() | st.integers(0, 359).map(lambda angle: angle + 0.37)),
        villages=tuple(draw(st.lists(st.sampled_from([*_NAMES, "z0", "stray"]), max_size=2))) * draw(_SELDOM),
    )


_SELDOM = st.sampled_from([0, 0, 0, 0, 1])


def _box(corner: tuple[float, float], size: tuple[int, int]) -> Polygon:
    return box(corner[1], corner[0], corner[1] + size[1] / 10_000 + 3e-5, corner[0] + size[0] / 10_000 + 3e-5)


_CORNERS = st.tuples(_LATITUDES, _LONGITUDES).map(lambda corner: (corner[0] - 3.3e-5, corner[1] - 3.3e-5))
_BOXES = st.builds(_box, _CORNERS, st.tuples(st.integers(3, 300), st.integers(3, 300)))


@st.composite
def _communes(draw: st.DrawFn, number: int) -> Commune:
    lat, lon = draw(_LATITUDES), draw(_LONGITUDES)
    # A little off the steps of the others: no village is as near to two centres.
    off = 1.7e-5 * (number + 1)
    return Commune(
        code=str(number),
        name=f"Xã {number}",
        kind=draw(st.sampled_from(["xa", "phuong", "dac-khu"])),
        lat=lat + off,
        lon=lon + off * 0.3,
        territory=draw(st.sampled_from(["quang-ngai", "kon-tum"])),
        environment=draw(st.none() | st.sampled_from(Environment)),
        geometry=draw(st.none() | _BOXES),
    )


@st.composite
def _villages(draw: st.DrawFn, name: str) -> Village:
    return Village(
        id=name,
        name=name,
        commune=draw(st.sampled_from(["", "0", "gone"])),
        lat=draw(_LATITUDES),
        lon=draw(_LONGITUDES),
        population=draw(st.none() | st.integers(0, 2000)),
        official=draw(st.none() | st.sampled_from(Technology)),
    )


@st.composite
def _zones(draw: st.DrawFn, number: int) -> Zone:
    category = draw(st.sampled_from(["industrial-park", "port"]))
    geometry = draw(st.none() | _BOXES)
    return Zone(f"z{number}", "Khu", "Zone", category, draw(_LATITUDES), draw(_LONGITUDES), geometry)


@st.composite
def provinces(draw: st.DrawFn, moments: int = 1) -> Province:
    """A province."""
    masts = draw(_masts())
    cells = tuple(draw(_cells(number, masts)) for number in range(draw(st.integers(0, 14))))
    carried = st.sampled_from(["viettel", "vinaphone"]), st.sampled_from([Technology.G3, Technology.G4, Technology.G5])
    areas = draw(st.lists(st.builds(Area, *carried, _BOXES), max_size=3)) * draw(st.sampled_from([0, 1]))
    places = Places(
        communes=tuple(draw(_communes(number)) for number in range(draw(st.integers(0, 3)))),
        villages=tuple(draw(_villages(name)) for name in _NAMES[: draw(st.integers(0, 8))]),
        zones=tuple(draw(_zones(number)) for number in range(draw(st.integers(0, 3)))),
        operators=OPERATORS,
        technologies=RULES,
        ranges=shipped(),
        territory=draw(st.sampled_from(["", "quang-ngai"])),
    )
    seen = st.builds(Known, st.sampled_from(CellState), st.none() | st.integers(1, 1000).map(float))
    history = tuple(tuple(draw(seen) for _ in cells) for _ in range(moments))
    return Province(cells, tuple(areas), places, history)
