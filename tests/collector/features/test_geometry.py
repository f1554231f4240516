"""Geometries: what is a polygon, what is mended, and that nothing takes long."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from collector.features.geometry import Geometries

COORDINATE = st.one_of(
    st.floats(-100, 200), st.integers(-100, 200), st.floats(), st.booleans(), st.none(), st.text(max_size=3)
)
POSITION = st.lists(COORDINATE, max_size=4) | COORDINATE
RING = st.lists(POSITION, max_size=9) | POSITION
GOOD_RING = st.lists(st.tuples(st.floats(-180, 180), st.floats(-90, 90)).map(list), min_size=3, max_size=12)
PART = st.lists(RING | GOOD_RING, max_size=3) | RING
GEOMETRY = st.one_of(
    st.fixed_dictionaries(
        {
            "type": st.sampled_from(["Polygon", "MultiPolygon", "Point", "MultiPoint", "x", 3]),
            "coordinates": PART | st.lists(PART, max_size=2),
        }
    ),
    COORDINATE,
    st.dictionaries(st.text(max_size=3), COORDINATE, max_size=2),
)


def taken(read: Callable[[Any], Any], geometry: Any) -> Any:
    """What `read` makes of it, or why it is nothing."""
    try:
        return read(geometry)
    except ValueError as error:
        return str(error)


@given(GEOMETRY)
def test_anything_is_a_valid_polygon_or_none(geometry: Any) -> None:
    shape = taken(Geometries().polygon, geometry)
    if isinstance(shape, str):
        assert shape.startswith("geometry: ")
        return
    assert shape.geom_type in {"Polygon", "MultiPolygon"}
    assert shape.is_valid
    assert shape.area > 0
    west, south, east, north = shape.bounds
    assert -180 <= west < east <= 180
    assert -90 <= south < north <= 90


@given(GEOMETRY)
def test_anything_is_a_point_on_earth_or_none(geometry: Any) -> None:
    found = taken(Geometries().point, geometry)
    if isinstance(found, str):
        assert found.startswith("geometry: ")
    elif geometry is not None:
        assert -180 <= found[0] <= 180
        assert -90 <= found[1] <= 90


@given(GOOD_RING)
def test_what_is_valid_already_stays_as_it_is(ring: list[list[float]]) -> None:
    own = shapely.Polygon(ring)
    if own.is_valid and own.area > 0:
        assert Geometries().polygon({"type": "Polygon", "coordinates": [ring]}).equals(own)


def spiral(turns: int) -> list[list[float]]:
    """A ring that winds inwards and back again."""
    angles = np.linspace(0, 2 * np.pi * turns, turns * 40)
    radii = np.linspace(1, 0.1, len(angles))
    out = np.column_stack((radii * np.cos(angles), radii * np.sin(angles)))
    back = np.column_stack((0.5 / turns + radii * np.cos(angles), radii * np.sin(angles)))[::-1]
    ring: list[list[float]] = np.vstack((out, back)).tolist()
    return ring


def circle(corners: int, crossed: bool = False) -> list[list[float]]:
    """A ring about a point, one of whose sides may cross another."""
    angles = np.linspace(0, 2 * np.pi, corners, endpoint=False)
    ring = np.column_stack((108 + 0.5 * np.cos(angles), 15 + 0.5 * np.sin(angles)))
    if crossed:
        ring[[10, 13]] = ring[[13, 10]]
    found: list[list[float]] = ring.tolist()
    return found


def squares(number: int, step: float) -> list[list[list[list[float]]]]:
    """Squares, each `step` smaller on all sides than the one before; the same ones with 0."""
    return [
        [[[a, a], [1 - a, a], [1 - a, 1 - a], [a, 1 - a], [a, a]]] for a in (index * step for index in range(number))
    ]


@pytest.mark.parametrize(
    ("kind", "coordinates"),
    [
        ("Polygon", [np.random.default_rng(0).random((100_000, 2)).tolist()]),
        ("Polygon", [np.random.default_rng(0).random((200, 2)).tolist()]),
        ("Polygon", [circle(100_000)]),
        ("Polygon", [circle(100_000, crossed=True)]),
        ("Polygon", [circle(40_000, crossed=True)]),
        ("Polygon", [spiral(300)]),
        ("MultiPolygon", squares(2000, 1e-5)),
        ("MultiPolygon", squares(4000, 0)),
        ("Polygon", [[[1, 1]] * 400_001]),
        ("Polygon", [[[0, 0], [index, 1], [index + 0.5, 1]][part] for index in range(170) for part in range(3)]),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_nothing_takes_long(kind: str, coordinates: Any) -> None:
    begun = time.thread_time()
    try:
        shape = Geometries().polygon({"type": kind, "coordinates": coordinates})
    except ValueError:
        shape = None
    assert time.thread_time() - begun < 2
    assert shape is None or shape.is_valid
