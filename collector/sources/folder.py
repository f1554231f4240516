"""A folder of this machine. A file system that hangs holds one thread of ours, and no other folder's."""

from __future__ import annotations

import asyncio
import errno
import os
import stat
from collections.abc import Callable
from concurrent.futures import Executor, Future
from typing import ParamSpec, TypeVar

from collector.model import ProbeFailed, Reason
from collector.sources.files import MOST_ENTRIES, Entry, regular, wanted
from collector.sources.kept import Kept, Stamp
from collector.sources.spec import FolderSource

# Who may write into the folder must not make us read elsewhere by a link, or wait at a pipe.
_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC

P = ParamSpec("P")
R = TypeVar("R")


class LocalFolder:
    """A look into a folder, in a thread of `executor`."""

    def __init__(self, source: FolderSource, kept: Kept, executor: Executor) -> None:
        self._source = source
        self._kept = kept
        self._executor = executor

    async def entries(self) -> list[Entry]:
        """The regular files in it that are wanted. Raises ProbeFailed; OSError when it cannot be read."""
        return await self._apart(entries, self._source)

    async def read(self, entry: Entry) -> bytes | None:
        """Contents of the file; None where it changed or has gone."""
        return await self._apart(read, self._source, entry)

    async def _apart(self, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        busy: Future[object] | None = self._kept.busy
        if busy is not None and not busy.done():
            raise OSError(errno.EBUSY, "an earlier look into the folder has not ended", str(self._source.folder))
        future = self._executor.submit(function, *args, **kwargs)
        self._kept.busy = future
        return await asyncio.wrap_future(future)


def entries(source: FolderSource) -> list[Entry]:
    """As LocalFolder's; blocks."""
    found = []
    with os.scandir(source.folder) as listing:
        for number, item in enumerate(listing):
            if number == MOST_ENTRIES:
                raise ProbeFailed(Reason.TOO_LARGE, f"more than {MOST_ENTRIES} entries in the folder")
            if wanted(source, item.name):
                try:
                    status = item.stat(follow_symlinks=False)
                except FileNotFoundError:
                    continue
                if regular(status.st_mode):
                    found.append(Entry(item.name, _stamp(status)))
    return found


def read(source: FolderSource, entry: Entry) -> bytes | None:
    """As LocalFolder's; blocks."""
    try:
        descriptor = os.open(source.folder / entry.name, _FLAGS)
    except OSError as error:
        if error.errno in (errno.ENOENT, errno.ELOOP):
            return None
        raise
    with os.fdopen(descriptor, "rb", buffering=0) as file:
        if _now(file.fileno()) != entry.stamp:
            return None
        parts, left = [], entry.stamp.size + 1
        while left and (part := file.read(min(left, 1024 * 1024))):
            parts.append(part)
            left -= len(part)
        return b"".join(parts) if left == 1 and _now(file.fileno()) == entry.stamp else None


def _now(descriptor: int) -> Stamp | None:
    status = os.fstat(descriptor)
    return _stamp(status) if stat.S_ISREG(status.st_mode) else None


def _stamp(status: os.stat_result) -> Stamp:
    return Stamp(status.st_mtime, status.st_size)
