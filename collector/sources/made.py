"""What was made of documents, kept as long as they are the same: nobody reads a list again that did not change."""

from __future__ import annotations

import asyncio
import gc
import threading
import weakref
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from collector.net import Net
from collector.records import Batch
from collector.sources.fetch import Sources, opened
from collector.sources.fetched import Fetched, about


class _Readers:
    """How many threads read documents. The garbage collector would stop all others for its way through their objects.

    What is read has no circular references: it goes when nobody refers to it any more.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._number = 0
        self._to_enable = False

    def __enter__(self) -> None:
        with self._lock:
            self._number += 1
            if self._number == 1:
                self._to_enable = gc.isenabled()
                gc.disable()

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._number -= 1
            if self._number == 0 and self._to_enable:
                gc.enable()


_READERS = _Readers()


def _without_collections(read: Callable[[], Batch]) -> Batch:
    with _READERS:
        return read()


class Made:
    """The last batch of each feed, by the very object of its settings. Loop only. A feed that is gone is forgotten."""

    def __init__(self) -> None:
        self._batches: dict[int, tuple[tuple[Fetched, ...], Batch]] = {}

    def of(self, spec: Any, documents: Sequence[Fetched]) -> Batch | None:
        """The batch that was made of these very objects."""
        before, batch = self._batches.get(id(spec), ((), None))
        same = len(before) == len(documents) and all(one is other for one, other in zip(before, documents, strict=True))
        return batch if same else None

    def keep(self, spec: Any, documents: Sequence[Fetched], batch: Batch) -> Batch:
        """Keep `batch`, which was made of `documents`."""
        key = id(spec)
        if key not in self._batches:
            weakref.finalize(spec, self._batches.pop, key, None)
        self._batches[key] = (tuple(documents), batch)
        return batch


@dataclass(frozen=True, slots=True)
class Shelf:
    """What all runs of a kind share that reads whole documents."""

    sources: Sources
    made: Made = field(default_factory=Made)

    async def batch(
        self, spec: Any, documents: tuple[Fetched, ...], read: Callable[[], Batch], as_of: float | None = None
    ) -> Batch:
        """What `read` makes of `documents` in a thread, or made of them before; of the time `as_of`, where given."""
        batch = self.made.of(spec, documents)
        if batch is None:
            with about(*documents):
                batch = await asyncio.to_thread(_without_collections, read)
            came = [document.arrived for document in documents if document.arrived is not None]
            batch = self.made.keep(spec, documents, replace(batch, arrived=max(came, default=None)))
        return batch if as_of is None else replace(batch, as_of=as_of)


@asynccontextmanager
async def shelved(net: Net) -> AsyncIterator[Shelf]:
    """`Kind.open` of such a kind."""
    async with opened(net) as sources:
        yield Shelf(sources)
