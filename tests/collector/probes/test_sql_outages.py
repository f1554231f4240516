"""`sql` while a database restarts, is full, stands still or takes too long: and that a run leaves nothing behind."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
from typing import Any

import asyncmy
import asyncpg
import pytest

from collector.model import Outcome, Reason, Result
from collector.probes.sql import KIND
from tests.databases import PASSWORD, USER, Server
from tests.peers import leaving_nothing
from tests.probing import Probing, probing, values


@pytest.fixture(autouse=True)
def nothing_of_earlier_tests() -> None:
    """A closed loop keeps its sockets until it is collected."""
    gc.collect()


ONE = {"name": "one", "sql": "SELECT 1 AS n", "metrics": [{"column": "n", "name": "db_n", "help": "One."}]}
SLEEP = {"postgresql": "SELECT pg_sleep(30)", "mariadb": "SELECT SLEEP(30) FROM readings"}
SESSIONS = {
    "postgresql": f"SELECT pid, state, query FROM pg_stat_activity WHERE usename = '{USER}'",
    "mariadb": f"SELECT id, command, info FROM information_schema.processlist WHERE user = '{USER}'",
}
KILL = {"postgresql": "SELECT pg_terminate_backend({})", "mariadb": "KILL {}"}


async def connect(server: Server) -> Any:
    """A client's connection, to take a place."""
    who = {"host": "127.0.0.1", "port": server.port, "user": USER, "password": PASSWORD, "database": server.database}
    return await (asyncpg.connect(**who, ssl=False) if server.dialect == "postgresql" else asyncmy.connect(**who))


async def disconnect(connection: Any) -> None:
    await (connection.ensure_closed() if hasattr(connection, "ensure_closed") else connection.close())


async def sessions(server: Server, wanted: int) -> list[Any]:
    """Sessions of the account, when they are as many as wanted, or else after 5 seconds."""
    for _ in range(100):
        [found] = await server.rows(SESSIONS[server.dialect])
        if len(found) == wanted:
            break
        await asyncio.sleep(0.05)
    return [tuple(row) for row in found]


async def test_recovers_at_once_after_a_restart(server: Server) -> None:
    async with probing(KIND) as sql:
        before = await sql.run(5, queries=[ONE], **server.settings())
        server.stop()
        try:
            down = [await sql.run(5, queries=[ONE], **server.settings()) for _ in range(3)]
        finally:
            server.start()
        after = await sql.run(5, queries=[ONE], **server.settings())
    assert (before.outcome, after.outcome) == (Outcome.OK, Outcome.OK)
    assert {(result.outcome, result.reason) for result in down} == {(Outcome.FAIL, Reason.REFUSED)}


async def test_no_place_left_shows_and_recovers(server: Server) -> None:
    await sessions(server, 0)
    taken = [await connect(server) for _ in range(5)]
    async with probing(KIND) as sql:
        try:
            full = [await sql.run(5, queries=[ONE], **server.settings()) for _ in range(3)]
        finally:
            for connection in taken:
                await disconnect(connection)
        assert await sessions(server, 0) == []
        after = await sql.run(5, queries=[ONE], **server.settings())
    assert {(result.outcome, result.reason) for result in full} == {(Outcome.FAIL, Reason.REFUSED)}
    assert after.outcome is Outcome.OK


async def test_shutting_down(postgres: Server) -> None:
    holding = await connect(postgres)
    assert postgres._process is not None
    os.kill(postgres._process.pid, signal.SIGTERM)  # waits for its clients
    try:
        async with probing(KIND) as sql:
            async with asyncio.timeout(5):
                while (result := await sql.run(5, **postgres.settings())).outcome is Outcome.OK:
                    await asyncio.sleep(0.05)
    finally:
        await disconnect(holding)
        postgres.stop()
        postgres.start()
    assert (result.outcome, result.reason) == (Outcome.FAIL, Reason.REFUSED)
    assert result.detail == "the database system is shutting down"


async def _asleep(server: Server) -> list[int]:
    """Sessions that sleep."""
    [found] = await server.rows(SESSIONS[server.dialect])
    return [row[0] for row in found if "sleep" in str(row[2]).lower()]


