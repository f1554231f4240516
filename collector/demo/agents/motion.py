"""How simulated figures move: slow waves that are the same at each run, and counters that only grow."""

from __future__ import annotations

import math
import time
import zlib
from collections.abc import Callable

# A device has been up for between three and forty days when the demo starts.
_DAY = 86400
_TAU = 2 * math.pi


class Clock:
    """Seconds since the simulation began."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._begun = now()

    def __call__(self) -> float:
        return self._now() - self._begun


def share(name: str) -> float:
    """A number from 0 to 1 that belongs to this name."""
    return zlib.crc32(name.encode()) / 2**32


def age(name: str) -> float:
    """Seconds that a device had been up when the simulation began."""
    return (3 + 37 * share(f"age {name}")) * _DAY


class Wave:
    """`mean` with a swing of `swing` times itself, over some minutes; its integral grows without a step back."""

    def __init__(self, name: str, mean: float, swing: float = 0.25) -> None:
        self._mean = mean
        self._swing = swing
        self._pace = _TAU / (120 + 480 * share(f"period {name}"))
        self._offset = _TAU * share(f"offset {name}")

    def at(self, moment: float) -> float:
        """The value at a moment of the simulation's clock."""
        return self._mean * (1 + self._swing * math.sin(self._pace * moment + self._offset))

    def total(self, moment: float) -> float:
        """The integral from the beginning to a moment, in value times seconds."""
        wave = math.cos(self._offset) - math.cos(self._pace * moment + self._offset)
        return self._mean * (moment + self._swing * wave / self._pace)


class Stopwatch:
    """Seconds that something was in force, up to now."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._since: float | None = None
        self._before = 0.0

    @property
    def running(self) -> bool:
        """Whether it is in force now."""
        return self._since is not None

    def set(self, running: bool) -> None:
        """Begin or end."""
        if self._since is not None:
            self._before += self._clock() - self._since
        self._since = self._clock() if running else None

    @property
    def current(self) -> float:
        """Seconds since it last began; 0 when it is not in force."""
        return 0.0 if self._since is None else self._clock() - self._since

    def outside(self) -> float:
        """Seconds of the clock during which it was not in force; stands still while it is."""
        return (self._clock() if self._since is None else self._since) - self._before
