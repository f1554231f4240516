"""One run's conversation with a database, through SQLAlchemy over a driver over a wire of ours."""

from __future__ import annotations

import asyncio
import logging
import struct
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from contextvars import ContextVar
from importlib import import_module
from typing import Any, cast

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine
from sqlalchemy.pool import NullPool

from collector.model import ProbeFailed, Reason
from collector.sql.login import Driver, Limits, Login
from collector.sql.readings import Answer
from collector.sql.wire import Wire
from collector.tls import SHUTDOWN_LIMIT

# What drivers raise over words that are none of their protocol.
_CONFUSED = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    LookupError,
    SystemError,
    TypeError,
    ValueError,
    struct.error,
)

# A run's result says what went wrong; SQLAlchemy would write a traceback beside it.
logging.getLogger("sqlalchemy").setLevel(logging.CRITICAL + 1)

# One engine serves all targets of a dialect; this is how it learns whose connection it shall open.
_opening: ContextVar[Callable[[], Awaitable[Any]]] = ContextVar("opening")


async def _open() -> Any:
    return await _opening.get()()


class Session:
    """A connection on which one query after the other is asked."""

    def __init__(self, driver: Driver, wire: Wire, connection: AsyncConnection) -> None:
        self._driver = driver
        self._wire = wire
        self._connection = connection

    @property
    def broken(self) -> bool:
        """Whether nothing more can be asked."""
        return self._wire.failed is not None

    async def ask(self, sql: str, limits: Limits) -> Answer:
        """Run `sql` in a read-only transaction of its own. Raises ProbeFailed."""
        with _told(self._driver, self._wire):
            raw = await self._connection.get_raw_connection()
            await self._driver.begin(raw.driver_connection, limits)
            return await self._connection.run_sync(_read, sql, limits.rows)


def _read(connection: Connection, sql: str, most: int) -> Answer:
    options = {"stream_results": True, "max_row_buffer": most + 1, "no_parameters": True}
    with connection.exec_driver_sql(sql, execution_options=options) as result:
        if not result.returns_rows:
            return Answer((), (), False)
        rows = result.fetchmany(most + 1)
        return Answer(tuple(result.keys()), tuple(tuple(row) for row in rows[:most]), len(rows) > most)


class Database:
    """One database system: its driver, and the engine that serves all targets. No connection outlives its run."""

    def __init__(self, dialect: str) -> None:
        self.driver = cast("Driver", import_module(f"collector.sql.{dialect}"))
        self._engine = create_async_engine(
            self.driver.URL,
            creator=self._adapted,
            poolclass=NullPool,
            pool_reset_on_return=None,
            isolation_level="AUTOCOMMIT",
        )

    def _adapted(self) -> Any:
        return self._engine.dialect.dbapi.connect(async_creator_fn=_open, **self.driver.ADAPTED)  # type: ignore[union-attr]

    @asynccontextmanager
    async def session(self, login: Login, wire: Wire) -> AsyncIterator[Session]:
        """Log in, and part politely: servers log a client that just goes. Raises ProbeFailed."""
        _opening.set(lambda: self.driver.connect(login, wire))
        connection = self._engine.connect()
        broken = True
        try:
            with _told(self.driver, wire):
                await connection.start()
                _heed_cancellation()
            yield Session(self.driver, wire, connection)
            broken = False
        except ProbeFailed as failed:
            broken = wire.failed is not None or failed.reason is not Reason.UNEXPECTED
            raise
        finally:
            await _leave(connection, wire, broken)


def _heed_cancellation() -> None:
    # asyncio.wait_for of Python 3.11, which a driver uses, may swallow one that comes as a connection is made.
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError


async def _leave(connection: AsyncConnection, wire: Wire, broken: bool) -> None:
    if broken:
        wire.abort()
    try:
        if connection.sync_connection is not None:
            async with asyncio.timeout(SHUTDOWN_LIMIT):
                if broken:
                    await connection.invalidate()
                await connection.close()
    except Exception as error:  # noqa: BLE001  what is said in parting changes no verdict
        _let_go(error)
    finally:
        wire.close()


@contextmanager
def _told(driver: Driver, wire: Wire) -> Iterator[None]:
    """Says in our terms what goes wrong with a driver."""
    try:
        yield
    except Exception as error:  # noqa: BLE001  what is not told anew is raised as it is
        raise _verdict(error, driver, wire) from None


def _verdict(error: Exception, driver: Driver, wire: Wire) -> Exception:
    """The wire knows best, then the driver; an error that is none of theirs stays what it is: ours."""
    cause = error.orig if isinstance(error, DBAPIError) else error
    told = driver.reason(getattr(cause, "driver_exception", None) or cause or error)
    if wire.failed is not None:
        verdict = wire.failed
    elif told is not None:
        verdict = ProbeFailed(*told)
    elif isinstance(error, _CONFUSED):
        verdict = ProbeFailed(Reason.PROTOCOL, f"not understood: {type(error).__name__}: {error}")
    else:
        return error
    _let_go(error)
    _let_go(verdict)
    return verdict


def _let_go(error: BaseException) -> None:
    """Cut an error, and those it stands on, from the frames that it passed: they hold each other in circles."""
    seen: set[int] = set()
    chain: list[Any] = [error]
    while chain:
        link = chain.pop()
        if not isinstance(link, BaseException) or id(link) in seen:
            continue
        seen.add(id(link))
        traceback.clear_frames(link.__traceback__)
        link.__traceback__ = None
        chain += (
            link.__context__,
            link.__cause__,
            getattr(link, "orig", None),
            getattr(link, "driver_exception", None),
        )
