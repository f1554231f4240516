"""Calls of jobs and devices that say that they live: what was heard, by token."""

from __future__ import annotations

import hmac
import secrets
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

# A caller may come so often for long, and so many times at once.
CALLS_PER_SECOND, BURST = 1.0, 10.0
# What is to outlive the process: by these names and the id of a target, when a call last said that all is well, and
# when one last said that it is not (Unix seconds).
WELL, FAILED = "heartbeat_well", "heartbeat_failed"


class Signal(StrEnum):
    """What a call says."""

    START = "start"
    SUCCESS = "success"
    FAIL = "fail"


class Caller(NamedTuple):
    """A target, what its caller is known by, and the most bytes of a call's body that are taken."""

    target: str
    token: str
    max_size: int


@dataclass(slots=True)
class Pulse:
    """What one token's calls said. Moments are monotonic seconds; those that end in `_at` are Unix seconds.

    We have listened since `since`. Of what was heard before, only when is known: `status` is None.
    """

    since: float
    since_at: float
    targets: tuple[str, ...] = ()
    max_size: int = 0
    started: float | None = None
    started_at: float = 0.0
    ended: float | None = None
    well: float | None = None
    well_at: float = 0.0
    failed_at: float = 0.0
    took: float | None = None
    status: int | None = None
    body: bytes = b""
    calls: dict[Signal, int] = field(default_factory=lambda: dict.fromkeys(Signal, 0))
    refused: int = 0
    _credit: float = BURST
    _credited: float = 0.0

    @property
    def running(self) -> bool:
        """Whether a run has started, and not ended."""
        return self.started is not None and (self.ended is None or self.started > self.ended)

    @property
    def ended_at(self) -> float:
        """When the last run ended."""
        return max(self.well_at, self.failed_at)

    @property
    def failed(self) -> bool:
        """Whether the last run that ended failed."""
        return self.ended is not None and self.ended != self.well

    def admit(self, now: float) -> bool:
        """Whether one more call may be taken; else it is counted as refused."""
        self._credit = min(BURST, self._credit + (now - self._credited) * CALLS_PER_SECOND)
        self._credited = now
        if self._credit < 1:
            self.refused += 1
            return False
        self._credit -= 1
        return True

    def start(self, now: float, now_at: float) -> None:
        """A run starts."""
        self.calls[Signal.START] += 1
        self.started, self.started_at = now, now_at

    def end(self, now: float, now_at: float, status: int, body: bytes) -> None:
        """A run, or what calls without runs, is well (status 0) or not."""
        self.calls[Signal.FAIL if status else Signal.SUCCESS] += 1
        self.took = now - self.started if self.running and self.started is not None else None
        self.ended, self.status, self.body = now, status, body
        if status:
            self.failed_at = now_at
        else:
            self.well, self.well_at = now, now_at

    def recall(self, well_at: float, failed_at: float) -> None:
        """Take in when calls were last heard before we began to listen; 0 for never."""
        offset = self.since - self.since_at
        # A clock that was set back meanwhile would have heard them in the future.
        self.well_at, self.failed_at = min(well_at, self.since_at), min(failed_at, self.since_at)
        if well_at:
            self.well = self.well_at + offset
        if well_at or failed_at:
            self.ended = self.ended_at + offset


class Heartbeats:
    """Pulses by token. Looking one up takes the same time whatever the token is like. Loop only."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._key = secrets.token_bytes(32)
        self._pulses: dict[bytes, Pulse] = {}
        self._kept: dict[tuple[str, str], float] = {}

    def restore(self, kept: Mapping[tuple[str, str], float]) -> None:
        """Know what `totals` once gave; before `adopt`."""
        self._kept = dict(kept)

    def totals(self) -> dict[tuple[str, str], float]:
        """What must survive a restart."""
        return {
            (name, target): moment
            for pulse in self._pulses.values()
            for target in pulse.targets
            for name, moment in ((WELL, pulse.well_at), (FAILED, pulse.failed_at))
            if moment
        }

    def adopt(self, callers: Iterable[Caller]) -> None:
        """Listen for these callers and no others; who is known goes on. Several targets may share a caller."""
        shared: dict[bytes, list[Caller]] = {}
        for caller in callers:
            shared.setdefault(self._digest(caller.token), []).append(caller)
        self._pulses = {digest: self._pulses.get(digest) or self._recalled(some) for digest, some in shared.items()}
        for digest, pulse in self._pulses.items():
            pulse.targets = tuple(caller.target for caller in shared[digest])
            pulse.max_size = max(caller.max_size for caller in shared[digest])

    def of(self, token: str) -> Pulse:
        """The pulse of a configured token; from now on it is listened for."""
        digest = self._digest(token)
        pulse = self._pulses.get(digest)
        if pulse is None:
            pulse = self._pulses[digest] = self._new()
        return pulse

    def find(self, token: str) -> Pulse | None:
        """The pulse of a token that somebody sent, None for one that nobody configured."""
        return self._pulses.get(self._digest(token))

    def _recalled(self, callers: Iterable[Caller]) -> Pulse:
        pulse, names = self._new(), [caller.target for caller in callers]
        moments = (max(self._kept.pop((what, name), 0.0) for name in names) for what in (WELL, FAILED))
        pulse.recall(*moments)
        return pulse

    def _new(self) -> Pulse:
        return Pulse(self._clock(), time.time())

    def _digest(self, token: str) -> bytes:
        # Comparing digests under a key that nobody knows tells nothing of how much of a token was right.
        return hmac.digest(self._key, token.encode(), "sha256")
