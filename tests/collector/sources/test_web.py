"""Documents by HTTP: conditional requests, pages, credentials, and servers that lie."""

from __future__ import annotations

import asyncio
import gzip
import json
import os
import time
from collections.abc import Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from collector.model import ProbeFailed
from tests.http_peers import application, ok, peer, redirect, saying
from tests.peers import leaving_nothing
from tests.sourcing import source, sourcing

MIB = 1024**2
CSV = b"site,lat,lon\nQN1,15.1,108.8\n"
Handler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


async def refused(*answers: bytes, **settings: Any) -> tuple[str, str]:
    """Reason and detail of the first run at a server that says these answers."""
    async with saying(*answers) as server, sourcing() as at, leaving_nothing():
        return await at.failure(source(url=f"http://127.0.0.1:{server.port}/cells.csv", **settings))


async def test_a_document_says_what_it_is() -> None:
    headers = ["Content-Type: Text/CSV; header=present; charset=UTF-8", "Last-Modified: Sat, 01 Mar 2025 00:00:00 GMT"]
    async with saying(ok(CSV, *headers)) as server, sourcing() as at, leaving_nothing():
        (document,) = await at.fetch(source(url=f"http://127.0.0.1:{server.port}/a/tr%E1%BA%A1m.csv?x=1"))
    assert (document.name, document.content, document.media_type, document.charset) == (
        "trạm.csv",
        CSV,
        "text/csv",
        "utf-8",
    )
    assert document.modified == 1740787200
    assert at.emitted["probe_http_status_code"] == 200
    assert "probe_dns_lookup_time_seconds" in at.emitted


@pytest.mark.parametrize(
    ("validators", "asked"),
    [
        (['ETag: "v1"'], {"If-None-Match": '"v1"'}),
        (['ETag: W/"v1"'], {"If-None-Match": 'W/"v1"'}),
        (
            ["Last-Modified: Sat, 01 Mar 2025 00:00:00 GMT"],
            {"If-Modified-Since": "Sat, 01 Mar 2025 00:00:00 GMT"},
        ),
        (
            ['ETag: "v1"', "Last-Modified: Sat, 01 Mar 2025 00:00:00 GMT"],
            {"If-None-Match": '"v1"', "If-Modified-Since": "Sat, 01 Mar 2025 00:00:00 GMT"},
        ),
        (["ETag: no quotes"], {}),
        (['ETag: "a" "b"'], {}),
        (["Last-Modified: yesterday"], {}),
        (["Last-Modified: Sat, 01 Mar 99999 00:00:00 GMT"], {}),
    ],
)
async def test_only_news_are_asked_for(validators: list[str], asked: dict[str, str]) -> None:
    unchanged = b"HTTP/1.1 304 Not Modified\r\n\r\n"
    async with saying(ok(CSV, *validators), unchanged) as server, sourcing() as at:
        cells = source(url=f"http://127.0.0.1:{server.port}/")
        first = await at.fetch(cells)
        if not asked:
            assert await at.failure(cells) == ("unexpected", "status 304")
            return
        second = await at.fetch(cells)
        assert second is first
        assert at.emitted["probe_http_status_code"] == 304
    lines = server.requests[1].splitlines()
    assert {
        name: value for name, value in (line.split(": ", 1) for line in lines[1:] if line) if "If-" in name
    } == asked


async def test_a_304_without_a_document_before_is_no_document() -> None:
    assert await refused(b"HTTP/1.1 304 Not Modified\r\n\r\n") == ("unexpected", "status 304")


async def test_a_document_that_came_again_is_the_same_object() -> None:
    async with saying(ok(CSV), ok(CSV), ok(CSV + b"x")) as server, sourcing() as at:
        cells = source(url=f"http://127.0.0.1:{server.port}/")
        first, second, third = [await at.fetch(cells) for _ in range(3)]
    assert second is first
    assert third[0].content == CSV + b"x"
    assert "If-None-Match" not in server.requests[1]


async def test_a_failure_between_leaves_the_last_document_to_be_compared_with() -> None:
    answers = ok(CSV, 'ETag: "1"'), b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n", b"HTTP/1.1 304 Same\r\n\r\n"
    async with saying(*answers) as server, sourcing() as at:
        cells = source(url=f"http://127.0.0.1:{server.port}/")
        first = await at.fetch(cells)
        assert await at.failure(cells) == ("unexpected", "status 503")
        assert await at.fetch(cells) is first


