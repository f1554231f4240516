"""Taking values out of rows: columns and their variants, several joined, constants, parts of texts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

from collector.fields import Regex
from collector.mapping.columns import Column
from collector.mapping.rowmap import Variant, Where
from collector.mapping.words import Blanks, Booleans, folded, text

Accessor: TypeAlias = Callable[[Any, str], object]
# Gives the value of a row, None where it is blank.
Getter: TypeAlias = Callable[[Any], object]


def getter(column: Column, get: Accessor, blanks: Blanks) -> Getter:
    """How to take what `column` says out of a row."""
    if column.const is not None:
        const = column.const
        return lambda _: const
    found = _joined(column, get, blanks) if column.join else _first(column, get, blanks)
    return found if column.pattern is None else _part(found, column.pattern)


def _first(column: Column, get: Accessor, blanks: Blanks) -> Getter:
    names = column.column
    if len(names) == 1:
        name = names[0]
        return lambda row: blanks(get(row, name))

    def first(row: Any) -> object:
        for name in names:
            if (value := blanks(get(row, name))) is not None:
                return value
        return None

    return first


def _joined(column: Column, get: Accessor, blanks: Blanks) -> Getter:
    names = column.join

    def joined(row: Any) -> object:
        values = [blanks(get(row, name)) for name in names]
        if all(value is None for value in values):
            return None
        return "/".join("" if value is None else text(value) for value in values)

    return joined


def _part(of: Getter, pattern: Regex) -> Getter:
    def part(row: Any) -> object:
        value = of(row)
        return None if value is None else pattern.found(text(value, 10_000)) or None

    return part


def condition(where: Where, get: Accessor, blanks: Blanks) -> Callable[[Any], bool]:
    """Whether a row meets `where`."""
    take, words = getter(where.column, get, blanks), frozenset(folded(word) for word in where.equals)

    def met(row: Any) -> bool:
        value = take(row)
        found = "" if value is None else text(value, 10_000)
        wanted = folded(found) in words if where.matches is None else where.matches.search(found) is not None
        return wanted is not where.negate

    return met


class Presence:
    """Whether a row gives the record of a variant."""

    def __init__(self, variant: Variant, get: Accessor, blanks: Blanks, booleans: Booleans) -> None:
        self._when = [getter(column, get, blanks) for column in variant.conditions]
        self._unless = [getter(column, get, blanks) for column in variant.unless]
        read = [part for _, source in variant.given() for part in source.parts() if part.const is None]
        self._own = [] if self._when else [getter(column, get, blanks) for column in read]
        self._true = booleans.find

    def __call__(self, row: Any) -> bool:
        """Raises ValueError when a condition is neither true nor false."""
        if any(self._any(row, self._unless)):
            return False
        if self._when:
            return any(self._any(row, self._when))
        return not self._own or any(take(row) is not None for take in self._own)

    def _any(self, row: Any, getters: list[Getter]) -> list[bool]:
        # All of them: a word that nobody knows must not hide behind a true one.
        return [self._true(value) for take in getters if (value := take(row)) is not None]
