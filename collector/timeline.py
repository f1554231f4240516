"""Systems through time: which state held when, to the second, once the results that decide it are in."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from collector.derive.systems import WORSE, Support, in_order, judged, own_state, parents_of, support_of, supported
from collector.model import System, SystemState, Verdict
from collector.streak import Segment, Streak

Windows = Callable[[str, float, float], Iterable[tuple[float, float]]]
"""Planned work on a system between two moments, as pairs of moments."""

# Spells that children may still ask for; a child lags by its own poll interval, never by so many changes.
KEPT_SPELLS = 200
MOST_CUTS = 64
A_MOMENT = 0.001


class Spell(NamedTuple):
    """A state that held from `begins` until the next spell. It may have held since `doubt`."""

    begins: float
    state: SystemState
    doubt: float


class Shift(NamedTuple):
    """A system changed state at `at` (monotonic seconds)."""

    system: str
    at: float
    old: SystemState
    new: SystemState


@dataclass(slots=True)
class Timeline:
    """One system's past. Its time is credited up to `settled`; children may rely on it up to `firm`."""

    settled: float
    state: SystemState = SystemState.UNKNOWN
    firm: float = 0.0
    seconds: dict[SystemState, float] = field(default_factory=lambda: dict.fromkeys(SystemState, 0.0))
    spells: deque[Spell] = field(default_factory=lambda: deque(maxlen=KEPT_SPELLS))

    def support_at(self, moment: float) -> Support:
        """What the system gave to its children at `moment`; where an outage may have begun, it counts as begun."""
        support = Support.CARRIES
        for spell in self.spells:
            if spell.begins <= moment:
                support = support_of(spell.state)
            elif spell.doubt <= moment and support_of(spell.state) is Support.BROKEN:
                return Support.BROKEN
        return support

    def credit(self, ends: float, state: SystemState, doubt: float) -> None:
        """Let `state` hold from `settled` until `ends`."""
        self.seconds[state] += ends - self.settled
        if not self.spells or self.spells[-1].state is not state:
            self.spells.append(Spell(self.settled, state, doubt))
        self.settled, self.state = ends, state


@dataclass(frozen=True, slots=True)
class Members:
    """The streaks of a system's targets."""

    required: Sequence[Streak]
    supporting: Sequence[Streak]

    def all(self) -> list[Streak]:
        """Required and supporting."""
        return [*self.required, *self.supporting]


class Timelines:
    """The timelines of all systems; `advance` credits what has become certain."""

    def __init__(self, windows: Windows = lambda *_: ()) -> None:
        self._windows = windows
        self._systems: Mapping[str, System] = {}
        self._members: Mapping[str, Members] = {}
        self._order: list[str] = []
        self.timelines: dict[str, Timeline] = {}

    def apply(self, systems: Mapping[str, System], members: Mapping[str, Members], now: float) -> None:
        """Take over a new inventory. Raises graphlib.CycleError when systems depend on each other in a circle."""
        self._order = in_order(systems)
        self._systems, self._members = systems, members
        for gone in self.timelines.keys() - systems.keys():
            del self.timelines[gone]
        for name in systems:
            self.timelines.setdefault(name, Timeline(now))

    def advance(self, now: float) -> list[Shift]:
        """Credit every system up to the moment that is certain; the changes of state, in order of dependency."""
        shifts: list[Shift] = []
        for name in self._order:
            shifts += self._advance(name, now)
        for name, members in self._members.items():
            for streak in members.all():
                streak.forget(self.timelines[name].settled)
        return shifts

    def relevant(self, name: str) -> list[str]:
        """Ids of the systems whose targets decide the state of `name`: itself and all that it depends on."""
        found, waiting = [], [name]
        while waiting:
            one = waiting.pop()
            if one not in found:
                found.append(one)
                waiting += parents_of(self._systems[one])
        return found

    def _advance(self, name: str, now: float) -> Iterable[Shift]:
        timeline, members = self.timelines[name], self._members[name]
        parents = {parent: self.timelines[parent] for parent in parents_of(self._systems[name])}
        until = min([now, *(streak.settled for streak in members.all()), *(parent.firm for parent in parents.values())])
        firm = min([now, *(streak.firm for streak in members.all()), *(parent.firm for parent in parents.values())])
        timeline.firm = max(timeline.firm, firm)
        if until <= timeline.settled:
            return
        # The last moment is judged too, though no time is credited after it: what has just been seen shows at once.
        windows = list(self._windows(name, timeline.settled, until + A_MOMENT))
        for ends in [*_cuts(timeline.settled, until, members, parents.values(), windows), until]:
            before, begins = timeline.state, timeline.settled
            state, doubt = self._judge(name, begins, windows)
            timeline.credit(ends, state, doubt)
            if state is not before:
                yield Shift(name, begins, before, state)

    def _judge(self, name: str, moment: float, windows: Sequence[tuple[float, float]]) -> tuple[SystemState, float]:
        members = self._members[name]
        required = [_segment_at(streak, moment) for streak in members.required]
        supporting = [_segment_at(streak, moment) for streak in members.supporting]
        own = own_state([segment.verdict for segment in required], [segment.verdict for segment in supporting])
        down = [segment for segment in required if segment.verdict is Verdict.DOWN]
        doubt = min((segment.doubt for segment in down), default=moment)
        # A failure is explained when the parents are broken now, or were at the run that found it.
        support = self._support(name, moment)
        if down and support is Support.CARRIES:
            support = min((self._support(name, segment.begins) for segment in down), key=WORSE.index)
        planned = any(begins <= moment < ends for begins, ends in windows)
        return judged(own, support, planned), doubt

    def _support(self, name: str, moment: float) -> Support:
        system = self._systems[name]
        parents = {parent: self.timelines[parent].support_at(moment) for parent in parents_of(system)}
        return supported(system.depends_on, parents)


def _segment_at(streak: Streak, moment: float) -> Segment:
    for segment in streak.segments:
        if segment.begins <= moment < segment.ends:
            return segment
    # While it is on its way up, the last run that found it down lies before.
    begins = streak.segments[-1].begins if streak.pending is Verdict.UP and streak.segments else moment
    return Segment(begins, moment, streak.verdict, moment)


def _cuts(
    begins: float,
    ends: float,
    members: Members,
    parents: Iterable[Timeline],
    windows: Iterable[tuple[float, float]],
) -> list[float]:
    """The moments after `begins`, up to `ends`, at which something that decides the state may change."""
    moments = {moment for streak in members.all() for moment in _turns(streak.segments)}
    for parent in parents:
        for spell in parent.spells:
            moments |= {spell.begins, spell.doubt}
    for window in windows:
        moments.update(window)
    inner = sorted(moment for moment in moments if begins < moment < ends)
    # A system of thousands of targets is judged at some of the moments: each judgement looks at all of them.
    return [*inner[:: len(inner) // MOST_CUTS + 1], ends]


def _turns(segments: Sequence[Segment]) -> Iterable[float]:
    """When a verdict began that is not the one before, or again says down: it may have another cause now."""
    before = None
    for segment in segments:
        if segment.verdict is not before or segment.verdict is Verdict.DOWN:
            yield segment.begins
        before = segment.verdict
