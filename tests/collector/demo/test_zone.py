"""The demo's name server, asked by dig and by our own resolver."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import dns.flags
import dns.message
import pytest

from collector.demo.zone import NameServer, Zone
from collector.model import ProbeFailed, Reason
from collector.resolver import Resolver
from tests.serving import until

HOSTS = {
    "quangngai.example": "127.57.0.1",
    "www.quangngai.example": "127.57.0.2",
    "ns1.quangngai.example": "127.57.0.3",
    "ns2.quangngai.example": "127.57.0.4",
    "mail-cong-vu.quangngai.example": "127.57.0.5",
    "a.b.quangngai.example": "127.57.0.6",
}


@asynccontextmanager
async def name_server() -> AsyncIterator[tuple[Zone, int]]:
    async with serving() as (zone, _, port):
        yield zone, port


@asynccontextmanager
async def serving() -> AsyncIterator[tuple[Zone, NameServer, int]]:
    zone = Zone("quangngai.example", HOSTS, "mail-cong-vu.quangngai.example")
    server = NameServer(zone)
    try:
        yield zone, server, await server.start("127.0.0.1")
    finally:
        server.stop()


async def dig(program: str, port: int, *question: str) -> str:
    process = await asyncio.create_subprocess_exec(
        program, "@127.0.0.1", "-p", str(port), "+tries=1", "+time=2", *question, stdout=asyncio.subprocess.PIPE
    )
    said, _ = await process.communicate()
    return said.decode()


@pytest.mark.parametrize("transport", ["+notcp", "+tcp"])
@pytest.mark.parametrize(
    ("kind", "name", "expected"),
    [
        ("A", "www.quangngai.example", "IN\tA\t127.57.0.2"),
        ("NS", "quangngai.example", "IN\tNS\tns2.quangngai.example."),
        ("MX", "quangngai.example", "IN\tMX\t10 mail-cong-vu.quangngai.example."),
        ("SOA", "quangngai.example", "IN\tSOA\tns1.quangngai.example. hostmaster.quangngai.example. 20"),
    ],
)
async def test_answers_with_authority(
    real: Callable[[str], str], transport: str, kind: str, name: str, expected: str
) -> None:
    async with name_server() as (_, port):
        said = await dig(real("dig"), port, name, kind, transport)
    assert expected in said
    assert "status: NOERROR" in said
    assert "flags: qr aa rd ra" in said


@pytest.mark.parametrize(
    ("name", "kind", "status"),
    [
        ("nowhere.quangngai.example", "A", "NXDOMAIN"),
        ("www.quangngai.example", "AAAA", "NOERROR"),
        ("b.quangngai.example", "A", "NOERROR"),  # only has names below it
        ("example.org", "A", "REFUSED"),
    ],
)
async def test_says_what_it_does_not_have(real: Callable[[str], str], name: str, kind: str, status: str) -> None:
    async with name_server() as (_, port):
        said = await dig(real("dig"), port, name, kind)
    assert f"status: {status}" in said
    assert "ANSWER: 0" in said


async def test_a_name_can_stop_to_exist_and_come_back() -> None:
    async with name_server() as (zone, port):
        zone.missing.add("www.quangngai.example")
        async with resolver(port) as lookups:
            with pytest.raises(ProbeFailed) as refused:
                await lookups.lookup("www.quangngai.example", socket.AF_INET)
            zone.missing.clear()
            assert await until(lambda: found(lookups)) == ("127.57.0.2",)  # c-ares keeps the denial for a second
    assert refused.value.reason is Reason.RESOLVE


@pytest.mark.parametrize("transport", ["+notcp", "+tcp"])
async def test_a_silent_name_server_lets_questions_hang(real: Callable[[str], str], transport: str) -> None:
    question = ("www.quangngai.example", "A", transport, "+time=1", "+tries=1")
    async with serving() as (_, server, port):
        server.silence(True)
        assert "127.57.0.2" not in await dig(real("dig"), port, *question)
        server.silence(False)
        assert "127.57.0.2" in await dig(real("dig"), port, *question)


async def found(lookups: Resolver) -> tuple[str, ...]:
    try:
        return await lookups.lookup("www.quangngai.example", socket.AF_INET)
    except ProbeFailed:
        return ()


@asynccontextmanager
async def resolver(port: int) -> AsyncIterator[Resolver]:
    lookups = Resolver((f"127.0.0.1:{port}",))
    try:
        yield lookups
    finally:
        await lookups.close()


async def test_garbage_is_not_answered() -> None:
    zone = Zone("quangngai.example", HOSTS, "mail-cong-vu.quangngai.example")
    response = dns.message.make_response(dns.message.make_query("www.quangngai.example", "A"))
    assert zone.answer(b"") is None
    assert zone.answer(b"\x00" * 40) is None
    assert zone.answer(response.to_wire()) is None


async def test_an_answer_too_long_for_the_client_is_truncated() -> None:
    servers = {f"ns{number}-{'x' * 50}.quangngai.example": "127.57.0.1" for number in range(20)}
    zone = Zone("quangngai.example", servers, "mail-cong-vu.quangngai.example")
    query = dns.message.make_query("quangngai.example", "NS", use_edns=False)
    short = dns.message.from_wire(zone.answer(query.to_wire(), 512) or b"")
    whole = dns.message.from_wire(zone.answer(query.to_wire()) or b"")
    assert "TC" in dns.flags.to_text(short.flags)
    assert not short.answer
    assert len(whole.answer[0]) == 20
