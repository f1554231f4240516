"""Models checked as YAML means its scalars, and their errors in plain words with file, line and column."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails, SchemaValidator

from collector.settings.faults import Fault, unknown
from collector.settings.source import Node, SecretRef

M = TypeVar("M", bound=BaseModel)
_OPAQUE = frozenset({"default", "metadata", "expected", "keys_schema", "serialization"})
_EXACT = frozenset({"int", "float", "bool"})
_CHOICE = re.compile(r"'([^']*)'")


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
        if kind == "extra_forbidden" or rest[-1:] == ("[key]",):
            candidates = (*field_names(model, loc[:-1]), *(known if len(loc) == 1 else ()))
            yield place.fault(_message(detail, place, candidates), key=True)
        elif kind == "missing" and not partial:
            yield place.fault(f"missing key '{rest[-1] if rest else loc[-1]}'")
        elif not (partial and isinstance(place.value, dict)) and kind != "missing":
            alternatives.setdefault(id(place), (place, {}))[1][kind] = _message(detail, place, ())
    for place, by_kind in alternatives.values():
        if len(by_kind) > 1:
            by_kind.pop("secret", None)  # where text will do as well, text it should be
        yield place.fault("; or ".join(dict.fromkeys(by_kind.values())))


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
    models = {model}
    for step in loc:
        fields = {name: info for each in models for name, info in keys(each).items()}
        if isinstance(step, str) and step in fields:
            models = set(_models(fields[step]))
    return {name for each in models for name in keys(each)}


@cache
def field_keys(model: type[BaseModel]) -> dict[str, str]:
    """Attribute of each field by the key that configuration uses for it."""
    return {info.alias or name: name for name, info in model.model_fields.items()}


@cache
def keys(model: type[BaseModel]) -> dict[str, Any]:
    """Annotation of each field by the key that configuration uses for it."""
    return {info.alias or name: info.annotation for name, info in model.model_fields.items()}


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in get_args(annotation):
        yield from _models(part)


def _message(detail: ErrorDetails, node: Node, candidates: Iterable[str]) -> str:
    kind = detail["type"]
    if kind == "extra_forbidden":
        return unknown("key", str(detail["loc"][-1]), candidates)
    if isinstance(node.value, SecretRef):
        return f"!{node.value.store} is for secrets only: write the value itself here"
    if kind in {"enum", "literal_error"}:
        return _choice(node, detail.get("ctx", {}).get("expected", ""))
    if kind in _EXPECTED:
        return f"expected {_EXPECTED[kind]}, got {_got(node, kind)}"
    words = _WORDS.get(kind)
    return words(detail.get("ctx", {})) if words else _reworded(detail["msg"])


def _choice(node: Node, expected: str) -> str:
    choices = _CHOICE.findall(expected)
    if isinstance(node.value, str) and choices:
        return unknown("value", node.value, choices)
    return f"expected {expected}, got {_got(node, '')}"


# Never the value itself: it may be a secret that stands where it should not.
def _got(node: Node, kind: str) -> str:
    value = node.value
    if isinstance(value, bool):
        return f"{str(value).lower()}{': put it in quotes' if kind == 'string_type' else ''}"
    if kind.startswith("int_") and isinstance(value, float):
        return "a fraction"
    if isinstance(value, (int, float)):
        return f"a number{': put it in quotes' if kind == 'string_type' else ''}"
    if isinstance(value, str):
        return _got_text(value, kind)
    return "nothing" if value is None else "a list" if isinstance(value, list) else "a mapping"


def _got_text(value: str, kind: str) -> str:
    word = value.lower()
    if kind == "bool_type" and word in {"yes", "on", "no", "off", "true", "false"}:
        return f"text: write {'true' if word in {'yes', 'on', 'true'} else 'false'}, without quotes"
    if kind == "int_type" and value.isascii() and value.isdigit():
        return "text: write it without quotes and without leading zeros"
    return "text"


def _reworded(message: str) -> str:
    text = message.removeprefix("Value error, ").removeprefix("Assertion failed, ")
    text = text.replace("Input should be", "expected").replace("Input should", "should")
    return text[:1].lower() + text[1:] if text[1:2].islower() else text


_EXPECTED = {
    "string_type": "text",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "list_type": "a list",
    "tuple_type": "a list",
    "set_type": "a list",
    "frozen_set_type": "a list",
    "dict_type": "a mapping",
    "model_type": "a mapping",
    "model_attributes_type": "a mapping",
    "path_type": "a path",
}
_WORDS: dict[str, Callable[[Mapping[str, Any]], str]] = {
    "greater_than": lambda ctx: f"must be more than {ctx['gt']:g}",
    "greater_than_equal": lambda ctx: f"must be at least {ctx['ge']:g}",
    "less_than": lambda ctx: f"must be less than {ctx['lt']:g}",
    "less_than_equal": lambda ctx: f"must be at most {ctx['le']:g}",
    "string_too_short": lambda ctx: f"must have at least {ctx['min_length']} characters",
    "string_too_long": lambda ctx: f"must have at most {ctx['max_length']} characters",
    "string_pattern_mismatch": lambda ctx: f"must match {ctx['pattern']}",
    "too_short": lambda ctx: f"must have at least {ctx['min_length']} entries",
    "too_long": lambda ctx: f"must have at most {ctx['max_length']} entries",
    "finite_number": lambda _: "must be a finite number",
}
