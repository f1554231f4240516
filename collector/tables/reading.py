"""From the documents of a table feed to a batch."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from collector.mapping import RowMap, Translation, Translator, Unread
from collector.mapping.layout import TableLayout
from collector.mapping.translator import MAX_FAULTS, Number
from collector.mobile import Operators
from collector.model import ProbeFailed, Reason
from collector.records import Batch, Sense
from collector.selection import moment
from collector.sources.fetched import Fetched
from collector.tables.table import Table, opened

_BESIDE = frozenset({"above", "below"})


@dataclass(frozen=True, slots=True)
class _Part:
    """What one document said."""

    translation: Translation
    complete: bool
    said: Any


class TableReader:
    """Reads tables as `plan` says; `operator` is whose their rows are where they do not say it."""

    def __init__(self, plan: RowMap, sense: Sense, operator: str | None, operators: Operators | None = None) -> None:
        """Raises ValueError for coordinates that EPSG has not."""
        self._plan, self._sense = plan, sense
        self._layout = plan.table or TableLayout()
        self._translator = Translator(plan, operator, operators)

    def read(self, documents: Sequence[Fetched]) -> Batch:
        """What `documents` say together. Raises ProbeFailed; OSError for our own faults. Takes time: for threads."""
        parts = [self._part(document, alone=len(documents) == 1) for document in documents]
        translations = [part.translation for part in parts]
        records = tuple(record for translation in translations for record in translation.records)
        return Batch(
            dataset=self._plan.dataset,
            sense=self._sense,
            records=records,
            as_of=moment.as_of(self._plan.as_of, self._plan.times, (part.said for part in parts), records),
            rows=sum(translation.rows for translation in translations),
            unreadable=sum(translation.unreadable for translation in translations),
            faults=tuple(fault for translation in translations for fault in translation.faults)[:MAX_FAULTS],
            complete=all(part.complete for part in parts),
            raw=tuple((document.name, document.content) for document in documents),
        )

    def _part(self, document: Fetched, *, alone: bool) -> _Part:
        try:
            with opened(document.content, self._plan, self._layout) as table:
                rows = table.rows(self._layout)
                translation = self._translator.translate_numbered(rows if alone else _named(rows, document.name))
                return _Part(translation, table.complete, self._said(table, document))
        except ProbeFailed as failure:
            detail = failure.detail if alone else f"{document.name}: {failure.detail}"
            raise ProbeFailed(failure.reason, detail, ((document.name, document.content),)) from failure

    def _said(self, table: Table, document: Fetched) -> Any:
        rule = self._plan.as_of
        if rule is None or rule.by not in _BESIDE or rule.pattern is None:
            return moment.said(rule, document)
        for line in table.above if rule.by == "above" else table.below:
            if (said := rule.pattern.found(line)) is not None:
                return said
        # Data that once had a time, and has none now, may be of any age.
        raise ProbeFailed(Reason.UNEXPECTED, f"no time of the data {rule.by} the rows")


def _named(rows: Iterator[tuple[Number, object | Unread]], name: str) -> Iterator[tuple[Number, object]]:
    for number, row in rows:
        yield f"{number} of {name}", row
