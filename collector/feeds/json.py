"""The `json` feed: rows of any REST answer or file, selected by JMESPath as a map says."""

from __future__ import annotations

import time
from functools import partial

from pydantic import Field, model_validator

from collector.mapping.spec import MappedSpec
from collector.measures import fault
from collector.model import Emit, Kind
from collector.net import Context
from collector.records import Batch
from collector.rest.shape import Paging
from collector.selection.fitness import check
from collector.selection.moment import live
from collector.selection.reading import JsonReader
from collector.sources.fetch import SOURCE_METRICS
from collector.sources.fetched import Fetched
from collector.sources.made import Shelf, shelved
from collector.sources.spec import HttpSource


class JsonSpec(MappedSpec):
    """Documents whose rows a map with `document` selects."""

    paging: Paging | None = Field(None, description="How a document goes on in further ones; for `url` only.")

    @model_validator(mode="after")
    def _is_selectable(self) -> JsonSpec:
        if self.map.document is None:
            raise fault(f"map '{self.map.name}' has no `document`: it is not for JSON")
        if self.paging is not None and not isinstance(self.source, HttpSource):
            raise fault("`paging` is for sources with `url`")
        check(self.map)
        return self


async def probe(spec: JsonSpec, emit: Emit, context: Context[Shelf]) -> Batch:
    """What the documents say. Raises ProbeFailed; OSError when the fault is ours."""
    asked = time.time()
    documents = await _documents(spec, emit, context)
    return await context.resource.batch(spec, documents, partial(_read, spec, documents), live(spec.map.as_of, asked))


async def _documents(spec: JsonSpec, emit: Emit, context: Context[Shelf]) -> tuple[Fetched, ...]:
    sources = context.resource.sources
    if isinstance(spec.source, HttpSource):
        return await sources.pages(spec.source, spec.paging, context, emit)
    return await sources.fetch(spec.source, context, emit)


def _read(spec: JsonSpec, documents: tuple[Fetched, ...]) -> Batch:
    return JsonReader(spec.map, spec.sense, spec.operator, spec.operators).read(documents)


KIND = Kind(
    "json",
    "Reads the rows of any JSON, such as TMF639 resources or 3GPP alarms, as a map in feeds.d says.",
    JsonSpec,
    SOURCE_METRICS,
    probe,
    shelved,
    feed=True,
)
