"""Tables of a device: which columns to walk, which cells to ask for, and the samples of the rows."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping

from collector.devices import SINGLE, Raw, TablePlan, Tally
from collector.model import Emit
from collector.snmp.reader import Column, Reader

# A walk that is filtered afterwards may see this many times more rows than are kept.
_SIFTED = 10
# Answers of one walk over a whole subtree.
_SUBTREE_LIMIT = 50_000
# Rows after which other runs get their turn.
_TURN = 200


class Tables:
    """What one run reads of a device's tables; a column that two of them need is read once."""

    def __init__(self, reader: Reader, singles: Mapping[str, Raw], max_rows: int, tally: Tally, emit: Emit) -> None:
        self._reader = reader
        self._rows_left = max_rows
        self._height = 0
        self._tally = tally
        self._emit = emit
        self._cells: dict[str, Column] = {oid: {SINGLE: raw} for oid, raw in singles.items()}
        self._whole: set[str] = set()

    async def read(self, table: TablePlan) -> None:
        """Fetch what the table needs and emit the samples of its rows."""
        limit = self._rows_left * (_SIFTED if table.table.rows else 1)
        for root in table.table.walk:
            await self._subtree(root, table)
        rows = table.accepted(await self._keys(table, limit), self._tally)
        await self._fetch(table.label_columns, rows, limit)
        for column in table.lookup_columns:
            await self._walk(column, limit)
        for column, keys in table.unlabelled(rows, self._cells):
            await self._fetch([column], keys, limit)
        labelled = self._within_limit(table.labelled(rows, self._cells, self._tally))
        await self._fetch(table.value_columns, labelled, limit)
        for turn, (key, labels) in enumerate(labelled.items(), 1):
            table.emit(key, labels, self._cells, self._emit, self._tally)
            if turn % _TURN == 0:
                await asyncio.sleep(0)

    async def _keys(self, table: TablePlan, limit: int) -> Iterable[str]:
        keys: Iterable[str] | None = table.fixed
        self._height = 0
        for column, passes in table.filters:
            await (self._walk(column, limit) if keys is None else self._fetch([column], keys, limit))
            cells = self._cells.get(column, {})
            known = cells if keys is None else keys
            self._height = max(self._height, len(cells))
            keys = [key for key in known if key in cells and passes(cells[key])]
        if keys is not None:
            return keys
        for reading in table.readings:
            await self._walk(reading.oid, limit)
            cells = self._cells[reading.oid]
            if cells:
                self._height = len(cells)
                return cells
        return ()

    def _within_limit(self, rows: Mapping[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
        kept = dict(list(rows.items())[: self._rows_left])
        self._tally.dropped["limit"] += len(rows) - len(kept)
        self._rows_left -= len(kept)
        return kept

    async def _fetch(self, columns: Iterable[str], keys: Iterable[str], limit: int) -> None:
        """Cells of these rows, by GET or by walking the columns: whichever takes fewer packets."""
        keys = list(keys)
        lacking = [column for column in dict.fromkeys(columns) if column not in self._whole]
        wanted = {
            f"{column}.{key}": (column, key)
            for column in lacking
            for key in keys
            if key not in self._cells.get(column, ())
        }
        walking = sum(self._reader.cost(column, self._height) for column in lacking)
        if self._height and len(wanted) > self._reader.group * walking:
            for column in lacking:
                await self._walk(column, limit)
            return
        answers = await self._reader.get(wanted) if wanted else {}
        for oid, (column, key) in wanted.items():
            if oid in answers:
                self._cells.setdefault(column, {})[key] = answers[oid]

    async def _walk(self, column: str, limit: int) -> None:
        if column in self._whole:
            return
        self._cells[column], more = await self._reader.walk(column, limit)
        self._tally.dropped["limit"] += more
        self._whole.add(column)

    async def _subtree(self, root: str, table: TablePlan) -> None:
        inside = {column: f"{column}." for column in table.columns if column.startswith(f"{root}.")}
        if inside.keys() <= self._whole:
            return
        cells, more = await self._reader.walk(root, _SUBTREE_LIMIT)
        self._tally.dropped["limit"] += more
        found: dict[str, dict[str, Raw]] = {column: {} for column in inside}
        for key, raw in cells.items():
            oid = f"{root}.{key}"
            for column, prefix in inside.items():
                if oid.startswith(prefix):
                    found[column][oid[len(prefix) :]] = raw
        self._cells.update(found)
        self._whole.update(inside)
