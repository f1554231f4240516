"""What is remembered of each source between runs: its last documents, and how to ask whether they changed."""

from __future__ import annotations

import weakref
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from collector.sources.fetched import Fetched


class Stamp(NamedTuple):
    """What a file's contents are told by: its time of change (Unix seconds) and its size (bytes)."""

    modified: float
    size: int


class Sighting(NamedTuple):
    """A file as it was first seen with these contents; `at` is by the monotonic clock."""

    stamp: Stamp
    at: float


@dataclass(slots=True)
class Kept:
    """Of one source. `validators` are request headers that ask for news only (RFC 9110 section 13.1)."""

    documents: tuple[Fetched, ...] = ()
    validators: Mapping[str, str] = field(default_factory=dict)
    files: dict[tuple[str, Stamp], Fetched] = field(default_factory=dict)
    sightings: dict[str, Sighting] = field(default_factory=dict)
    busy: Any = None

    def keep(self, documents: tuple[Fetched, ...]) -> tuple[Fetched, ...]:
        """Those of before, the same objects, where `documents` are equal to them."""
        if documents != self.documents:
            self.documents = documents
        return self.documents


class Memory:
    """What is kept of all sources. Loop only. A source that is gone is forgotten."""

    def __init__(self) -> None:
        self._kept: dict[int, Kept] = {}

    def of(self, source: Any) -> Kept:
        """What is kept of `source`: of this very object, for equal ones may be of two targets."""
        key = id(source)
        if key not in self._kept:
            self._kept[key] = Kept()
            weakref.finalize(source, self._kept.pop, key, None)
        return self._kept[key]