@pytest.mark.parametrize("own", [{"If-None-Match": '"mine"'}, {"if-modified-since": "x"}, {"Range": "bytes=0-9"}])
async def test_conditions_of_the_settings_are_left_alone(own: dict[str, str]) -> None:
    async with saying(ok(CSV, 'ETag: "1"')) as server, sourcing() as at:
        cells = source(url=f"http://127.0.0.1:{server.port}/", headers=own)
        await at.fetch(cells)
        await at.fetch(cells)
    assert server.requests[0] == server.requests[1]


async def test_what_is_posted_is_never_conditional() -> None:
    async with saying(ok(CSV, 'ETag: "1"')) as server, sourcing() as at:
        cells = source(url=f"http://127.0.0.1:{server.port}/", method="POST", body="{}")
        await at.fetch(cells)
        await at.fetch(cells)
    assert server.requests[0] == server.requests[1]


@pytest.mark.parametrize(
    ("answer", "detail"),
    [
        (ok(b"<!DOCTYPE html><form>", "Content-Type: text/html"), "the server answered text/html"),
        (ok(CSV, "Content-Type: TEXT/HTML; charset=utf-8"), "the server answered text/html"),
        (ok(b"x", "Content-Type: application/xhtml+xml"), "the server answered application/xhtml+xml"),
        (ok(b"\n<html><body>Login", "Content-Type: text/csv"), "a web page (HTML) came instead of a document"),
        (
            ok(gzip.compress(b"<html>", mtime=0), "Content-Type: text/csv"),
            "a web page (HTML) came instead of a document",
        ),
        (redirect("http://login.example/"), "redirect to another host: login.example"),
    ],
)
async def test_a_login_page_is_no_document(answer: bytes, detail: str) -> None:
    assert await refused(answer) == ("unexpected", detail)


@pytest.mark.parametrize(
    ("types", "said", "good"),
    [
        (["text/csv"], "Content-Type: text/csv;charset=x", True),
        (["application/*"], "Content-Type: application/geo+json", True),
        (["text/csv", "text/plain"], "Content-Type: text/plain", True),
        (["text/html"], "Content-Type: text/html", True),
        (["text/csv"], "Content-Type: application/json", False),
        (["text/csv"], "X: y", False),
        ([], "X: y", True),
    ],
)
async def test_types_that_are_taken(types: list[str], said: str, good: bool) -> None:
    if good:
        async with saying(ok(CSV, said)) as server, sourcing() as at:
            assert await at.fetch(source(url=f"http://127.0.0.1:{server.port}/", content_types=types))
    else:
        reason, detail = await refused(ok(CSV, said), content_types=types)
        assert (reason, detail.startswith("the server answered")) == ("unexpected", True)


@pytest.mark.parametrize("form", ["file", "encoding", "both"])
async def test_compressed_documents(form: str) -> None:
    body = gzip.compress(CSV) if form != "both" else gzip.compress(gzip.compress(CSV))
    encoded = ["Content-Encoding: gzip"] if form != "file" else []
    async with saying(ok(body, *encoded)) as server, sourcing() as at:
        (document,) = await at.fetch(source(url=f"http://127.0.0.1:{server.port}/cells.csv.gz"))
    assert document.content == CSV
    assert "Accept-Encoding: gzip" in server.requests[0]


@pytest.mark.parametrize("form", ["file", "encoding"])
async def test_a_bomb_of_300_mb_is_refused(form: str) -> None:
    bomb = gzip.compress(bytes(300 * MIB))
    begun = time.perf_counter()
    reason, _ = await refused(ok(bomb, *(["Content-Encoding: gzip"] if form == "encoding" else [])))
    assert reason == "too_large"
    assert time.perf_counter() - begun < 4


async def test_a_document_of_the_largest_size() -> None:
    size = {"max_size": 100, "max_total_size": 100}
    async with saying(ok(gzip.compress(bytes(100)))) as server, sourcing() as at:
        assert await at.fetch(source(url=f"http://127.0.0.1:{server.port}/", **size))
    assert (await refused(ok(gzip.compress(bytes(101))), **size))[0] == "too_large"
    assert (await refused(ok(bytes(101)), **size))[0] == "too_large"


