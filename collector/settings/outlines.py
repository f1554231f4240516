"""Outlines of communes: GeoJSON files (RFC 7946) in inventory.d. With them, a village is in the commune around it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from collector.documents import document, most_values
from collector.nearest import nearest
from collector.settings.faults import Fault

if TYPE_CHECKING:  # loaded only where there are polygons: it takes memory
    from shapely.geometry.base import BaseGeometry

MOST_BYTES = 64 * 1024**2
MOST_VALUES = 20_000_000


@dataclass(frozen=True, slots=True)
class Outlines:
    """One file: the outline of each commune by its code, which is the feature's `id` or its property `code`."""

    path: Path
    shown: str
    digest: bytes
    shapes: Mapping[str, BaseGeometry] = field(default_factory=dict)
    faults: tuple[Fault, ...] = ()


def read_outlines(path: Path, shown: str, known: Outlines | None) -> Outlines:
    """The outlines in `path`; `known` itself when its bytes are the same. Raises nothing."""
    try:
        with path.open("rb") as file:
            content = file.read(MOST_BYTES + 1)
    except OSError as error:
        return Outlines(path, shown, b"", faults=(Fault(shown, 1, 1, "", f"cannot be read: {error.strerror}"),))
    digest = hashlib.sha256(content).digest()
    if known is not None and (known.digest, known.shown) == (digest, shown):
        return known
    shapes: dict[str, BaseGeometry] = {}
    faults = tuple(Fault(shown, 1, 1, where, message) for where, message in _read(content, shapes))
    return Outlines(path, shown, digest, shapes, faults)


def _read(content: bytes, shapes: dict[str, BaseGeometry]) -> Iterator[tuple[str, str]]:
    """Fills `shapes`; where and what is wrong."""
    if len(content) > MOST_BYTES or most_values(content) > MOST_VALUES:
        yield "", "too large"
        return
    try:
        found = document(content)
    except ValueError as error:
        yield "", str(error)
        return
    features = found.get("features") if isinstance(found, dict) else None
    if not isinstance(features, list):
        yield "", "expected a FeatureCollection"
        return
    for number, feature in enumerate(features, 1):
        try:
            code, shape = _feature(feature)
            if code in shapes:
                raise ValueError(f"a second outline of commune {code!r}")
        except ValueError as error:
            yield f"features[{number}]", str(error)
        else:
            shapes[code] = shape


def _feature(feature: Any) -> tuple[str, BaseGeometry]:
    from collector.features.geometry import Geometries  # noqa: PLC0415  loaded only where there are polygons

    if not isinstance(feature, dict):
        raise ValueError("expected a Feature")
    properties = feature.get("properties")
    code = feature.get("id") if "id" in feature else (properties or {}).get("code")
    if not isinstance(code, str):
        raise ValueError("neither an `id` nor a property `code` in quotes names the commune")
    return code, Geometries().polygon(feature.get("geometry"))


def strangers(outlines: Iterable[Outlines], communes: Iterable[str]) -> Iterator[Fault]:
    """Outlines of communes that nobody lists."""
    known = set(communes)
    for one in outlines:
        for code in one.shapes:
            if code not in known:
                yield Fault(one.shown, 1, 1, "", f"unknown commune '{code}'{nearest(code, known)}")
