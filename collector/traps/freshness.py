"""Whether an authentic message is new: somebody may have recorded it. pysnmp does not look."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

# RFC 3414, section 3.2, 7b.
WINDOW = 150
_MOST = 10_000


class _Clock(NamedTuple):
    """What an engine's clock showed, in boots and seconds, at `when` of ours."""

    boots: int
    time: int
    when: float


class Freshness:
    """Remembers the clock of each engine; `clock` gives seconds that do not jump."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._engines: dict[tuple[str, bytes], _Clock] = {}

    def fresh(self, source: str, engine_id: bytes, boots: int, time: int) -> bool:
        """Whether an authentic message of the engine at `source` lies within the time window."""
        key, now = (source, engine_id), self._clock()
        known = self._engines.pop(key, None)
        if known is None or boots > known.boots:
            fresh, newest = True, _Clock(boots, time, now)
        else:
            at_least = known.time + (now - known.when) - WINDOW
            fresh = boots == known.boots and time >= at_least
            newest = _Clock(boots, time, now) if fresh and time > known.time else known
        self._engines[key] = newest
        if len(self._engines) > _MOST:
            del self._engines[next(iter(self._engines))]
        return fresh