async def test_a_slow_drip_ends_with_the_run() -> None:
    async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        while True:
            writer.write(b"x")
            await writer.drain()
            await asyncio.sleep(0.05)

    async with peer(drip) as server, sourcing() as at, leaving_nothing():
        with pytest.raises(TimeoutError):
            await at.fetch(source(url=f"http://127.0.0.1:{server.port}/"), timeout=0.5)


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (b"SSH-2.0-x\r\n", "protocol"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nhalf", "protocol"),
        (b"HTTP/1.1 404 Gone\r\nContent-Length: 0\r\n\r\n", "unexpected"),
        (b"HTTP/1.1 401 Who\r\nContent-Length: 0\r\n\r\n", "unexpected"),
        (ok(b"\x1f\x8b\x08half"), "protocol"),
    ],
)
async def test_answers_that_are_no_document(answer: bytes, reason: str) -> None:
    assert (await refused(answer))[0] == reason


async def test_a_server_that_is_not_there() -> None:
    async with sourcing() as at:
        assert (await at.failure(source(url="http://127.0.0.1:1/")))[0] == "refused"
        assert (await at.failure(source(url="https://[::1]:1/")))[0] == "refused"


async def test_credentials_and_their_refusal() -> None:
    async def guarded(request: web.BaseRequest) -> web.Response:
        given = request.headers.get("Authorization") == "Bearer abc"
        return web.Response(body=CSV) if given else web.Response(status=401)

    async with application(guarded) as port, sourcing() as at:
        url = f"http://127.0.0.1:{port}/"
        assert (await at.fetch(source(url=url, bearer_token="abc")))[0].content == CSV
        assert await at.failure(source(url=url, bearer_token="other")) == ("auth", "status 401")


async def test_tokens_by_client_credentials() -> None:
    tokens: list[str] = []

    async def serve(request: web.BaseRequest) -> web.Response:
        if request.path == "/token":
            tokens.append(f"t{len(tokens)}")
            return web.json_response({"access_token": tokens[-1], "token_type": "Bearer", "expires_in": 600})
        if request.headers.get("Authorization") != f"Bearer {tokens[-1]}":
            return web.Response(status=401)
        if request.headers.get("If-None-Match") == '"1"':
            return web.Response(status=304)
        return web.Response(body=CSV, headers={"ETag": '"1"'})

    async with application(serve) as port, sourcing() as at:
        oauth2 = {"token_url": f"http://127.0.0.1:{port}/token", "client_id": "c", "client_secret": "s"}
        cells = source(url=f"http://127.0.0.1:{port}/cells", oauth2=oauth2)
        first = await at.fetch(cells)
        assert await at.fetch(cells) is first
        assert tokens == ["t0"]
        tokens.append("revoked")
        assert await at.fetch(cells) is first
        assert tokens == ["t0", "revoked", "t2"]


def paged(pages: list[Any], *, by: str, endless: bool = False) -> Handler:
    """A server of pages."""

    async def serve(request: web.BaseRequest) -> web.Response:
        number = int(request.query.get("page", "0"))
        following = f"/items?page={number + 1}" if endless or number + 1 < len(pages) else None
        document = {"items": pages[min(number, len(pages) - 1)], "n": number}
        headers = {}
        if following and by == "link-header":
            headers["Link"] = f'<{following}>; rel="next"'
        if following and by == "next-link":
            document["links"] = [{"rel": "self", "href": "/"}, {"rel": "next", "href": following}]
        return web.json_response(document, headers=headers)

    return serve


PAGINGS: dict[str, dict[str, Any]] = {
    "link-header": {"by": "link-header"},
    "next-link": {"by": "next-link", "next": "links[?rel=='next'].href | [0]"},
    "page": {"by": "page", "parameter": "page", "first": 0, "items": "items"},
}


@pytest.mark.parametrize("by", PAGINGS)
async def test_pages_are_followed_to_the_last(by: str) -> None:
    async with application(paged([["a", "b"], ["c"], []], by=by)) as port, sourcing() as at, leaving_nothing():
        items = source(url=f"http://127.0.0.1:{port}/items")
        documents = await at.pages(items, PAGINGS[by])
        again = await at.pages(items, PAGINGS[by])
    assert [json.loads(document.content)["items"] for document in documents] == [["a", "b"], ["c"], []]
    assert [document.name for document in documents] == ["items", "2-items", "3-items"]
    assert again is documents


