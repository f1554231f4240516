"""CSV (RFC 4180, and what people make of it): records with their line numbers."""

from __future__ import annotations

import csv
from collections import deque
from collections.abc import Iterator, Sequence
from itertools import chain, islice
from typing import Any

from collector.mapping.layout import TableLayout
from collector.tables.encoding import lines
from collector.tables.lines import Line

# Quoted names of columns may stand on several lines.
_BEYOND = 20


class Delimited:
    """The lines of one CSV file, read once from top to bottom."""

    def __init__(self, content: bytes, encoding: str, layout: TableLayout) -> None:
        self._layout = layout
        self._format: dict[str, Any] = {"delimiter": layout.delimiter, "strict": True}
        self._format |= {"quotechar": layout.quote} if layout.quote else {"quoting": csv.QUOTE_NONE}
        self.footer: deque[str] = deque(maxlen=layout.below or None)
        self.is_cut = False
        self._lines = self._without_footer(self._watched(lines(content, encoding)))
        self._head = list(islice(self._lines, layout.header_within + layout.header_rows + _BEYOND))

    def _watched(self, given: Iterator[str]) -> Iterator[str]:
        for line in given:
            self.is_cut = self._layout.newline_at_end and not line.endswith("\n")
            yield line

    def _without_footer(self, given: Iterator[str]) -> Iterator[str]:
        for line in given:
            if len(self.footer) < self._layout.below:
                self.footer.append(line)
            elif self._layout.below:
                yield self.footer.popleft()
                self.footer.append(line)
            else:
                yield line

    def above(self, number: int) -> list[str]:
        """The first lines, above line `number`."""
        return self._head[: max(number - 1, 0)]

    def candidates(self) -> Iterator[tuple[int, list[list[str]]]]:
        """What the header could be: numbers of lines from 1, with the records that begin there."""
        for at in range(min(self._layout.header_within, len(self._head))):
            if records := self.records_at(at, self._layout.header_rows):
                yield at + 1, records

    def records_at(self, at: int, count: int) -> list[list[str]]:
        """`count` records of the head from its line `at`; none where they cannot be read."""
        try:
            return list(islice(csv.reader(self._head[at:], **self._format), count))
        except csv.Error:
            return []

    def records(self, after: int, count: int) -> Iterator[Line]:
        """All records behind the `count` that begin at line `after`, from 1 (0: all there are)."""
        reader = csv.reader(chain(self._head[max(after - 1, 0) :], self._lines), **self._format)
        for _ in range(count):
            next(reader)
        waiting: Line | None = None
        for line in self._read(reader, max(after, 1)):
            if waiting is not None:
                yield waiting
            waiting = line
        if waiting is not None:
            yield Line(waiting.number, (), "the file ends within it") if self.is_cut and not self.footer else waiting

    def _read(self, reader: Any, first: int) -> Iterator[Line]:
        while True:
            begun = reader.line_num
            try:
                values: Sequence[str] = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                # A quote that is never closed takes the lines after it along.
                for number in range(begun, max(reader.line_num, begun + 1)):
                    yield Line(first + number, (), str(error))
                continue
            yield Line(first + begun, values)

    def parsed(self, line: str) -> list[str]:
        """The values of a line by itself; none where it cannot be read."""
        try:
            return next(csv.reader([line], **self._format), [])
        except csv.Error:
            return []
