"""A table: the rows of a document below its header, and whether the document is all there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import islice

from collector.mapping import RowMap, Unread
from collector.mapping.layout import TableLayout
from collector.mapping.words import folded, text
from collector.model import ProbeFailed, Reason
from collector.tables import encoding
from collector.tables.delimited import Delimited
from collector.tables.heading import Heading, Wanted, found
from collector.tables.lines import Line
from collector.tables.workbook import Workbook

_SHOWN_BELOW = 50


class Table:
    """Rows with their numbers; once they are read, `complete` says whether the end was there, `below` what followed."""

    def __init__(self, source: Delimited | Workbook, heading: Heading, after: int, count: int) -> None:
        """The heading is that of the `count` records from line `after`."""
        self._source, self._heading = source, heading
        self._lines = source.records(after, count)
        self.above = source.above(after)
        self.below: list[str] = []
        self._ended = False

    def rows(self, layout: TableLayout) -> Iterator[tuple[int, dict[str, object] | Unread]]:
        """What the map reads of each row. Raises ProbeFailed when there are too many, or rows where none may be."""
        count = 0
        self._ended = layout.end is None
        for line in self._lines:
            if line.is_blank:
                continue
            if layout.end is not None and layout.end.search(line.text):
                self._ended = True
                self.below = [line.text, *(each.text for each in islice(self._lines, _SHOWN_BELOW))]
                break
            if (count := count + 1) > layout.max_rows:
                raise ProbeFailed(Reason.TOO_LARGE, f"more than {layout.max_rows} rows")
            yield line.number, self._row(line, layout)
        self._check_footer(layout)

    @property
    def complete(self) -> bool:
        """Whether the form shows that the end is there."""
        return self._ended and not self._source.is_cut

    def _row(self, line: Line, layout: TableLayout) -> dict[str, object] | Unread:
        values, heading = line.values, self._heading
        if line.problem:
            return Unread(line.problem)
        if not heading.fits(values, ragged=layout.ragged):
            return Unread(f"columns: {len(values)}, but {heading.width} in the header")
        row = heading.row(values)
        for value in row.values():
            if isinstance(value, str) and len(value) > layout.max_cell:
                return Unread(f"a value of more than {layout.max_cell} characters")
        return Unread("the header again") if self._is_heading(row) else row

    def _is_heading(self, row: dict[str, object]) -> bool:
        return all(isinstance(value, str) and folded(value) == folded(name) for name, value in row.items())

    def _check_footer(self, layout: TableLayout) -> None:
        self.below += self._source.footer
        if len(self._source.footer) < layout.below:
            raise ProbeFailed(Reason.UNEXPECTED, f"fewer than {layout.below} lines below the rows")
        if isinstance(self._source, Delimited) and self._heading.least > 1:
            for line in self._source.footer:
                values = [value for value in self._source.parsed(line) if value.strip()]
                if len(values) * 2 > self._heading.least:
                    raise ProbeFailed(Reason.UNEXPECTED, f"a row where {layout.below} lines are to end the table")


@contextmanager
def opened(content: bytes, plan: RowMap, layout: TableLayout) -> Iterator[Table]:
    """The table in a document. Raises ProbeFailed when there is none such as the map says.

    Takes time: for threads.
    """
    if not content or content.isspace():
        raise ProbeFailed(Reason.PROTOCOL, "the document is empty")
    if layout.format == "csv":
        yield _delimited(content, plan, layout)
        return
    with Workbook(content, layout) as workbook:
        yield _table(workbook, plan, layout)


def _delimited(content: bytes, plan: RowMap, layout: TableLayout) -> Table:
    failures: list[ProbeFailed] = []
    for name in layout.encoding:
        try:
            encoding.check(content, name)
            return _table(Delimited(content, name, layout), plan, layout)
        except ProbeFailed as failure:
            failures.append(failure)
    # What is said of the first encoding is of use; that the file is not in the others either is not.
    raise failures[0]


def _table(source: Delimited | Workbook, plan: RowMap, layout: TableLayout) -> Table:
    wanted = Wanted(plan)
    if layout.header != "none":
        try:
            number, heading = found(wanted, source.candidates(), layout.max_columns)
            return Table(source, heading, number, layout.header_rows)
        except ProbeFailed as failure:
            if layout.header == "required" or failure.reason is Reason.TOO_LARGE:
                raise
    names = [folded(text(name)) for name in layout.columns]
    if lacks := wanted.missing(names):
        raise ProbeFailed(Reason.UNEXPECTED, f"`columns` has no {lacks[0][0]!r}")
    _check_width(source, len(names))
    return Table(source, wanted.heading(names), 0, 0)


def _check_width(source: Delimited | Workbook, width: int) -> None:
    first: Sequence[object] = next((records[0] for _, records in source.candidates()), ())
    if len(first) != width:
        raise ProbeFailed(Reason.UNEXPECTED, f"no header, and no row of {width} columns")
