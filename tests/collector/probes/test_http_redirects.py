"""Redirects: how far the http kind follows, where to, and what it takes along."""

from __future__ import annotations

from typing import Any

import pytest
from aiohttp import web

from collector.fields import Secret
from collector.model import Outcome, Reason
from collector.probes.http import KIND
from tests.http_peers import application, ok, redirect, saying
from tests.probing import probing, values

CREDENTIALS: dict[str, Any] = {
    "basic_auth": {"username": "u", "password": "p"},
    "headers": {"X-Api-Key": "k", "Cookie": "mine=1", "Accept": "text/html", "User-Agent": "giam-sat"},
}


@pytest.mark.parametrize("location", ["/next", "next", "//127.0.0.1:{port}/next", "http://127.0.0.1:{port}/next#there"])
async def test_redirects_on_the_same_host_are_followed(location: str) -> None:
    async def serve(request: web.BaseRequest) -> web.Response:
        if request.path == "/next":
            return web.Response(text="arrived")
        raise web.HTTPFound(location.format(port=port))

    async with application(serve) as port, probing(KIND) as prober:
        result = await prober.run(url=f"http://127.0.0.1:{port}/first", body_matches=["arrived"])
    seen = values(result)
    assert result.outcome is Outcome.OK, result
    assert (seen["probe_http_redirects"], seen["probe_http_status_code"]) == (1, 200)


async def test_redirects_are_not_followed_when_told_so() -> None:
    async with saying(redirect("/next")) as server, probing(KIND) as prober:
        url = f"http://127.0.0.1:{server.port}/"
        result = await prober.run(url=url, follow_redirects=False)
        wanted = await prober.run(
            url=url, follow_redirects=False, valid_status=[302], header_matches=[{"header": "location", "regex": "^/n"}]
        )
    assert (result.reason, result.detail) == (Reason.UNEXPECTED, "status 302")
    assert wanted.outcome is Outcome.OK
    assert values(wanted)["probe_http_redirects"] == 0


async def test_a_redirect_without_a_location_is_the_answer() -> None:
    async with saying(b"HTTP/1.1 302 Go\r\nContent-Length: 0\r\n\r\n") as server, probing(KIND) as prober:
        result = await prober.run(url=f"http://127.0.0.1:{server.port}/")
    assert result.detail == "status 302"


async def test_three_redirects_are_enough() -> None:
    answers = [redirect(f"/{hop}") for hop in range(3)]
    async with saying(*answers, ok()) as server, probing(KIND) as prober:
        result = await prober.run(url=f"http://127.0.0.1:{server.port}/")
        assert values(result)["probe_http_redirects"] == 3
        assert result.outcome is Outcome.OK
        told = [sample.metric.name for sample in result.samples]
        assert told.count("probe_dns_lookup_time_seconds") == 1  # the lookup of the target, not of later hosts
    async with saying(redirect("/round")) as server, probing(KIND) as prober:
        result = await prober.run(url=f"http://127.0.0.1:{server.port}/")
    assert (result.reason, result.detail) == (Reason.UNEXPECTED, "more than 3 redirects")
    assert values(result)["probe_http_status_code"] == 302
    assert server.connections == 4


@pytest.mark.parametrize(
    ("location", "reason", "detail"),
    [
        ("http://other.example/", Reason.UNEXPECTED, "redirect to another host: other.example"),
        ("//other.example/", Reason.UNEXPECTED, "redirect to another host: other.example"),
        ("http://127.0.0.1@other.example/", Reason.UNEXPECTED, "redirect to another host: other.example"),
        ("http://localhost/", Reason.UNEXPECTED, "redirect to another host: localhost"),
        ("file:///etc/passwd", Reason.UNEXPECTED, "redirect to file:"),
        ("ftp://127.0.0.1/", Reason.UNEXPECTED, "redirect to ftp:"),
        ("javascript:alert(1)", Reason.UNEXPECTED, "redirect to javascript:"),
        ("http://[::1/", Reason.PROTOCOL, "redirect to what is no URL"),
        ("h\x1ft%17p://a/", Reason.UNEXPECTED, "more than 3 redirects"),
        ("http://a\x1fb/", Reason.PROTOCOL, "redirect to what is no URL"),
        ("http://127.0.0.1:999999/", Reason.PROTOCOL, "redirect to what is no URL"),
    ],
)
async def test_redirects_to_elsewhere_fail(location: str, reason: Reason, detail: str) -> None:
    async with saying(redirect(location)) as server, probing(KIND) as prober:
        result = await prober.run(url=f"http://127.0.0.1:{server.port}/")
    assert (result.outcome, result.reason, result.detail) == (Outcome.FAIL, reason, detail)
    assert values(result)["probe_http_redirects"] >= 1


