"""Features as rows: their properties, and what their geometry says, under names that no property has."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator
from typing import Any

from collector.features.collection import identity
from collector.features.geometry import Geometries
from collector.mapping.translator import GEOMETRY, Unread
from collector.records import Dataset

ID, LAT, LON = "@id", "@lat", "@lon"
OWN = frozenset({ID, LAT, LON, GEOMETRY})
_PLACED = frozenset({Dataset.CELLS, Dataset.OUTAGES})


def rows(features: Iterable[Any], dataset: Dataset, geometries: Geometries) -> Iterator[dict[str, Any] | Unread]:
    """Rows of `features`, with `@id`, and a position or a polygon as records of `dataset` have them."""
    for feature in features:
        try:
            yield _row(feature, dataset, geometries)
        except ValueError as error:
            yield Unread(str(error))


def _row(feature: Any, dataset: Dataset, geometries: Geometries) -> dict[str, Any]:
    properties = feature.get("properties") if isinstance(feature, dict) else None
    if not isinstance(feature, dict) or feature.get("type") != "Feature" or not isinstance(properties, dict | None):
        raise ValueError("it is no Feature")
    row = {_composed(name): value for name, value in (properties or {}).items()}
    row[ID] = identity(feature)
    if dataset is Dataset.AREAS:
        row[GEOMETRY] = geometries.polygon(feature.get("geometry"))
    elif dataset in _PLACED and (point := geometries.point(feature.get("geometry"))) is not None:
        row[LON], row[LAT] = point
    return row


def _composed(name: str) -> str:
    # Maps name columns so: Vietnamese is written with combining marks by some and without by others.
    return name if name.isascii() else unicodedata.normalize("NFC", name)
