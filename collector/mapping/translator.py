"""From rows to records, as a map says. Pure: the same rows give the same records."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from typing import Any, TypeAlias

from collector.mapping.building import BUILDERS, key_of
from collector.mapping.getting import Accessor, condition
from collector.mapping.locating import Locator
from collector.mapping.owning import Owner
from collector.mapping.reading import Draft, RowReader
from collector.mapping.rowmap import RowMap
from collector.mapping.words import Blanks
from collector.mobile import Operators
from collector.records import CellState, Dataset, Outage, Record

# Column name -> str, number, bool, None, date, datetime.
Row: TypeAlias = Mapping[str, object]
# What a row is called in a fault.
Number: TypeAlias = int | str
MAX_FAULTS = 20
# The name under which rows of declared coverage have their polygon, ready made, in longitude and latitude.
GEOMETRY = "geometry"
_AT_ONCE = 2_000


@dataclass(frozen=True, slots=True)
class Unread:
    """Stands for a row of which nothing can be read, and says why."""

    words: str


@dataclass(frozen=True, slots=True)
class Translation:
    """What rows gave: `rows` counts those that are the feed's, `unreadable` those of which a record is missing.

    `faults` says of the first of these, and of those with fields that are not understood, what is wrong:
    `row 17: lat: 'abc' is no number`.
    """

    records: tuple[Record, ...]
    rows: int
    unreadable: int
    faults: tuple[str, ...]


@dataclass(slots=True)
class _Tally:
    rows: int = 0
    lost: set[Number] = field(default_factory=set)
    faults: dict[Number, str] = field(default_factory=dict)

    def lose(self, number: Number, words: str) -> None:
        """A row gives less than it should."""
        self.lost.add(number)
        self.note(number, words)

    def note(self, number: Number, words: str) -> None:
        """Something of a row is not understood."""
        if number in self.faults or len(self.faults) < MAX_FAULTS:
            self.faults.setdefault(number, f"row {number}: {words}")


def _of_row(row: Any, name: str) -> object:
    return row.get(name)


class Translator:
    """Translates rows as `plan` says; `operator` is whose they are where they do not say it themselves."""

    def __init__(
        self,
        plan: RowMap,
        operator: str | None = None,
        operators: Operators | None = None,
        *,
        get: Accessor | None = None,
    ) -> None:
        """`get` reads a column of a row, default `row.get`. Raises ValueError for coordinates that EPSG has not."""
        self._get, blanks = get or _of_row, Blanks(plan.blanks)
        self._dataset = plan.dataset
        self._where = [condition(where, self._get, blanks) for where in plan.where]
        self._reader = RowReader(plan, self._get)
        self._owner = Owner(operator, operators)
        self._locator = Locator(plan)

    def translate(self, rows: Iterable[Any]) -> Translation:
        """Records of `rows`, which faults number from 1."""
        return self.translate_numbered(enumerate(rows, 1))

    def translate_numbered(self, rows: Iterable[tuple[Number, Any]]) -> Translation:
        """Records of rows that come with their numbers; an `Unread` stands for one that could not be read."""
        tally = _Tally()
        # A row is let go before the next one: some are large, and of what they say little is kept.
        drafts = (draft for number, row in rows for draft in self._drafts(number, row, tally))
        records: list[Record] = []
        while some := list(islice(drafts, _AT_ONCE)):
            records.extend(self._records(some, tally))
        return Translation(tuple(records), tally.rows, len(tally.lost), tuple(tally.faults.values()))

    def _records(self, drafts: Sequence[tuple[Number, Draft]], tally: _Tally) -> Iterator[Record]:
        problems = self._locator.locate([draft.values for _, draft in drafts])
        for (number, draft), problem in zip(drafts, problems, strict=True):
            if problem is not None:
                tally.lose(number, problem)
            else:
                yield from self._record(number, draft, tally)

    def _drafts(self, number: Number, row: Any, tally: _Tally) -> list[tuple[Number, Draft]]:
        if isinstance(row, Unread):
            tally.rows += 1
            tally.lose(number, row.words)
            return []
        try:
            if not all(met(row) for met in self._where):
                return []
        except ValueError as error:
            tally.rows += 1
            tally.lose(number, f"where: {error}")
            return []
        tally.rows += 1
        try:
            drafts = list(self._reader.drafts(row, partial(tally.note, number)))
        except ValueError as error:
            tally.lose(number, str(error))
            return []
        if self._dataset is Dataset.AREAS:
            for draft in drafts:
                draft.values[GEOMETRY] = self._get(row, GEOMETRY)
        return [(number, draft) for draft in drafts]

    def _record(self, number: Number, draft: Draft, tally: _Tally) -> Iterator[Record]:
        try:
            cell = key_of(draft.values, draft.key)
            operator = "" if self._dataset is Dataset.INDICATORS else self._owner.of(draft.values, cell.plmn)
            record = BUILDERS[self._dataset](draft.values, operator, cell.key)
        except ValueError as error:
            tally.lose(number, str(error))
            return
        # A list of outages may go on naming what works again.
        if not (isinstance(record, Outage) and record.state is CellState.ACTIVE):
            yield record
