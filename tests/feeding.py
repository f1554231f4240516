"""Feeds of JSON for tests: the shipped maps, documents in the shape that the standards give them, and one run."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import yaml
from aiohttp import web

from collector.mapping import RowMap
from collector.model import Kind, Outcome, Result
from collector.records import Batch
from tests.http_peers import application
from tests.probing import probing

FEEDS = Path(__file__).parents[1] / "config" / "feeds.d"
Handler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


def shipped(name: str) -> RowMap:
    """A map of `config/feeds.d`."""
    return RowMap.model_validate({"name": name, **yaml.safe_load((FEEDS / f"{name}.yaml").read_text("utf-8"))})


def answer(
    document: Any, headers: dict[str, str] | None = None, content_type: str = "application/json"
) -> web.Response:
    """`document`, as JSON unless it is bytes."""
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    return web.Response(body=body, headers=headers, content_type=content_type)


def saying(document: Any, headers: dict[str, str] | None = None, content_type: str = "application/json") -> Handler:
    """A server that always says `document`."""

    async def handler(_: web.BaseRequest) -> web.StreamResponse:
        return answer(document, headers, content_type)

    return handler


async def run(kind: Kind[Any, Any], handler: Handler, path: str = "/", **settings: Any) -> Result:
    """One run on a server."""
    async with application(handler) as port, probing(kind) as prober:
        source = {"url": f"http://127.0.0.1:{port}{path}", **settings.pop("source", {})}
        return await prober.run(**{"source": source, "operator": "viettel", "period": "5m", **settings})


async def batch(kind: Kind[Any, Any], handler: Handler, path: str = "/", **settings: Any) -> Batch:
    """What a run that is well reads."""
    result = await run(kind, handler, path, **settings)
    assert result.outcome is Outcome.OK, result
    assert result.batch is not None
    return result.batch
