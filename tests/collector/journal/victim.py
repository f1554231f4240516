"""A service in small, to be killed: it counts for twenty systems, changes their states, and saves ten times a second.

Every figure that one save writes is the same number, so that a save that was torn would show. Each number is printed
when it is handed to the journal.
"""

from __future__ import annotations

import asyncio
import sys
import time
from pathlib import Path

import uvloop

from collector.journal import Change, Journal, Saved
from collector.model import SystemState

SYSTEMS = [f"system-{number}" for number in range(20)]
STATES = (SystemState.UP, SystemState.DOWN)
TOTAL = "hatang_village_outage_seconds_total"


async def live(path: Path) -> None:
    """Go on counting from where the journal says one was."""
    begins = time.monotonic()
    journal = await Journal.open(path)
    saved = await journal.saved()
    number = int(saved.seconds[SYSTEMS[0]][SystemState.UP]) if saved.seconds else 0
    print("opened", time.monotonic() - begins, number, *journal.notes, flush=True)
    while True:
        number += 1
        now = time.time()
        for system in SYSTEMS:
            states = STATES if number % 2 else STATES[::-1]
            journal.change(Change(system, now, *states, str(number), "poll"))
        seconds = {system: {SystemState.UP: float(number)} for system in SYSTEMS}
        known = dict.fromkeys(SYSTEMS, now)
        totals = {(TOTAL, label): float(number) for label in ("3G", "4G")}
        journal.save(Saved(seconds, dict.fromkeys(SYSTEMS, STATES[number % 2]), known, known, totals), now)
        print("saved", now, number, flush=True)
        await asyncio.sleep(0.1)


if __name__ == "__main__":
    uvloop.run(live(Path(sys.argv[1])))
