"""The figures of a report. All times are Unix seconds (UTC), all durations seconds, all shares 0 to 1."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

from collector.journal import Correction, Entry
from collector.model import System, SystemState, Target

UP = (SystemState.UP, SystemState.DEGRADED)
OUT = (SystemState.DOWN, SystemState.UNREACHABLE)
# A figure of less observed time says too little.
OBSERVED_AT_LEAST = 0.99


class Inventory(Protocol):
    """What reports need of a configuration."""

    @property
    def systems(self) -> Mapping[str, System]: ...

    @property
    def targets(self) -> Mapping[str, Target]: ...


@dataclass(frozen=True, slots=True)
class Figures:
    """Time in each state, and what is made of it."""

    seconds: Mapping[SystemState, float]

    @property
    def window(self) -> float:
        """All of it."""
        return sum(self.seconds.values())

    @property
    def users(self) -> float | None:
        """Availability as users have it: up and degraded, of all but maintenance and unknown. None of nothing."""
        return self._share(SystemState.DOWN, SystemState.UNREACHABLE)

    @property
    def owner(self) -> float | None:
        """Availability as its owner answers for it: without the time when it was out of reach by another's fault."""
        return self._share(SystemState.DOWN)

    @property
    def observed(self) -> float | None:
        """Share of the time of which we know the state."""
        return 1 - self.seconds[SystemState.UNKNOWN] / self.window if self.window > 0 else None

    @property
    def sufficient(self) -> bool:
        """Whether enough was observed for the figures to be relied on."""
        return self.observed is not None and self.observed >= OBSERVED_AT_LEAST

    def _share(self, *out: SystemState) -> float | None:
        good = sum(self.seconds[state] for state in UP)
        whole = good + sum(self.seconds[state] for state in out)
        return good / whole if whole > 0 else None

    @classmethod
    def summed(cls, some: Iterable[Figures]) -> Figures:
        """Seconds of several systems together: shares of sums, never means of shares."""
        seconds = dict.fromkeys(SystemState, 0.0)
        for one in some:
            for state, spent in one.seconds.items():
                seconds[state] += spent
        return cls(seconds)


@dataclass(frozen=True, slots=True)
class Outage:
    """One state, down or unreachable, from first to last; time in between that nobody observed does not end it.

    `begins` and `ends` may lie outside the window; `ends` is None while it lasts. `seconds` is what is counted in the
    window.
    """

    begins: float
    ends: float | None
    seconds: float
    state: SystemState
    reason: str
    source: str


@dataclass(frozen=True, slots=True)
class Work:
    """Time in maintenance within the window, from first to last; `ends` is None while it lasts."""

    begins: float
    ends: float | None
    reason: str


@dataclass(frozen=True, slots=True)
class Availability:
    """One system in one window, which begins no earlier than the system was known, and ends now at the latest.

    `figures` count with the corrections, `measured` without. `system` is None for one that is no longer configured.
    Of `entries` (planned work entered by command) those that are late count from when they were entered.
    """

    id: str
    system: System | None
    begins: float
    ends: float
    figures: Figures
    measured: Figures
    outages: tuple[Outage, ...]
    works: tuple[Work, ...]
    entries: tuple[Entry, ...]
    corrections: tuple[Correction, ...]
