"""Models checked as YAML means its scalars, and their errors in plain words with file, line and column."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import SchemaValidator

from collector.fields import Secret
from collector.settings.faults import Fault, unknown
from collector.settings.source import Node, SecretRef
from collector.settings.words import said

M = TypeVar("M", bound=BaseModel)
_OPAQUE = frozenset({"default", "metadata", "expected", "keys_schema", "serialization"})
_NAMED = re.compile(r"`(\w+)`")
_EXACT = frozenset({"int", "float", "bool"})


@cache
def validator(model: type[BaseModel]) -> SchemaValidator:
    """Like the model's own, but text is no number and no truth value, and a truth value is no number.

    The scalars were already told apart by YAML: what is left as text is text (`port: "0123"`, `verify: no`).
    """
    model.model_rebuild()
    # A nested model's prebuilt validator would be the lenient one.
    return SchemaValidator(_exact(model.__pydantic_core_schema__), _use_prebuilt=False)


def _exact(schema: Any) -> Any:
    if isinstance(schema, (list, tuple)):
        return type(schema)(map(_exact, schema))
    if not isinstance(schema, dict):
        return schema
    if not isinstance(schema.get("type"), str):  # fields by name, which may be any word
        return {name: _exact(part) for name, part in schema.items()}
    exact = {name: part if name in _OPAQUE else _exact(part) for name, part in schema.items()}
    if exact["type"] in _EXACT:
        exact["strict"] = True
    return exact


def checked(
    model: type[M],
    plain: Mapping[str, object],
    node: Node,
    *,
    known: Iterable[str] = (),
    context: object = None,
    partial: bool = False,
) -> tuple[M | None, list[Fault]]:
    """`plain`, which was read from `node`, as a model; None and every fault when it is none.

    `known` are keys that are valid beside the model's own, to be suggested for a mistyped one. With `partial`,
    `plain` is only a part of a model: what is not there, or depends on what is not there, is no fault.
    """
    try:
        return validator(model).validate_python(plain, context=context), []
    except ValidationError as error:
        return None, list(_faults(error, model, node, tuple(known), partial))


def _faults(
    error: ValidationError, model: type[BaseModel], node: Node, known: tuple[str, ...], partial: bool
) -> Iterator[Fault]:
    alternatives: dict[int, tuple[Node, dict[str, str]]] = {}
    for detail in error.errors(include_url=False, include_input=False):
        loc, kind = detail["loc"], detail["type"]
        place, rest = locate(node, loc)
        if kind == "extra_forbidden":
            candidates = (*field_names(model, loc[:-1]), *(known if len(loc) == 1 else ()))
            yield place.fault(unknown("key", str(loc[-1]), candidates), key=True)
        elif rest[-1:] == ("[key]",):
            yield place.fault(said(detail, place), key=True)
        elif kind == "too_short" and len(place.items) >= detail["ctx"]["min_length"]:
            continue  # its entries have faults of their own
        elif partial and (kind == "missing" or isinstance(place.value, dict)):
            continue
        elif kind == "missing":
            yield place.fault(f"missing key '{rest[-1] if rest else loc[-1]}'")
        elif isinstance(place.value, SecretRef) and not any(map(_mentions_secret, _at(model, loc)[1])):
            yield place.fault(f"{place.value.tag} is for secrets only: write the value itself here")
        else:
            place = _named(place, detail["msg"])
            alternatives.setdefault(id(place), (place, {}))[1][kind] = said(detail, place)
    for place, by_kind in alternatives.values():
        if len(by_kind) > 1:
            by_kind.pop("secret", None)  # where text will do as well, text it should be
        yield place.fault("; or ".join(dict.fromkeys(by_kind.values())))


def _named(place: Node, message: str) -> Node:
    """Where a fault of a whole mapping shows: at the first setting that its message names in backticks."""
    names = _NAMED.findall(message) if isinstance(place.value, dict) else []
    return next((place.children[name] for name in names if name in place.children), place)


def locate(node: Node, loc: Iterable[int | str]) -> tuple[Node, tuple[int | str, ...]]:
    """The deepest node on the way `loc`, and what is left of the way; names of union members are passed over."""
    left: list[int | str] = []
    for step in loc:
        child = node.get(step) if isinstance(step, str) else next(iter(node.items[step : step + 1]), None)
        if child is None:
            left.append(step)
        else:
            node, left = child, []
    return node, tuple(left)


def field_names(model: type[BaseModel], loc: Iterable[int | str]) -> set[str]:
    """Keys that the model, or those nested in it at `loc`, take."""
    return {key for nested in _at(model, loc)[0] for key in field_keys(nested)}


def _at(model: type[BaseModel], loc: Iterable[int | str]) -> tuple[list[type[BaseModel]], list[Any]]:
    """Models that may stand at `loc`, and annotations of the fields that hold it."""
    models, annotations = [model], []
    for step in loc:
        keys = [(nested, field_keys(nested)) for nested in models]
        fields = [nested.model_fields[names[step]] for nested, names in keys if isinstance(step, str) and step in names]
        if fields:
            annotations = [info.annotation for info in fields]
            models = [nested for annotation in annotations for nested in _models(annotation)]
    return models, annotations


@cache
def field_keys(model: type[BaseModel]) -> dict[str, str]:
    """Attribute of each field by the key that configuration uses for it."""
    return {info.alias or name: name for name, info in model.model_fields.items()}


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in get_args(annotation):
        yield from _models(part)


@cache
def may_hold_secrets(model: type[BaseModel]) -> bool:
    """Whether any field of the model, or of those nested in it, is a secret."""
    return any(_mentions_secret(info.annotation) for info in model.model_fields.values())


def _mentions_secret(annotation: Any) -> bool:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return may_hold_secrets(annotation)
    return annotation is Secret or any(map(_mentions_secret, get_args(annotation)))
