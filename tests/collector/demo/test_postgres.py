"""The simulated PostgreSQL server, asked by psql, asyncpg and our own kind; and what is asked of it, of a real one."""

from __future__ import annotations

import asyncio
import os
import sys
from asyncio.subprocess import PIPE, STDOUT
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from collector.demo.authority import Authority
from collector.demo.doors import Door
from collector.demo.lab import OVERLAYS
from collector.demo.postgres.database import MAX_CONNECTIONS, STANDBY, Database
from collector.demo.postgres.session import Session
from collector.demo.services import Conversation
from collector.demo.wiring import plan
from collector.model import Outcome, Reason, Result, Target
from collector.probes import sql, tcp
from collector.settings import load
from collector.sql.databases import prepare
from tests import peers
from tests.databases import Postgres, Server, running
from tests.probing import probing, values

PROJECT = Path(__file__).parents[3]
HOST = "csdl.quangngai.example"
USER, PASSWORD = "giam_sat", "mo-phong"
LAG = "SELECT application_name, replay_lag FROM pg_stat_replication"
COUNT = "SELECT numbackends, datname FROM pg_stat_database"


@dataclass(frozen=True, slots=True)
class Served:
    """A database behind an open door, and ways to ask it."""

    database: Database
    port: int
    ca_file: Path

    async def psql(self, program: str, *commands: str, password: str = PASSWORD, tls: str = "verify-full") -> str:
        """What psql prints, errors too."""
        where = f"host={HOST} hostaddr=127.0.0.1 port={self.port} user={USER} dbname=x"
        process = await asyncio.create_subprocess_exec(
            *(program, "-X", "-A", "-t", f"{where} sslmode={tls} sslrootcert={self.ca_file}"),
            *(word for command in commands for word in ("-c", command)),
            env={**os.environ, "PGPASSWORD": password, "PGCLIENTENCODING": "UTF8"},
            stdout=PIPE,
            stderr=STDOUT,
        )
        said, _ = await process.communicate()
        return said.decode()

    async def run(self, **settings: Any) -> Result:
        """One run of our own kind."""
        trust: dict[str, Any] = {"tls": True, "tls_config": {"ca_file": str(self.ca_file)}}
        asked: dict[str, Any] = {
            "dialect": "postgresql",
            "host": HOST,
            "port": self.port,
            "user": USER,
            "password": PASSWORD,
        }
        async with probing(sql.KIND, {HOST: "127.0.0.1"}) as it:
            return await it.run(**asked | trust | settings)


@asynccontextmanager
async def served(tmp_path: Path) -> AsyncIterator[Served]:
    authority = await asyncio.to_thread(Authority, tmp_path)
    context = await asyncio.to_thread(authority.server_context, HOST)
    await asyncio.to_thread(prepare, "postgresql")
    database = Database(HOST)
    database.passwords[USER] = PASSWORD
    database.teach(LAG, ["application_name", "replay_lag"])
    database.teach(COUNT, ["numbackends", "datname"])
    door = Door(lambda: Conversation(Session(database), context), "127.0.0.1")
    try:
        yield Served(database, await door.open(), authority.ca_file)
    finally:
        door.close()


async def test_psql_logs_in_reads_and_writes_nothing(real: Callable[[str], str], tmp_path: Path) -> None:
    psql = await asyncio.to_thread(real, "psql")
    async with served(tmp_path) as it:
        it.database.laid |= {"connections": 12.0, "replay_lag": 0.5}
        read = await it.psql(psql, f"BEGIN READ ONLY; {COUNT}; {LAG}; COMMIT")
        info = await it.psql(psql, "\\conninfo")
        failed = await it.psql(psql, "BEGIN", "DROP TABLE x", f"{LAG};", "ROLLBACK", f"{LAG};")
        clear = await it.psql(psql, LAG, tls="disable")
    assert read.splitlines() == ["BEGIN", f"12|{HOST}", f"{STANDBY}|0.5", "COMMIT"]
    assert "SSL connection (protocol: TLSv1.3" in info
    assert failed.splitlines() == [
        "BEGIN",
        "ERROR:  mô phỏng / simulated: only what its targets ask is answered",
        "ERROR:  mô phỏng / simulated: commands are ignored until the transaction ends",
        "ROLLBACK",
        f"{STANDBY}|0.5",
    ]
    assert clear == f"{STANDBY}|0.5\n"


