"""Secrets that stand in a file in so many letters."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import BaseModel

from collector.fields import Secret
from collector.settings.faults import Fault
from collector.settings.source import Node
from collector.settings.validation import field_keys

WRITTEN_OUT = "a secret written out: use !env NAME or !file path"


def written_out(value: object, node: Node) -> Iterator[Fault]:
    """A warning for each literal secret of `value`, which was made from `node`."""
    for place in literals(value, node):
        yield place.fault(WRITTEN_OUT)


def literals(value: object, node: Node) -> Iterator[Node]:
    """Where in `node` the literal secrets of `value`, which was made from it, are written."""
    if isinstance(value, Secret):
        if value.source == "literal":
            yield node
        return
    for part, child in _pairs(value, node):
        yield from literals(part, child)


def _pairs(value: object, node: Node) -> Iterator[tuple[object, Node]]:
    if isinstance(value, BaseModel):
        names = field_keys(type(value))
        yield from ((getattr(value, names[key]), child) for key, child in node.children.items() if key in names)
    elif isinstance(value, dict):
        yield from ((item, node.children[str(key)]) for key, item in value.items() if str(key) in node.children)
    elif isinstance(value, (tuple, list)):
        yield from zip(value, node.items, strict=False)
