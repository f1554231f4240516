"""From single runs to a verdict on a target: confirmed first, then credited from when it really began."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from collector.model import Outcome, Verdict

_SEEN = {Outcome.OK: Verdict.UP, Outcome.FAIL: Verdict.DOWN, Outcome.ERROR: Verdict.UNKNOWN}


class Segment(NamedTuple):
    """A verdict that is final, from one result to the next (monotonic seconds).

    `doubt` is the result before `begins`: where an outage begins, it may have begun as early as that.
    """

    begins: float
    ends: float
    verdict: Verdict
    doubt: float


@dataclass(slots=True)
class Streak:
    """One target's verdict; its time is credited up to `settled`.

    A failing streak counts as down from its first failure once `confirm` runs in a row failed, else as up; it is
    over after `recover` good runs, from the first of them. An error settles nothing: it and what lies before the
    next result is unknown, as is the time before the first.
    """

    settled: float
    confirm: int = 3
    recover: int = 2
    verdict: Verdict = Verdict.UNKNOWN
    pending: Verdict | None = None
    count: int = 0
    last: float | None = None
    segments: list[Segment] = field(default_factory=list)
    _before: float = 0.0

    def take(self, at: float, outcome: Outcome) -> None:
        """Take in a result that holds from `at`."""
        seen = _SEEN[outcome]
        before, self.last = self.last if self.last is not None else self.settled, at
        if seen is Verdict.UNKNOWN or seen is self.verdict or (self.pending is Verdict.DOWN and seen is Verdict.UP):
            self._conclude(at, seen)
        else:
            self._continue(at, seen, before)

    def lapse(self, now: float) -> None:
        """No result came for too long: what is not settled is unknown."""
        self._conclude(now, Verdict.UNKNOWN)

    def carry_on(self, now: float) -> None:
        """Credit the present verdict up to `now`, of a target that runs too seldom to wait for its next result."""
        if self.pending is None:
            self._settle(now, self.verdict)

    @property
    def firm(self) -> float:
        """Up to when those that depend on this target may rely on it: not into a doubt that is still open."""
        return self._before if self.pending is Verdict.DOWN else self.settled

    @property
    def unsettled(self) -> bool:
        """Whether the next results decide a change."""
        return self.pending is not None

    def forget(self, until: float) -> None:
        """Drop the segments that ended by `until`."""
        self.segments = [segment for segment in self.segments if segment.ends > until]

    def _continue(self, at: float, seen: Verdict, before: float) -> None:
        if self.pending is not seen:
            self._settle(at, self.verdict)
            self.pending, self.count, self._before = seen, 0, before
        self.count += 1
        if self.count >= self._needed(seen):
            self._conclude(at, seen)

    def _needed(self, seen: Verdict) -> int:
        if seen is Verdict.DOWN:
            return self.confirm
        return self.recover if self.verdict is Verdict.DOWN else 1

    def _conclude(self, at: float, verdict: Verdict) -> None:
        self._settle(at, verdict)
        self.verdict, self.pending, self.count = verdict, None, 0

    def _settle(self, at: float, verdict: Verdict) -> None:
        if at > self.settled:
            doubt = self._before if self.pending is Verdict.DOWN else self.settled
            self.segments.append(Segment(self.settled, at, verdict, min(doubt, self.settled)))
            self.settled = at
