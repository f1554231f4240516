"""The rest kind over pages: links, cursors, offsets, numbers; and ways that do not end."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web
from multidict import CIMultiDict, CIMultiDictProxy

from collector.model import Outcome, Reason, Result
from collector.probes.rest import KIND
from collector.rest.paging import next_link
from tests.http_peers import Peer, application, peer
from tests.peers import leaving_nothing
from tests.probing import probing, values

ITEMS = [{"id": f"i{number}", "level": number} for number in range(7)]
METRIC = {"name": "level", "help": "Level.", "rows": "items", "value": "level", "labels": {"id": "id"}}
ALL = {f"level{{i{number}}}": float(number) for number in range(7)}
Handler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


async def ask(handler: Handler, paging: dict[str, Any], path: str = "/?filter=x", **settings: Any) -> Result:
    """One run over the pages that `handler` gives."""
    async with application(handler) as port, probing(KIND) as prober, leaving_nothing():
        base: dict[str, Any] = {"url": f"http://127.0.0.1:{port}{path}", "metrics": [METRIC], "paging": paging}
        return await prober.run(**{**base, **settings})


def levels(result: Result) -> dict[str, float]:
    """What the items became."""
    return {name: value for name, value in values(result).items() if name.startswith("level")}


def part(request: web.BaseRequest, start: int, size: int) -> dict[str, Any]:
    """A page of the items, to who asks with the filter that was configured."""
    assert request.query["filter"] == "x"
    return {"items": ITEMS[start : start + size]}


async def by_link_header(request: web.BaseRequest) -> web.StreamResponse:
    start = int(request.query.get("start", "0"))
    links = ['</first?x=a,b;c>; rel="first"; title="a, <b>; rel=next"']
    if start + 3 < len(ITEMS):
        links.append(f'<?filter=x&start={start + 3}>; title=x; REL="last Next"')
    return web.json_response(part(request, start, 3), headers={"Link": ", ".join(links)})


async def by_next_link(request: web.BaseRequest) -> web.StreamResponse:
    start = int(request.query.get("$skip", "0"))
    page = part(request, start, 3)
    if start + 3 < len(ITEMS):
        page["items@odata.nextLink"] = f"/?filter=x&$skip={start + 3}"
    return web.json_response(page)


async def by_cursor(request: web.BaseRequest) -> web.StreamResponse:
    start = int(request.query.get("after", "c0")[1:])
    limit = int(request.query.get("limit", "2"))
    more = start + limit < len(ITEMS)
    return web.json_response(part(request, start, limit) | {"next": f"c{start + limit}" if more else ""})


async def by_offset(request: web.BaseRequest) -> web.StreamResponse:
    start, limit = int(request.query.get("offset", "0")), int(request.query.get("limit", "4"))
    return web.json_response(part(request, start, limit))


async def by_page(request: web.BaseRequest) -> web.StreamResponse:
    return web.json_response(part(request, (int(request.query.get("page", "1")) - 1) * 3, 3))


async def by_page_from_zero(request: web.BaseRequest) -> web.StreamResponse:
    return web.json_response(part(request, int(request.query["page"]) * 3, 3))


OFFSET = {"by": "offset", "parameter": "offset", "items": "items"}
PAGE = {"by": "page", "parameter": "page", "items": "items"}


@pytest.mark.parametrize(
    ("handler", "paging", "documents"),
    [
        (by_link_header, {"by": "link-header"}, 3),
        (by_next_link, {"by": "next-link", "next": '"items@odata.nextLink"'}, 3),
        (by_cursor, {"by": "cursor", "next": "next", "parameter": "after"}, 4),
        (by_cursor, {"by": "cursor", "next": "next", "parameter": "after", "size": 5, "size_parameter": "limit"}, 2),
        (by_offset, OFFSET, 3),
        (by_offset, OFFSET | {"size": 4}, 2),
        (by_offset, OFFSET | {"size": 7, "size_parameter": "limit", "first": 0}, 2),
        (by_page, PAGE, 4),
        (by_page, PAGE | {"size": 3}, 3),
        (by_page_from_zero, PAGE | {"size": 3, "first": 0}, 3),
        (by_page, PAGE | {"size": 3, "max_pages": 3}, 3),
    ],
)
async def test_all_pages_are_read(handler: Handler, paging: dict[str, Any], documents: int) -> None:
    result = await ask(handler, paging)
    assert result.outcome is Outcome.OK, result
    assert levels(result) == ALL
    assert values(result)["hatang_rest_documents"] == documents


async def test_one_page_without_paging() -> None:
    async def last(request: web.BaseRequest) -> web.StreamResponse:
        return web.json_response({"items": ITEMS, "next": "x"}, headers={"Link": '</x>; rel="next"'})

    async with application(last) as port, probing(KIND) as prober:
        result = await prober.run(url=f"http://127.0.0.1:{port}/", metrics=[METRIC])
    assert values(result)["hatang_rest_documents"] == 1


@pytest.mark.parametrize("paging", [OFFSET, PAGE, {"by": "cursor", "next": "c", "parameter": "c"}])
async def test_a_server_that_gives_the_same_page_for_ever(paging: dict[str, Any]) -> None:
    """It does not know the parameter: said at the second page, not after hundreds."""

    async def same(request: web.BaseRequest) -> web.StreamResponse:
        return web.json_response({"items": ITEMS, "c": "x"})

    result = await ask(same, paging)
    assert (result.outcome, result.reason) == (Outcome.FAIL, Reason.UNEXPECTED)
    assert result.detail.startswith("the pages do not end")
    assert values(result)["hatang_rest_documents"] == 2
    assert levels(result) == ALL


@pytest.mark.parametrize("around", [1, 2, 5])
async def test_links_that_lead_back(around: int) -> None:
    async def circle(request: web.BaseRequest) -> web.StreamResponse:
        number = int(request.query.get("n", "0"))
        return web.json_response({"items": [], "n": number, "next": f"/?n={(number + 1) % around}"})

    result = await ask(circle, {"by": "next-link", "next": "next"}, path="/?n=0")
    assert (result.outcome, result.reason) == (Outcome.FAIL, Reason.UNEXPECTED)
    assert result.detail == f"the pages do not end: page {around} leads back"


async def test_pages_without_end_end_at_the_limit() -> None:
    async def endless(request: web.BaseRequest) -> web.StreamResponse:
        number = int(request.query.get("n", "0"))
        return web.json_response({"items": [], "next": f"/?n={number + 1}"})

    result = await ask(endless, {"by": "next-link", "next": "next", "max_pages": 5})
    assert (result.outcome, result.reason, result.detail) == (Outcome.FAIL, Reason.TOO_LARGE, "more than 5 pages")
    result = await ask(endless, {"by": "next-link", "next": "next", "max_pages": 500}, max_documents=8)
    assert (result.reason, result.detail) == (Reason.TOO_LARGE, "more than 8 documents")


async def test_the_size_of_all_pages_is_limited() -> None:
    async def heavy(request: web.BaseRequest) -> web.StreamResponse:
        number = int(request.query.get("n", "0"))
        return web.json_response({"items": [], "n": "x" * 1000, "next": f"/?n={number + 1}"})

    result = await ask(heavy, {"by": "next-link", "next": "next"}, max_total_size="5KB")
    assert (result.outcome, result.reason) == (Outcome.FAIL, Reason.TOO_LARGE)
    assert values(result)["hatang_rest_documents"] == 5


@pytest.mark.parametrize(
    ("paging", "reason", "detail"),
    [
        ({"by": "next-link", "next": "a"}, Reason.UNEXPECTED, "paging: not a word"),
        ({"by": "next-link", "next": "b"}, Reason.UNEXPECTED, "link to javascript:"),
        ({"by": "next-link", "next": "c"}, Reason.UNEXPECTED, "paging: a link of 9000 characters"),
        ({"by": "next-link", "next": "length(d)"}, Reason.UNEXPECTED, "paging: length(d): In function length()"),
        ({"by": "next-link", "next": "e"}, Reason.UNEXPECTED, "link to another host: elsewhere.example"),
        (OFFSET | {"items": "d"}, Reason.UNEXPECTED, "paging: d selects no list"),
    ],
)
async def test_a_next_page_that_is_none(paging: dict[str, Any], reason: Reason, detail: str) -> None:
    async def strange(request: web.BaseRequest) -> web.StreamResponse:
        odd = {"a": {}, "b": "javascript:alert(1)", "c": "x" * 9000, "d": 1, "e": "//elsewhere.example/"}
        return web.json_response({"items": ITEMS, **odd})

    result = await ask(strange, paging)
    assert (result.outcome, result.reason) == (Outcome.FAIL, reason)
    assert result.detail.startswith(detail)
    assert levels(result) == ALL


@pytest.mark.parametrize("end", [None, False, ""])
async def test_what_ends_the_pages(end: object) -> None:
    async def last(request: web.BaseRequest) -> web.StreamResponse:
        return web.json_response({"items": ITEMS, "next": end})

    assert (await ask(last, {"by": "next-link", "next": "next"})).outcome is Outcome.OK


async def test_links_of_every_page_are_followed() -> None:
    async def pages(request: web.BaseRequest) -> web.StreamResponse:
        if request.path != "/":
            return web.json_response({"level": int(request.path[1:])})
        number = int(request.query.get("page", "1"))
        return web.json_response({"items": [f"/{number}0", f"/{number}1"] if number < 3 else []})

    metric = {"name": "level", "help": "L.", "of": "one", "value": "level", "labels": {"id": "to_string(level)"}}
    result = await ask(pages, PAGE, metrics=[metric], follow=[{"name": "one", "links": "items"}])
    assert levels(result) == {f"level{{{number}}}": float(number) for number in (10, 11, 20, 21)}


@asynccontextmanager
async def closing_unsaid(pages: int) -> AsyncIterator[Peer]:
    """A server that closes each connection after one answer, and does not say so."""

    async def talk(reader: Any, writer: Any) -> None:
        await reader.readuntil(b"\r\n\r\n")
        number = seen.connections
        body = json.dumps({"items": ITEMS[number - 1 : number], "next": f"/{number}" if number < pages else None})
        writer.write(f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode())

    async with peer(talk) as seen:
        yield seen


async def test_a_connection_that_ended_between_two_pages_is_no_failure() -> None:
    async with closing_unsaid(5) as server, probing(KIND) as prober, leaving_nothing():
        url, paging = f"http://127.0.0.1:{server.port}/", {"by": "next-link", "next": "next"}
        result = await prober.run(url=url, metrics=[METRIC], paging=paging)
    assert result.outcome is Outcome.OK, result
    assert len(levels(result)) == server.connections == 5


@pytest.mark.parametrize(
    ("header", "link"),
    [
        ('<https://a.example/?p=2>; rel="next"', "https://a.example/?p=2"),
        ("</2>;rel=next", "/2"),
        ('</1>; rel="prev", </3>; rel="next"', "/3"),
        ('</a,b;c>; title="x; rel=prev, y"; rel="start NEXT"', "/a,b;c"),
        ("</2>; rel = next ; type=x", "/2"),
        ('</2>; rel="nexte"', None),
        ("</2>", None),
        ("rel=next", None),
        ("", None),
        ("<", None),
        ("</2>; rel=\udcff; rel=next", "/2"),
        ("</2>;" + " " * 60_000 + "x", None),
        ("</2>" + ";a=b" * 15_000 + ";rel=next", "/2"),
        ("<" * 60_000, None),
        ('</2>;a="' * 8_000, None),
    ],
)
def test_link_headers(header: str, link: str | None) -> None:
    """Whatever stands there is read in linear time."""
    assert next_link(CIMultiDictProxy(CIMultiDict({"Link": header}))) == link
