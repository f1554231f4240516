"""The http kind against peers that are gone, silent, slow, huge or lying; and what it leaves behind: nothing."""

from __future__ import annotations

import asyncio
import gc
import gzip
import random
import resource
import socket
import struct
import zlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import psutil
import pytest

from collector.http.client import Visit
from collector.http.connection import Passage, Wire
from collector.model import Outcome, Reason, Result
from collector.probes.http import KIND
from tests.http_peers import Talk, ok, peer, redirect, saying
from tests.peers import Authority, leaving_nothing
from tests.probing import probing, values

pytestmark = pytest.mark.slow

HEAD = b"HTTP/1.1 200 OK\r\n"


@asynccontextmanager
async def tls_or_not(over_tls: bool, directory: Path, talk: Talk) -> AsyncIterator[tuple[str, dict[str, object]]]:
    """URL and `tls` of a server that does `talk`."""
    authority = Authority(directory)
    async with peer(talk, tls=authority.server("127.0.0.1") if over_tls else None) as server:
        yield f"http{'s' if over_tls else ''}://127.0.0.1:{server.port}/", {"ca_file": authority.ca_file}


async def ask(answer: bytes, **settings: object) -> Result:
    """One run against a server that gives `answer`."""
    async with saying(answer) as server, probing(KIND) as prober:
        return await prober.run(**{"url": f"http://127.0.0.1:{server.port}/", **settings})  # type: ignore[arg-type]  # no `timeout` among them


async def test_nobody_listens() -> None:
    async with probing(KIND) as prober:
        result = await prober.run(url="http://127.0.0.1:1/")
    assert (result.outcome, result.reason) == (Outcome.FAIL, Reason.REFUSED)
    assert "probe_http_duration_seconds{resolve}" in values(result)
    assert "probe_http_duration_seconds{connect}" not in values(result)


async def test_no_way_there() -> None:
    """Multicast has no TCP: the kernel itself says that it cannot get there."""
    async with probing(KIND) as prober:
        result = await prober.run(url="http://224.0.0.1/")
    assert (result.outcome, result.reason) == (Outcome.FAIL, Reason.UNREACHABLE)


async def test_a_name_that_does_not_exist() -> None:
    async with probing(KIND) as prober:
        result = await prober.run(url="http://nowhere.invalid/")
    assert (result.outcome, result.reason) == (Outcome.FAIL, Reason.RESOLVE)


