"""How every system stands: its state, since when, and the seconds it spent in each, for metrics and the journal."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from collector.derive.systems import Support, parents_of, support_of
from collector.model import Metric, MetricType, Sample, Sink, System, SystemState, Verdict
from collector.state import STALE_INTERVALS, Record
from collector.timeline import Change, Members, Timelines, Windows

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
    "Time spent in each state, credited once the results that decide it are in.",
    MetricType.COUNTER,
    ("system", "state"),
)
OBJECTIVE = Metric(
    "hatang_system_objective_ratio", "Share of time that the system is to be available.", labels=("system",)
)
STANDING_METRICS = (SYSTEM_INFO, SYSTEM_STATE, STATE_SINCE, STATE_SECONDS, OBJECTIVE)

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


@dataclass(frozen=True, slots=True)
class Event:
    """A change of a system's state, true from `at` (Unix seconds), with what caused it."""

    system: str
    at: float
    old: SystemState
    new: SystemState
    reason: str
    source: str


class Standing:
    """Advances the timelines of all systems from the records of their targets. Loop only."""

    def __init__(self, sink: Sink, windows: Windows, clock: Callable[[], float] = time.monotonic) -> None:
        self._sink = sink
        self._clock = clock
        self._systems: Mapping[str, System] = {}
        self._records: dict[str, list[Record]] = {}
        self._since: dict[str, float] = {}
        self.timelines = Timelines(windows)

    def apply(self, systems: Mapping[str, System], records: Mapping[str, Record]) -> None:
        """Take over a new inventory; what is known of a system stays."""
        self._systems = systems
        self._records = {name: [] for name in systems}
        for record in records.values():
            self._records[record.target.system].append(record)
        self.timelines.apply(systems, {name: _members(some) for name, some in self._records.items()}, self._clock())
        self._since = {name: self._since.get(name, time.time()) for name in systems}

    def advance(self) -> list[Event]:
        """Credit what has become certain; the changes of state."""
        now = self._clock()
        for some in self._records.values():
            for record in some:
                _carry(record, now)
        offset = time.time() - now
        return [self._event(change, offset) for change in self.timelines.advance(now)]

    def publish(self) -> None:
        """Bring the sink up to date; called before each scrape."""
        self._sink.put("systems", (), (sample for name in self._systems for sample in self._samples(name)))

    def state(self, name: str) -> SystemState:
        """The state of a system as of its last settled moment. Raises KeyError."""
        return self.timelines.timelines[name].state

    def undecided(self, target_id: str, system: str) -> Iterable[str]:
        """Ids of the other targets whose next results decide with this one on the state of `system`."""
        for name in self.timelines.relevant(system):
            for record in self._records[name]:
                if record.target.id != target_id and record.target.interval <= SELDOM:
                    yield record.target.id

    def _samples(self, name: str) -> Iterable[Sample]:
        system, timeline = self._systems[name], self.timelines.timelines[name]
        tier = str(system.tier) if system.tier is not None else ""
        own = (name, system.category, system.hosting or "", system.owner, tier, system.name_vi, system.name_en)
        yield Sample(SYSTEM_INFO, own, 1)
        yield Sample(SYSTEM_STATE, (name,), CODES[timeline.state])
        yield Sample(STATE_SINCE, (name,), self._since[name])
        for state, seconds in timeline.seconds.items():
            yield Sample(STATE_SECONDS, (name, state.value), seconds)
        if system.objective is not None:
            yield Sample(OBJECTIVE, (name,), system.objective)

    def _event(self, change: Change, offset: float) -> Event:
        at = change.at + offset
        self._since[change.system] = at
        reason, source = self._cause(change)
        return Event(change.system, at, change.old, change.new, reason, source)

    def _cause(self, change: Change) -> tuple[str, str]:
        if change.new is SystemState.UNREACHABLE:
            parents = parents_of(self._systems[change.system])
            broken = [name for name in parents if support_of(self.state(name)) is Support.BROKEN]
            return ", ".join(broken or parents), "dependency"
        if change.new is SystemState.MAINTENANCE or change.old is SystemState.MAINTENANCE:
            return "", "maintenance"
        return ", ".join(_failing(self._records[change.system])), "poll"


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
