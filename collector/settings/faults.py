"""What is wrong in a configuration: every fault with its place."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from collector.nearest import nearest

_SHOWN = 60


@dataclass(frozen=True, slots=True, order=True)
class Fault:
    """One fault or warning. `line` and `column` count from 1; `path` is the setting's, empty for a whole file."""

    file: str
    line: int
    column: int
    path: str
    message: str

    def __post_init__(self) -> None:
        # Names and values of files come in here: none may forge a line, or move a terminal's cursor.
        for name in ("file", "path", "message"):
            text = getattr(self, name)
            if not text.isprintable():
                object.__setattr__(self, name, printable(text))

    @property
    def place(self) -> tuple[str, int, int]:
        """File, line and column."""
        return self.file, self.line, self.column

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}:{self.column}: "
        return f"{place}{self.path}: {self.message}" if self.path else place + self.message


class SettingsError(Exception):
    """A configuration that cannot be used; `faults` holds everything that is wrong with it, in file order."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = tuple(sorted(set(faults)))
        super().__init__("\n".join(map(str, self.faults)))


def printable(text: str) -> str:
    """`text` with a mark in place of each character that does not print."""
    return "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in text)


def quoted(text: str) -> str:
    """`text` in quotes, cut to what a line bears, without characters that could forge one."""
    clean = printable(text[:_SHOWN])
    return f"'{clean}…'" if len(text) > _SHOWN else f"'{clean}'"


def unknown(what: str, text: str, known: Iterable[str]) -> str:
    """`unknown key 'intervall'; did you mean 'interval'?`, or the list of what is known here."""
    return _unknown(what, text, tuple(sorted(known)))


# One wrong name in thousands of targets: looking for its neighbours once is slow enough.
@lru_cache(maxsize=256)
def _unknown(what: str, text: str, names: tuple[str, ...]) -> str:
    said = f"unknown {what} {quoted(text)}"
    guess = nearest(text[:_SHOWN], names)
    if guess or not names:
        return said + (guess or "; none is known")
    some = ", ".join(names[:12]) + (", …" if len(names) > 12 else "")
    return f"{said}; {'valid' if what in {'key', 'value'} else 'known'}: {some}"
