"""What is kept of documents that did not change, and reading those that did."""

from __future__ import annotations

import asyncio
import gc
import threading
from typing import Any

import pytest

from collector.model import ProbeFailed, Reason
from collector.records import Batch, Dataset, Sense
from collector.sources.fetched import Fetched
from collector.sources.made import Made, Shelf

BATCH = Batch(Dataset.CELLS, Sense.POSITIVE, ())


class Settings:
    """Of a feed."""


def shelf() -> Shelf:
    """A shelf whose sources nobody asks."""
    sources: Any = None
    return Shelf(sources)


def test_a_batch_is_kept_for_the_very_documents() -> None:
    made, settings, others = Made(), Settings(), Settings()
    documents = (Fetched("a", b"1"), Fetched("b", b"2"))
    assert made.of(settings, documents) is None
    assert made.keep(settings, documents, BATCH) is BATCH
    assert made.of(settings, tuple(documents)) is BATCH
    assert made.of(settings, documents[:1]) is None
    assert made.of(settings, (documents[0], Fetched("b", b"2"))) is None
    assert made.of(others, documents) is None
    del settings
    gc.collect()
    assert not made._batches


async def test_a_batch_is_of_the_time_that_is_given() -> None:
    at, settings, documents = shelf(), Settings(), (Fetched("a", b"1"),)
    reads: list[int] = []

    def read() -> Batch:
        reads.append(1)
        return BATCH

    assert (await at.batch(settings, documents, read, 5.0)).as_of == 5.0
    assert (await at.batch(settings, documents, read, 6.0)).as_of == 6.0
    assert (await at.batch(settings, documents, read)).as_of is None
    assert reads == [1]


async def test_a_batch_of_files_came_with_the_last_of_them() -> None:
    at = shelf()
    files = (Fetched("a", b"1", arrived=10.0), Fetched("b", b"2", arrived=30.0), Fetched("c", b"3", arrived=20.0))
    assert (await at.batch(Settings(), files, lambda: BATCH)).arrived == 30.0
    assert (await at.batch(Settings(), (Fetched("a", b"1", modified=5.0),), lambda: BATCH)).arrived is None


async def test_what_cannot_be_read_is_told_with_its_documents() -> None:
    files = (Fetched("a", b"1"), Fetched("b", b"2"))

    def fail() -> Batch:
        raise ProbeFailed(Reason.PROTOCOL, "x")

    def fail_of_one() -> Batch:
        raise ProbeFailed(Reason.PROTOCOL, "x", (("b", b"2"),))

    for read, told in ((fail, (("a", b"1"), ("b", b"2"))), (fail_of_one, (("b", b"2"),))):
        with pytest.raises(ProbeFailed) as failed:
            await shelf().batch(Settings(), files, read)
        assert failed.value.documents == told


async def test_collections_wait_until_all_have_read() -> None:
    at, go = shelf(), threading.Event()
    seen: list[bool] = []

    def read() -> Batch:
        assert go.wait(5)
        seen.append(gc.isenabled())
        return BATCH

    def fail() -> Batch:
        raise ProbeFailed(Reason.PROTOCOL, "x")

    assert gc.isenabled()
    several = [asyncio.ensure_future(at.batch(Settings(), (Fetched("a", b"1"),), read)) for _ in range(3)]
    with pytest.raises(ProbeFailed):
        await at.batch(Settings(), (Fetched("a", b"1"),), fail)
    go.set()
    await asyncio.gather(*several)
    assert seen == [False] * 3
    assert gc.isenabled()
