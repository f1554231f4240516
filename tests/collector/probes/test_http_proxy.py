"""The http kind through proxies: plain, CONNECT, over TLS, with credentials, and proxies that refuse."""

from __future__ import annotations

import asyncio
import base64
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from collector.model import Outcome, Reason
from collector.probes.http import KIND
from tests.http_peers import Peer, ok, peer, saying
from tests.peers import Authority
from tests.probing import probing, values

PROXY_AUTH = {"username": "giám-sát", "password": "p"}
TOKEN = "Proxy-Authorization: Basic " + base64.b64encode("giám-sát:p".encode()).decode()


@asynccontextmanager
async def connecting(
    to: int, answer: bytes = b"HTTP/1.1 200 Connected\r\n\r\n", tls: ssl.SSLContext | None = None
) -> AsyncIterator[Peer]:
    """A proxy that knows CONNECT: it answers, and on 200 joins the connection to a port of ours."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.requests.append((await reader.readuntil(b"\r\n\r\n")).decode())
        writer.write(answer)
        if b" 200 " not in answer:
            return
        there, back = await asyncio.open_connection("127.0.0.1", to)
        try:
            await asyncio.gather(pour(reader, back), pour(there, writer))
        finally:
            back.close()

    async with peer(talk, tls=tls) as seen:
        yield seen


async def pour(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    """All that comes from `source` into `sink`."""
    while data := await source.read(65536):
        sink.write(data)
    sink.close()


async def test_plain_requests_ask_the_proxy_for_the_whole_url() -> None:
    async with saying(ok()) as proxy, probing(KIND) as prober:
        result = await prober.run(
            url="http://nowhere.example:81/x?y=1", proxy=f"http://127.0.0.1:{proxy.port}", proxy_auth=PROXY_AUTH
        )
    assert result.outcome is Outcome.OK, result
    assert proxy.requests[0].startswith("GET http://nowhere.example:81/x?y=1 HTTP/1.1\r\n")
    assert "Host: nowhere.example:81\r\n" in proxy.requests[0]
    assert TOKEN in proxy.requests[0]


async def test_no_credentials_are_sent_to_a_proxy_without_any() -> None:
    async with saying(ok()) as proxy, probing(KIND) as prober:
        await prober.run(url="http://nowhere.example/", proxy=f"http://127.0.0.1:{proxy.port}")
    assert "Authorization" not in proxy.requests[0]


async def test_https_goes_through_a_tunnel(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    async with (
        saying(ok(), tls=authority.server("nowhere.example")) as target,
        connecting(target.port) as proxy,
        probing(KIND) as prober,
    ):
        result = await prober.run(
            url="https://nowhere.example/x",
            proxy=f"http://127.0.0.1:{proxy.port}",
            proxy_auth=PROXY_AUTH,
            basic_auth={"username": "u", "password": "p"},
            tls={"ca_file": authority.ca_file},
        )
    assert result.outcome is Outcome.OK, result
    assert proxy.requests[0].startswith("CONNECT nowhere.example:443 HTTP/1.1\r\nHost: nowhere.example:443\r\n")
    assert TOKEN in proxy.requests[0]
    assert "Authorization: Basic dTpw" not in proxy.requests[0]
    assert "Proxy-Authorization" not in target.requests[0]
    assert target.requests[0].startswith("GET /x HTTP/1.1\r\n")
    seen = values(result)
    assert seen["probe_ssl_verified"] == 1
    assert "probe_http_duration_seconds{tls}" in seen


async def test_an_interim_answer_of_the_proxy_is_passed_over(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    answer = b"HTTP/1.1 103 Hints\r\n\r\nHTTP/1.1 200 Connected\r\n\r\n"
    async with (
        saying(ok(), tls=authority.server("nowhere.example")) as target,
        connecting(target.port, answer) as proxy,
        probing(KIND) as prober,
    ):
        result = await prober.run(
            url="https://nowhere.example/",
            proxy=f"http://127.0.0.1:{proxy.port}",
            tls={"ca_file": authority.ca_file},
        )
    assert result.outcome is Outcome.OK, result


@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_the_proxy_itself_may_speak_tls(scheme: str, tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    settings: dict[str, Any] = {"tls": {"ca_file": authority.ca_file}, "proxy_tls": {"ca_file": authority.ca_file}}
    proxy_context = authority.server("proxy.example")
    async with saying(ok(), tls=authority.server("nowhere.example")) as target:
        through = connecting(target.port, tls=proxy_context) if scheme == "https" else saying(ok(), tls=proxy_context)
        async with through as proxy, probing(KIND, {"proxy.example": f"127.0.0.1:{proxy.port}"}) as prober:
            result = await prober.run(url=f"{scheme}://nowhere.example/", proxy="https://proxy.example", **settings)
            assert result.outcome is Outcome.OK, result
            assert values(result)["probe_http_ssl"] == (scheme == "https")
            distrusted = await prober.run(
                url=f"{scheme}://nowhere.example/", proxy="https://proxy.example", tls=settings["tls"]
            )
    assert distrusted.reason is Reason.TLS
    assert distrusted.detail.startswith("proxy: certificate: ")


@pytest.mark.parametrize(
    ("answer", "reason", "detail"),
    [
        (b"HTTP/1.1 407 Who\r\nContent-Length: 0\r\n\r\n", Reason.AUTH, "the proxy wants other credentials"),
        (b"HTTP/1.1 502 Bad\r\n\r\n", Reason.UNEXPECTED, "the proxy answered 502 to CONNECT nowhere.example:443"),
        (b"SSH-2.0-OpenSSH\r\n", Reason.PROTOCOL, "not an HTTP answer"),
        (b"", Reason.PROTOCOL, "the peer closed the connection without an answer"),
    ],
)
async def test_a_proxy_that_refuses_to_connect(answer: bytes, reason: Reason, detail: str) -> None:
    async with connecting(1, answer) as proxy, probing(KIND) as prober:
        result = await prober.run(url="https://nowhere.example/", proxy=f"http://127.0.0.1:{proxy.port}")
    assert (result.outcome, result.reason) == (Outcome.FAIL, reason)
    assert result.detail.startswith(detail)


async def test_a_proxy_that_wants_credentials_for_a_plain_request() -> None:
    async with saying(b"HTTP/1.1 407 Who\r\nContent-Length: 0\r\n\r\n") as proxy, probing(KIND) as prober:
        result = await prober.run(url="http://nowhere.example/", proxy=f"http://127.0.0.1:{proxy.port}")
    assert (result.reason, result.detail) == (Reason.AUTH, "status 407")


async def test_a_proxy_that_is_not_there() -> None:
    async with probing(KIND) as prober:
        result = await prober.run(url="https://nowhere.example/", proxy="http://127.0.0.1:1")
    assert result.reason is Reason.REFUSED


async def test_a_proxy_that_never_answers_connect() -> None:
    async with saying(b"", then_hang=True) as proxy, probing(KIND) as prober:
        result = await prober.run(timeout=0.3, url="https://nowhere.example/", proxy=f"http://127.0.0.1:{proxy.port}")
    assert result.reason is Reason.TIMEOUT
    assert "probe_http_duration_seconds{resolve}" in values(result)


async def test_the_certificate_behind_a_proxy_is_read_also_when_it_does_not_verify(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    async with (
        saying(ok(), tls=authority.server("nowhere.example")) as target,
        connecting(target.port) as proxy,
        probing(KIND) as prober,
    ):
        result = await prober.run(url="https://nowhere.example/", proxy=f"http://127.0.0.1:{proxy.port}")
    assert result.reason is Reason.TLS
    assert "probe_ssl_earliest_cert_expiry" in values(result)
    assert target.requests == []