@pytest.mark.parametrize("hosts", [["b.example"], ["B.example"], ["*.example"]])
async def test_allowed_hosts_are_followed_without_credentials(hosts: list[str]) -> None:
    async with (
        saying(ok()) as other,
        saying(redirect("http://b.example/there")) as first,
        probing(KIND, {"a.example": f"127.0.0.1:{first.port}", "b.example": f"127.0.0.1:{other.port}"}) as prober,
    ):
        result = await prober.run(url="http://a.example/", allowed_redirect_hosts=hosts, **CREDENTIALS)
    assert result.outcome is Outcome.OK, result
    assert "Authorization: Basic" in first.requests[0]
    head = other.requests[0]
    assert "Host: b.example\r\n" in head
    assert "Accept: text/html\r\n" in head
    assert "User-Agent: giam-sat\r\n" in head
    for secret in ("Authorization", "X-Api-Key", "Cookie"):
        assert secret in first.requests[0]
        assert secret not in head


async def test_credentials_once_dropped_stay_dropped() -> None:
    async with (
        saying(redirect("http://a.example/back")) as other,
        saying(redirect("http://b.example/there"), ok()) as first,
        probing(KIND, {"a.example": f"127.0.0.1:{first.port}", "b.example": f"127.0.0.1:{other.port}"}) as prober,
    ):
        result = await prober.run(url="http://a.example/", allowed_redirect_hosts=["*.example"], **CREDENTIALS)
    assert result.outcome is Outcome.OK, result
    assert "Authorization" in first.requests[0]
    assert "Authorization" not in first.requests[1]


async def test_credentials_stay_on_the_same_origin_and_leave_for_another_port() -> None:
    async with saying(ok()) as other, probing(KIND) as prober:
        away = redirect(f"http://127.0.0.1:{other.port}/")
        async with saying(redirect("/on"), away) as first:
            result = await prober.run(url=f"http://127.0.0.1:{first.port}/", **CREDENTIALS)
    assert result.outcome is Outcome.OK
    assert all("Authorization: Basic" in head for head in first.requests)
    assert "Authorization" not in other.requests[0]


@pytest.mark.parametrize(
    ("status", "method", "then", "keeps_body"),
    [
        (301, "POST", "GET", False),
        (302, "POST", "GET", False),
        (303, "POST", "GET", False),
        (303, "PUT", "GET", False),
        (302, "PUT", "PUT", True),
        (307, "POST", "POST", True),
        (308, "POST", "POST", True),
        (303, "HEAD", "HEAD", False),
    ],
)
async def test_method_and_body_after_a_redirect(status: int, method: str, then: str, keeps_body: bool) -> None:
    got: list[tuple[str, str, bool]] = []

    async def serve(request: web.BaseRequest) -> web.Response:
        got.append((request.method, await request.text(), "X-Kind" in request.headers))
        if request.path == "/":
            return web.Response(status=status, headers={"Location": "/next"})
        return web.Response()

    body = None if method == "HEAD" else "thân"
    async with application(serve) as port, probing(KIND) as prober:
        settings: dict[str, Any] = {"headers": {"Content-Type": "text/x", "X-Kind": "x"}, "body": body}
        result = await prober.run(url=f"http://127.0.0.1:{port}/", method=method, **settings)
    assert result.outcome is Outcome.OK, result
    assert got[1] == (then, "thân" if keeps_body else "", True)


