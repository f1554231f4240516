"""PostgreSQL by asyncpg: logging in, limits of a transaction, and what its errors mean."""

from __future__ import annotations

from typing import Any

import asyncpg
from asyncpg.pgproto.pgproto import BufferError  # noqa: A004  it is not the built-in one
from sqlalchemy import Connection
from sqlalchemy.dialects import registry
from sqlalchemy.dialects.postgresql.asyncpg import PGDialect_asyncpg

from collector.model import Reason
from collector.sql.login import Limits, Login
from collector.sql.messages import Messages
from collector.sql.wire import Screen, Wire

URL = "hatang+postgresql://"
registry.register("hatang.postgresql", __name__, "Dialect")
# Statements without names end with the next one: behind a pooler named ones would pile up.
ADAPTED = {"prepared_statement_cache_size": 0, "prepared_statement_name_func": str}

# What is set ends with the transaction: behind a pooler the session is another client's next.
_BEGIN = "BEGIN READ ONLY; SET LOCAL statement_timeout = {:d}; SET LOCAL TimeZone = '{}'"
# SQLSTATE (PostgreSQL, appendix A) or its class -> reason.
_REASONS = {
    "08": Reason.PROTOCOL,  # connection exception
    "28": Reason.AUTH,  # invalid authorization specification
    "53300": Reason.REFUSED,  # too many connections
    "57014": Reason.TIMEOUT,  # query canceled: by statement_timeout, if nobody else did
    "57P01": Reason.REFUSED,  # admin shutdown
    "57P02": Reason.REFUSED,  # crash shutdown
    "57P03": Reason.REFUSED,  # cannot connect now: starting up, shutting down, in recovery
}


class Dialect(PGDialect_asyncpg):
    """SQLAlchemy's, which asks a server nothing but what the target asks."""

    supports_statement_cache = True

    def initialize(self, connection: Connection) -> None:
        """One engine serves all servers: what one of them says of itself is not true of the next."""

    def on_connect(self) -> None:
        """JSON stays text."""


class _Connection(asyncpg.Connection):  # type: ignore[misc]  # the library has no annotations
    """Says nothing more of a server whose version it does not understand than that."""

    def __init__(self, protocol: Any, *rest: Any) -> None:
        self._source_traceback = None
        try:
            super().__init__(protocol, *rest)
        except Exception:
            protocol.abort()
            raise


def screen(secure: bool) -> Screen:
    """What hears a server before the driver does."""
    return Messages(secure)


async def connect(login: Login, wire: Wire) -> Any:
    """A connection of asyncpg."""
    return await asyncpg.connect(
        loop=wire,
        host=wire.endpoint.ip,
        port=wire.endpoint.port,
        user=login.user,
        password=login.password,
        database=login.database or login.user,
        timeout=None,
        ssl=login.secure.context if login.secure else False,
        direct_tls=False,
        target_session_attrs="any",
        statement_cache_size=0,
        connection_class=_Connection,
        server_settings={"application_name": "hatang"},
    )


async def begin(connection: Any, limits: Limits) -> None:
    """End the transaction of before, if there is one, and begin a read-only one; it reads no more rows than asked."""
    before = "ROLLBACK; " if connection.is_in_transaction() else ""
    await connection.execute(before + _BEGIN.format(max(1, int(limits.seconds * 1000)), limits.zone.key))


def reason(error: BaseException) -> tuple[Reason, str] | None:
    """What an error means, and its words; None for what is no error of the driver or of the server."""
    if isinstance(error, asyncpg.PostgresError):
        state = error.sqlstate or ""
        return _REASONS.get(state) or _REASONS.get(state[:2], Reason.UNEXPECTED), str(error)
    if isinstance(error, asyncpg.InterfaceError | asyncpg.InternalClientError | BufferError):
        return Reason.PROTOCOL, str(error)
    return None
