"""Ways through the JSON of a page."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from dashboards.words import Json


def every_panel(page: Json) -> Iterator[Json]:
    """Panels, rows included, and those inside closed rows."""
    for one in page["panels"]:
        yield one
        yield from one.get("panels") or ()


def drawn(page: Json) -> Iterator[Json]:
    """Panels that show something."""
    return (one for one in every_panel(page) if one["type"] != "row")


def targets(page: Json) -> Iterator[tuple[Json, Json]]:
    """Each query with its panel."""
    return ((one, target) for one in drawn(page) for target in one.get("targets") or ())


def texts(part: Any) -> Iterator[str]:
    """Every text in it."""
    if isinstance(part, str):
        yield part
    elif isinstance(part, dict):
        for value in part.values():
            yield from texts(value)
    elif isinstance(part, list):
        for value in part:
            yield from texts(value)


def values(part: Any, key: str) -> Iterator[Any]:
    """What stands under `key`, at any depth."""
    if isinstance(part, dict):
        if key in part:
            yield part[key]
        for value in part.values():
            yield from values(value, key)
    elif isinstance(part, list):
        for value in part:
            yield from values(value, key)