async def test_no_descriptor_left_is_our_fault() -> None:
    """EMFILE counts as an error of ours, at a connection as well as through aiohttp."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    async with saying(ok()) as server, probing(KIND) as prober:
        url = f"http://127.0.0.1:{server.port}/"
        assert (await prober.run(url=url)).outcome is Outcome.OK
        resource.setrlimit(resource.RLIMIT_NOFILE, (3, hard))
        try:
            result = await prober.run(url=url)
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert (result.outcome, result.reason) == (Outcome.ERROR, Reason.LOCAL)


LONG = b"X-Long: " + b"x" * 1_000_000 + b"\r\n"


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(b"", id="closes at once"),
        pytest.param(b"SSH-2.0-OpenSSH_9.2p1\r\n", id="ssh"),
        pytest.param(b"220 mail.example ESMTP\r\n", id="smtp"),
        pytest.param(b"\x00\x01\x02" * 1000, id="binary"),
        pytest.param(b"\x16\x03\x01\x02\x00\x01", id="tls"),
        pytest.param(b"HTTP/9.9 200 OK\r\n\r\n", id="version"),
        pytest.param(b"HTTP/1.1 OK\r\n\r\n", id="no status"),
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-Le", id="half a head"),
        pytest.param(HEAD + LONG + b"\r\n", id="header of 1 MB"),
        pytest.param(HEAD + LONG[:-2], id="endless header"),
        pytest.param(HEAD + b"x" * 1_000_000 + b": y\r\n\r\n", id="name of 1 MB"),
        pytest.param(b"HTTP/1.1 200 " + b"x" * 1_000_000 + b"\r\n\r\n", id="reason of 1 MB"),
        pytest.param(HEAD + b"".join(b"X-%d: y\r\n" % i for i in range(10_000)) + b"\r\n", id="10,000 headers"),
        pytest.param(HEAD + b"X-Nul: a\x00b\r\n\r\n", id="nul in a header"),
        pytest.param(HEAD + b"Content-Length: five\r\n\r\nhello", id="length is no number"),
        pytest.param(HEAD + b"Content-Length: -5\r\n\r\nhello", id="negative length"),
        pytest.param(HEAD + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello!", id="two lengths"),
        pytest.param(HEAD + b"Content-Length: 50\r\n\r\nhello", id="closes within the body"),
        pytest.param(HEAD + b"Transfer-Encoding: chunked\r\n\r\nxyz\r\nhello\r\n", id="bad chunk"),
        pytest.param(HEAD + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhelloworld\r\n0\r\n\r\n", id="chunk too long"),
        pytest.param(HEAD + b"Transfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\nh", id="chunk of 2^72"),
        pytest.param(HEAD + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhel", id="closes within a chunk"),
        pytest.param(HEAD + b"Content-Encoding: gzip\r\nContent-Length: 5\r\n\r\nhello", id="not gzip"),
    ],
)
async def test_what_is_not_http_is_a_protocol_failure(answer: bytes) -> None:
    async with leaving_nothing():
        result = await ask(answer)
    assert (result.outcome, result.reason) == (Outcome.FAIL, Reason.PROTOCOL), result
    assert len(result.detail) <= 200
    assert "\n" not in result.detail


SEEDS = (
    ok(b'{"a": 1}', "Last-Modified: Wed, 21 Oct 2015 07:28:00 GMT", "Set-Cookie: a=b; Path=/", "X: y"),
    ok(gzip.compress(b"hello"), "Content-Encoding: gzip"),
    redirect("/next", 302, "Set-Cookie: a=b; Path=/"),
    redirect("http://127.0.0.1:1/c?d=e#f"),
    HEAD + b"Transfer-Encoding: chunked\r\nTrailer: x\r\n\r\n5\r\nhello\r\n0\r\nx: y\r\n\r\n",
    b"HTTP/1.1 101 Switch\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\nabc",
    b"HTTP/1.1 100 Continue\r\n\r\n" + ok(b"{}"),
)
SPICE = (
    *(
        b"\r\n",
        b"\n",
        b"\x00",
        b"\x17",
        b"\xff",
        b"\xed\xa0\x80",
        b":",
        b" ",
        b";",
        b"=",
        b"%",
        b"@",
        b"\\",
        b"[::",
        b"//",
    ),
    *(b"0", b"-1", b"99999999999999999999", b"chunked", b"gzip", b"br", b"http://", b"x" * 9000),
    *(b"HTTP/1.1 ", b"Content-Length: ", b"Transfer-Encoding: ", b"Location: ", b"Set-Cookie: ", b"Last-Modified: "),
)


def spoilt(chance: random.Random) -> bytes:
    """A good answer with some changes."""
    data = bytearray(chance.choice(SEEDS))
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(len(data) + 1)
        match chance.randrange(5):
            case 0 | 1:
                data[at:at] = chance.choice(SPICE)
            case 2:
                data[at : at + 1] = bytes([chance.randrange(256)])
            case 3:
                del data[at : at + chance.randint(1, 8)]
            case 4:
                other = chance.randrange(len(data) + 1)
                data[at:at] = data[min(at, other) : max(at, other)]
    return bytes(data)


@pytest.mark.parametrize("seed", range(3))
async def test_whatever_a_peer_says_is_never_our_fault(seed: int) -> None:
    """No answer makes an exception of ours, hangs, or leaves text that cannot be printed."""
    chance = random.Random(seed)
    said = b""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(said)

    rules = {"header": "x", "regex": "never", "allow_missing": True}
    async with peer(talk) as server, probing(KIND) as prober, leaving_nothing():
        for number in range(400):
            said = spoilt(chance)
            result = await prober.run(
                url=f"http://127.0.0.1:{server.port}/",
                header_not_matches=[rules],
                body_not_matches=["never"],
                json_condition="a == `1`" if number % 2 else None,
            )
            assert result.outcome is not Outcome.ERROR, (said, result)
            assert result.reason is not Reason.TIMEOUT, (said, result)
            assert result.detail.encode().decode().isprintable(), (said, result)


async def test_a_peer_that_asks_nothing_is_asked_once() -> None:
    """A failed request is not tried again behind our back."""
    async with saying(b"") as server, probing(KIND) as prober:
        await prober.run(url=f"http://127.0.0.1:{server.port}/")
    assert server.connections == 1


@pytest.mark.parametrize("start", [b"", HEAD, HEAD + b"Content-Length: 50\r\n\r\nhel", HEAD + b"\r\nuntil the end"])
async def test_a_reset_is_a_protocol_failure(start: bytes) -> None:
    async def reset(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(start)
        await asyncio.sleep(0.05)
        linger = struct.pack("ii", 1, 0)
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        writer.transport.abort()

    async with leaving_nothing(), peer(reset) as server, probing(KIND) as prober:
        result = await prober.run(url=f"http://127.0.0.1:{server.port}/")
    assert (result.outcome, result.reason) == (Outcome.FAIL, Reason.PROTOCOL), result


async def hang_at_once(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read()  # ends when the probe closes


async def hang_in_the_head(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(HEAD)
    await reader.read()


async def hang_in_the_body(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(HEAD + b"Content-Length: 50\r\nLast-Modified: Wed, 21 Oct 2015 07:28:00 GMT\r\n\r\nhel")
    await reader.read()


async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(HEAD + b"Content-Length: 50000\r\n\r\n")
    while not writer.is_closing():
        writer.write(b"x")
        await asyncio.sleep(0.02)


async def drip_the_head(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(HEAD + b"X: ")
    while not writer.is_closing():
        writer.write(b"x")
        await asyncio.sleep(0.02)


CONNECTED = {"probe_http_duration_seconds{resolve}", "probe_http_duration_seconds{connect}"}
ANSWERED = CONNECTED | {"probe_http_duration_seconds{processing}"}
HEADED = ANSWERED | {"probe_http_status_code", "probe_http_content_length"}


@pytest.mark.parametrize("over_tls", [False, True])
@pytest.mark.parametrize(
    ("talk", "survives"),
    [
        (hang_at_once, CONNECTED),
        (hang_in_the_head, ANSWERED),
        (drip_the_head, ANSWERED),
        (hang_in_the_body, HEADED | {"probe_http_last_modified_timestamp_seconds"}),
        (drip, HEADED),
    ],
)
async def test_a_slow_peer_ends_with_the_run(talk: Talk, survives: set[str], over_tls: bool, tmp_path: Path) -> None:
    """What was measured until then is told, and nothing stays open."""
    async with tls_or_not(over_tls, tmp_path, talk) as (url, tls), probing(KIND) as prober, leaving_nothing():
        result = await prober.run(timeout=0.4, url=url, tls=tls)
    assert (result.outcome, result.reason) == (Outcome.FAIL, Reason.TIMEOUT)
    assert 0.39 < result.duration < 1.5
    seen = set(values(result))
    assert survives <= seen
    assert "probe_http_duration_seconds{transfer}" not in seen
    assert ("probe_ssl_earliest_cert_expiry" in seen) == over_tls
    assert ("probe_http_duration_seconds{processing}" in seen) == (survives >= ANSWERED)


async def test_a_connection_that_is_not_accepted_ends_with_the_run() -> None:
    """The backlog is full: SYNs stay unanswered."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        port = listener.getsockname()[1]
        async with probing(KIND) as prober, leaving_nothing():
            runs = [prober.run(timeout=0.4, url=f"http://127.0.0.1:{port}/") for _ in range(6)]
            results = await asyncio.gather(*runs)
    assert {result.reason for result in results} == {Reason.TIMEOUT}
    assert any("probe_http_duration_seconds{connect}" not in values(result) for result in results)


