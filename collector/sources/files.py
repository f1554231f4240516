"""Which files of a folder to read, wherever it is, and reading those that are not being written."""

from __future__ import annotations

import asyncio
import stat
import time
from collections.abc import Iterable
from dataclasses import replace
from fnmatch import fnmatchcase
from typing import NamedTuple, Protocol

from collector.model import ProbeFailed, Reason
from collector.sources.fetched import Fetched, about, opened, plain_name
from collector.sources.kept import Kept, Sighting, Stamp
from collector.sources.spec import FileSource

MOST_ENTRIES = 50_000
_UNFINISHED = (".part", ".tmp")


class Entry(NamedTuple):
    """A file of the folder, by its name there."""

    name: str
    stamp: Stamp


class Folder(Protocol):
    """A folder that can be looked into. Its methods raise ProbeFailed; OSError when the fault is ours."""

    async def entries(self) -> list[Entry]:
        """The regular files in it that `wanted` says yes to."""

    async def read(self, entry: Entry) -> bytes | None:
        """Contents of the file, all of them; None where it is no longer what `entry` says."""


def wanted(source: FileSource, name: str) -> bool:
    """Whether a file of this name is to be taken."""
    unfinished = name.startswith(".") or name.lower().endswith(_UNFINISHED) or "/" in name
    return not unfinished and fnmatchcase(name, source.pattern)


def regular(mode: int | None) -> bool:
    """Whether what has this mode may be a plain file; a server need not say what it is."""
    return stat.S_IFMT(mode or 0) in (0, stat.S_IFREG)


async def gather(folder: Folder, source: FileSource, kept: Kept) -> tuple[Fetched, ...]:
    """The documents of `folder`; those of before where it did not change. Raises ProbeFailed; OSError when it is us."""
    entries = await folder.entries()
    if not entries:
        raise ProbeFailed(Reason.UNEXPECTED, f"no file is called {source.pattern}")
    now = time.time()
    settled = _settled(source, kept, entries, now)
    files: dict[tuple[str, Stamp], Fetched] = {}
    size = 0
    for entry in _chosen(source, settled, now):
        found = kept.files.get(entry) or await _read(folder, source, entry)
        if found is None:
            continue
        files[entry] = found
        size += len(found.content)
        if size > source.max_total_size:
            raise ProbeFailed(Reason.TOO_LARGE, f"the files are larger than {source.max_total_size} bytes")
        if source.take == "newest":
            break
    if files:
        kept.files = files
        return kept.keep(tuple(files.values()))
    being_written = len(settled) < len(entries)
    if kept.documents and being_written and all(_is_of_late(source, stamp, now) for _, stamp in kept.files):
        return kept.documents
    raise ProbeFailed(Reason.UNEXPECTED, f"no file that is called {source.pattern} is complete, and new enough")


async def _read(folder: Folder, source: FileSource, entry: Entry) -> Fetched | None:
    if entry.stamp.size > source.max_size:
        raise ProbeFailed(Reason.TOO_LARGE, f"a file is larger than {source.max_size} bytes")
    content = await folder.read(entry)
    if content is None:
        return None
    modified = entry.stamp.modified
    # Where a clock is ahead, a file is here no later than when it is read first.
    found = Fetched(plain_name(entry.name), content, modified=modified, arrived=min(modified, time.time()))
    with about(found):
        return replace(found, content=await asyncio.to_thread(opened, content, source.max_size))


def _chosen(source: FileSource, settled: Iterable[Entry], now: float) -> list[Entry]:
    """Of the complete files those to read, in order: that are new enough. Raises ProbeFailed when they are too many."""
    late = [entry for entry in settled if _is_of_late(source, entry.stamp, now)]
    if source.take == "newest":
        return sorted(late, key=lambda entry: (entry.stamp.modified, entry.name), reverse=True)
    if len(late) > source.max_documents:
        raise ProbeFailed(Reason.TOO_LARGE, f"more than {source.max_documents} files")
    return sorted(late)


def _is_of_late(source: FileSource, stamp: Stamp, now: float) -> bool:
    return source.within is None or now - stamp.modified <= source.within


def _settled(source: FileSource, kept: Kept, entries: Iterable[Entry], now: float) -> list[Entry]:
    """Those that have not changed for a while: by their own time or, where a clock is wrong, by what we saw."""
    moment = time.monotonic()
    sightings, settled = {}, []
    for entry in entries:
        sighting = kept.sightings.get(entry.name)
        if sighting is None or sighting.stamp != entry.stamp:
            sighting = Sighting(entry.stamp, moment)
        sightings[entry.name] = sighting
        if now - entry.stamp.modified >= source.settle or moment - sighting.at >= source.settle:
            settled.append(entry)
    kept.sightings = sightings
    return settled
