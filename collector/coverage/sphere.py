"""Places on the mean sphere as unit vectors: no projection, and no seam anywhere."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

Floats = NDArray[np.float64]
Indices = NDArray[np.intp]
Pairs = tuple[Indices, Indices, Floats]  # which of these, which of those, and their distance in km

# Mean radius of the Earth (IUGG): distances are right within 0.5 % of the ellipsoid's.
RADIUS_KM = 6371.0088
# Radii are searched in classes: each pair that is found by the largest of its class is then tried by its own.
_CLASS = 1.15
_SMALLEST_KM = 0.001


def vectors(lat: Floats, lon: Floats) -> Floats:
    """Unit vectors of points given in degrees: n x 3."""
    phi, lam = np.radians(lat), np.radians(lon)
    flat = np.cos(phi)
    return np.column_stack((flat * np.cos(lam), flat * np.sin(lam), np.sin(phi)))


def chords(km: Floats) -> Floats:
    """Distances through the sphere, as unit vectors have them, of distances along it."""
    return 2 * np.sin(np.minimum(km / RADIUS_KM, np.pi) / 2)


def kilometres(chord: Floats) -> Floats:
    """Distances along the sphere of distances through it."""
    return 2 * RADIUS_KM * np.arcsin(np.minimum(chord / 2, 1))


def bearings(lat: Floats, lon: Floats, aim: Floats) -> Floats:
    """Degrees clockwise from north, -180 to 180, at which each place (degrees) sees its `aim` (a unit vector)."""
    phi, lam = np.radians(lat), np.radians(lon)
    east = aim[:, 1] * np.cos(lam) - aim[:, 0] * np.sin(lam)
    outward = aim[:, 0] * np.cos(lam) + aim[:, 1] * np.sin(lam)
    return np.degrees(np.arctan2(east, aim[:, 2] * np.cos(phi) - outward * np.sin(phi)))


def nearest(points: Floats, centres: Floats) -> Indices:
    """Which of the `centres` each point is nearest to."""
    found: Indices = cKDTree(centres).query(points)[1]
    return found


def within(centres: Floats, km: Floats, points: Floats) -> Iterator[Pairs]:
    """All pairs of a centre and a point that is at most the centre's own distance away, many at a time."""
    usable = np.flatnonzero(np.isfinite(km) & (km > 0))
    if not len(usable) or not len(points):
        return
    tree = _tree(points)
    numbers = np.floor(np.log(np.maximum(km[usable], _SMALLEST_KM)) / np.log(_CLASS)).astype(np.int64)
    for number in np.unique(numbers):
        members = usable[numbers == number]
        limit = chords(km[members])
        pairs = _tree(centres[members]).sparse_distance_matrix(tree, limit.max(), output_type="ndarray")
        kept = pairs[pairs["v"] <= limit[pairs["i"]]]
        yield members[kept["i"]], kept["j"], kilometres(kept["v"])


def _tree(points: Floats) -> cKDTree:
    """Made for one search: a tree that is made faster and searched a little slower."""
    return cKDTree(points, compact_nodes=False, balanced_tree=False)
