"""The rest kind with tokens by client credentials: got once, kept, renewed, never shown."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import encode_basic_auth, web

from collector.fields import Secret
from collector.model import Outcome, ProbeFailed, Reason, Result
from collector.probes.rest import KIND
from collector.rest.oauth2 import granted
from tests.http_peers import application, ok, redirect, saying
from tests.peers import Authority, leaving_nothing
from tests.probing import probing, values

METRIC = {"name": "level", "help": "Level.", "value": "level"}
SECRET = "c/lient+secret"


class Server:
    """An API and its token endpoint; a token is good as long as it is the newest."""

    def __init__(self) -> None:
        self.forms: list[dict[str, Any]] = []
        self.authorizations: list[str | None] = []
        self.calls = 0
        self.life: Any = 3600
        self.refuses = 0
        self.port = 0

    async def answer(self, request: web.BaseRequest) -> web.StreamResponse:
        """A token for a POST to /token, else the API."""
        if request.path == "/token":
            self.forms.append(dict(await request.post()))
            self.authorizations.append(request.headers.get("Authorization"))
            grant = {"access_token": f"token-{len(self.forms)}", "token_type": "bearer", "expires_in": self.life}
            return web.json_response({name: value for name, value in grant.items() if value is not None})
        self.calls += 1
        if self.refuses or request.headers.get("Authorization") != f"Bearer token-{len(self.forms)}":
            self.refuses = max(0, self.refuses - 1)
            return web.json_response({}, status=401)
        return web.json_response({"level": 3, "next": "/other" if request.path == "/" else None})


@asynccontextmanager
async def serving() -> AsyncIterator[Server]:
    server = Server()
    async with application(server.answer) as port:
        server.port = port
        yield server


def settings(server: Server, **oauth2: Any) -> dict[str, Any]:
    """A target that needs a token."""
    base = f"http://127.0.0.1:{server.port}"
    grant = {"token_url": f"{base}/token", "client_id": "hatang", "client_secret": Secret(SECRET)}
    return {"url": f"{base}/", "metrics": [METRIC], "oauth2": grant | oauth2}


async def test_one_token_for_all_runs_and_targets() -> None:
    async with serving() as server, probing(KIND) as prober, leaving_nothing():
        results = await asyncio.gather(*(prober.run(**settings(server)) for _ in range(5)))
        results.append(await prober.run(**settings(server)))
    assert {result.outcome for result in results} == {Outcome.OK}
    assert server.forms == [{"grant_type": "client_credentials"}]
    assert server.authorizations == [encode_basic_auth("hatang", "c%2Flient%2Bsecret")]


async def test_what_is_asked_for() -> None:
    async with serving() as server, probing(KIND) as prober:
        asking = settings(server, scope="a b", audience="https://api", credentials="body")
        assert (await prober.run(**asking)).outcome is Outcome.OK
    assert server.authorizations == [None]
    assert server.forms == [
        {
            "grant_type": "client_credentials",
            "scope": "a b",
            "audience": "https://api",
            "client_id": "hatang",
            "client_secret": SECRET,
        }
    ]


async def test_a_token_is_renewed_shortly_before_it_expires() -> None:
    async with serving() as server, probing(KIND) as prober:
        server.life = 0.5
        for count, pause in ((1, 0.0), (1, 0.46), (2, 0.0)):
            assert (await prober.run(**settings(server))).outcome is Outcome.OK
            assert len(server.forms) == count
            await asyncio.sleep(pause)


@pytest.mark.parametrize(
    ("life", "seconds"), [(3600, 3540), (100, 90), ("300", 270), (None, 270), (-5, 0), (1e9, 86340)]
)
def test_how_long_a_token_is_used(life: Any, seconds: float) -> None:
    grant = {"access_token": "t", "token_type": "Bearer", "expires_in": life}
    assert granted(json.dumps(grant).encode()) == ("t", seconds)


async def test_a_refused_token_is_renewed_once() -> None:
    async with serving() as server, probing(KIND) as prober:
        assert (await prober.run(**settings(server))).outcome is Outcome.OK
        server.refuses = 1
        assert (await prober.run(**settings(server))).outcome is Outcome.OK
        assert (len(server.forms), server.calls) == (2, 3)
        server.refuses = 2
        result = await prober.run(**settings(server))
        assert (result.outcome, result.reason, result.detail) == (Outcome.FAIL, Reason.AUTH, "status 401")
        assert (len(server.forms), server.calls) == (3, 5)


async def test_a_token_that_ends_between_two_pages_is_renewed_too() -> None:
    async with serving() as server, probing(KIND) as prober:
        server.life = 0.0
        paging = {"by": "next-link", "next": "next"}
        result = await prober.run(**settings(server), paging=paging)
    assert result.outcome is Outcome.OK, result
    assert len(server.forms) == 2


async def test_no_token_goes_to_another_host() -> None:
    headers: list[str | None] = []

    async def other(request: web.BaseRequest) -> web.StreamResponse:
        headers.append(request.headers.get("Authorization"))
        return web.json_response({"level": 1})

    async with serving() as server, application(other) as port, probing(KIND) as prober:
        follow = [{"name": "other", "links": f"'http://localhost:{port}/'"}]
        result = await prober.run(**settings(server), follow=follow, allowed_redirect_hosts=["localhost"])
    assert result.outcome is Outcome.OK
    assert headers == [None]


def refusal(document: object) -> bytes:
    """An answer that refuses."""
    return ok(json.dumps(document).encode()).replace(b"200 OK", b"400 Bad Request")


GRANT = {"access_token": "t", "token_type": "Bearer"}


@pytest.mark.parametrize(
    ("answer", "detail"),
    [
        (refusal({"error": "invalid_client"}), "status 400: invalid_client"),
        (refusal({"error": "a\nb: c"}), "status 400"),
        (b"HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n", "status 503"),
        (redirect("/elsewhere"), "status 302"),
        (ok(b"<html>"), "the body is not JSON"),
        (ok(b"[]"), "the answer is no object"),
        (ok(b"{}"), "no usable access_token in the answer"),
        (ok(json.dumps(GRANT | {"access_token": 5}).encode()), "no usable access_token in the answer"),
        (ok(json.dumps(GRANT | {"access_token": "a\r\nX: y"}).encode()), "no usable access_token in the answer"),
        (ok(json.dumps(GRANT | {"access_token": "a\n"}).encode()), "no usable access_token in the answer"),
        (ok(json.dumps(GRANT | {"token_type": "mac"}).encode()), "the token is none of type Bearer"),
        (ok(json.dumps(GRANT | {"token_type": None}).encode()), "the token is none of type Bearer"),
        (ok(json.dumps(GRANT | {"expires_in": "soon"}).encode()), "expires_in is no number"),
        (ok(json.dumps(GRANT | {"expires_in": "nan"}).encode()), "expires_in is no number"),
        (ok(b"x" * 70_000), "the body is larger than 65536 bytes"),
        (b"SSH-2.0-OpenSSH\r\n", "not an HTTP answer"),
        (b"", "the peer closed the connection without an answer"),
    ],
)
async def test_whatever_is_wrong_with_the_token_endpoint_is_about_authentication(answer: bytes, detail: str) -> None:
    async with serving() as server, saying(answer) as bad, probing(KIND) as prober, leaving_nothing():
        result = await prober.run(**settings(server, token_url=f"http://127.0.0.1:{bad.port}/"))
    assert (result.outcome, result.reason) == (Outcome.FAIL, Reason.AUTH)
    assert result.detail.startswith(f"token endpoint: {detail}")
    assert SECRET not in result.detail
    assert server.calls == 0


async def test_a_token_endpoint_that_is_gone_or_hangs() -> None:
    async with serving() as server, probing(KIND) as prober, leaving_nothing():
        result = await prober.run(**settings(server, token_url="http://127.0.0.1:1/"))
        assert (result.reason, result.detail) == (Reason.AUTH, "token endpoint: connection refused")
        async with saying(b"", then_hang=True) as silent:
            base = settings(server, token_url=f"http://127.0.0.1:{silent.port}/")
            runs: list[Result] = await asyncio.gather(*(prober.run(0.3, **base) for _ in range(3)))
    assert {result.reason for result in runs} == {Reason.TIMEOUT}
    assert max(result.duration for result in runs) < 1


async def test_the_token_endpoint_has_tls_of_its_own(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    tls = authority.server("127.0.0.1")
    async with serving() as server, application(server.answer, tls) as secure, probing(KIND) as prober:
        url = f"https://127.0.0.1:{secure}/token"
        good = await prober.run(**settings(server, token_url=url, tls={"ca_file": authority.ca_file}))
        bad = await prober.run(**settings(server, token_url=url))
    assert good.outcome is Outcome.OK
    assert (bad.reason, bad.detail[:28]) == (Reason.AUTH, "token endpoint: certificate:")
    assert "probe_ssl_verified" not in values(good)


def test_a_grant_that_is_none() -> None:
    with pytest.raises(ProbeFailed):
        granted(b"null")
