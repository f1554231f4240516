"""JSON documents and what expressions select from them, whatever somebody sends."""

from __future__ import annotations

import json
import reprlib
from typing import Any

from jmespath.exceptions import JMESPathError

from collector.fields import JmesPath

# From this size on, the parser comes back to Python for each object and number with a fraction: it holds the
# interpreter's lock until then, and what runs in other threads, as the loop does, waits.
_LARGE = 64 * 1024
# An object takes about as much memory as four numbers or short texts.
_OBJECT_VALUES = 4


def most_values(body: bytes) -> int:
    """At most how many values `body` holds when it is JSON; an object counts as four, and commas in texts count, too.

    What it takes in memory is some 100 bytes times that, whatever its size.
    """
    return body.count(b",") + body.count(b"[") + _OBJECT_VALUES * body.count(b"{")


def document(body: bytes) -> Any:
    """The JSON document that `body` is (RFC 8259: NaN is none). Raises ValueError, which says what is wrong."""
    try:
        if len(body) < _LARGE:
            return json.loads(body, parse_constant=_refuse)
        return json.loads(body, parse_constant=_refuse, object_hook=_object, parse_float=_fraction)
    except RecursionError:
        raise ValueError("the body is nested too deep") from None
    except ValueError:
        raise ValueError("the body is not JSON") from None


def _object(found: dict[str, Any]) -> dict[str, Any]:
    return found


def _fraction(text: str) -> float:
    return float(text)


def _refuse(constant: str) -> None:
    raise ValueError(constant)


def refutation(document: Any, condition: JmesPath) -> str | None:
    """None when `condition` says `true` of `document`; else what it says."""
    try:
        value = selected(document, condition)
    except ValueError as error:
        return str(error)
    return None if value is True else f"{condition.text} is {reprlib.repr(value)}, not true"


def selected(document: Any, path: JmesPath) -> Any:
    """What `path` selects from `document`. Raises ValueError when a function does not take what is there."""
    try:
        return path.search(document)
    except (JMESPathError, ArithmeticError, TypeError, ValueError) as error:
        raise ValueError(f"{path.text}: {ascii(str(error))[1:-1]}") from None
