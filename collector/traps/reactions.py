"""What follows from a trap: it is written down, and its targets are polled at once. Never more than that."""

from __future__ import annotations

import time
from collections.abc import Callable

from collector.traps.admission import Bucket
from collector.traps.trap import Trap

# A device that repeats itself is news once a minute; and what anybody may send fills no disk.
_WRITE_GAP = 60.0
_WRITES_A_SECOND, _WRITES_AT_ONCE = 1.0, 500.0
_MOST_KEPT = 10_000


class Reactions:
    """To be called with each trap.

    `poll(target, delay)` is to run a target in `delay` seconds: at once, but not twice within `gap` seconds; what
    comes in between is followed by one run at their end. `write(trap)` is to write it down: the first of its kind and
    source in a minute, as long as it is not one of a flood.
    """

    def __init__(
        self,
        gap: float,
        poll: Callable[[str, float], None],
        write: Callable[[Trap], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._gap = gap
        self._poll = poll
        self._write = write
        self._clock = clock
        self._polled: dict[str, float] = {}
        self._written: dict[tuple[str, str], float] = {}
        self._writes = Bucket(_WRITES_A_SECOND, _WRITES_AT_ONCE, clock())

    def __call__(self, trap: Trap) -> None:
        """React to a trap."""
        now = self._clock()
        for target in trap.targets:
            self._poll_soon(target, now)
        key = (trap.source, trap.oid)
        if now - self._written.get(key, -_WRITE_GAP) >= _WRITE_GAP and self._writes.take(now):
            self._written.pop(key, None)
            self._written[key] = now
            if len(self._written) > _MOST_KEPT:
                del self._written[next(iter(self._written))]
            self._write(trap)

    def _poll_soon(self, target: str, now: float) -> None:
        # A time in the future: a run is planned already, and will see what this trap is about.
        planned = self._polled.get(target, now - self._gap)
        if planned > now:
            return
        begin = max(now, planned + self._gap)
        self._polled[target] = begin
        self._poll(target, begin - now)
