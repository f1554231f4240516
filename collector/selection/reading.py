"""From the documents of a JSON feed to a batch."""

from __future__ import annotations

from collections.abc import Sequence

from collector.mapping import RowMap, Translator
from collector.mapping.layout import DocumentLayout
from collector.mobile import Operators
from collector.model import ProbeFailed, Reason
from collector.records import Batch, Sense
from collector.selection.columns import Columns
from collector.selection.document import parsed
from collector.selection.moment import Page, as_of
from collector.selection.rows import is_complete, rows, total
from collector.sources.fetched import Fetched


class JsonReader:
    """Reads the rows of documents as `plan` says; `operator` is whose they are where they do not say it."""

    def __init__(self, plan: RowMap, sense: Sense, operator: str | None, operators: Operators | None = None) -> None:
        self._plan, self._sense = plan, sense
        self._layout = plan.document or DocumentLayout()
        self._translator = Translator(plan, operator, operators, get=Columns(plan.names).get)

    def read(self, documents: Sequence[Fetched]) -> Batch:
        """What `documents`, the pages of a run, say. Raises ProbeFailed. Takes time: for threads."""
        layout = self._layout
        pages = [Page(fetched, parsed(fetched.content, layout.max_values)) for fetched in documents]
        found = [row for page in pages for row in rows(page.content, layout)]
        if len(found) > layout.max_rows:
            raise ProbeFailed(Reason.TOO_LARGE, f"more than {layout.max_rows} rows")
        translation = self._translator.translate(found)
        rule = self._plan.as_of
        return Batch(
            dataset=self._plan.dataset,
            sense=self._sense,
            records=translation.records,
            as_of=None if rule is None else as_of(rule, self._plan.times, pages, translation.records),
            rows=translation.rows,
            unreadable=translation.unreadable,
            faults=translation.faults,
            complete=self._is_whole(pages, len(found)),
            raw=tuple((fetched.name, fetched.content) for fetched in documents),
        )

    def _is_whole(self, pages: Sequence[Page], received: int) -> bool:
        """Whether all is there. Servers count while others write: of several totals, the highest counts."""
        said = [each for page in pages for each in (page.fetched.total, total(page.content, self._layout.total))]
        wanted = max((each for each in said if each is not None), default=0)
        return received >= wanted and all(is_complete(page.content, self._layout) for page in pages)
