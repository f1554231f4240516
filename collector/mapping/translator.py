"""From rows to records, as a map says. Pure: the same rows give the same records."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from collector.mapping.rowmap import RowMap
from collector.records import Record

# Column name -> str, number, bool, None, date, datetime.
Row: TypeAlias = Mapping[str, object]
MAX_FAULTS = 20


@dataclass(frozen=True, slots=True)
class Translation:
    """What rows gave: `rows` counts those that were looked at, `unreadable` those that are not wholly understood.

    `faults` says of the first of these what is wrong: `row 17: lat: 'abc' is no number`.
    """

    records: tuple[Record, ...]
    rows: int
    unreadable: int
    faults: tuple[str, ...]


class Translator:
    """Translates rows as `plan` says; `operator` is whose they are where they do not say it themselves."""

    def __init__(
        self,
        plan: RowMap,
        operator: str | None = None,
        operators: Any = None,
        *,
        get: Callable[[Any, str], object] | None = None,
    ) -> None:
        """`operators` are the known ones, of `collector.mobile`; `get` reads a column of a row, default `row.get`."""
        raise NotImplementedError

    def translate(self, rows: Iterable[Any]) -> Translation:
        """Records of `rows`, which faults number from 1."""
        return self.translate_numbered(enumerate(rows, 1))

    def translate_numbered(self, rows: Iterable[tuple[int, Any]]) -> Translation:
        """Records of rows that come with their numbers."""
        raise NotImplementedError
