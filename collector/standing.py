"""How every system stands: its state, since when, and the seconds it spent in each, for metrics and the journal."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

from collector.derive.systems import Support, dependents, parents_of, support_of
from collector.journal import Change, Saved, surviving
from collector.maintenance import Planner
from collector.model import Metric, MetricType, Outcome, Sample, Sink, System, SystemState, Verdict
from collector.state import STALE_INTERVALS, Record
from collector.timeline import Members, Shift, Timelines

SYSTEM_INFO = Metric(
    "hatang_system_info",
    "A system and what belongs to it; centre is where it runs, empty when nobody said.",
    MetricType.INFO,
    ("system", "category", "centre", "owner", "tier", "name_vi", "name_en"),
)
SYSTEM_STATE = Metric(
    "hatang_system_state", "0 down, 1 up, 2 degraded, 3 unreachable, 4 maintenance, 5 unknown.", labels=("system",)
)
STATE_SINCE = Metric(
    "hatang_system_state_timestamp_seconds", "Unix time at which the present state began.", labels=("system",)
)
STATE_SECONDS = Metric(
    "hatang_system_state_seconds_total",
    "Time spent in each state, credited once the results that decide it are in and the journal has it.",
    MetricType.COUNTER,
    ("system", "state"),
)
OBJECTIVE = Metric(
    "hatang_system_objective_ratio", "Share of time that the system is to be available.", labels=("system",)
)
OBJECTIVE_INFO = Metric(
    "hatang_system_objective_info",
    "On whose word the objective stands (law, plan, seed: the report; proposed: ours, not official), and how often it "
    "is due; indicator is empty when the system's own entry gives it.",
    MetricType.INFO,
    ("system", "indicator", "basis", "due"),
)
DEPENDENTS = Metric(
    "hatang_system_dependents", "Systems that depend on the system, directly or through others.", labels=("system",)
)
DEPENDENT_RANK = Metric(
    "hatang_system_dependent_rank",
    "Place of `dependent` among those that depend on the system: by tier, then the nearest first; the first 20.",
    labels=("system", "dependent"),
)
STANDING_METRICS = (
    *(SYSTEM_INFO, SYSTEM_STATE, STATE_SINCE, STATE_SECONDS, OBJECTIVE, OBJECTIVE_INFO),
    *(DEPENDENTS, DEPENDENT_RANK),
)

CODES = {
    SystemState.DOWN: 0,
    SystemState.UP: 1,
    SystemState.DEGRADED: 2,
    SystemState.UNREACHABLE: 3,
    SystemState.MAINTENANCE: 4,
    SystemState.UNKNOWN: 5,
}
# A target that runs less often than this is credited before its next result: its system must not wait for it.
SELDOM = 120.0
# What depends on a system is counted whole, and named as far as a text has room for it.
MOST_RANKED = 20
NOTHING = Saved()
# Of planned work that ends later, nobody needs to know when.
LOOKS_AHEAD = 31 * 86400.0


class Stand(NamedTuple):
    """How a system stands: since when and until when, if that is planned (Unix seconds), and why."""

    state: SystemState
    since: float
    reason: str
    source: str
    until: float | None


class Standing:
    """Advances the timelines of all systems from the records of their targets. Loop only."""

    def __init__(
        self,
        sink: Sink,
        saved: Saved = NOTHING,
        clock: Callable[[], float] = time.monotonic,
        wall_clock: Callable[[], float] = time.time,
    ) -> None:
        self._sink = sink
        self._saved = saved
        self._claimed: set[str] = set()
        self._clock = clock
        self._wall_clock = wall_clock
        self._systems: Mapping[str, System] = {}
        self._records: dict[str, list[Record]] = {}
        self._planner = Planner((), {}, {})
        self._known: dict[str, float] = {}
        self._since: dict[str, float] = {}
        self._shown: dict[str, dict[SystemState, float]] = {}
        self.timelines = Timelines(self._windows)

    def apply(self, systems: Mapping[str, System], records: Mapping[str, Record], planner: Planner) -> list[Change]:
        """Take over a new inventory; what is known of a system, or was saved before a restart, stays.

        The changes: systems that became known, that are no longer, and whose state nobody saw meanwhile.
        """
        known = self.timelines.timelines
        new = [name for name in systems if name not in known]
        # What nobody looks at any more must not go on as it was last seen.
        ended = [
            Change(name, self._wall_clock(), timeline.state, SystemState.UNKNOWN, "not configured", "poll")
            for name, timeline in known.items()
            if name not in systems and timeline.state is not SystemState.UNKNOWN
        ]
        self._systems, self._planner = systems, planner
        self._sink.put("dependents", (), _dependents(systems))
        self._records = {name: [] for name in systems}
        for record in records.values():
            self._records[record.target.system].append(record)
        self.timelines.apply(systems, {name: _members(some) for name, some in self._records.items()}, self._clock())
        for gone in self._known.keys() - systems.keys():
            del self._known[gone], self._since[gone]
            self._shown.pop(gone, None)
        return [*ended, *(change for name in new for change in self._begin(name))]

    def plan(self, planner: Planner) -> None:
        """Take over planned work that was entered meanwhile."""
        self._planner = planner

    def advance(self) -> list[Change]:
        """Credit what has become certain; the changes of state."""
        now = self._clock()
        for some in self._records.values():
            for record in some:
                _carry(record, now)
        return [self._told(shift) for shift in self.timelines.advance(now)]

    def saved(self) -> Saved:
        """What must survive a restart, as of now."""
        timelines, offset = self.timelines.timelines, self._offset()
        return Saved(
            seconds={name: dict(timeline.seconds) for name, timeline in timelines.items()},
            states={name: timeline.state for name, timeline in timelines.items()},
            settled_until={name: timeline.settled + offset for name, timeline in timelines.items()},
            first_known=dict(self._known),
        )

    def publish(self, kept: Saved | None = None) -> None:
        """Bring the sink up to date; called before each scrape. Counters show what is `kept` over a kill."""
        self._sink.put("systems", (), (sample for name in self._systems for sample in self._samples(name, kept)))

    def state(self, name: str) -> SystemState:
        """The state of a system as of its last settled moment. Raises KeyError."""
        return self.timelines.timelines[name].state

    def stand(self, name: str) -> Stand:
        """How a system stands now. Raises KeyError."""
        now, state = self._wall_clock(), self.state(name)
        planned = self._planner.windows(name, now, now + LOOKS_AHEAD) if state is SystemState.MAINTENANCE else []
        until = next((spell.ends for spell in planned if spell.begins <= now < spell.ends < now + LOOKS_AHEAD), None)
        return Stand(state, self._since[name], *self._why(name, state, now), until)

    def undecided(self, target_id: str, system: str) -> Iterable[str]:
        """Ids of the other targets whose next results decide with this one on the state of `system`."""
        for name in self.timelines.relevant(system):
            for record in self._records[name]:
                if record.target.id != target_id and record.target.interval <= SELDOM:
                    yield record.target.id

    def _samples(self, name: str, kept: Saved | None) -> Iterable[Sample]:
        system, timeline = self._systems[name], self.timelines.timelines[name]
        tier = str(system.tier) if system.tier is not None else ""
        own = (name, system.category, system.hosting or "", system.owner, tier, system.name_vi, system.name_en)
        yield Sample(SYSTEM_INFO, own, 1)
        yield Sample(SYSTEM_STATE, (name,), CODES[timeline.state])
        yield Sample(STATE_SINCE, (name,), self._since[name])
        for state, seconds in self._counted(name, kept).items():
            yield Sample(STATE_SECONDS, (name, state.value), seconds)
        if system.objective is not None:
            objective = system.objective
            yield Sample(OBJECTIVE, (name,), objective.ratio)
            yield Sample(OBJECTIVE_INFO, (name, objective.indicator, objective.basis.value, objective.recurring), 1)

    def _counted(self, name: str, kept: Saved | None) -> Mapping[SystemState, float]:
        known = kept.seconds.get(name) if kept is not None else None
        shown = surviving(self.timelines.timelines[name].seconds, known, self._shown.get(name, {}))
        self._shown[name] = shown
        return shown

    def _begin(self, name: str) -> Iterable[Change]:
        now, timeline, saved = self._wall_clock(), self.timelines.timelines[name], self._saved
        recalled = name in saved.settled_until and name not in self._claimed
        self._claimed.add(name)
        self._known[name] = saved.first_known.get(name, now)
        self._since[name] = saved.settled_until[name] if recalled else now
        if not recalled:
            yield Change(name, now, None, timeline.state, "", "poll")
            return
        timeline.seconds.update(saved.seconds[name])
        timeline.seconds[SystemState.UNKNOWN] += max(0.0, now - saved.settled_until[name])
        if saved.states[name] is not timeline.state:
            yield Change(name, saved.settled_until[name], saved.states[name], timeline.state, "", "restart")

    def _told(self, shift: Shift) -> Change:
        at = self._since[shift.system] = shift.at + self._offset()
        reason, source = self._cause(shift)
        return Change(shift.system, at, shift.old, shift.new, reason, source)

    def _cause(self, shift: Shift) -> tuple[str, str]:
        if shift.old is SystemState.MAINTENANCE and shift.new is not SystemState.UNREACHABLE:
            return "", "maintenance"
        return self._why(shift.system, shift.new, shift.at + self._offset())

    def _why(self, name: str, state: SystemState, moment: float) -> tuple[str, str]:
        """Why a system is in `state` at `moment`, and how that is known."""
        if state is SystemState.UNREACHABLE:
            parents = parents_of(self._systems[name])
            broken = [one for one in parents if support_of(self.state(one)) is Support.BROKEN]
            return ", ".join(broken or parents), "dependency"
        if state is SystemState.MAINTENANCE:
            return "; ".join(self._planner.reasons(name, moment)), "maintenance"
        if state is SystemState.UNKNOWN:
            return ", ".join(_unseen(self._records[name])), "self-check"
        return ", ".join(_failing(self._records[name])), "poll"

    def _windows(self, name: str, begins: float, ends: float) -> list[tuple[float, float]]:
        offset = self._offset()
        # Wider than asked: what is cut off at the very edge would miss it by a rounding.
        found = self._planner.windows(name, begins + offset - 1, ends + offset + 1)
        return [(spell.begins - offset, spell.ends - offset) for spell in found]

    def _offset(self) -> float:
        """What makes Unix time of the monotonic clock, as the wall clock stands now."""
        return self._wall_clock() - self._clock()


def _dependents(systems: Mapping[str, System]) -> Iterable[Sample]:
    below = dependents(systems)
    for name in systems:
        some = below.get(name, [])
        yield Sample(DEPENDENTS, (name,), len(some))
        ranked = sorted(some, key=lambda one: systems[one].tier or math.inf)
        for place, one in enumerate(ranked[:MOST_RANKED], 1):
            yield Sample(DEPENDENT_RANK, (name, one), place)


def _members(records: Iterable[Record]) -> Members:
    records = list(records)
    required = [record.streak for record in records if record.target.required]
    return Members(required, [record.streak for record in records if not record.target.required])


def _carry(record: Record, now: float) -> None:
    streak, interval = record.streak, record.target.interval
    if streak.last is not None and now - streak.last > STALE_INTERVALS * interval:
        streak.lapse(now)
    elif interval > SELDOM:
        streak.carry_on(now)


def _failing(records: Iterable[Record]) -> Iterable[str]:
    for record in records:
        if record.streak.verdict is Verdict.DOWN and record.failures:
            yield f"{record.target.id} {record.failures[-1].reason}"


def _unseen(records: Iterable[Record]) -> Iterable[str]:
    for record in records:
        if record.streak.verdict is Verdict.UNKNOWN:
            last = record.last
            yield f"{record.target.id} {last.reason if last and last.outcome is Outcome.ERROR else 'no result'}"
