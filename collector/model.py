"""Plain data that every part of the service shares. Imports nothing of the project but the records of feeds."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Generic, NamedTuple, Protocol, TypeVar

from pydantic import BaseModel, ConfigDict

from collector.records import Batch, Documents

DETAIL_LIMIT = 200
Labels = tuple[tuple[str, str], ...]


class Outcome(StrEnum):
    """What one run said: `error` is our own fault and never counts against a target."""

    OK = "ok"
    FAIL = "fail"
    ERROR = "error"


class Verdict(StrEnum):
    """What a target's runs add up to, once confirmed."""

    UP = "up"
    DOWN = "down"
    UNKNOWN = "unknown"


class SystemState(StrEnum):
    """What a system is to those who depend on it."""

    UP = "up"
    DEGRADED = "degraded"
    DOWN = "down"
    UNREACHABLE = "unreachable"
    MAINTENANCE = "maintenance"
    UNKNOWN = "unknown"


class Basis(StrEnum):
    """On whose word a figure is to be reached; a `proposed` one is ours, and is never called official."""

    LAW = "law"
    PLAN = "plan"
    SEED = "seed"
    PROPOSED = "proposed"


class Reason(StrEnum):
    """Why a run was not ok. Closed, because it is a label."""

    TIMEOUT = "timeout"
    REFUSED = "refused"
    UNREACHABLE = "unreachable"
    RESOLVE = "resolve"
    TLS = "tls"
    AUTH = "auth"
    PROTOCOL = "protocol"
    UNEXPECTED = "unexpected"
    TOO_LARGE = "too_large"
    PERMISSION = "permission"
    LOCAL = "local"
    BUG = "bug"


class ProbeFailed(Exception):
    """The target's fault, as a reason for machines and a detail for people.

    `documents`, by name, are those of a feed that cannot be read: for people, too.
    """

    def __init__(self, reason: Reason, detail: str = "", documents: Documents = ()) -> None:
        self.reason = reason
        self.detail = detail[:DETAIL_LIMIT]
        self.documents = documents
        super().__init__(f"{reason}: {self.detail}")


class Undecided(Exception):
    """A run that cannot tell yet, by nobody's fault (nothing was heard since we began to listen): for people."""


class MetricType(StrEnum):
    """Type of a family as OpenMetrics 1.0 section 5 names it."""

    GAUGE = "gauge"
    COUNTER = "counter"
    INFO = "info"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Metric:
    """One family: its full sample name (counters end in `_total`), help, type and own labels.

    The labels that say whose sample it is (`target`, `system`) are not listed: exposition adds them.
    """

    name: str
    help: str
    type: MetricType = MetricType.GAUGE
    labels: tuple[str, ...] = ()


class Sample(NamedTuple):
    """One value of a family; `labels` holds the values of `metric.labels`, in that order."""

    metric: Metric
    labels: tuple[str, ...]
    value: float


class Emit(Protocol):
    """Takes one measured value at once, so that it survives a later timeout."""

    def __call__(self, metric: Metric, value: float, *labels: str) -> None:
        """Record `value`; `labels` are the values of `metric.labels`, in order.

        Raises ValueError when the kind did not declare the metric or the label count differs.
        """


class Sink(Protocol):
    """Where figures go to be read; the exposition is one."""

    def put(self, owner: str, labels: Labels, samples: Iterable[Sample]) -> None:
        """Replace all that `owner` gave before; `labels` stand before each sample's own."""

    def drop(self, owner: str) -> None:
        """Forget all that `owner` gave."""


class Spec(BaseModel):
    """What a kind needs to know of a target. Frozen; unknown keys are refused."""

    # Of what is wrong no error shows the values: one may be a secret.
    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True, hide_input_in_errors=True)

    @property
    def peer(self) -> str:
        """The device that is contacted, as `host:port` or `host`; bounds runs in flight per device."""
        raise NotImplementedError(type(self).__name__)

    def declared(self) -> tuple[Metric, ...]:
        """Families that this one target may emit beside those of its kind (device profiles)."""
        return ()


S = TypeVar("S", bound=Spec)
C = TypeVar("C")


@dataclass(frozen=True, slots=True)
class Kind(Generic[S, C]):
    """How a target is checked.

    `probe(spec, emit, context)` returns when the target is well, raises ProbeFailed when it is not, and
    anything else when we could not tell. It does not time itself, retry, log, sleep, catch broadly or know
    its target's id. `open` makes what all runs of the kind share (a session, warm connections): it gets the
    Net, and its value is `context.resource`. The probe of a `feed` returns the Batch that it read.
    """

    name: str
    summary: str
    spec: type[S]
    metrics: tuple[Metric, ...]
    probe: Callable[[S, Emit, C], Awaitable[Batch | None]]
    open: Callable[[Any], AbstractAsyncContextManager[Any]] | None = None
    feed: bool = False


@dataclass(frozen=True, slots=True)
class Owner:
    """A body that answers for systems."""

    id: str
    name_vi: str
    name_en: str


@dataclass(frozen=True, slots=True)
class Dependency:
    """Systems of which all, or of an any-group one, must work for another to be reached."""

    systems: tuple[str, ...]
    any: bool = False


@dataclass(frozen=True, slots=True)
class Objective:
    """The share of time, 0 to 1, that a system is to be available in each month or year, and who says so.

    `indicator` is empty for one that stands in the system's own entry.
    """

    ratio: float
    recurring: str = "monthly"
    basis: Basis = Basis.PROPOSED
    act: str = ""
    indicator: str = ""


@dataclass(frozen=True, slots=True)
class System:
    """What people depend on. `hosting` is the id of the centre it runs in, or None: unknown."""

    id: str
    name_vi: str
    name_en: str
    category: str
    owner: str
    hosting: str | None
    tier: int | None
    source_section: str
    part_of: str | None = None
    synthetic: bool = False
    depends_on: tuple[Dependency, ...] = ()
    objective: Objective | None = None


@dataclass(frozen=True, slots=True)
class Target:
    """One thing checked every `interval` seconds within `timeout` seconds. The id is stable for ever.

    It is down after `confirm` failing runs in a row, and up again after `recover` good ones.
    """

    id: str
    system: str
    kind: str
    spec: Spec
    interval: float
    timeout: float
    required: bool = True
    labels: Labels = ()
    synthetic: bool = False
    confirm: int = 3
    recover: int = 2


@dataclass(frozen=True, slots=True)
class Result:
    """One run of one target. `started` is Unix seconds; `duration` is seconds by the monotonic clock.

    `documents` are those of a feed that could not be read.
    """

    target: str
    outcome: Outcome
    started: float
    duration: float
    reason: Reason | None = None
    detail: str = ""
    samples: tuple[Sample, ...] = field(default=(), repr=False)
    batch: Batch | None = field(default=None, repr=False)
    documents: Documents = field(default=(), repr=False)