@pytest.mark.parametrize("over_tls", [False, True])
async def test_cancelled_at_any_moment_nothing_stays_open(over_tls: bool, tmp_path: Path) -> None:
    async def slowly(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        for part in (HEAD, b"Content-Length: 9\r\n\r\n", b"abc", b"def", b"ghi"):
            writer.write(part)
            await asyncio.sleep(0.002)

    async with tls_or_not(over_tls, tmp_path, slowly) as (url, tls), probing(KIND) as prober:
        assert (await prober.run(url=url, tls=tls)).outcome is Outcome.OK
        async with leaving_nothing():
            for step in range(60):
                task = asyncio.create_task(prober.run(url=url, tls=tls, method="POST", body="x" * 100_000))
                await asyncio.sleep(step * 0.0003)
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)


@pytest.mark.parametrize("over_tls", [False, True])
async def test_many_runs_leave_nothing(over_tls: bool, tmp_path: Path) -> None:
    async with tls_or_not(over_tls, tmp_path, answer) as (url, tls), probing(KIND) as prober, leaving_nothing():
        for _ in range(10):
            results = await asyncio.gather(*(prober.run(url=url, tls=tls) for _ in range(10)))
            assert all(result.outcome is Outcome.OK for result in results), results


async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.write(ok())


@pytest.mark.parametrize("trusted", [None, True, False])
async def test_what_a_run_made_is_freed_without_the_garbage_collector(trusted: bool | None, tmp_path: Path) -> None:
    """Cycles would cost a pass over all targets' data every few hundred polls."""
    async with (
        tls_or_not(trusted is not None, tmp_path, answer) as (url, tls),
        probing(KIND) as prober,
    ):
        await prober.run(url=url, tls=tls if trusted else {})
        gc.collect()
        gc.disable()
        try:
            for _ in range(5):
                await prober.run(url=url, tls=tls if trusted else {})
            await asyncio.sleep(0.05)
            left = [thing for thing in gc.get_objects() if isinstance(thing, (Passage, Visit, Wire))]
        finally:
            gc.enable()
    assert left == []


