"""What pydantic found, in words for people who write YAML.

Never with the value itself, unless it is one of few to choose from: it may be a secret that stands where it should not.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from pydantic_core import ErrorDetails

from collector.settings.faults import unknown
from collector.settings.source import Node, SecretRef

_CHOICE = re.compile(r"'([^']*)'")
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
_BOUNDS: dict[str, Callable[[Mapping[str, Any]], str]] = {
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


def said(detail: ErrorDetails, node: Node) -> str:
    """The message for `detail`, whose value stands at `node`."""
    kind = detail["type"]
    if kind in {"enum", "literal_error"}:
        return _choice(node, detail.get("ctx", {}).get("expected", ""))
    if kind in _EXPECTED:
        return f"expected {_EXPECTED[kind]}, got {_got(node, kind)}"
    words = _BOUNDS.get(kind)
    return words(detail.get("ctx", {})) if words else _reworded(detail["msg"])


def _choice(node: Node, expected: str) -> str:
    choices = _CHOICE.findall(expected)
    if isinstance(node.value, str) and choices:
        return unknown("value", node.value, choices)
    return f"expected {expected}, got {_got(node, 'string_type' if choices else '')}"


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
    if isinstance(value, SecretRef):
        return f"a secret ({value.tag})"
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
