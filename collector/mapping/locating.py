"""Positions of many records at once, whatever coordinates their rows have."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from collector.mapping.position import to_wgs84, transformer
from collector.mapping.rowmap import WGS84, RowMap

_NOWHERE = (0.0, 0.0)  # where tables put what has no position
_FARTHEST = 2e7  # metres from an origin to the other side of the earth; projections make something of more, too


class Locator:
    """Gives the values of records their `lat` and `lon`."""

    def __init__(self, plan: RowMap) -> None:
        """Raises ValueError for a coordinate system that EPSG does not have."""
        self._names = ("lon", "lat") if plan.fields.x is None else ("x", "y")
        self._crs = plan.crs
        if plan.crs != WGS84:
            transformer(plan.crs)

    def locate(self, records: Sequence[dict[str, Any]]) -> list[str | None]:
        """Set `lat` and `lon` of each that has a position; returns what is wrong with each that has half of one."""
        east, north = self._names
        points = [(values.pop(east, None), values.pop(north, None)) for values in records]
        whole = [point for point in points if None not in point and point != _NOWHERE]
        found = iter(whole if self._crs == WGS84 else to_wgs84(self._crs, whole))
        return [self._set(values, point, found) for values, point in zip(records, points, strict=True)]

    def _set(self, values: dict[str, Any], point: Any, found: Any) -> str | None:
        if None in point:
            return None if point == (None, None) else f"{self._names[0 if point[0] is None else 1]}: blank"
        if point == _NOWHERE:
            return None
        lon, lat = next(found)
        if not (abs(lat) <= 90 and abs(lon) <= 180 and max(map(abs, point)) <= _FARTHEST):
            return f"{self._names[0]}, {self._names[1]}: {point[0]:g}, {point[1]:g} is nowhere in EPSG:{self._crs}"
        values["lon"], values["lat"] = float(lon), float(lat)
        return None
