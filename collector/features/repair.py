"""Polygons that cross themselves made valid, where that is cheap."""

from __future__ import annotations

from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

# Making a polygon valid takes some 40 microseconds a crossing and 10 a vertex, and longer for rings within rings.
MOST_CROSSINGS = 5_000
MOST_VERTICES = 50_000
MOST_RINGS = 500
# Neighbours' boxes touch, and those of a coast line's some few more.
_BOXES_EACH = 20
_SAMPLE = 200


def repaired(shape: BaseGeometry, rings: list[NDArray[np.float64]]) -> BaseGeometry:
    """`shape`, of `rings`, or the area that it encloses where it crosses itself; a Polygon or a MultiPolygon.

    Raises ValueError when it has no area, or crosses itself too often.
    """
    if not shapely.is_valid(shape):
        if len(rings) > MOST_RINGS or sum(map(len, rings)) > MOST_VERTICES or not _crosses_seldom(rings):
            raise ValueError("geometry: the rings cross themselves, too often to be mended")
        shape = shapely.make_valid(shape, method="structure", keep_collapsed=False)
    if shape.geom_type not in {"Polygon", "MultiPolygon"} or not shape.area > 0:
        raise ValueError("geometry: the rings enclose no area")
    return shape


def _crosses_seldom(rings: list[NDArray[np.float64]]) -> bool:
    starts = np.concatenate([ring[:-1] for ring in rings])
    ends = np.concatenate([ring[1:] for ring in rings])
    if _boxes_each(starts, ends) > _BOXES_EACH and len(starts) ** 2 > MOST_CROSSINGS:
        return False
    segments: Any = shapely.linestrings(np.stack((starts, ends), axis=1))
    # Each meets itself and its two neighbours; all others meet twice, once from each side.
    meetings = shapely.STRtree(segments).query(segments, predicate="intersects").shape[1] - 3 * len(segments)
    return bool(meetings <= 2 * MOST_CROSSINGS)


def _boxes_each(starts: NDArray[np.float64], ends: NDArray[np.float64]) -> float:
    """How many bounding boxes of others one of a segment meets, from a sample of segments."""
    low, high = np.minimum(starts, ends), np.maximum(starts, ends)
    chosen = np.random.default_rng(len(starts)).integers(0, len(starts), _SAMPLE)
    meets = [np.count_nonzero(((low <= high[index]) & (low[index] <= high)).all(axis=1)) for index in np.unique(chosen)]
    return float(np.mean(meets)) - 1
