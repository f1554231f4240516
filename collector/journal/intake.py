"""What waits to be written: filled by the loop, emptied by the journal's thread, bounded whatever the disk does."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from collector.journal.records import Change, Event, Saved
from collector.model import SystemState

# Two heartbeats further apart than this leave the time between them unobserved.
HEARTBEAT_GAP = 10.0
# About 40 MB: a day of a province that flaps as much as it may.
CHANGES_KEPT = 100_000
EVENTS_KEPT = 10_000


@dataclass(slots=True)
class Lost:
    """Changes of one system that did not fit: from `at` on, when it was `old`, nothing is known until the next one."""

    at: float
    old: SystemState | None
    count: int = 0


@dataclass(slots=True)
class Batch:
    """What one transaction writes. `heartbeats` are ends by starts; `daily` holds [value x seconds, seconds]."""

    changes: deque[Change] = field(default_factory=deque)
    lost: dict[str, Lost] = field(default_factory=dict)
    events: deque[Event] = field(default_factory=deque)
    lost_events: int = 0
    daily: dict[tuple[str, str, str], tuple[float, float]] = field(default_factory=dict)
    heartbeats: dict[float, float] = field(default_factory=dict)
    saved: Saved | None = None

    def add_change(self, change: Change) -> None:
        """Add one; the oldest goes when there are too many, and is remembered as lost."""
        if len(self.changes) >= CHANGES_KEPT:
            self._lose(self.changes.popleft())
        self.changes.append(change)

    def add_event(self, event: Event) -> None:
        """Add one; the oldest goes when there are too many, and is counted."""
        if len(self.events) >= EVENTS_KEPT:
            self.events.popleft()
            self.lost_events += 1
        self.events.append(event)

    def add_daily(self, key: tuple[str, str, str], weighted: float, seconds: float) -> None:
        """Add to a day's sums."""
        before = self.daily.get(key, (0.0, 0.0))
        self.daily[key] = (before[0] + weighted, before[1] + seconds)

    def absorb(self, newer: Batch) -> None:
        """Take over what came after."""
        if newer.lost:
            # It was full by itself: what is older does not fit either.
            while self.changes:
                self._lose(self.changes.popleft())
        for system, lost in newer.lost.items():
            self.lost.setdefault(system, Lost(lost.at, lost.old)).count += lost.count
        for change in newer.changes:
            self.add_change(change)
        for event in newer.events:
            self.add_event(event)
        for key, (weighted, seconds) in newer.daily.items():
            self.add_daily(key, weighted, seconds)
        self.lost_events += newer.lost_events
        self.heartbeats |= newer.heartbeats
        self.saved = newer.saved or self.saved

    def lost_changes(self) -> int:
        """How many changes did not fit."""
        return sum(lost.count for lost in self.lost.values())

    def __bool__(self) -> bool:
        return bool(self.changes or self.lost or self.events or self.daily or self.heartbeats or self.saved)

    def _lose(self, change: Change) -> None:
        self.lost.setdefault(change.system, Lost(change.at, change.old)).count += 1


class Question(NamedTuple):
    """Something to be done by the journal's thread, and who waits for its answer."""

    ask: Callable[..., Any]
    answer: Future[Any]


@dataclass(slots=True)
class Work:
    """What the thread is to do next."""

    batch: Batch | None
    questions: list[Question]
    closing: bool


class Intake:
    """The one place where loop and thread meet. What is added becomes one transaction with the save that follows it."""

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self._open = Batch()
        self._sealed: Batch | None = None
        self._questions: list[Question] = []
        self._closing = False
        self._run: tuple[float, float] | None = None

    def change(self, change: Change) -> None:
        """Add a change."""
        with self._condition:
            self._open.add_change(change)

    def event(self, event: Event) -> None:
        """Add an event."""
        with self._condition:
            self._open.add_event(event)

    def daily(self, key: tuple[str, str, str], weighted: float, seconds: float) -> None:
        """Add to the sums of (day, indicator, bound)."""
        with self._condition:
            self._open.add_daily(key, weighted, seconds)

    def save(self, saved: Saved, now: float) -> None:
        """Hand over everything up to `now`; the service was at work since the last one, if that is not long ago."""
        with self._condition:
            goes_on = self._run is not None and 0 <= now - self._run[1] <= HEARTBEAT_GAP
            started = self._run[0] if goes_on and self._run is not None else now
            self._run = (started, now)
            self._open.heartbeats[started] = now
            self._open.saved = saved
            self._seal()

    def ask(self, question: Question) -> None:
        """Have the thread answer."""
        with self._condition:
            self._questions.append(question)
            self._condition.notify()

    def close(self) -> None:
        """Hand over what is left, and let the thread end."""
        with self._condition:
            self._seal()
            self._closing = True
            self._condition.notify()

    def take(self, timeout: float | None, hold: bool) -> Work:
        """Wait for work. With `hold` batches stay where they are: they could not be written now."""
        with self._condition:
            self._condition.wait_for(lambda: self._ready(hold), timeout)
            questions, self._questions = self._questions, []
            batch = None
            if not hold or self._closing:
                batch, self._sealed = self._sealed, None
            return Work(batch, questions, self._closing)

    def put_back(self, batch: Batch) -> None:
        """What could not be written, before all that came since."""
        with self._condition:
            if self._sealed is not None:
                batch.absorb(self._sealed)
            self._sealed = batch

    def waiting(self) -> int:
        """Changes that are not yet written."""
        with self._condition:
            return len(self._open.changes) + (len(self._sealed.changes) if self._sealed else 0)

    def _ready(self, hold: bool) -> bool:
        return self._closing or bool(self._questions) or (self._sealed is not None and not hold)

    def _seal(self) -> None:
        if not self._open:
            return
        if self._sealed is None:
            self._sealed = self._open
        else:
            self._sealed.absorb(self._open)
        self._open = Batch()
        self._condition.notify()
