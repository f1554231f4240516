"""How late the event loop is: our own stalls must not be taken for a target's fault."""

from __future__ import annotations

import asyncio
import time
from collections import deque

PERIOD = 0.1
# Later than this is a stall worth remembering.
STALL = 0.25


class StallWatch:
    """Ticks on the loop and remembers when a tick came late."""

    def __init__(self) -> None:
        self._stalls: deque[tuple[float, float]] = deque(maxlen=64)
        self._due = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._worst = 0.0
        self.total = 0

    def start(self) -> None:
        """Begin ticking on the running loop."""
        self._tick_again()

    def stop(self) -> None:
        """Stop ticking."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def longest_since(self, moment: float) -> float:
        """Seconds of the longest stall that ended after `moment` (monotonic), one under way included."""
        overdue = max(0.0, time.monotonic() - self._due) if self._timer is not None else 0.0
        return max(overdue, *(length for ended, length in self._stalls if ended >= moment), 0.0)

    def worst(self) -> float:
        """Seconds of the latest tick since this was last asked."""
        worst, self._worst = self._worst, 0.0
        return worst

    def _tick_again(self) -> None:
        self._due = time.monotonic() + PERIOD
        self._timer = asyncio.get_running_loop().call_later(PERIOD, self._tick)

    def _tick(self) -> None:
        now = time.monotonic()
        late = now - self._due
        self._worst = max(self._worst, late)
        if late > STALL:
            self.total += 1
            self._stalls.append((now, late))
        self._tick_again()