async def test_a_secret_body_goes_to_nobody_else() -> None:
    got: dict[str, str] = {}

    async def serve(request: web.BaseRequest) -> web.Response:
        got[request.headers["Host"]] = await request.text()
        if request.headers["Host"] == "a.example":
            return web.Response(status=307, headers={"Location": "http://b.example/"})
        return web.Response()

    async with application(serve) as port, probing(KIND, {"*.example": f"127.0.0.1:{port}"}) as prober:
        settings: dict[str, Any] = {"method": "POST", "allowed_redirect_hosts": ["b.example"]}
        await prober.run(url="http://a.example/", body=Secret("mat-khau"), **settings)
        assert got == {"a.example": "mat-khau", "b.example": ""}
        await prober.run(url="http://a.example/", body="cong khai", **settings)
        assert got == {"a.example": "cong khai", "b.example": "cong khai"}


async def test_cookies_given_on_the_way_are_kept_for_the_run_only() -> None:
    """A site that greets with a cookie and a redirect to itself must not send us round."""
    seen: list[str] = []

    async def serve(request: web.BaseRequest) -> web.Response:
        seen.append(request.headers.get("Cookie", ""))
        if "session=1" in seen[-1]:
            return web.Response(text="in")
        answer = web.Response(status=302, headers={"Location": request.path})
        answer.set_cookie("session", "1")
        return answer

    async with application(serve) as port, probing(KIND) as prober:
        for _ in range(2):
            result = await prober.run(url=f"http://127.0.0.1:{port}/", headers={"Cookie": "mine=2"})
            assert result.outcome is Outcome.OK, result
    assert seen == ["mine=2", "mine=2; session=1"] * 2


async def test_cookies_that_are_none_are_dropped(caplog: pytest.LogCaptureFixture) -> None:
    """A peer's nonsense neither breaks the next request nor fills our log."""
    nonsense = [
        "Set-Cookie: a b=c",
        "Set-Cookie: \u00e9=1",
        "Set-Cookie: x=\x1f",
        "Set-Cookie: =",
        "Set-Cookie: fine=1",
    ]
    async with saying(redirect("/next", 302, *nonsense), ok()) as server, probing(KIND) as prober:
        result = await prober.run(url=f"http://127.0.0.1:{server.port}/")
    assert result.outcome is Outcome.OK, result
    assert "Cookie: fine=1\r\n" in server.requests[1]
    assert caplog.text == ""


async def test_cookies_of_one_host_are_not_sent_to_another() -> None:
    async with (
        saying(ok()) as other,
        saying(redirect("http://b.example/", 302, "Set-Cookie: session=1")) as first,
        probing(KIND, {"a.example": f"127.0.0.1:{first.port}", "b.example": f"127.0.0.1:{other.port}"}) as prober,
    ):
        result = await prober.run(url="http://a.example/", allowed_redirect_hosts=["b.example"])
    assert result.outcome is Outcome.OK
    assert "Cookie" not in other.requests[0]


async def test_the_body_of_a_redirect_is_not_read() -> None:
    """An endless body before the real answer costs nothing."""
    endless = b"HTTP/1.1 302 Go\r\nLocation: /next\r\n\r\n" + b"x" * 100_000
    async with saying(endless, ok(b"arrived")) as server, probing(KIND) as prober:
        result = await prober.run(url=f"http://127.0.0.1:{server.port}/", max_size=1000)
    assert result.outcome is Outcome.OK


async def test_what_the_first_request_took_survives_a_second_that_hangs() -> None:
    async with saying(b"", then_hang=True) as silent, probing(KIND) as prober:
        away = redirect(f"http://127.0.0.1:{silent.port}/")
        async with saying(away) as first:
            result = await prober.run(timeout=0.4, url=f"http://127.0.0.1:{first.port}/")
    seen = values(result)
    assert result.reason is Reason.TIMEOUT
    assert seen["probe_http_redirects"] == 1
    assert seen["probe_http_status_code"] == 302
    assert {"probe_http_duration_seconds{processing}", "probe_http_duration_seconds{connect}"} <= seen.keys()
