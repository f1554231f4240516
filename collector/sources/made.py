"""What was made of documents, kept as long as they are the same: nobody reads a list again that did not change."""

from __future__ import annotations

import weakref
from collections.abc import Sequence
from typing import Any

from collector.records import Batch
from collector.sources.fetched import Fetched


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
