"""`heartbeat`: a job or a device calls us, and its silence is the failure."""

from __future__ import annotations

import re
import time
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from contextlib import asynccontextmanager
from functools import cached_property
from math import inf
from typing import Annotated

from pydantic import AfterValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from collector.documents import document, selected
from collector.fields import Duration, Secret, Size, ZoneName
from collector.heartbeats import Caller, Heartbeats, Pulse, Signal
from collector.maintenance import DEFAULT_ZONE
from collector.measures import Measure, families, fault
from collector.model import Emit, Kind, Metric, MetricType, ProbeFailed, Reason, Sample, Spec, Target, Undecided
from collector.net import Context, Net
from collector.recurrence import checked_timetable, following

TIMESTAMP = Metric("hatang_heartbeat_timestamp_seconds", "Unix time of the last call that said that all is well.")
DUE = Metric("hatang_heartbeat_due_timestamp_seconds", "Unix time after which silence is a failure.")
START = Metric("hatang_heartbeat_start_timestamp_seconds", "Unix time of the last call that said that a run starts.")
RUNNING = Metric("hatang_heartbeat_running", "Whether a run has started and not ended.")
DURATION = Metric("hatang_heartbeat_duration_seconds", "Time between start and end of the last run that told of both.")
STATUS = Metric("hatang_heartbeat_exit_status", "Exit status of the last run that ended; /fail counts as 1.")
CALLS = Metric("hatang_heartbeat_calls_total", "Calls since our start.", MetricType.COUNTER, ("signal",))
REFUSED = Metric("hatang_heartbeat_refused_calls_total", "Calls refused: too many a second.", MetricType.COUNTER)
UNREADABLE = Metric("hatang_heartbeat_unreadable_values", "Values of `metrics` that the last call did not give.")
METRICS = (TIMESTAMP, DUE, START, RUNNING, DURATION, STATUS, CALLS, REFUSED, UNREADABLE)

_TOKEN = re.compile(r"[A-Za-z0-9_-]{16,128}")
_WORDS = 120


def _timetable(text: str) -> str:
    try:
        return checked_timetable(text)
    except ValueError as error:
        raise PydanticCustomError("rrule", "bad recurrence rule: {cause}", {"cause": str(error)}) from None


def _usable(token: Secret) -> Secret:
    if not _TOKEN.fullmatch(token.value):
        raise PydanticCustomError(
            "token", "a token has 16 to 128 letters, digits, - and _; make one with: openssl rand -hex 16"
        )
    return token


class HeartbeatSpec(Spec):
    """Who calls, and how often. The call is GET or POST /heartbeat/TOKEN on our own address.

    With /start after the token it says that a run starts, with /fail or an exit status (/1) that it failed; without,
    or with /0, that all is well. When calls last came outlives a restart; but one may have come while nobody listened:
    until it is late once more since then, silence is unknown, not a failure.
    """

    token: Annotated[Secret, AfterValidator(_usable)] = Field(
        description="What the caller is known by: 16 to 128 letters, digits, - and _."
    )
    period: Duration | None = Field(None, description="How often it calls.")
    rrule: Annotated[str, Field(max_length=500), AfterValidator(_timetable)] | None = Field(
        None,
        description="When it calls, instead of `period`: a rule of RFC 5545, such as "
        "`FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR;BYHOUR=2`.",
    )
    zone: ZoneName = Field(DEFAULT_ZONE, description="Time zone of `rrule`, by its IANA name.")
    grace: Duration = Field(60.0, description="How much later it may call.")
    max_runtime: Duration | None = Field(
        None, description="Longest time from /start to the end; without, as long as the grace."
    )
    max_size: Annotated[Size, Field(le=64 * 1024)] = Field(
        10 * 1024, description="Most bytes of a call's body to take (at most 64 KiB); the rest is cut off."
    )
    metrics: tuple[Measure, ...] = Field(
        (),
        max_length=50,
        description="Metrics to make of the body: of JSON where they have a `value`, else of the body itself.",
    )

    @model_validator(mode="after")
    def _consistent(self) -> HeartbeatSpec:
        if (self.period is None) == (self.rrule is None):
            raise fault("give one of period and rrule, to say when it calls")
        self.patience(0.0)  # has the zone read now, not on the loop
        families("metrics", self._unlabelled)
        return self

    def __hash__(self) -> int:
        return hash((self.token, self.period, self.rrule, self.grace))

    @property
    def peer(self) -> str:
        """Nobody is contacted, and the caller's name is a secret."""
        return "heartbeat"

    def patience(self, heard_at: float) -> float:
        """Longest silence after a call at that time (Unix seconds)."""
        if self.rrule is None:
            return (self.period or 0.0) + self.grace
        return (following(self.rrule, self.zone, heard_at) or inf) - heard_at + self.grace

    @property
    def expected(self) -> str:
        """When it calls, for people."""
        return self.rrule if self.rrule is not None else f"every {self.period:g} s"

    @property
    def _unlabelled(self) -> list[tuple[Measure, tuple[str, ...]]]:
        return [(measure, ()) for measure in self.metrics]

    @cached_property
    def families(self) -> Mapping[str, Metric]:
        """Families of the metrics, by name."""
        return families("metrics", self._unlabelled)

    def declared(self) -> tuple[Metric, ...]:
        """The families that this target makes."""
        return tuple(self.families.values())