async def test_psql_is_turned_away_with_a_wrong_password(real: Callable[[str], str], tmp_path: Path) -> None:
    psql = await asyncio.to_thread(real, "psql")
    async with served(tmp_path) as it:
        said = await it.psql(psql, LAG, password="sai")
    assert "FATAL:  mô phỏng / simulated: password authentication failed" in said


async def test_a_driver_goes_on_after_an_error(tmp_path: Path) -> None:
    async with served(tmp_path) as it:
        it.database.laid |= {"connections": 12.0, "replay_lag": 0.5}
        where = {"host": "127.0.0.1", "port": it.port, "user": USER, "password": PASSWORD, "ssl": False}
        connection = await asyncpg.connect(**where)
        try:
            with pytest.raises(asyncpg.FeatureNotSupportedError, match="only what its targets ask"):
                await connection.fetch("DELETE FROM x")
            with pytest.raises(asyncpg.FeatureNotSupportedError):
                await connection.fetch(f"{LAG} WHERE x = $1", 1)
            assert [tuple(row) for row in await connection.fetch(LAG)] == [(STANDBY, 0.5)]
            again = await connection.prepare(COUNT)
            assert [tuple(await again.fetchrow()) for _ in range(2)] == [(12, HOST)] * 2
        finally:
            await connection.close()


def lagging(limit: float) -> dict[str, Any]:
    metric = {"column": "replay_lag", "name": "pg_lag_seconds", "help": "Lag."}
    asked = {"name": "lag", "sql": f"{LAG};\n", "labels": ["application_name"], "metrics": [metric]}
    return {"queries": [asked | {"expect": {"condition": f"max([].replay_lag) < `{limit}`"}}]}


async def test_our_own_kind_reads_it_by_tls_and_judges_the_answer(tmp_path: Path) -> None:
    async with served(tmp_path) as it:
        well = await it.run(**lagging(60))
        it.database.laid["replay_lag"] = 900.0
        behind = await it.run(**lagging(60))
    assert well.outcome is Outcome.OK, well.detail
    assert values(well)["probe_ssl_verified"] == 1
    assert 0 < values(well)[f"pg_lag_seconds{{{STANDBY}}}"] < 1
    assert behind.reason is Reason.UNEXPECTED
    assert values(behind)[f"pg_lag_seconds{{{STANDBY}}}"] == 900


@pytest.mark.parametrize("other", [{"password": "sai"}, {"user": "nguoi-la"}])
async def test_strangers_are_turned_away(tmp_path: Path, other: dict[str, str]) -> None:
    async with served(tmp_path) as it:
        result = await it.run(**other)
    assert (result.reason, result.detail) == (Reason.AUTH, "mô phỏng / simulated: password authentication failed")


async def test_it_turns_to_tls_for_who_goes_no_further(tmp_path: Path) -> None:
    async with served(tmp_path) as it, probing(tcp.KIND, {HOST: "127.0.0.1"}) as targets:
        trust = {"ca_file": str(it.ca_file)}
        result = await targets.run(host=HOST, port=it.port, starttls="postgres", tls_config=trust)
    assert result.outcome is Outcome.OK, result.detail
    assert values(result)["probe_ssl_verified"] == 1