@pytest.mark.parametrize("by", PAGINGS)
async def test_pages_without_end_are_refused(by: str) -> None:
    async with application(paged([["a"]], by=by, endless=True)) as port, sourcing() as at, leaving_nothing():
        items = source(url=f"http://127.0.0.1:{port}/items")
        with pytest.raises(ProbeFailed, match="more than 7 pages"):
            await at.pages(items, PAGINGS[by] | {"max_pages": 7})
        with pytest.raises(ProbeFailed, match="more than 3 documents"):
            await at.pages(source(url=f"http://127.0.0.1:{port}/items", max_documents=3), PAGINGS[by])
        with pytest.raises(ProbeFailed, match="too_large"):
            await at.pages(source(url=f"http://127.0.0.1:{port}/items", max_total_size=100), PAGINGS[by])


async def test_packed_pages_are_as_large_as_what_is_in_them() -> None:
    async def serve(request: web.BaseRequest) -> web.Response:
        number = int(request.query.get("page", "0"))
        return web.Response(body=gzip.compress(json.dumps({"items": [number] * 1000}).encode()))

    async with application(serve) as port, sourcing() as at:
        small = source(url=f"http://127.0.0.1:{port}/", max_total_size=9000)
        with pytest.raises(ProbeFailed, match="the pages are larger than 9000 bytes"):
            await at.pages(small, PAGINGS["page"])


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"not json", "protocol"),
        (b"[" * 200_000, "protocol"),
        (b'{"links": [{"rel": "next", "href": {}}]}', "unexpected"),
    ],
)
async def test_pages_that_cannot_be_read(body: bytes, reason: str) -> None:
    async with saying(ok(body)) as server, sourcing() as at:
        with pytest.raises(ProbeFailed) as caught:
            await at.pages(source(url=f"http://127.0.0.1:{server.port}/"), PAGINGS["next-link"])
    assert caught.value.reason.value == reason
    assert [content for _, content in caught.value.documents] == [body]


NGINX = """
daemon off; worker_processes 1; pid {here}/pid; error_log {here}/error.log; {user}
events {{ worker_connections 64; }}
http {{
  access_log off; default_type text/csv; root {here}/www; gzip on; gzip_min_length 20; gzip_types *; gzip_proxied any;
  client_body_temp_path {here}/t1; proxy_temp_path {here}/t2; fastcgi_temp_path {here}/t3;
  uwsgi_temp_path {here}/t4; scgi_temp_path {here}/t5;
  server {{
    listen unix:{here}/socket; listen 127.0.0.1:{port};
    location = /pm.xml.gz {{ gzip off; default_type application/gzip; }}
  }}
}}
"""


@asynccontextmanager
async def nginx(program: str, here: Path) -> Any:
    """Port of a running nginx that serves `here`/www."""
    async with saying(b"") as free:
        port = free.port
    user = "user root root;" if os.geteuid() == 0 else ""
    (here / "nginx.conf").write_text(NGINX.format(here=here, user=user, port=port))
    process = await asyncio.create_subprocess_exec(program, "-c", here / "nginx.conf", "-e", here / "error.log")
    try:
        for _ in range(200):
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.02)
                continue
            writer.close()
            break
        yield port
    finally:
        process.terminate()
        await process.wait()


async def test_files_of_a_real_server(real: Callable[[str], str], tmp_path: Path) -> None:
    (tmp_path / "www").mkdir()
    cells, packed = tmp_path / "www" / "cells.csv", tmp_path / "www" / "pm.xml.gz"
    cells.write_bytes(CSV * 100)
    packed.write_bytes(gzip.compress(b"<measDataFile/>"))
    os.utime(cells, (1740787200, 1740787200))
    async with nginx(real("nginx"), tmp_path) as port, sourcing() as at, leaving_nothing():
        feed = source(url=f"http://127.0.0.1:{port}/cells.csv")
        first = await at.fetch(feed)
        assert (first[0].content, first[0].modified, first[0].media_type) == (CSV * 100, 1740787200, "text/csv")
        assert await at.fetch(feed) is first
        assert at.emitted["probe_http_status_code"] == 304
        cells.write_bytes(CSV)
        changed = await at.fetch(feed)
        assert changed[0].content == CSV
        (document,) = await at.fetch(source(url=f"http://127.0.0.1:{port}/pm.xml.gz"))
        assert (document.name, document.content) == ("pm.xml.gz", b"<measDataFile/>")
