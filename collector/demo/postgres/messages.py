"""What a PostgreSQL server says (protocol 3.0, message formats): pure functions."""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping, Sequence
from itertools import cycle
from typing import Any

Cell = str | int | float
# The only row of an answer: its cells by column.
Row = Mapping[str, Cell]

# Python's type -> number and size of PostgreSQL's (text, int8, float8; pg_type.dat), and its binary form.
_TYPES: dict[type, tuple[int, int, Callable[[Any], bytes]]] = {
    str: (25, -1, str.encode),
    int: (20, 8, struct.Struct(">q").pack),
    float: (701, 8, struct.Struct(">d").pack),
}
_TEXT = 0


def message(kind: bytes, body: bytes = b"") -> bytes:
    """A message: its type, its length, which counts itself, and what it says."""
    return kind + struct.pack(">i", len(body) + 4) + body


def authentication(request: int, words: bytes = b"") -> bytes:
    """What the client shall do to log in; 0: it is in."""
    return message(b"R", struct.pack(">i", request) + words)


def error(severity: str, code: str, text: str) -> bytes:
    """Something went wrong; `code` is an SQLSTATE."""
    fields = (f"S{severity}", f"V{severity}", f"C{code}", f"M{text}", "")
    return message(b"E", "\0".join(fields).encode() + b"\0")


def parameter(name: str, value: str) -> bytes:
    """How the session is set up."""
    return message(b"S", f"{name}\0{value}\0".encode())


def ready(status: bytes) -> bytes:
    """The next query may come."""
    return message(b"Z", status)


def complete(tag: str) -> bytes:
    """A statement is done."""
    return message(b"C", tag.encode() + b"\0")


def columns(row: Row | None, formats: Sequence[int] = ()) -> bytes:
    """The names and types of an answer, or that there is none to come."""
    if row is None:
        return message(b"n")
    parts = [struct.pack(">h", len(row))]
    for (name, cell), form in zip(row.items(), _each(formats), strict=False):
        number, size, _ = _TYPES[type(cell)]
        parts.append(name.encode() + struct.pack(">xihihih", 0, 0, number, size, -1, form))
    return message(b"T", b"".join(parts))


def data(row: Row, formats: Sequence[int] = ()) -> bytes:
    """The cells of an answer."""
    parts = [struct.pack(">h", len(row))]
    for cell, form in zip(row.values(), _each(formats), strict=False):
        words = str(cell).encode() if form == _TEXT else _TYPES[type(cell)][2](cell)
        parts.append(struct.pack(">i", len(words)) + words)
    return message(b"D", b"".join(parts))


def _each(formats: Sequence[int]) -> cycle[int]:
    """A format for each column: none means text, one is for all."""
    return cycle(formats or (_TEXT,))
