"""What each fault led to: the states and figures that it changed, and who was told of it."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from collector.demo.alarms.notices import Alert, Notice
from collector.demo.alarms.traces import Traces
from collector.demo.faults import Fault
from collector.demo.prometheus import Prometheus
from collector.model import SystemState

# An alert that is told of so many seconds after a fault may still come from it.
LINGERS = 60.0
_STATE = re.compile(r'hatang_system_state\{system="([^"]+)"\}')
_ALERTS = 'ALERTS{alertname!="Watchdog"}'
States = Callable[[str], SystemState]


@dataclass(frozen=True, slots=True)
class Told:
    """A notification that came of a fault, and how many seconds after it began."""

    notice: Notice
    after: float


@dataclass(frozen=True, slots=True)
class Figure:
    """A query before a fault and at its end; None where it gave no value."""

    query: str
    before: float | None
    after: float | None


@dataclass(slots=True)
class Course:
    """A fault that is on, or was, and what it led to. `pending` and `held` are alerts of which nobody was told."""

    fault: Fault
    begun: float
    before: tuple[float | None, ...]
    ended: float | None = None
    told: dict[str, Told] = field(default_factory=dict)
    states: dict[str, tuple[SystemState, SystemState]] = field(default_factory=dict)
    figures: tuple[Figure, ...] = ()
    pending: tuple[str, ...] = ()
    held: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class News:
    """What is new in a notification: alerts, each with the fault that it comes from, if any."""

    notice: Notice
    alerts: tuple[tuple[Alert, Fault | None], ...]


class Chronicle:
    """Looks at systems (`states`) and, if there is one, Prometheus when a fault begins and ends, and hears notices."""

    def __init__(
        self,
        faults: Sequence[Fault],
        states: States,
        prometheus: Prometheus | None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._faults = faults
        self._traces = Traces(faults)
        self._state_of = states
        self._prometheus = prometheus
        self._clock = clock
        self._usual: dict[str, SystemState] = {}
        self._courses: dict[str, Course] = {}
        self._heard: dict[str, bool] = {}
        self._causes: dict[str, Fault | None] = {}
        self.faults, self.notices = 0, 0  # so far

    def anew(self) -> None:
        """No fault is on yet."""
        self._usual = {name: self._state_of(name) for fault in self._faults for name in _systems(fault)}

    async def begins(self, fault: Fault) -> None:
        """It is about to."""
        self.faults += 1
        self._courses[fault.id] = Course(fault, self._clock(), await self._measured(fault))

    async def ends(self, fault: Fault) -> Course:
        """It is about to."""
        course = self._courses[fault.id]
        await self._observe(course)
        course.ended = self._clock()
        return course

    async def unended(self) -> list[Course]:
        """Faults that are on, as they stand."""
        found = [course for course in self._courses.values() if course.ended is None]
        for course in found:
            await self._observe(course)
        return found

    def hear(self, notice: Notice) -> News:
        """Somebody was told something."""
        self.notices += 1
        news = [alert for alert in notice.alerts if self._heard.get(alert.key) != alert.firing]
        for alert in news:
            self._heard[alert.key] = alert.firing
            if alert.firing:
                self._causes[alert.key] = self._attributed(alert, notice)
        return News(notice, tuple((alert, self._causes.get(alert.key)) for alert in news))

    def _attributed(self, alert: Alert, notice: Notice) -> Fault | None:
        fault = self._traces.cause(alert.labels, self._recent())
        if fault is not None:
            course = self._courses[fault.id]
            course.told.setdefault(alert.name, Told(notice, self._clock() - course.begun))
        return fault

    def _recent(self) -> list[Fault]:
        """Faults that an alert may come from, the latest first."""
        now = self._clock()
        recent = [one for one in self._courses.values() if one.ended is None or now - one.ended < LINGERS]
        return [one.fault for one in sorted(recent, key=lambda one: -one.begun)]

    async def _observe(self, course: Course) -> None:
        names = _systems(course.fault)
        states = {name: (self._usual[name], self._state_of(name)) for name in names}
        course.states = {name: pair for name, pair in states.items() if pair[0] is not pair[1]}
        after = await self._measured(course.fault)
        triples = zip(_figures(course.fault), course.before, after, strict=True)
        course.figures = tuple(Figure(*triple) for triple in triples if triple[1] != triple[2])
        await self._untold(course)

    async def _measured(self, fault: Fault) -> tuple[float | None, ...]:
        queries = _figures(fault)
        return tuple(await self._prometheus.values(queries)) if self._prometheus else (None,) * len(queries)

    async def _untold(self, course: Course) -> None:
        if self._prometheus is None:
            return
        waiting: dict[str, set[str]] = {"pending": set(), "firing": set()}
        recent = self._recent()
        for labels in await self._prometheus.labels(_ALERTS):
            if labels["alertname"] not in course.told and self._traces.cause(labels, recent) is course.fault:
                waiting[labels["alertstate"]].add(labels["alertname"])
        course.held = tuple(sorted(waiting["firing"]))
        course.pending = tuple(sorted(waiting["pending"] - waiting["firing"]))


def _systems(fault: Fault) -> list[str]:
    return [match[1] for show in fault.shows if (match := _STATE.fullmatch(show.query))]


def _figures(fault: Fault) -> Sequence[str]:
    """The first and the last query that shows a fault, but for states of systems."""
    queries = [show.query for show in fault.shows if not _STATE.fullmatch(show.query)]
    return queries if len(queries) < 2 else (queries[0], queries[-1])
