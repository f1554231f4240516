"""Settings as a tree of nodes, each of which knows its file, line and column."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from collector.settings.faults import Fault, quoted

Position: TypeAlias = tuple[int, int]
_COLUMN_BITS = 20
_LAST_COLUMN = (1 << _COLUMN_BITS) - 1
_PLAIN_NAME = re.compile(r"[A-Za-z_][\w-]*")


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A file of the configuration; `shown` is its name in messages."""

    path: Path
    shown: str


@dataclass(frozen=True, slots=True)
class SecretRef:
    """`!env NAME` or `!file path`: where a secret is to be found."""

    store: str
    name: str

    @property
    def tag(self) -> str:
        """`!env` or `!file`."""
        return f"!{self.store}"

    @property
    def source(self) -> str:
        """As `collector.fields.Secret.source` has it: `env:NAME` or `file:path`."""
        return f"{self.store}:{self.name}"


Scalar: TypeAlias = bool | int | float | str | SecretRef | None


class Node:
    """One value of a YAML document, or of several that were merged.

    A merged mapping keeps the place of its most specific part, and its children keep their own.
    """

    # Line and column in one whole number each: there are as many nodes as values in all files, for as long as we run.
    __slots__ = ("_at", "_key", "name", "parent", "value")

    def __init__(
        self,
        value: Scalar | dict[str, Node] | list[Node],
        at: Position,
        key: Position,
        name: str | int,
        parent: Node | SourceFile,
    ) -> None:
        self.value = value
        self._at = at[0] << _COLUMN_BITS | min(at[1], _LAST_COLUMN)
        self._key = key[0] << _COLUMN_BITS | min(key[1], _LAST_COLUMN)
        self.name = name
        self.parent = parent

    @property
    def at(self) -> Position:
        """Line and column of the value, from 1."""
        return self._at >> _COLUMN_BITS, self._at & _LAST_COLUMN

    @property
    def key(self) -> Position:
        """Line and column of the key that names the value."""
        return self._key >> _COLUMN_BITS, self._key & _LAST_COLUMN

    def replaced(self, value: Scalar | dict[str, Node] | list[Node]) -> Node:
        """Another value in the same place."""
        return Node(value, self.at, self.key, self.name, self.parent)

    def get(self, name: str) -> Node | None:
        """The child of that name; None where there is none, or where this is no mapping."""
        return self.value.get(name) if isinstance(self.value, dict) else None

    @property
    def children(self) -> Mapping[str, Node]:
        """The entries of a mapping; none where this is something else."""
        return self.value if isinstance(self.value, dict) else {}

    @property
    def items(self) -> list[Node]:
        """The items of a list; none where this is something else."""
        return self.value if isinstance(self.value, list) else []

    def text(self, name: str) -> str | None:
        """The child of that name if it is text."""
        child = self.get(name)
        return child.value if child is not None and isinstance(child.value, str) else None

    @property
    def file(self) -> SourceFile:
        """Where this stands."""
        parent = self.parent
        while isinstance(parent, Node):
            parent = parent.parent
        return parent

    @property
    def path(self) -> str:
        """`systems[ttdl-tinh].targets[0].host`: list items by their id or name where they have one."""
        parts: list[str] = []
        node = self
        while isinstance(node.parent, Node):
            parts.append(node._step())
            node = node.parent
        return "".join(reversed(parts)).removeprefix(".")

    def _step(self) -> str:
        if isinstance(self.name, int):
            return f"[{self.text('id') or self.text('name') or self.name}]"
        return f".{self.name}" if _PLAIN_NAME.fullmatch(self.name) else f"[{quoted(self.name)}]"

    @property
    def place(self) -> str:
        """`file:line`."""
        return f"{self.file.shown}:{self.at[0]}"

    def fault(self, message: str, *, key: bool = False) -> Fault:
        """Something wrong with this value, or with the key that names it."""
        line, column = self.key if key else self.at
        return Fault(self.file.shown, line, column, self.path, message)


def merged(base: Node | None, over: Node | None) -> Node | None:
    """`over` on top of `base`: mappings merge deeply, everything else is replaced."""
    if base is None or over is None:
        return over or base
    if not isinstance(base.value, dict) or not isinstance(over.value, dict):
        return over
    value = dict(base.value)
    for name, child in over.value.items():
        below = value.get(name)
        value[name] = child if below is None else merged(below, child) or child
    return over.replaced(value)
