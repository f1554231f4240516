"""From the documents of a JSON feed to a batch."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from collector.mapping import RowMap, Translator
from collector.mapping.layout import DocumentLayout
from collector.mobile import Operators
from collector.model import ProbeFailed, Reason
from collector.records import Batch, Sense
from collector.selection import moment
from collector.selection.columns import Columns
from collector.selection.document import parsed
from collector.selection.rows import is_complete, rows, total
from collector.sources.fetched import Fetched


@dataclass(frozen=True, slots=True)
class _Page:
    """What one document said beside its rows; `total` is how many there are in all documents, None where unsaid."""

    rows: int
    total: int | None
    complete: bool
    said: Any


class JsonReader:
    """Reads the rows of documents as `plan` says; `operator` is whose they are where they do not say it."""

    def __init__(self, plan: RowMap, sense: Sense, operator: str | None, operators: Operators | None = None) -> None:
        self._plan, self._sense = plan, sense
        self._layout = plan.document or DocumentLayout()
        self._translator = Translator(plan, operator, operators, get=Columns(plan.names).get)

    def read(self, documents: Sequence[Fetched]) -> Batch:
        """What `documents`, the pages of a run, say. Raises ProbeFailed. Takes time: for threads."""
        pages: list[_Page] = []
        # One after the other: what is read of a document takes many times its size.
        translation = self._translator.translate(row for each in documents for row in self._rows(each, pages))
        return Batch(
            dataset=self._plan.dataset,
            sense=self._sense,
            records=translation.records,
            as_of=moment.as_of(self._plan.as_of, self._plan.times, (page.said for page in pages), translation.records),
            rows=translation.rows,
            unreadable=translation.unreadable,
            faults=translation.faults,
            complete=_is_whole(pages),
            raw=tuple((fetched.name, fetched.content) for fetched in documents),
        )

    def _rows(self, fetched: Fetched, pages: list[_Page]) -> Iterator[Any]:
        """The rows of a document; what else it says is added to `pages`."""
        layout = self._layout
        content = parsed(fetched.content, layout.max_values)
        found = rows(content, layout)
        totals = [each for each in (fetched.total, total(content, layout.total)) if each is not None]
        said = moment.said(self._plan.as_of, fetched, content)
        pages.append(_Page(len(found), max(totals, default=None), is_complete(content, layout), said))
        if sum(page.rows for page in pages) > layout.max_rows:
            raise ProbeFailed(Reason.TOO_LARGE, f"more than {layout.max_rows} rows")
        yield from found


def _is_whole(pages: Sequence[_Page]) -> bool:
    """Whether all is there. Servers count while others write: of several totals, the highest counts."""
    wanted = max((page.total for page in pages if page.total is not None), default=0)
    return sum(page.rows for page in pages) >= wanted and all(page.complete for page in pages)
