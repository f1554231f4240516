"""Distances between places of one province."""

from __future__ import annotations

from math import cos, hypot, radians

METRES_PER_DEGREE = 111_195.0  # of a great circle of the mean sphere of IUGG (radius 6,371,008.8 m)


def metres(one: tuple[float, float], other: tuple[float, float]) -> float:
    """Between two points (latitude, longitude), in the plane at the first: right within 1 % up to some 100 km."""
    east = (other[1] - one[1]) * cos(radians(one[0]))
    return METRES_PER_DEGREE * hypot(other[0] - one[0], east)
