"""How long the event loop is kept from everything else."""

from __future__ import annotations

import asyncio
import gc
import time


class Lag:
    """The longest that the loop was busy between two ticks, in CPU seconds: what else runs here does not count."""

    def __init__(self) -> None:
        _set_apart()
        self.busy = 0.0

    async def watch(self) -> None:
        """Tick until cancelled."""
        while True:
            begun = time.thread_time()
            await asyncio.sleep(0.005)
            self.busy = max(self.busy, time.thread_time() - begun)


class Hold:
    """The most CPU that this process spent between two ticks of the loop: how long others kept the loop waiting.

    What else the machine does is not in it.
    """

    def __init__(self) -> None:
        _set_apart()
        self.longest = 0.0

    async def watch(self) -> None:
        """Tick until cancelled."""
        while True:
            begun = time.process_time()
            await asyncio.sleep(0.001)
            self.longest = max(self.longest, time.process_time() - begun)


def _set_apart() -> None:
    """What earlier tests left in memory is not walked again, as the service does with what it starts with."""
    gc.collect()
    gc.freeze()