async def test_a_session_that_is_killed(server: Server) -> None:
    await sessions(server, 0)
    async with probing(KIND) as sql:
        running = asyncio.create_task(sql.run(10, queries=[{"sql": SLEEP[server.dialect]}], **server.settings()))
        async with asyncio.timeout(8):
            while not (asleep := await _asleep(server)):
                await asyncio.sleep(0.02)
        await server.rows(KILL[server.dialect].format(asleep[0]))
        result = await running
        assert (await sql.run(5, queries=[ONE], **server.settings())).outcome is Outcome.OK
    assert result.outcome is Outcome.FAIL
    assert result.reason in {Reason.REFUSED, Reason.PROTOCOL}
    assert result.duration < 9


async def test_a_server_that_stands_still_times_out_and_leaves_nothing(server: Server) -> None:
    async with probing(KIND) as sql, leaving_nothing():
        with server.frozen():
            result = await sql.run(0.5, queries=[ONE], **server.settings())
        assert (result.outcome, result.reason) == (Outcome.FAIL, Reason.TIMEOUT)
        assert values(result)["probe_sql_duration_seconds{connect}"] > 0
        assert result.duration < 1.2
        after = await sql.run(5, queries=[ONE], **server.settings())
    assert after.outcome is Outcome.OK


async def test_the_server_itself_ends_a_query_that_takes_too_long(server: Server) -> None:
    queries = [ONE, {"name": "slow", "sql": SLEEP[server.dialect]}, ONE | {"name": "late", "metrics": []}]
    async with probing(KIND) as sql, leaving_nothing():
        result = await sql.run(1, queries=queries, **server.settings())
    seen = values(result)
    assert (result.outcome, result.reason) == (Outcome.FAIL, Reason.TIMEOUT)
    assert result.detail.startswith("query slow: ")
    assert seen["db_n"] == 1
    assert (seen["probe_sql_query_success{one}"], seen["probe_sql_query_success{slow}"]) == (1, 0)
    assert "probe_sql_query_success{late}" not in seen
    assert await sessions(server, 0) == []


@pytest.mark.parametrize("sql_text", ["SELECT 1", "SELECT nonsense", None])
async def test_parts_politely(server: Server, sql_text: str | None) -> None:
    """A client that just goes is a line in the server's log each time, and a count of aborted clients."""
    assert await sessions(server, 0) == []
    before = server.log
    async with probing(KIND) as sql:
        await sql.run(5, queries=[{"sql": sql_text}] if sql_text else [], **server.settings())
    assert await sessions(server, 0) == []
    said = server.log.removeprefix(before)
    assert "unexpected EOF" not in said
    assert "Aborted" not in said


async def test_no_session_outlives_its_run(server: Server) -> None:
    async with probing(KIND) as sql, leaving_nothing():
        results = [await sql.run(5, queries=[ONE], **server.settings()) for _ in range(20)]
        assert {result.outcome for result in results} == {Outcome.OK}
        assert await sessions(server, 0) == []


async def test_runs_at_the_same_time_do_not_meet(server: Server) -> None:
    async def run(sql: Probing, number: int) -> Result:
        query = ONE | {"sql": f"SELECT {number} AS n"}
        return await sql.run(10, queries=[query], **server.settings(user="admin"))

    async with probing(KIND) as sql, leaving_nothing():
        results = await asyncio.gather(*(run(sql, number) for number in range(10)))
    assert [values(result)["db_n"] for result in results] == list(range(10))


@pytest.mark.parametrize("after", [0.0, 0.001, 0.003, 0.006, 0.01, 0.02, 0.2])
async def test_a_run_that_is_cancelled_leaves_nothing(server: Server, after: float) -> None:
    async with probing(KIND) as sql, leaving_nothing():
        running = asyncio.create_task(sql.run(2, queries=[{"sql": SLEEP[server.dialect]}], **server.settings()))
        await asyncio.sleep(after)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running


@pytest.mark.parametrize(
    "settings",
    [{}, {"queries": [{"sql": "SELECT nonsense"}]}, {"password": "wrong"}, {"port": 1}, {"host": "127.0.0.2"}],
)
async def test_runs_leave_no_work_for_the_garbage_collector(server: Server, settings: dict[str, Any]) -> None:
    async with probing(KIND) as sql:
        settings = server.settings(**{"queries": [ONE]} | settings)
        await sql.run(5, **settings)
        gc.collect()
        gc.disable()
        try:
            for _ in range(10):
                await sql.run(5, **settings)
            await asyncio.sleep(0.05)
            assert gc.collect() < 50
        finally:
            gc.enable()
