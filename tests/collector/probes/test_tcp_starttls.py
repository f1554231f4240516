"""STARTTLS in the protocols that `tcp` speaks."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import socket
import ssl
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from collector.model import Outcome, Reason, Result
from collector.probes.tcp import KIND
from collector.starttls import LDAP_REQUEST, POSTGRES_REQUEST
from tests.peers import Authority, Converse, hang, leaving_nothing, peer, says
from tests.probing import probing, values

LDAP_SUCCESS = bytes.fromhex("300c 020101 7807 0a0100 0400 0400")
LDAP_SUCCESS_LONG_FORM = bytes.fromhex("3084 0000000c 020101 7807 0a0100 0400 0400")
LDAP_PROTOCOL_ERROR = bytes.fromhex("300c 020101 7807 0a0102 0400 0400")
SMTP_OFFER = "250-mail.example\r\n250-SIZE 1000\r\n250 STARTTLS\r\n"


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


async def once(converse: Converse, protocol: str, authority: Authority, timeout: float = 1.0) -> Result:
    trust = {"ca_file": str(authority.ca_file)}
    async with peer(converse) as port, probing(KIND) as tcp, leaving_nothing():
        return await tcp.run(timeout, host="127.0.0.1", port=port, starttls=protocol, tls_config=trust)


def smtp(server: ssl.SSLContext) -> Converse:
    async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220-mail.example\r\n220 ESMTP\r\n")
        assert (await reader.readline()).startswith(b"EHLO ")
        writer.write(SMTP_OFFER.encode())
        assert await reader.readline() == b"STARTTLS\r\n"
        writer.write(b"220 go on\r\n")
        await writer.start_tls(server)
        await reader.read()

    return converse


def imap(server: ssl.SSLContext) -> Converse:
    async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"* OK ready\r\n")
        assert await reader.readline() == b"a1 STARTTLS\r\n"
        writer.write(b"* CAPABILITY IMAP4rev1\r\na1 OK begin\r\n")
        await writer.start_tls(server)
        await reader.read()

    return converse


def by_bytes(request: bytes, answer: bytes) -> Callable[[ssl.SSLContext], Converse]:
    def make(server: ssl.SSLContext) -> Converse:
        async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            assert await reader.readexactly(len(request)) == request
            writer.write(answer)
            await writer.start_tls(server)
            await reader.read()

        return converse

    return make


SERVERS: dict[str, tuple[str, Callable[[ssl.SSLContext], Converse]]] = {
    "smtp": ("smtp", smtp),
    "imap": ("imap", imap),
    "ldap": ("ldap", by_bytes(LDAP_REQUEST, LDAP_SUCCESS)),
    "ldap, long form": ("ldap", by_bytes(LDAP_REQUEST, LDAP_SUCCESS_LONG_FORM)),
    "postgres": ("postgres", by_bytes(POSTGRES_REQUEST, b"S")),
}


@pytest.mark.parametrize("name", SERVERS)
async def test_starts_tls(name: str, authority: Authority) -> None:
    protocol, server = SERVERS[name]
    result = await once(server(authority.server("127.0.0.1")), protocol, authority)
    assert result.outcome is Outcome.OK, result.detail
    assert values(result)["probe_ssl_verified"] == 1
    assert values(result)["probe_tcp_duration_seconds{tls}"] > 0


@pytest.mark.parametrize("name", SERVERS)
async def test_tells_the_expiry_of_a_certificate_that_does_not_verify(name: str, authority: Authority) -> None:
    protocol, server = SERVERS[name]
    result = await once(server(authority.server("other.example")), protocol, authority)
    assert (result.outcome, result.reason) == (Outcome.FAIL, Reason.TLS)
    assert values(result)["probe_ssl_earliest_cert_expiry"] > 0
    assert values(result)["probe_ssl_verified"] == 0


@pytest.mark.parametrize(
    ("protocol", "lines", "reason"),
    [
        ("smtp", ["554 go away\r\n"], Reason.UNEXPECTED),
        ("smtp", ["SSH-2.0-OpenSSH\r\n"], Reason.PROTOCOL),
        ("smtp", ["220 hello\r\n", "502 what\r\n"], Reason.UNEXPECTED),
        ("smtp", ["220 hello\r\n", "250-x\r\n250 SIZE\r\n"], Reason.TLS),
        ("smtp", ["220 hello\r\n", SMTP_OFFER, "454 not now\r\n"], Reason.TLS),
        ("smtp", ["220 hello\r\n", SMTP_OFFER, "220 go\r\n250 injected\r\n"], Reason.TLS),
        ("imap", ["220 hello\r\n"], Reason.PROTOCOL),
        ("imap", ["* BYE overloaded\r\n"], Reason.UNEXPECTED),
        ("imap", ["* OK hello\r\n", "a1 BAD no\r\n"], Reason.TLS),
        ("imap", ["* OK hello\r\n", "what\r\n"], Reason.PROTOCOL),
        ("postgres", ["N"], Reason.TLS),
        ("postgres", ["HTTP/1.1 400\r\n"], Reason.PROTOCOL),
        ("ldap", [LDAP_PROTOCOL_ERROR.decode("latin-1")], Reason.TLS),
        ("ldap", ["HTTP/1.1 400 Bad Request\r\n\r\n" + "x" * 100], Reason.PROTOCOL),
        ("ldap", [bytes.fromhex("30847fffffff").decode("latin-1")], Reason.PROTOCOL),
        ("ldap", [bytes.fromhex("3080").decode("latin-1")], Reason.PROTOCOL),
        ("ldap", [bytes.fromhex("3003020101").decode("latin-1")], Reason.PROTOCOL),
        ("ldap", [bytes.fromhex("300602010178050a01").decode("latin-1")], Reason.PROTOCOL),
        ("ldap", [bytes.fromhex("300a02010161050a01000400").decode("latin-1")], Reason.PROTOCOL),
    ],
)
async def test_what_stands_in_the_way(protocol: str, lines: list[str], reason: Reason, authority: Authority) -> None:
    result = await once(says(*lines), protocol, authority)
    assert (result.outcome, result.reason) == (Outcome.FAIL, reason), result.detail


@pytest.mark.parametrize("protocol", ["smtp", "imap", "ldap", "postgres"])
async def test_silence_times_out(protocol: str, authority: Authority) -> None:
    result = await once(hang, protocol, authority, timeout=0.15)
    assert (result.outcome, result.reason) == (Outcome.FAIL, Reason.TIMEOUT)
    assert values(result)["probe_tcp_duration_seconds{connect}"] > 0


@pytest.mark.parametrize("protocol", ["smtp", "imap", "ldap", "postgres"])
async def test_a_peer_that_closes(protocol: str, authority: Authority) -> None:
    async def close(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"0"[: protocol == "ldap"])

    result = await once(close, protocol, authority)
    assert (result.outcome, result.reason) == (Outcome.FAIL, Reason.PROTOCOL)


@pytest.fixture
def postgres(real: Callable[[str], str], authority: Authority) -> Iterator[int]:
    """Port of a PostgreSQL server with TLS."""
    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    programs = installed[-1].parent if installed else Path(real("initdb")).parent
    port, directory = _free_port(), Path(tempfile.mkdtemp(prefix="hatang-postgres-"))
    _give(directory)
    command = [str(programs / "postgres"), "-D", f"{directory}/data", "-p", str(port), "-k", str(directory), "-l"]
    for name, file in authority.server_files(directory, "127.0.0.1").items():
        _give(file)
        command.append(f"-cssl_{name}={file}")
    try:
        subprocess.run([programs / "initdb", "-D", f"{directory}/data", "--no-sync"], check=True, **_as_user())
        with subprocess.Popen(command, **_as_user()) as server:
            yield port
            server.send_signal(signal.SIGINT)
    finally:
        shutil.rmtree(directory)


@pytest.mark.real
async def test_a_real_postgresql(postgres: int, authority: Authority) -> None:
    result = await _until_open(postgres, authority)
    assert result.outcome is Outcome.OK, result.detail
    assert values(result)["probe_ssl_verified"] == 1


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _give(path: str | Path) -> None:
    if os.geteuid() == 0:
        shutil.chown(path, "postgres", "postgres")


def _as_user() -> dict[str, Any]:
    """The server refuses to run as root."""
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "cwd": "/"}
    return quiet | ({"user": "postgres", "group": "postgres", "extra_groups": []} if os.geteuid() == 0 else {})


async def _until_open(port: int, authority: Authority) -> Result:
    async with probing(KIND) as tcp, asyncio.timeout(10):
        trust = {"ca_file": str(authority.ca_file)}
        while True:
            result = await tcp.run(host="127.0.0.1", port=port, starttls="postgres", tls_config=trust)
            if result.reason not in (Reason.REFUSED, Reason.PROTOCOL):
                return result
            await asyncio.sleep(0.1)
