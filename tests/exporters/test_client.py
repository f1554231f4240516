"""Asking the running service: what answers may be something else."""

from __future__ import annotations

import asyncio

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from exporters.client import ask, ask_service
from tests.peers import peer, says


async def test_what_speaks_no_http_is_no_service() -> None:
    async with peer(says("SSH-2.0-OpenSSH_9.2\r\n")) as port:
        for address in (f"127.0.0.1:{port}", "127.0.0.1:port", "no host"):
            assert await asyncio.to_thread(ask, address, "/api/v1/plan", {}) is None
            assert await asyncio.to_thread(ask_service, address, "target", "web") is None


async def test_another_service_is_not_ours() -> None:
    async def answer(request: web.Request) -> web.Response:
        return web.json_response([]) if request.path == "/api/v1/targets" else web.Response(text="gone\n", status=404)

    application = web.Application()
    application.router.add_get("/{path:.*}", answer)
    async with TestServer(application) as server:
        address = f"{server.host}:{server.port}"
        assert await asyncio.to_thread(ask_service, address, "target", "web") is None
        assert await asyncio.to_thread(ask_service, address, "system", "portal") is None
        with pytest.raises(LookupError, match=r"^gone$"):
            await asyncio.to_thread(ask, address, "/api/v1/plan", {})