@pytest.mark.parametrize(
    ("said", "answer"),
    [
        ("00000008 04d21630", b"N"),  # GSSAPI
        ("00000010 04d2162e 00000000 00000000", b""),  # somebody else's query shall be cancelled
        ("00000008 00020000", b""),  # another protocol
        ("00000000", b""),
        ("00000009 00030000 00", b"08P01"),  # nobody
        ("00000010 00030000 75736572 00 67 00 00", b"R"),
    ],
)
async def test_what_comes_before_a_login(tmp_path: Path, said: str, answer: bytes) -> None:
    async with served(tmp_path) as it:
        reader, writer = await asyncio.open_connection("127.0.0.1", it.port)
        writer.write(bytes.fromhex(said))
        writer.write_eof()
        heard = await reader.read()
        writer.close()
    assert answer in heard
    assert bool(heard) == bool(answer)


async def test_a_conversation_out_of_order_ends_in_its_own_words(tmp_path: Path) -> None:
    async with served(tmp_path) as it:
        session = Session(it.database)
        begun = bytearray(bytes.fromhex("00000010 00030000 75736572 00 67 00 00"))
        assert session.hear(begun) is not None
        wrong = session.hear(bytearray(b"p\0\0\0\x06no"))
        over = session.hear(bytearray(b"Q\0\0\0\x04"))
    assert wrong is not None
    assert b"08P01" in wrong.words
    assert wrong.leave
    assert over is not None
    assert over.leave
    assert over.words == b""


def test_a_figure_that_there_is_not_is_refused_with_those_there_are() -> None:
    with pytest.raises(ValueError, match="no simulated database has 'bloat', only datname, numbackends"):
        Database(HOST).teach("SELECT bloat FROM x", ["bloat"])


def databases() -> list[Target]:
    """The demo's targets of the kind `sql`."""
    config = load([PROJECT / "config", *OVERLAYS])
    return [target for target in config.targets.values() if target.kind == "sql"]


def test_every_database_system_of_the_inventory_is_asked() -> None:
    config = load([PROJECT / "config", *OVERLAYS])
    systems = {name for name, system in config.systems.items() if system.category == "database"}
    assert systems
    assert systems <= {target.system for target in databases()}
    assert all(target.synthetic and not target.required for target in databases())


WITHOUT_ASYNCPG = "import sys; sys.modules['asyncpg'] = None; from collector.__main__ import main; main()"


async def test_without_the_libraries_the_demo_leaves_databases_out() -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", WITHOUT_ASYNCPG, "demo", "--list-faults"), cwd=PROJECT, stdout=PIPE, stderr=STDOUT
    )
    said, _ = await process.communicate()
    assert process.returncode == 0, said.decode()
    assert b"system-down" in said
    assert b"replica-behind" not in said


def test_figures_are_within_bounds() -> None:
    for database in plan(databases(), {}).databases.values():
        database.teach("", ["numbackends", "max_connections", "connections_used", "replay_lag", "size"])
        row = database.answer("")
        assert row is not None
        connections, most, used, lag, size = map(float, row.values())
        assert 0 < connections < 0.8 * MAX_CONNECTIONS == 0.8 * most
        assert used == pytest.approx(connections / most, abs=1 / most)
        assert 0 < lag < 1
        assert size > 1e6


@pytest.fixture(scope="module")
def server(real: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A real PostgreSQL."""
    prepare("postgresql")
    with running(Postgres(real("postgres"), peers.Authority(tmp_path_factory.mktemp("authority")))) as real_one:
        yield real_one


async def test_a_real_server_understands_the_same_questions(server: Server) -> None:
    """All but that it has a replica."""
    target, *_ = await asyncio.to_thread(databases)
    spec: Any = target.spec
    queries = [query.model_copy(update={"expect": None}).model_dump() for query in spec.queries]
    async with probing(sql.KIND) as it:
        result = await it.run(**server.settings(queries=queries))
    assert result.outcome is Outcome.OK, result.detail
    found = values(result)
    assert found["pg_settings_max_connections"] == 20
    assert 0 < found["pg_connections_used_ratio"] < 1
    assert found["pg_database_size_bytes{postgres}"] > 1e6
    assert [found[f"probe_sql_query_unreadable_values{{{query.name}}}"] for query in spec.queries] == [0, 0, 0]
