"""When files of the configuration change, whatever becomes of the names that they are found by."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import aclosing, suppress
from pathlib import Path, PurePath

import structlog
from watchfiles import Change, awatch

# Beside them and the files of secrets, a configuration directory may hold what is none of our business.
SUFFIXES = (".yaml", ".yml", ".geojson")
# The kernel watches what a name stands for, not the name: by then we see that it stands for something else.
LOOK_EVERY = 2.0
_STEP, _SETTLED = 100, 400  # ms: an editor writes in several steps

log = structlog.get_logger(__name__)


async def changes(
    wanted: Callable[[], Sequence[Path]], stopping: asyncio.Event, every: float = LOOK_EVERY
) -> AsyncIterator[None]:
    """Comes whenever one of the files `wanted`, or one of ours below a directory of these, may have changed.

    Ends with `stopping`. What is missing is waited for; where the kernel has no room for another watch, the files are
    looked at every so often. `every` is in seconds.
    """
    missed = polling = False
    while not stopping.is_set():
        files = tuple(wanted())
        there = await asyncio.to_thread(_identities, files)
        watch = awatch(
            *there,
            watch_filter=_concerning(files),
            step=_STEP,
            debounce=_SETTLED,
            stop_event=stopping,
            rust_timeout=round(every * 1000),
            yield_on_timeout=True,
            force_polling=polling or None,
            poll_delay_ms=round(every * 1000),
        )
        try:
            async with aclosing(watch) as seen:
                async for changed in seen:
                    if changed or missed:
                        missed = False
                        yield
                    if tuple(wanted()) != files or _lost(changed, there) or await _others(files, there):
                        missed = True
                        break
        except (OSError, RuntimeError) as error:  # the library raises both
            if not isinstance(error, FileNotFoundError):  # that one has gone just now
                log.warning("files cannot be watched; looking at them every so often", error=str(error))
                polling = True
            missed = True
            with suppress(TimeoutError):
                async with asyncio.timeout(every):
                    await stopping.wait()


def _identities(files: Iterable[Path]) -> dict[Path, tuple[int, int]]:
    """Device and inode of those that are there."""
    found = {}
    for file in files:
        with suppress(OSError):
            status = file.stat()
            found[file.absolute()] = status.st_dev, status.st_ino
    return found


async def _others(files: Iterable[Path], there: Mapping[Path, tuple[int, int]]) -> bool:
    return await asyncio.to_thread(_identities, files) != there


def _lost(changed: Iterable[tuple[Change, str]], there: Mapping[Path, tuple[int, int]]) -> bool:
    """Whether one of the files itself was deleted: what has its name, and perhaps its inode, now is not watched."""
    return any(change is Change.deleted and Path(path) in there for change, path in changed)


def _concerning(files: Iterable[Path]) -> Callable[[Change, str], bool]:
    names = frozenset(file.name for file in files)
    return lambda _, path: path.endswith(SUFFIXES) or PurePath(path).name in names
