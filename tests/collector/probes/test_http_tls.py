"""The http kind over TLS: what it says of certificates, good ones and bad ones."""

from __future__ import annotations

import asyncio
import socket
import ssl
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psutil
import pytest
from trustme import CA

from collector.model import Outcome, Reason, Result
from collector.probes.http import KIND
from tests.http_peers import ok, peer, redirect, saying
from tests.peers import Authority, leaving_nothing
from tests.pinned import check_pinned
from tests.probing import probing, values

CHAIN_FACTS = {
    "probe_ssl_earliest_cert_expiry",
    "probe_ssl_leaf_cert_expiry_timestamp_seconds",
    "probe_ssl_verified",
}


async def ask(context: ssl.SSLContext, **settings: Any) -> Result:
    """One run against `https://cong.example/`, served with `context`."""
    async with saying(ok(), tls=context) as server, probing(KIND, {"*": f"127.0.0.1:{server.port}"}) as prober:
        return await prober.run(**{"url": "https://cong.example/", **settings})


def names(result: Result) -> set[str]:
    return {sample.metric.name for sample in result.samples}


async def test_a_good_certificate_is_described(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    expires = (datetime.now(UTC) + timedelta(days=9)).replace(microsecond=0)
    result = await ask(authority.server("cong.example", not_after=expires), tls={"ca_file": authority.ca_file})
    seen = values(result)
    assert result.outcome is Outcome.OK, result
    assert seen["probe_ssl_earliest_cert_expiry"] == expires.timestamp()
    assert seen["probe_ssl_leaf_cert_expiry_timestamp_seconds"] == expires.timestamp()
    assert seen["probe_ssl_last_chain_expiry_timestamp_seconds"] == expires.timestamp()
    assert (seen["probe_ssl_verified"], seen["probe_http_ssl"]) == (1, 1)
    assert seen["probe_tls_version_info{TLS 1.3}"] == 1
    assert any(name.startswith("probe_tls_cipher_info{TLS_") for name in seen)
    info = next(sample for sample in result.samples if sample.metric.name == "probe_ssl_last_chain_info")
    assert info.labels[3] == "cong.example"
    assert seen["probe_http_duration_seconds{tls}"] > 0


async def test_everything_the_kind_can_say_is_pinned(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    answer = ok(b"hello", "Last-Modified: Wed, 21 Oct 2015 07:28:00 GMT")
    async with saying(redirect("/next"), answer, tls=authority.server("127.0.0.1")) as server, probing(KIND) as prober:
        result = await prober.run(
            url=f"https://127.0.0.1:{server.port}/", tls={"ca_file": authority.ca_file}, body_matches=["hello"]
        )
    assert result.outcome is Outcome.OK, result
    check_pinned(KIND, result)


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("expired", "certificate has expired"),
        ("wrong name", "Hostname mismatch"),
        ("unknown authority", "unable to get local issuer certificate"),
        ("self-signed", "self-signed certificate"),
    ],
)
async def test_a_bad_certificate_is_still_described(fault: str, words: str, tmp_path: Path) -> None:
    """Its expiry is told, nothing is sent, and the verdict stays."""
    authority = Authority(tmp_path)
    expires = (datetime.now(UTC) + timedelta(days=-1 if fault == "expired" else 9)).replace(microsecond=0)
    context = authority.server("other.example" if fault == "wrong name" else "cong.example", not_after=expires)
    if fault == "self-signed":
        context = self_signed(tmp_path)
    tls = {} if fault == "unknown authority" else {"ca_file": authority.ca_file}
    async with saying(ok(), tls=context) as server, probing(KIND, {"*": f"127.0.0.1:{server.port}"}) as prober:
        result = await prober.run(url="https://cong.example/", tls=tls)
        await asyncio.sleep(0.05)
    seen = values(result)
    assert (result.outcome, result.reason) == (Outcome.FAIL, Reason.TLS)
    assert words in result.detail
    assert names(result) >= CHAIN_FACTS
    assert seen["probe_ssl_verified"] == 0
    if fault != "self-signed":
        assert seen["probe_ssl_leaf_cert_expiry_timestamp_seconds"] == expires.timestamp()
    assert "probe_ssl_last_chain_expiry_timestamp_seconds" not in seen
    assert {"probe_http_duration_seconds{resolve}", "probe_http_duration_seconds{connect}"} <= seen.keys()
    assert "probe_http_duration_seconds{tls}" not in seen
    assert server.requests == []


def self_signed(directory: Path) -> ssl.SSLContext:
    """A server that shows a certificate which signed itself."""
    ca = CA()
    ca.cert_pem.write_to_path(directory / "self.pem")
    ca.private_key_pem.write_to_path(directory / "self.key")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(directory / "self.pem", directory / "self.key")
    return context