async def probe(spec: HeartbeatSpec, emit: Emit, context: Context[Heartbeats]) -> None:
    """Look at what was heard. Raises ProbeFailed (TIMEOUT, UNEXPECTED), Undecided."""
    pulse, now = context.resource.of(spec.token.value), time.monotonic()
    _report(pulse, spec, emit)
    try:
        judge(pulse, spec, now)
    finally:
        if pulse.status is not None and pulse.ended is not None and now - pulse.ended <= spec.patience(pulse.ended_at):
            _emit_values(pulse, spec, emit)


def _report(pulse: Pulse, spec: HeartbeatSpec, emit: Emit) -> None:
    known_at = max(pulse.since_at, pulse.well_at)
    emit(DUE, known_at + spec.patience(known_at))
    if pulse.well is not None:
        emit(TIMESTAMP, pulse.well_at)
    if pulse.started is not None:
        emit(START, pulse.started_at)
        emit(RUNNING, pulse.running)
    if pulse.status is not None:
        emit(STATUS, pulse.status)
    if pulse.took is not None:
        emit(DURATION, pulse.took)
    for signal in Signal:
        emit(CALLS, pulse.calls[signal], signal.value)
    emit(REFUSED, pulse.refused)


def judge(pulse: Pulse, spec: HeartbeatSpec, now: float) -> None:
    """Raises ProbeFailed for a failure that was reported, a run that does not end, or silence; Undecided.

    A reported failure stays until the next success. A run that began in time may end later than the call is due.
    """
    _judge_report(pulse, spec, now)
    heard, heard_at = (pulse.since, pulse.since_at) if pulse.well is None else (pulse.well, pulse.well_at)
    due, longest = heard + spec.patience(heard_at), spec.max_runtime or spec.grace
    if pulse.running and pulse.started is not None:
        if now - pulse.started > longest:
            raise ProbeFailed(Reason.TIMEOUT, f"it started {now - pulse.started:.0f} s ago and has not ended")
        due = max(due, pulse.started + longest) if pulse.started <= due else due
    silence, listened = f"{now - heard:.0f} s", now - pulse.since
    if pulse.well is None and now > due:
        raise ProbeFailed(Reason.TIMEOUT, f"never heard in the {silence} since we began to listen")
    if pulse.well is None:
        raise Undecided(f"not heard yet in the {silence} since we began to listen")
    if now > due and listened <= spec.patience(pulse.since_at):
        raise Undecided(f"last call {silence} ago, but we have only listened for {listened:.0f} s")
    if now > due:
        raise ProbeFailed(Reason.TIMEOUT, f"last call {silence} ago, expected {spec.expected}")


def _judge_report(pulse: Pulse, spec: HeartbeatSpec, now: float) -> None:
    # Had it been due to call again before we began to listen, it may have: nobody would know.
    if not pulse.failed or pulse.ended is None or pulse.since - pulse.ended > spec.patience(pulse.ended_at):
        return
    what = "a failure" if pulse.status is None else f"exit status {pulse.status}"
    said, told = _words(pulse.body), f"it reported {what} {now - pulse.ended:.0f} s ago"
    raise ProbeFailed(Reason.UNEXPECTED, f"{told}: {said}" if said else told)


def _words(body: bytes) -> str:
    """The beginning of what a failed run said, for people."""
    text = " ".join(body[: 4 * _WORDS].decode("utf-8", "replace").split())
    return "".join(char if char.isprintable() else "?" for char in text[:_WORDS])


def _emit_values(pulse: Pulse, spec: HeartbeatSpec, emit: Emit) -> None:
    unreadable = 0
    for measure in spec.metrics:
        samples = _samples(measure, spec.families[measure.name], pulse.body)
        unreadable += not samples
        for metric, labels, value in samples:
            emit(metric, value, *labels)
    if spec.metrics:
        emit(UNREADABLE, unreadable)


def _samples(measure: Measure, family: Metric, body: bytes) -> list[Sample]:
    try:
        answer = body.decode().strip() if measure.value is None else selected(document(body), measure.value)
        return [] if answer is None else measure.samples(family, (), answer)
    except ValueError:
        return []


def callers(targets: Iterable[Target]) -> Iterator[Caller]:
    """Who calls for which of the targets."""
    for target in targets:
        if isinstance(target.spec, HeartbeatSpec):
            yield Caller(target.id, target.spec.token.value, target.spec.max_size)


@asynccontextmanager
async def opened(_: Net) -> AsyncIterator[Heartbeats]:
    """Where the HTTP surface puts what it hears."""
    yield Heartbeats()


KIND = Kind(
    "heartbeat",
    "Is called by a job or a device, with a token; its silence is the failure.",
    HeartbeatSpec,
    METRICS,
    probe,
    opened,
)
