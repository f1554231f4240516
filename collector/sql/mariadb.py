"""MariaDB and MySQL by asyncmy: logging in, limits of a transaction, and what its errors mean."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, NoReturn

import asyncmy.connection
from asyncmy.constants import CLIENT
from asyncmy.errors import MySQLError
from sqlalchemy import Connection
from sqlalchemy.dialects import registry
from sqlalchemy.dialects.mysql.asyncmy import MySQLDialect_asyncmy

from collector.model import ProbeFailed, Reason
from collector.sql.login import Limits, Login
from collector.sql.packets import Packets
from collector.sql.wire import Screen, Wire

URL = "hatang+mariadb://"
registry.register("hatang.mariadb", __name__, "Dialect")
ADAPTED: dict[str, Any] = {}

# Error codes: MariaDB Knowledge Base, `MariaDB Error Codes`; from 2000 on the driver's own (MySQL, C API errors).
_REASONS = {
    1040: Reason.REFUSED,  # too many connections
    1203: Reason.REFUSED,  # too many connections of this user
    1226: Reason.REFUSED,  # the user's resources are used up
    1129: Reason.REFUSED,  # our address is blocked because of many errors
    1053: Reason.REFUSED,  # server shutdown in progress
    1927: Reason.REFUSED,  # connection was killed
    1044: Reason.AUTH,
    1045: Reason.AUTH,
    1130: Reason.AUTH,  # our address is not allowed
    1698: Reason.AUTH,
    1820: Reason.AUTH,  # the password has expired
    1862: Reason.AUTH,
    4151: Reason.AUTH,  # the account is locked
    3159: Reason.TLS,  # TLS is required
    1969: Reason.TIMEOUT,  # max_statement_time
    3024: Reason.TIMEOUT,  # max_execution_time of MySQL
}
_OF_DRIVER, _NO_PLUGIN = range(2000, 3000), 2059


class Dialect(MySQLDialect_asyncmy):
    """SQLAlchemy's, which asks a server nothing but what the target asks."""

    supports_statement_cache = True

    def initialize(self, connection: Connection) -> None:
        """One engine serves all servers: what one of them says of itself is not true of the next."""

    def on_connect(self) -> Callable[[Any], None]:
        """The driver has set the character set when it logged in."""
        return lambda _: None


class _InTheClear:
    """What answers a server that wants the password itself over a connection without TLS."""

    def __init__(self, _: Any) -> None:
        pass

    def authenticate(self, _: Any) -> NoReturn:
        raise ProbeFailed(Reason.AUTH, "it asks for the password in the clear: use `tls`")


def screen(_: bool) -> Screen:
    """What hears a server before the driver does."""
    return Packets()


async def connect(login: Login, wire: Wire) -> Any:
    """A connection of asyncmy."""
    refused = {} if login.secure else dict.fromkeys(("mysql_clear_password", "dialog"), _InTheClear)
    connection: Any = asyncmy.connection.Connection(  # type: ignore[no-untyped-call]  # the stub lacks it
        host=wire.endpoint.ip,
        port=wire.endpoint.port,
        user=login.user,
        password=login.password,
        database=login.database,
        ssl=login.secure.context if login.secure else None,
        auth_plugin_map=refused,
        program_name="hatang",
        connect_timeout=31_536_000,  # the run's own time limit ends it
        autocommit=None,
    )
    connection._loop = wire  # noqa: SLF001  asyncpg takes a loop, this one only has it
    # A second statement behind a semicolon would run outside the transaction: the server shall refuse it.
    connection._client_flag &= ~CLIENT.MULTI_STATEMENTS  # noqa: SLF001
    await connection.connect()
    return connection


async def begin(connection: Any, limits: Limits) -> None:
    """End the transaction of before, if there is one, and begin a read-only one within `limits`."""
    if "MariaDB" in connection.get_server_info():
        time_limit = f"max_statement_time={max(0.001, limits.seconds):.3f}"  # 0 is none
    else:
        time_limit = f"max_execution_time={max(1, int(limits.seconds * 1000))}"
    # Names of zones are known only to servers whose administrator has loaded them.
    offset = f"{datetime.now(limits.zone):%z}"
    zone = f"time_zone='{offset[:3]}:{offset[3:5]}'"
    async with connection.cursor() as cursor:
        await cursor.execute(f"SET SESSION {time_limit}, {zone}, sql_select_limit={limits.rows + 1}")
        # For what ends the transaction by itself and begins another: every statement that defines something.
        await cursor.execute("SET SESSION TRANSACTION READ ONLY")
        await cursor.execute("START TRANSACTION READ ONLY")


def reason(error: BaseException) -> tuple[Reason, str] | None:
    """What an error means, and its words. None also when it is this driver that cannot log in as the server wants."""
    if not isinstance(error, MySQLError) or not error.args or error.args[0] == _NO_PLUGIN:
        return None
    code, words = error.args[0], str(error.args[-1])
    if not isinstance(code, int) or code in _OF_DRIVER:
        return Reason.PROTOCOL, words
    return _REASONS.get(code, Reason.UNEXPECTED), words
