"""The `pm3gpp` feed: performance files of a mobile network, and the downtime of cells that their counters say."""

from __future__ import annotations

from functools import partial
from typing import Literal

from pydantic import Field, model_validator

from collector.measures import fault
from collector.model import Emit, Kind, ProbeFailed, Reason
from collector.net import Context
from collector.pm.counters import CellName, Counters
from collector.pm.document import Limits
from collector.pm.downtime import Downtimes
from collector.records import Batch, Dataset, Sense
from collector.sources.feed import FeedSpec, OperatorId
from collector.sources.fetch import SOURCE_METRICS
from collector.sources.fetched import Fetched
from collector.sources.made import Shelf, shelved


class PmSpec(FeedSpec):
    """Performance files (TS 32.435, TS 28.532), and which of their counters are downtime of which cells."""

    operator: OperatorId = Field(description="Operator whose cells they are.")
    dataset: Literal[Dataset.DOWNTIME] = Field(Dataset.DOWNTIME, description="Always downtime.")
    sense: Literal[Sense.POSITIVE] = Field(Sense.POSITIVE, description="Always positive: every cell is counted.")
    counters: Counters = Field(Counters(), description="Counters of downtime; default those of one vendor.")
    cell: CellName = Field(description="How the distinguished name of an object gives the key of its cell.")
    max_elements: int = Field(1_000_000, ge=1000, le=20_000_000, description="Most XML elements in one file.")

    @model_validator(mode="after")
    def _counts(self) -> PmSpec:
        if not self.counters.unplanned and not self.counters.planned:
            raise fault("`counters` names none")
        return self


async def probe(spec: PmSpec, emit: Emit, context: Context[Shelf]) -> Batch:
    """What the files say. Raises ProbeFailed; OSError when the fault is ours."""
    documents = await context.resource.sources.fetch(spec.source, context, emit)
    return await context.resource.batch(spec, documents, partial(read, spec, documents))


def read(spec: PmSpec, documents: tuple[Fetched, ...]) -> Batch:
    """Downtime of cells, of all files together. Raises ProbeFailed. Takes time: for threads."""
    downtimes = Downtimes(spec.counters, spec.cell, spec.operator, Limits(elements=spec.max_elements))
    for document in documents:
        try:
            downtimes.read(document.content)
        except ValueError as error:
            raise ProbeFailed(
                Reason.PROTOCOL, f"{document.name[:60]}: {error}", ((document.name, document.content),)
            ) from error
    batch = downtimes.batch((document.name, document.content) for document in documents)
    if not batch.rows:
        raise ProbeFailed(Reason.UNEXPECTED, "none of the `counters` is in the files")
    return batch


KIND = Kind(
    "pm3gpp",
    "Reads performance files of mobile networks (3GPP TS 32.435, TS 28.532): how long each cell was out.",
    PmSpec,
    SOURCE_METRICS,
    probe,
    shelved,
    feed=True,
)
