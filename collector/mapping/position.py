"""Positions: decimal degrees, degrees with minutes and seconds, and coordinates of a projection."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

from collector.mapping.numbers import Numbers
from collector.mapping.rowmap import WGS84
from collector.mapping.words import shown
from collector.measures import fault

if TYPE_CHECKING:
    from pyproj import Transformer

_DMS = re.compile(
    r"([NSEWBĐT])?\s*([0-9]{1,3})\s*[°ºd:]\s*"
    r"(?:([0-9]{1,2}(?:[.,][0-9]+)?)\s*(?:['′’m:]\s*(?:([0-9]{1,2}(?:[.,][0-9]+)?)\s*(?:\"|″|”|''|′′|s)?\s*)?)?)?"
    r"([NSEWBĐT])?",
    re.IGNORECASE,
)
# North, south, east and west also by their Vietnamese initials: Bắc, Đông, Tây; Nam begins as North does.
_NEGATIVE = frozenset("SWT")
_HEMISPHERES = {"latitude": frozenset("NSB"), "longitude": frozenset("EWĐT")}
_MOST = {"latitude": 90.0, "longitude": 180.0}


class Degrees:
    """Reads one coordinate in degrees. Raises ValueError for what is none, or is out of range."""

    def __init__(self, numbers: Numbers, axis: str) -> None:
        self._numbers, self._most, self._letters = numbers, _MOST[axis], _HEMISPHERES[axis]

    def __call__(self, value: object) -> float:
        """Decimal degrees from a number, or from a text such as 15.12, 15°07'12.5"N."""
        return self.within(self.parsed(value), value)

    def parsed(self, value: object) -> float:
        """The same, whatever its size."""
        match = _DMS.fullmatch(value) if isinstance(value, str) else None
        return self._numbers.number(value) if match is None else self._sexagesimal(match, value)

    def within(self, found: float, value: object) -> float:
        """`found`, which `value` stands for, if it is in range."""
        if not -self._most <= found <= self._most:
            raise ValueError(f"{shown(value)} is not within -{self._most:g} to {self._most:g}")
        return found

    def _sexagesimal(self, match: re.Match[str], value: object) -> float:
        letters = {letter.upper() for letter in (match[1], match[5]) if letter}
        minutes, seconds = (float((part or "0").replace(",", ".")) for part in (match[3], match[4]))
        if minutes >= 60 or seconds >= 60 or (match[4] and minutes % 1) or len(letters) > 1 or letters - self._letters:
            raise ValueError(f"{shown(value)} is no angle")
        angle = float(match[2]) + minutes / 60 + seconds / 3600
        return -angle if letters & _NEGATIVE else angle


@lru_cache(maxsize=8)
def transformer(crs: int) -> Transformer:
    """From easting and northing of an EPSG coordinate system to longitude and latitude WGS 84.

    Raises ValueError for a number that EPSG does not have, or a system that has no place on the ground.
    """
    # Only maps with other coordinates than WGS 84 need it, and it takes memory.
    from pyproj import Transformer  # noqa: PLC0415
    from pyproj.exceptions import ProjError  # noqa: PLC0415

    try:
        return Transformer.from_crs(crs, 4326, always_xy=True, allow_ballpark=False)
    except ProjError as error:
        raise ValueError(f"EPSG:{crs} is no coordinate system to read positions in") from error


def check_system(crs: int) -> None:
    """Raises a pydantic error for a number of a coordinate system that positions cannot be read in."""
    if crs != WGS84:
        try:
            transformer(crs)
        except ValueError as error:
            raise fault(str(error)) from None


def to_wgs84(crs: int, points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """Longitude and latitude of points (easting, northing) of `crs`; infinite where the projection has no place."""
    eastings, northings = zip(*points, strict=True) if points else ((), ())
    longitudes, latitudes = transformer(crs).transform(list(eastings), list(northings))
    return list(zip(longitudes, latitudes, strict=True))
