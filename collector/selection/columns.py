"""Values of a row by the names of a map's columns, which are JMESPath expressions."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, TypeAlias

from collector.documents import selected
from collector.fields import JmesPath

Getter: TypeAlias = Callable[[Any], Any]


class Columns:
    """Reads columns of rows; expressions are compiled once."""

    def __init__(self, names: Iterable[str]) -> None:
        self._getters = {name: getter(JmesPath.compile(name)) for name in names}

    def get(self, row: Any, name: str) -> Any:
        """What the column `name` says of `row`; None when nothing. Raises ValueError."""
        return plain(self._getters[name](row))


def plain(value: Any) -> Any:
    """A text, a number, a truth value, None, or several of these in a tuple. Raises ValueError for anything else."""
    if isinstance(value, str):
        _check_text(value)
    elif isinstance(value, list):
        for each in value:
            if isinstance(each, (dict, list)):
                raise ValueError("a list of structures, not a value")
            plain(each)
        return tuple(value)
    elif isinstance(value, dict):
        raise ValueError("an object, not a value")
    return value


def _check_text(text: str) -> None:
    try:
        if not text.isascii():
            text.encode()
    except UnicodeEncodeError:  # half a surrogate pair, which JSON can write and nobody else
        raise ValueError("a text with characters that are none") from None


def getter(path: JmesPath) -> Getter:
    """A function that selects as `path` does. Ways along fields, which most are, skip the interpreter."""
    fields = _fields(path.expression.parsed)
    if fields is None:
        return partial(_searched, path)
    return partial(_field, fields[0]) if len(fields) == 1 else partial(_along, fields)


def _fields(parsed: dict[str, Any]) -> tuple[str, ...] | None:
    """Names of the fields that an expression follows, if it does nothing else."""
    if parsed["type"] == "field":
        return (parsed["value"],)
    if parsed["type"] != "subexpression":
        return None
    ways = [_fields(child) for child in parsed["children"]]
    return tuple(name for way in ways if way is not None for name in way) if None not in ways else None


def _field(name: str, row: Any) -> Any:
    return row.get(name) if isinstance(row, dict) else None


def _along(names: tuple[str, ...], row: Any) -> Any:
    for name in names:
        if not isinstance(row, dict):
            return None
        row = row.get(name)
    return row


def _searched(path: JmesPath, row: Any) -> Any:
    return selected(row, path)
