"""What the journal holds, as plain data. All times are Unix seconds (UTC), all durations seconds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeVar

from collector.model import SystemState

TEXT_LIMIT = 500
K = TypeVar("K")


class LedgerError(Exception):
    """The journal cannot be read or written; the text is for people."""


class Scope(StrEnum):
    """What planned work is announced for: one system, all systems of a centre or an owner, or those with a label."""

    SYSTEM = "system"
    CENTRE = "centre"
    OWNER = "owner"
    LABEL = "label"


@dataclass(frozen=True, slots=True)
class Change:
    """A system changed state, true from `at`, which may lie before the moment of writing.

    What is written later holds from its `at` on, whatever was written before of the time after `at`. `old` is None
    when the system became known. `source` is one of poll, dependency, maintenance, self-check, trap, restart, journal.
    """

    system: str
    at: float
    old: SystemState | None
    new: SystemState
    reason: str
    source: str


@dataclass(frozen=True, slots=True)
class Saved:
    """What survives a restart, by system: time in each state, the state at `settled_until`, up to which it is credited.

    `totals` are what never falls and belongs to no system (counters, moments), by a name and what it is of.
    Whoever hands one over never changes it afterwards: another thread reads it.
    """

    seconds: Mapping[str, Mapping[SystemState, float]] = field(default_factory=dict)
    states: Mapping[str, SystemState] = field(default_factory=dict)
    settled_until: Mapping[str, float] = field(default_factory=dict)
    first_known: Mapping[str, float] = field(default_factory=dict)
    totals: Mapping[tuple[str, str], float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Entry:
    """Planned work that somebody announced by command. `ends` is None while nobody knows when it ends."""

    id: int
    scope: Scope
    subject: str
    starts: float
    ends: float | None
    reason: str
    who: str
    entered_at: float

    @property
    def late(self) -> bool:
        """Whether it was entered after it began: then it changes nothing before it was entered."""
        return self.entered_at > self.starts

    @property
    def applies_from(self) -> float:
        """When it begins to count."""
        return max(self.starts, self.entered_at)


@dataclass(frozen=True, slots=True)
class Correction:
    """Somebody states what a system's state was from `starts` to `ends`; what was measured stays beside it."""

    id: int
    system: str
    starts: float
    ends: float
    state: SystemState
    reason: str
    who: str
    entered_at: float


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened: a trap, a clock jump, a reload, a restart."""

    at: float
    kind: str
    subject: str
    text: str


@dataclass(frozen=True, slots=True)
class Daily:
    """Time-weighted mean of one bound of an indicator over `seconds` of a day (YYYY-MM-DD, the province's)."""

    day: str
    indicator: str
    bound: str
    mean: float
    seconds: float


@dataclass(frozen=True, slots=True)
class Keeping:
    """How long what is kept, and how often what is older goes and a copy of the rest is made. Seconds."""

    retention: float = 5 * 365 * 86400.0
    events: float = 90 * 86400.0
    every: float = 86400.0


def surviving(live: Mapping[K, float], kept: Mapping[K, float] | None, shown: Mapping[K, float]) -> dict[K, float]:
    """What counters may show: nothing that a kill would take, and never less than they have `shown` before.

    To Prometheus, one that fell would have begun anew, and all of it would count once more. `kept` is what the journal
    holds; None: what they are at, since nothing can be kept.
    """
    if kept is None:
        return dict(live)
    return {key: min(spent, max(kept.get(key, 0.0), shown.get(key, 0.0))) for key, spent in live.items()}


def plain(text: str, limit: int = TEXT_LIMIT) -> str:
    """Text that may be stored and shown: bounded, without control characters and without half characters."""
    if len(text) <= limit and text.isprintable():
        return text
    return "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in text[:limit])
