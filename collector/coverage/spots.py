"""Where signal is asked for: villages, zones, and the grid over those zones that are polygons."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from math import cos, radians
from typing import TYPE_CHECKING

import numpy as np

from collector.coverage.radius import ENVIRONMENTS
from collector.coverage.sphere import RADIUS_KM, Floats, Indices, nearest, vectors
from collector.places import Commune, Environment, Places, Zone

if TYPE_CHECKING:
    from shapely.geometry.base import BaseGeometry

GRID_KM = 0.2
NOWHERE = -1
_KM_PER_DEGREE = RADIUS_KM * radians(1)


@dataclass(frozen=True)
class Spots:
    """All spots: the villages first, then zone by zone from `zone_starts` on. Columns; coordinates in degrees.

    `commune` and `environment` are numbers in Places.communes and ENVIRONMENTS, `commune` NOWHERE without communes.
    """

    villages: int
    zone_starts: Indices
    lat: Floats
    lon: Floats
    commune: Indices
    environment: Indices

    @property
    def count(self) -> int:
        """How many there are."""
        return len(self.lat)

    @property
    def zone_sizes(self) -> Indices:
        """How many spots each zone has."""
        return np.diff(np.append(self.zone_starts, self.count))

    @cached_property
    def vectors(self) -> Floats:
        """Unit vectors of the positions."""
        return vectors(self.lat, self.lon)


def spots(places: Places) -> Spots:
    """The spots of all villages and zones."""
    grids = [_grid(zone) for zone in places.zones]
    starts = np.cumsum([len(places.villages), *(len(grid) for grid in grids)], dtype=np.intp)
    own = np.array([(village.lon, village.lat) for village in places.villages], np.float64).reshape(-1, 2)
    lon, lat = np.concatenate([own, *grids]).T
    commune = communes_at(lat, lon, places.communes)
    numbers = {commune.code: number for number, commune in enumerate(places.communes)}
    declared = np.array([numbers.get(village.commune, NOWHERE) for village in places.villages], np.intp)
    commune[: len(declared)] = np.where(declared == NOWHERE, commune[: len(declared)], declared)
    around = np.array([ENVIRONMENTS.index(one.surroundings) for one in places.communes], np.intp)
    outside = ENVIRONMENTS.index(Environment.OPEN)
    environment = around[commune] if len(around) else np.full(len(commune), outside)
    return Spots(len(places.villages), starts[:-1], lat, lon, commune, environment)


def communes_at(lat: Floats, lon: Floats, communes: Sequence[Commune]) -> Indices:
    """Which commune each place is in: whose polygon it is in, else whose centre is nearest. NOWHERE if unknown."""
    found = np.full(len(lat), NOWHERE, np.intp)
    known = np.flatnonzero(np.isfinite(lat))
    if not communes or not len(known):
        return found
    centres = np.array([(commune.lat, commune.lon) for commune in communes], np.float64)
    found[known] = nearest(vectors(lat[known], lon[known]), vectors(centres[:, 0], centres[:, 1]))
    outlined = [number for number, commune in enumerate(communes) if commune.geometry is not None]
    inside, outline = inside_of([communes[number].geometry for number in outlined], lat[known], lon[known])
    # Of several that hold a place the first is taken: it is written last.
    found[known[inside[::-1]]] = np.array(outlined, np.intp)[outline[::-1]]
    return found


def inside_of(geometries: Sequence[BaseGeometry | None], lat: Floats, lon: Floats) -> tuple[Indices, Indices]:
    """All pairs of a place and a geometry that it is in or on the border of, ordered by place, then by geometry."""
    if not geometries or not len(lat):
        return np.empty(0, np.intp), np.empty(0, np.intp)
    import shapely  # noqa: PLC0415 - loaded only where there are polygons: it takes memory

    tree = shapely.STRtree([geometry or shapely.Point() for geometry in geometries])
    place, geometry = tree.query(shapely.points(lon, lat), predicate="intersects")
    order = np.lexsort((geometry, place))
    return place[order], geometry[order]


def _grid(zone: Zone) -> Floats:
    """Longitudes and latitudes 200 m apart inside a zone; one point where it is a point, or too small for the grid."""
    if zone.geometry is None or zone.geometry.is_empty:
        return np.array([[zone.lon, zone.lat]])
    import shapely  # noqa: PLC0415 - loaded only where there are polygons: it takes memory

    west, south, east, north = zone.geometry.bounds
    step = GRID_KM / _KM_PER_DEGREE
    wide = step / max(cos(radians((south + north) / 2)), 0.01)
    across, along = np.meshgrid(_ticks(west, east, wide), _ticks(south, north, step))
    inside = shapely.intersects_xy(zone.geometry, across.ravel(), along.ravel())
    grid = np.column_stack((across.ravel()[inside], along.ravel()[inside]))
    if len(grid):
        return grid
    middle = zone.geometry.representative_point()
    return np.array([[middle.x, middle.y]])


def _ticks(begin: float, end: float, step: float) -> Floats:
    """Points a step apart, as far from one end as from the other."""
    count = int((end - begin) / step)
    rest = (end - begin - count * step) / 2
    return np.arange(count + 1, dtype=np.float64) * step + (begin + rest)
