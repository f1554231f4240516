"""`sql` against peers that are no databases, that lie, flood, break off or garble: a verdict in time, every time."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from collector.model import Outcome, Reason, Result
from collector.probes.sql import KIND
from collector.sql.databases import prepare
from tests.databases import Server
from tests.peers import Converse, hang, leaving_nothing, peer, says
from tests.probing import probing, values

DIALECTS = ["postgresql", "mariadb"]
SASL = b"R\0\0\0\x17\0\0\0\x0aSCRAM-SHA-256\0\0"


@pytest.fixture(scope="module", autouse=True)
def libraries() -> None:
    """Imported while no loop runs."""
    for dialect in DIALECTS:
        prepare(dialect)


async def meet(dialect: str, converse: Converse, timeout: float = 2.0) -> Result:
    """One run against a peer that converses so."""
    async with peer(converse) as port, probing(KIND) as sql, leaving_nothing():
        who = {"host": "127.0.0.1", "port": port, "user": "u", "password": "p"}
        return await sql.run(timeout, dialect=dialect, queries=[{"sql": "SELECT 1"}], **who)


def message(kind: bytes, body: bytes) -> bytes:
    """A message of PostgreSQL's protocol 3.0."""
    return kind + (len(body) + 4).to_bytes(4, "big") + body


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize(
    "greeting",
    ["SSH-2.0-OpenSSH_9.2p1\r\n", "HTTP/1.1 400 Bad Request\r\n\r\n", "220 mail ESMTP\r\n", "\0" * 40, "\xff" * 40],
)
async def test_another_protocol_on_the_port(dialect: str, greeting: str) -> None:
    result = await meet(dialect, says(greeting))
    assert (result.outcome, result.reason) == (Outcome.FAIL, Reason.PROTOCOL)
    assert result.duration < 1


@pytest.mark.parametrize("dialect", DIALECTS)
async def test_a_peer_that_says_nothing(dialect: str) -> None:
    result = await meet(dialect, hang, 0.3)
    assert (result.outcome, result.reason) == (Outcome.FAIL, Reason.TIMEOUT)
    assert values(result)["probe_sql_duration_seconds{connect}"] > 0


@pytest.mark.parametrize("dialect", DIALECTS)
async def test_a_peer_that_closes(dialect: str) -> None:
    async def close(_: asyncio.StreamReader, __: asyncio.StreamWriter) -> None:
        pass

    result = await meet(dialect, close)
    assert (result.outcome, result.reason) == (Outcome.FAIL, Reason.PROTOCOL)


async def test_each_asked_as_the_other(postgres: Server, mariadb: Server) -> None:
    async with probing(KIND) as sql, leaving_nothing():
        wrong = await sql.run(2, **postgres.settings(dialect="mariadb"))
        other = await sql.run(2, **mariadb.settings(dialect="postgresql"))
    assert wrong.outcome is Outcome.FAIL
    assert wrong.reason in {Reason.PROTOCOL, Reason.TIMEOUT}  # it waits for us, we for it
    assert (other.outcome, other.reason) == (Outcome.FAIL, Reason.PROTOCOL)


async def with_scram(first: Callable[[bytes], list[bytes]]) -> tuple[Result, float]:
    """One run against a PostgreSQL whose server-first-message comes in these pieces; and how long the loop stood."""

    async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(4096)
        writer.write(SASL)
        nonce = (await reader.read(4096)).rpartition(b"r=")[2]
        for piece in first(nonce):
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(0.005)
        await reader.read()

    worst, last, done = 0.0, time.perf_counter(), False

    async def watch() -> None:
        nonlocal worst, last
        while not done:
            await asyncio.sleep(0.001)
            worst, last = max(worst, time.perf_counter() - last), time.perf_counter()

    watching = asyncio.create_task(watch())
    result = await meet("postgresql", converse, 5)
    done = True
    await watching
    return result, worst


def _first_message(nonce: bytes, rounds: int) -> bytes:
    return message(b"R", b"\0\0\0\x0b" + b"r=" + nonce + b"server,s=c2FsdHNhbHQ=,i=" + str(rounds).encode())