async def test_a_request_that_the_peer_does_not_read_ends_with_the_run() -> None:
    async def deaf(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.transport.pause_reading()  # type: ignore[attr-defined]  # a transport that reads
        await asyncio.sleep(60)

    async with probing(KIND) as prober, leaving_nothing(), peer(deaf) as server:
        url = f"http://127.0.0.1:{server.port}/"
        result = await prober.run(timeout=0.4, url=url, method="POST", body="x" * 1_000_000)
    assert result.reason is Reason.TIMEOUT


async def test_an_answer_before_the_request_is_through_counts() -> None:
    """A server that refuses a large body says so without reading it."""

    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.transport.pause_reading()  # type: ignore[attr-defined]  # a transport that reads
        writer.write(b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n")
        await asyncio.sleep(60)

    async with probing(KIND) as prober, leaving_nothing(), peer(refuse) as server:
        url = f"http://127.0.0.1:{server.port}/"
        result = await prober.run(timeout=1.0, url=url, method="POST", body="x" * 1_000_000, valid_status=[413])
    assert result.outcome is Outcome.OK, result


def bomb(encoding: str, megabytes: int) -> bytes:
    """An answer whose body is small, and large when it is unpacked."""
    packer = zlib.compressobj(9, wbits={"gzip": 31, "deflate": 15}[encoding])
    zeros = bytes(1_000_000)
    body = b"".join([*(packer.compress(zeros) for _ in range(megabytes)), packer.flush()])
    return ok(body, f"Content-Encoding: {encoding}")


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
async def test_a_bomb_is_stopped_at_the_limit(encoding: str) -> None:
    """300 MB in 292 KB: 8 MiB of it are unpacked, and others get their turn meanwhile."""
    packed = bomb(encoding, 300)
    assert len(packed) < 300_000
    process = psutil.Process()
    worst = turns = 0

    async def watch() -> None:
        nonlocal worst, turns
        while True:
            worst = max(worst, process.memory_info().rss)
            turns += 1
            await asyncio.sleep(0)

    async with saying(packed) as server, probing(KIND) as prober:
        url = f"http://127.0.0.1:{server.port}/"
        await prober.run(url=url, max_size=1)
        before = process.memory_info().rss
        watcher = asyncio.create_task(watch())
        result = await prober.run(url=url)
        watcher.cancel()
    assert result.reason is Reason.TOO_LARGE
    assert worst - before < 50_000_000
    assert turns > 8


async def test_a_bomb_of_many_members_is_stopped_too() -> None:
    members = gzip.compress(bytes(1_000_000)) * 300
    result = await ask(ok(members, "Content-Encoding: gzip"))
    assert result.reason is Reason.TOO_LARGE


async def test_an_endless_body_is_stopped() -> None:
    async def endless(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(HEAD + b"\r\n")
        while True:
            writer.write(bytes(65536))
            await writer.drain()

    async with peer(endless) as server, probing(KIND) as prober, leaving_nothing():
        result = await prober.run(url=f"http://127.0.0.1:{server.port}/")
    assert result.reason is Reason.TOO_LARGE


async def test_an_announced_size_is_enough_to_refuse() -> None:
    """Nothing of 10 GB is read, and a HEAD may announce what it likes."""
    announced = HEAD + b"Content-Length: 10000000000\r\n\r\n"
    assert (await ask(announced)).reason is Reason.TOO_LARGE
    head = await ask(announced, method="HEAD")
    assert head.outcome is Outcome.OK
    assert values(head)["probe_http_content_length"] == 10_000_000_000
