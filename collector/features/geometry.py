"""Points and polygons out of GeoJSON geometries. Everything raises ValueError, in words for people."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, Literal, TypeAlias

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from collector.features.repair import repaired
from collector.mapping.position import transformer
from collector.mapping.rowmap import WGS84

Axes: TypeAlias = Literal["lon-lat", "lat-lon"]
Ring: TypeAlias = NDArray[np.float64]
MOST_RINGS = 5_000
MOST_VERTICES = 400_000
_NUMBERS = (int, float)


class Geometries:
    """Reads geometries whose coordinates are of EPSG system `crs`, in the order that `axes` says."""

    def __init__(self, crs: int = WGS84, axes: Axes = "lon-lat") -> None:
        """Raises ValueError where nothing is known of `crs`."""
        self._transform = None if crs == WGS84 else transformer(crs).transform
        self._swapped = axes == "lat-lon"

    def point(self, geometry: Any) -> tuple[float, float] | None:
        """Longitude and latitude, degrees; None for a feature that has no geometry."""
        if geometry is None:
            return None
        kind, coordinates = _taken(geometry)
        if kind == "MultiPoint" and isinstance(coordinates, list) and len(coordinates) == 1:
            kind, coordinates = "Point", coordinates[0]
        if kind != "Point":
            raise ValueError(f"geometry: a {kind}, not a Point")
        x, y = _position(coordinates)
        if self._transform is None and abs(x) <= 180 and abs(y) <= 90 and not self._swapped:
            return x, y  # what most are needs no arrays
        lon, lat = self._degrees(np.array([(x, y)], np.float64))[0]
        return float(lon), float(lat)

    def polygon(self, geometry: Any) -> BaseGeometry:
        """A valid Polygon or MultiPolygon with an area: longitude, latitude."""
        if geometry is None:
            raise ValueError("geometry: none")
        kind, coordinates = _taken(geometry)
        if kind not in {"Polygon", "MultiPolygon"}:
            raise ValueError(f"geometry: a {kind}, not a Polygon or MultiPolygon")
        parts = [coordinates] if kind == "Polygon" else coordinates
        polygons = [self._rings(part) for part in self._counted(parts)]
        made = [shapely.Polygon(rings[0], rings[1:]) for rings in polygons]
        shape = made[0] if len(made) == 1 else shapely.MultiPolygon(made)
        return repaired(shape, [ring for rings in polygons for ring in rings])

    def _counted(self, parts: Any) -> Iterator[list[Any]]:
        """The polygons of `parts`, after counting what is in them."""
        if not isinstance(parts, list) or not parts or not all(isinstance(part, list) and part for part in parts):
            raise ValueError("geometry: no polygon in it")
        rings = [ring for part in parts for ring in part]
        if len(rings) > MOST_RINGS:
            raise ValueError(f"geometry: more than {MOST_RINGS} rings")
        if not all(isinstance(ring, list) for ring in rings):
            raise ValueError("geometry: a ring is no list of positions")
        if sum(map(len, rings)) > MOST_VERTICES:
            raise ValueError(f"geometry: more than {MOST_VERTICES} vertices")
        yield from parts

    def _rings(self, part: list[Any]) -> list[Ring]:
        return [self._ring(ring) for ring in part]

    def _ring(self, ring: list[Any]) -> Ring:
        found = self._degrees(np.array([_position(position) for position in ring], np.float64))
        # RFC 7946 section 3.1.6 wants the first position again as the last; some leave it out.
        if len(found) and (found[0] != found[-1]).any():
            found = np.vstack((found, found[:1]))
        if len(found) < 4:
            raise ValueError("geometry: a ring of less than three corners")
        return found

    def _degrees(self, positions: Ring) -> Ring:
        """Positions as longitude and latitude. Raises ValueError for one that is nowhere on Earth."""
        if not positions.size:
            return positions
        if self._swapped:
            positions = positions[:, ::-1]
        if self._transform is not None:
            positions = np.column_stack(self._transform(positions[:, 0], positions[:, 1]))
        outside = ~((np.abs(positions[:, 0]) <= 180) & (np.abs(positions[:, 1]) <= 90))
        if outside.any():
            lon, lat = positions[outside][0]
            hint = ": are the axes swapped?" if abs(lon) <= 90 and abs(lat) <= 180 else ""
            raise ValueError(f"geometry: longitude {lon:.8g}, latitude {lat:.8g} is nowhere{hint}")
        return np.ascontiguousarray(positions)


def _taken(geometry: Any) -> tuple[str, Any]:
    kind = geometry.get("type") if isinstance(geometry, dict) else None
    if not isinstance(kind, str):
        raise ValueError("geometry: without a type")
    return kind[:40], geometry.get("coordinates")


def _position(position: Any) -> tuple[float, float]:
    if not isinstance(position, list) or len(position) < 2:
        raise ValueError("geometry: a position is no list of numbers")
    x, y = position[0], position[1]
    if type(x) not in _NUMBERS or type(y) not in _NUMBERS:
        raise ValueError("geometry: a coordinate is no number")
    try:
        x, y = float(x), float(y)
    except OverflowError:
        raise ValueError("geometry: a coordinate is not finite") from None
    if not (math.isfinite(x) and math.isfinite(y)):
        raise ValueError("geometry: a coordinate is not finite")
    return x, y