@pytest.mark.parametrize("rounds", [10**6, 2**31 - 1, 10**30])
@pytest.mark.parametrize("pieces", [1, 7])
async def test_a_server_cannot_make_us_hash_for_ever(rounds: int, pieces: int) -> None:
    """RFC 5802 lets the server name the rounds of hashing, which a driver does on the loop."""

    def first(nonce: bytes) -> list[bytes]:
        whole = _first_message(nonce, rounds)
        size = len(whole) // pieces + 1
        return [whole[start : start + size] for start in range(0, len(whole), size)]

    result, worst = await with_scram(first)
    assert (result.outcome, result.reason) == (Outcome.FAIL, Reason.PROTOCOL)
    assert "rounds of hashing" in result.detail
    assert worst < 0.5


async def test_nor_by_asking_again_and_again() -> None:
    result, worst = await with_scram(lambda nonce: [_first_message(nonce, 40_000)] * 100)
    assert (result.outcome, result.reason) == (Outcome.FAIL, Reason.PROTOCOL)
    assert worst < 0.5


async def test_a_server_that_talks_on_before_the_login() -> None:
    async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(4096)
        notice = message(b"R", b"\0\0\0\0") + message(b"N", b"SNOTICE\0Mtalking\0\0") * 100
        while True:
            writer.write(notice)
            await writer.drain()

    result = await meet("postgresql", converse)
    assert (result.outcome, result.reason) == (Outcome.FAIL, Reason.PROTOCOL)
    assert "before the login" in result.detail


async def test_a_mariadb_greeting_without_end() -> None:
    async def converse(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"\xff\xff\xff\0\x0a")
        while True:
            writer.write(bytes(65536))
            await writer.drain()

    result = await meet("mariadb", converse)
    assert (result.outcome, result.reason) == (Outcome.FAIL, Reason.PROTOCOL)


async def test_a_login_without_end_ends_in_time() -> None:
    """One byte at a time: no read ever times out, the run does."""

    async def converse(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"\x40\0\0\0\x0a")
        while True:
            writer.write(b"5")
            await writer.drain()
            await asyncio.sleep(0.1)

    result = await meet("mariadb", converse, 0.5)
    assert (result.outcome, result.reason) == (Outcome.FAIL, Reason.TIMEOUT)
    assert result.duration < 2


Change = Callable[[bytes, int], bytes]


@asynccontextmanager
async def relay(server: Server, change: Change, until: int) -> AsyncIterator[int]:
    """Port of a relay that says `change(data, sent before)` for the server, and breaks off after `until` bytes."""
    ended = asyncio.Event()

    async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        from_server, to_server = await asyncio.open_connection("127.0.0.1", server.port)
        forwarding = asyncio.create_task(_forward(reader, to_server))
        try:
            sent = 0
            while sent < until and (said := await from_server.read(65536)):
                writer.write(change(said, sent)[: until - sent])
                sent += len(said)
        finally:
            forwarding.cancel()
            to_server.close()
            writer.close()
            with suppress(OSError):
                await to_server.wait_closed()
                await writer.wait_closed()
            ended.set()

    async with peer(converse) as port:
        yield port
        async with asyncio.timeout(5):
            await ended.wait()


async def _forward(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while said := await reader.read(65536):
            writer.write(said)
    writer.close()


def same(said: bytes, _: int) -> bytes:
    return said


async def through(server: Server, change: Change = same, until: int = 10**9, timeout: float = 2.0) -> Result:
    async with relay(server, change, until) as port, probing(KIND) as sql:
        query = {"sql": "SELECT * FROM readings", "metrics": [{"column": "level", "name": "db_level", "help": "m"}]}
        return await sql.run(timeout, queries=[query | {"labels": ["station"]}], **server.settings(port=port))


async def test_an_answer_that_breaks_off_anywhere_fails(server: Server) -> None:
    whole = 0

    def count(said: bytes, sent: int) -> bytes:
        nonlocal whole
        whole = sent + len(said)
        return said

    assert (await through(server, count)).outcome is Outcome.OK
    for until in random.sample(range(whole - 20), 40):
        result = await through(server, until=until)
        assert (result.outcome, result.reason) == (Outcome.FAIL, Reason.PROTOCOL), (until, result)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(place=st.integers(0, 900), flip=st.integers(1, 255), length=st.integers(1, 6))
async def test_garbled_answers_are_never_our_fault(server: Server, place: int, flip: int, length: int) -> None:
    def garble(said: bytes, sent: int) -> bytes:
        changed = bytearray(said)
        for index in range(max(place - sent, 0), min(place - sent + length, len(changed))):
            changed[index] ^= flip
        return bytes(changed)

    result = await through(server, garble, timeout=0.3)
    assert result.outcome in {Outcome.OK, Outcome.FAIL}, result
    assert result.duration < 1.2
