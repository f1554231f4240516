"""The `table` feed: CSV files and workbooks, read by a map of their columns."""

from __future__ import annotations

import time
from functools import partial

from pydantic import model_validator

from collector.mapping.spec import MappedSpec
from collector.measures import fault
from collector.model import Emit, Kind
from collector.net import Context
from collector.records import Batch
from collector.selection.moment import live
from collector.sources.fetch import SOURCE_METRICS
from collector.sources.fetched import Fetched
from collector.sources.made import Shelf, shelved
from collector.tables.reading import TableReader


class TableSpec(MappedSpec):
    """CSV files or workbooks whose columns a map with `table` names."""

    @model_validator(mode="after")
    def _is_a_table(self) -> TableSpec:
        if self.map.table is None:
            raise fault(f"map '{self.map.name}' has no `table`: it is not for tables")
        if self.map.as_of is not None and self.map.as_of.by == "document":
            raise fault(f"map '{self.map.name}': `as_of: {{by: document}}` is for JSON")
        return self


async def probe(spec: TableSpec, emit: Emit, context: Context[Shelf]) -> Batch:
    """What the tables say. Raises ProbeFailed; OSError when the fault is ours."""
    asked = time.time()
    documents = await context.resource.sources.fetch(spec.source, context, emit)
    return await context.resource.batch(spec, documents, partial(_read, spec, documents), live(spec.map.as_of, asked))


def _read(spec: TableSpec, documents: tuple[Fetched, ...]) -> Batch:
    return TableReader(spec.map, spec.sense, spec.operator, spec.operators).read(documents)


KIND = Kind(
    "table",
    "Reads CSV files and workbooks (XLSX), as a map of their columns in feeds.d says.",
    TableSpec,
    SOURCE_METRICS,
    probe,
    shelved,
    feed=True,
)
