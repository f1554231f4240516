"""`sql`: log in to a database, ask it read-only, and make metrics of the answers."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Annotated, Literal
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, Field, model_validator

from collector.fields import Host, IpProtocol, Port, Secret, Size, Tls, Zone
from collector.measures import fault
from collector.model import Emit, Kind, Metric, ProbeFailed, Reason, Spec
from collector.net import NET_METRICS, Context, Net
from collector.sql.databases import Databases, prepare
from collector.sql.login import Limits, Login
from collector.sql.queries import Query, check_together
from collector.sql.readings import Answer, Readings, disappointment, read
from collector.sql.wire import Secure, Wire
from collector.tls import CIPHER_INFO, TLS_METRICS, VERSION_INFO, emit_tls

if TYPE_CHECKING:
    from collector.sql.session import Session

DURATION = Metric(
    "probe_sql_duration_seconds",
    "Duration of each phase: resolve, connect, tls, login, query (all queries).",
    labels=("phase",),
)
QUERY_SUCCESS = Metric("probe_sql_query_success", "Whether the query ran and answered as expected.", labels=("query",))
QUERY_DURATION = Metric(
    "probe_sql_query_duration_seconds", "Time the query took, with beginning its transaction.", labels=("query",)
)
ROWS = Metric("probe_sql_query_rows", "Rows that were read.", labels=("query",))
DROPPED = Metric(
    "probe_sql_query_dropped_rows",
    "Rows left out: over max_rows (limit: at least one), or with the labels of another row (duplicate).",
    labels=("query", "reason"),
)
UNREADABLE = Metric("probe_sql_query_unreadable_values", "Values that are no number, left out.", labels=("query",))
METRICS = (*NET_METRICS, DURATION, QUERY_SUCCESS, QUERY_DURATION, ROWS, DROPPED, UNREADABLE, *TLS_METRICS)

PORTS = {"postgresql": 5432, "mariadb": 3306}
# Time for the server's own cancellation to reach us before our run is over.
_MARGIN = 0.1
# Reading more rows takes long enough to be done in a thread.
_MANY_ROWS = 200


def _installed(dialect: str) -> str:
    try:
        prepare(dialect)
    except ImportError as error:
        library = (error.name or str(error)).partition(".")[0]
        raise fault(f"{dialect} needs {library}, which is not installed: pip install 'hatang[sql]'") from None
    return dialect


class SqlSpec(Spec):
    """A database, who we are to it, and what to ask. Without `queries`, being able to log in is enough.

    Each run logs in anew, as a client of the database does: no place is held between runs, a full server shows,
    and there is nothing to recover after an outage. Queries run in read-only transactions; what may be read is for
    the account's own rights to bound.
    """

    dialect: Annotated[Literal["postgresql", "mariadb"], AfterValidator(_installed)] = Field(
        description="Database system; `mariadb` is also for MySQL."
    )
    host: Host = Field(description="Name or address.")
    port: Port | None = Field(None, description="Port; default 5432 for postgresql, 3306 for mariadb.")
    ip: IpProtocol = Field(IpProtocol.PREFER_IP4, description="Address family to use.")
    user: str = Field(min_length=1, description="Account; give it no more rights than the queries need.")
    password: Secret | None = Field(None, description="Its password. Without `tls` it is never sent in the clear.")
    database: str | None = Field(
        None, min_length=1, description="Database to log in to; default for postgresql the one named as the user."
    )
    tls: bool = Field(False, description="Speak TLS, and with nobody who does not.")
    tls_config: Tls = Field(default_factory=Tls, description="How to speak TLS.")
    time_zone: Zone = Field(
        ZoneInfo("Asia/Ho_Chi_Minh"), description="Zone of the session, and of times that name none."
    )
    max_size: Size = Field(1024**2, description="Most bytes to read in all.")
    queries: tuple[Query, ...] = Field(
        (),
        description="What to ask, in this order: each a `sql` with `name`, `labels` (columns), `metrics` (`column`, "
        "`name`, `help`, `type`, `scale`), `max_rows` and `expect` (`at_least`, `at_most`, `condition`).",
    )

    @model_validator(mode="after")
    def _consistent(self) -> SqlSpec:
        check_together(self.queries)
        return self

    @property
    def peer(self) -> str:
        """The database server."""
        return f"{self.host}:{self.number}"

    @property
    def number(self) -> int:
        """The port."""
        return self.port or PORTS[self.dialect]

    @cached_property
    def _declared(self) -> tuple[Metric, ...]:
        return tuple(dict.fromkeys(family for query in self.queries for family in query.families))

    def declared(self) -> tuple[Metric, ...]:
        """Metrics of the queries."""
        return self._declared


async def probe(spec: SqlSpec, emit: Emit, context: Context[Databases]) -> None:
    """One login and all queries. Raises ProbeFailed; OSError when the fault is ours."""
    begun = time.perf_counter()
    endpoint = await context.net.resolve(spec.host, spec.number, spec.ip, emit)
    emit(DURATION, time.perf_counter() - begun, "resolve")
    database = context.resource.of(spec.dialect)
    secure = await _secure(spec, context) if spec.tls else None
    wire = Wire(context.net, endpoint, secure, spec.max_size, database.driver.screen(spec.tls))
    login = Login(spec.user, spec.password.value if spec.password else "", spec.database, secure)
    begun = time.perf_counter()
    try:
        async with database.session(login, wire) as session:
            emit(DURATION, time.perf_counter() - begun - sum(wire.seconds.values()), "login")
            begun = time.perf_counter()
            await _ask_all(spec, session, emit, context.deadline)
            emit(DURATION, time.perf_counter() - begun, "query")
    finally:
        # Also of a run that is out of time: what was measured until then is told.
        for phase, seconds in wire.seconds.items():
            emit(DURATION, seconds, phase)
        if secure is not None:
            _emit_tls(secure, "tls" in wire.seconds, spec.tls_config.verify, emit)


async def _secure(spec: SqlSpec, context: Context[Databases]) -> Secure:
    name = spec.tls_config.server_name or spec.host.rstrip(".")
    return Secure(await context.net.tls.get(spec.tls_config), name, context.deadline - time.monotonic())


def _emit_tls(secure: Secure, complete: bool, verified: bool, emit: Emit) -> None:
    """What the handshake tells; of one that failed, its certificates."""

    def certificates(metric: Metric, value: float, *labels: str) -> None:
        if metric not in (VERSION_INFO, CIPHER_INFO):
            emit(metric, value, *labels)

    if secure.context.connection is not None:
        emit_tls(secure.context.connection, complete and verified, emit if complete else certificates)


async def _ask_all(spec: SqlSpec, session: Session, emit: Emit, deadline: float) -> None:
    """All queries; the first failure is raised after the last query, unless the server cannot go on."""
    failed = None
    for place, query in enumerate(spec.queries, 1):
        name, left = query.name or str(place), deadline - time.monotonic()
        limits = Limits(max(left - _MARGIN, left / 2), query.max_rows, spec.time_zone)
        try:
            await _ask(query, name, session, limits, emit)
        except ProbeFailed as why:
            emit(QUERY_SUCCESS, 0, name)
            if session.broken or why.reason is not Reason.UNEXPECTED:
                raise ProbeFailed(why.reason, f"query {name}: {why.detail}") from why
            failed = failed or ProbeFailed(why.reason, f"query {name}: {why.detail}")
        else:
            emit(QUERY_SUCCESS, 1, name)
    try:
        if failed is not None:
            raise failed
    finally:
        failed = None  # it holds this frame, which would hold it


async def _ask(query: Query, name: str, session: Session, limits: Limits, emit: Emit) -> None:
    begun = time.perf_counter()
    answer = await session.ask(query.sql, limits)
    emit(QUERY_DURATION, time.perf_counter() - begun, name)
    emit(ROWS, len(answer.rows), name)
    if len(answer.rows) > _MANY_ROWS:
        readings, wrong = await asyncio.to_thread(_evaluate, query, answer, limits.zone)
    else:
        readings, wrong = _evaluate(query, answer, limits.zone)
    for family, value, labels in readings.values:
        emit(family, value, *labels)
    emit(DROPPED, answer.more, name, "limit")
    emit(DROPPED, readings.duplicates, name, "duplicate")
    emit(UNREADABLE, readings.unreadable, name)
    if wrong is not None:
        raise ProbeFailed(Reason.UNEXPECTED, wrong)


def _evaluate(query: Query, answer: Answer, zone: ZoneInfo) -> tuple[Readings, str | None]:
    return read(query, answer, zone), disappointment(query.expect, answer, zone) if query.expect else None


@asynccontextmanager
async def opened(_: Net) -> AsyncIterator[Databases]:
    """Nothing is connected, and nothing imported, until a target runs."""
    yield Databases()


KIND = Kind(
    "sql",
    "Logs in to PostgreSQL, MariaDB or MySQL; columns of read-only queries become metrics.",
    SqlSpec,
    METRICS,
    probe,
    opened,
)
