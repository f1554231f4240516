"""Secrets that stand in a file in so many letters."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any, get_args

from pydantic import BaseModel

from collector.fields import Secret
from collector.settings.source import Node
from collector.settings.validation import field_keys


@cache
def may_hold_secrets(model: type[BaseModel]) -> bool:
    """Whether any field of the model, or of those nested in it, is a secret."""
    return any(_mentions_secret(info.annotation) for info in model.model_fields.values())


def _mentions_secret(annotation: Any) -> bool:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return may_hold_secrets(annotation)
    return annotation is Secret or any(map(_mentions_secret, get_args(annotation)))


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