async def test_unverified_on_request(tmp_path: Path) -> None:
    expires = datetime.now(UTC) - timedelta(days=3)
    result = await ask(Authority(tmp_path).server("other.example", not_after=expires), tls={"verify": False})
    assert result.outcome is Outcome.OK
    assert values(result)["probe_ssl_verified"] == 0
    assert names(result) >= CHAIN_FACTS


async def test_another_server_name(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    asked: list[str | None] = []
    context = authority.server("ben-trong.example")
    context.sni_callback = lambda _, name, __: asked.append(name)
    tls = {"ca_file": authority.ca_file, "server_name": "ben-trong.example"}
    assert (await ask(context, tls=tls)).outcome is Outcome.OK
    assert (await ask(context, tls={"ca_file": authority.ca_file})).reason is Reason.TLS
    assert asked == ["ben-trong.example", "cong.example", "cong.example"]


async def test_a_trailing_dot_is_not_part_of_the_name(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    tls = {"ca_file": authority.ca_file}
    result = await ask(authority.server("cong.example"), url="https://cong.example./", tls=tls)
    assert result.outcome is Outcome.OK, result


async def test_versions_on_request(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    context = authority.server("cong.example")
    result = await ask(context, tls={"ca_file": authority.ca_file, "min_version": "1.2", "max_version": "1.2"})
    assert values(result)["probe_tls_version_info{TLS 1.2}"] == 1
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    refused = await ask(context, tls={"ca_file": authority.ca_file, "min_version": "1.3"})
    assert refused.reason is Reason.TLS
    assert values(refused)["probe_tls_version_info{TLS 1.2}"] == 1


async def test_a_server_that_only_speaks_tls_1_0(tmp_path: Path) -> None:
    """Refused unless asked for; its certificate is described either way."""
    authority = Authority(tmp_path)
    context = authority.server("cong.example")
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1
    refused = await ask(context, tls={"ca_file": authority.ca_file})
    assert (refused.outcome, refused.reason) == (Outcome.FAIL, Reason.TLS)
    assert names(refused) >= CHAIN_FACTS
    assert values(refused)["probe_tls_version_info{TLS 1.0}"] == 1
    accepted = await ask(context, tls={"ca_file": authority.ca_file, "min_version": "1.0"})
    assert accepted.outcome is Outcome.OK, accepted


@contextmanager
def openssl_server(context: ssl.SSLContext) -> Iterator[int]:
    """A server on blocking sockets in a thread: unlike asyncio's, it sends the alerts that OpenSSL writes."""

    def serve() -> None:
        with suppress(OSError):
            while True:
                raw, _ = listener.accept()
                with raw, suppress(OSError), context.wrap_socket(raw, server_side=True) as connection:
                    connection.recv(65536)
                    connection.sendall(ok())

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve)
        thread.start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)
    thread.join()


@pytest.mark.parametrize("version", ["1.2", "1.3"])
async def test_client_certificate(version: str, tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    tls = {"ca_file": authority.ca_file, "min_version": version, "max_version": version}
    with openssl_server(authority.demanding("127.0.0.1")) as port:
        async with probing(KIND) as prober:
            url = f"https://127.0.0.1:{port}/"
            with_one = await prober.run(url=url, tls={**tls, **authority.client_files()})
            without = await prober.run(url=url, tls=tls)
    assert with_one.outcome is Outcome.OK, with_one
    assert (without.outcome, without.reason) == (Outcome.FAIL, Reason.TLS)
    assert "ALERT" in without.detail
    if version == "1.3":  # there the client is done before the server looks for its certificate
        assert names(without) >= CHAIN_FACTS


async def test_a_refused_client_certificate_is_an_auth_failure(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    answer = b"HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n"
    async with saying(answer, tls=authority.demanding("127.0.0.1")) as server, probing(KIND) as prober:
        tls = {"ca_file": authority.ca_file, **authority.client_files()}
        result = await prober.run(url=f"https://127.0.0.1:{server.port}/", tls=tls)
    assert (result.reason, result.detail) == (Reason.AUTH, "status 403")


@pytest.mark.parametrize("setting", ["ca_file", "cert_file"])
async def test_a_file_of_ours_that_cannot_be_used_is_our_fault(setting: str, tmp_path: Path) -> None:
    (tmp_path / "no.pem").write_text("this is no certificate")
    context = Authority(tmp_path).server("cong.example")
    for name in ("missing.pem", "no.pem"):
        result = await ask(context, tls={setting: tmp_path / name})
        assert (result.outcome, result.reason) == (Outcome.ERROR, Reason.LOCAL)
        assert name in result.detail


@pytest.mark.parametrize("greeting", [b"SSH-2.0-OpenSSH_9.2\r\n", b"220 mail ready\r\n", b"HTTP/1.1 400 Bad\r\n\r\n"])
async def test_a_peer_that_does_not_speak_tls(greeting: bytes) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(greeting)
        await reader.read(10)

    async with peer(talk) as server, probing(KIND) as prober:
        result = await prober.run(url=f"https://127.0.0.1:{server.port}/")
    assert (result.outcome, result.reason) == (Outcome.FAIL, Reason.TLS), result


async def test_a_peer_that_hangs_up_in_the_handshake() -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(10)

    async with peer(talk) as server, probing(KIND) as prober:
        result = await prober.run(url=f"https://127.0.0.1:{server.port}/")
    assert (result.outcome, result.reason) == (Outcome.FAIL, Reason.TLS), result
    assert "closed the connection" in result.detail


async def test_a_handshake_that_hangs_ends_with_the_run() -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()

    async with peer(talk) as server, probing(KIND) as prober, leaving_nothing():
        result = await prober.run(timeout=0.3, url=f"https://127.0.0.1:{server.port}/")
    assert result.reason is Reason.TIMEOUT
    assert result.duration < 1.5
    assert {"probe_http_duration_seconds{resolve}", "probe_http_duration_seconds{connect}"} <= values(result).keys()


async def test_a_peer_that_does_not_say_goodbye_holds_no_connection(tmp_path: Path) -> None:
    authority = Authority(tmp_path)

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.transport.pause_reading()  # type: ignore[attr-defined]  # a transport that reads
        writer.write(ok())
        await asyncio.sleep(60)

    async with peer(talk, tls=authority.server("127.0.0.1")) as server, probing(KIND) as prober:
        url = f"https://127.0.0.1:{server.port}/"
        result = await prober.run(url=url, tls={"ca_file": authority.ca_file})
        await asyncio.sleep(0.1)
        ours = [link for link in psutil.Process().net_connections() if link.raddr and link.raddr.port == server.port]
    assert result.outcome is Outcome.OK
    assert ours == []


async def test_reading_a_bad_certificate_never_hides_that_it_is_bad(tmp_path: Path) -> None:
    """The second handshake hangs; the run still says what the first one said, within its time."""
    context = Authority(tmp_path).server("127.0.0.1")

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if server.connections == 1:
            await writer.start_tls(context)
        await asyncio.sleep(60)

    async with peer(talk) as server, probing(KIND) as prober:
        result = await prober.run(timeout=1.0, url=f"https://127.0.0.1:{server.port}/")
        assert server.connections == 2
    assert (result.outcome, result.reason) == (Outcome.FAIL, Reason.TLS)
    assert result.duration < 0.95


async def test_fail_if_ssl(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    context, tls = authority.server("cong.example"), {"ca_file": authority.ca_file}
    result = await ask(context, tls=tls, fail_if_ssl=True)
    assert (result.reason, result.detail) == (Reason.UNEXPECTED, "the answer came over TLS")
    assert (await ask(context, tls=tls, fail_if_not_ssl=True)).outcome is Outcome.OK


async def test_from_http_to_https_and_back(tmp_path: Path) -> None:
    """What is told of TLS is about the last answer; credentials go up to https, never down from it."""
    authority = Authority(tmp_path)
    settings: dict[str, Any] = {
        "tls": {"ca_file": authority.ca_file},
        "bearer_token": "TOKEN",
    }
    async with (
        saying(ok(), tls=authority.server("cong.example")) as secure,
        saying(redirect("https://cong.example/")) as plain,
        probing(
            KIND, {"cong.example:443": f"127.0.0.1:{secure.port}", "cong.example:80": f"127.0.0.1:{plain.port}"}
        ) as prober,
    ):
        up = await prober.run(url="http://cong.example/", fail_if_not_ssl=True, **settings)
    assert up.outcome is Outcome.OK, up
    assert values(up)["probe_http_ssl"] == 1
    assert "TOKEN" in secure.requests[0]
    async with (
        saying(redirect("http://cong.example/"), tls=authority.server("cong.example")) as secure,
        saying(ok()) as plain,
        probing(
            KIND, {"cong.example:443": f"127.0.0.1:{secure.port}", "cong.example:80": f"127.0.0.1:{plain.port}"}
        ) as prober,
    ):
        down = await prober.run(url="https://cong.example/", **settings)
    assert down.outcome is Outcome.OK, down
    assert values(down)["probe_http_ssl"] == 0
    assert "probe_ssl_verified" not in values(down)
    assert "TOKEN" in secure.requests[0]
    assert "TOKEN" not in plain.requests[0]
