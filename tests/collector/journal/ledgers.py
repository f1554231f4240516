"""Journals as a test wants them: written by the service's own code, without waiting for time to pass."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

from collector.journal import Change, Interval, Journal, Ledger, Saved, reading_ledger
from collector.journal.intake import Batch
from collector.journal.opening import Opened, open_file
from collector.journal.storage import write
from collector.model import SystemState

T = TypeVar("T")

# Long enough ago for what follows it in any test to be past, and not so long that it is forgotten.
START = float(int(time.time()) - 40 * 86400)


def saved_at(moment: float, systems: Iterable[str] = ("portal",), known: float = START) -> Saved:
    """Systems that were up from `known` to `moment`."""
    names = list(systems)
    return Saved(
        {name: {SystemState.UP: moment - known} for name in names},
        dict.fromkeys(names, SystemState.UP),
        dict.fromkeys(names, moment),
        dict.fromkeys(names, known),
    )


def opened(path: Path) -> Opened:
    """The journal at `path`, to be closed."""
    found = open_file(path)
    assert found.writable, found.notes
    return found


def put(
    path: Path,
    changes: Sequence[Change] = (),
    runs: Iterable[Interval] = (),
    first_known: Mapping[str, float] | None = None,
) -> Path:
    """Write changes, times at work, and since when systems are known."""
    batch = Batch(heartbeats=dict(runs))
    for change in changes:
        batch.add_change(change)
    known = first_known or {}
    settled = max(batch.heartbeats.values(), default=START)
    batch.saved = Saved(
        {name: {} for name in known}, dict.fromkeys(known, SystemState.UP), dict.fromkeys(known, settled), known
    )
    found = opened(path)
    assert found.connection is not None
    assert write(found.connection, batch) == 0
    found.close()
    return path


async def read(path: Path, ask: Callable[[Ledger], T]) -> T:
    """What `ask` finds in the journal at `path`, as a process beside the service would."""

    def reading() -> T:
        with reading_ledger(path) as ledger:
            return ask(ledger)

    return await asyncio.to_thread(reading)


async def until_saved(journal: Journal, after: float = 0.0, within: float = 15.0) -> None:
    """Wait for a transaction that reached the disk later than `after`; the disk may be a slow one."""
    async with asyncio.timeout(within):
        while journal.saved_at <= after:
            await asyncio.sleep(0.01)
