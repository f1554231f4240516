"""Inbound connections: a client that says nothing, stops half-way or never reads holds no place for long."""

from __future__ import annotations

import asyncio
import time

from aiohttp import web
from aiohttp.typedefs import Handler

FIRST_REQUEST_WITHIN = 10.0
# Longer than any answer takes and than the scrapers' usual interval.
REQUEST_EVERY = 75.0
CHECK_EVERY = 5.0


class Connections:
    """Closes connections on which no request began for too long. aiohttp itself bounds only idle ones."""

    def __init__(self, first_within: float = FIRST_REQUEST_WITHIN, every: float = REQUEST_EVERY) -> None:
        self._first_within = first_within
        self._every = every
        self._deadlines: dict[web.RequestHandler, float] = {}
        self._sweeping: asyncio.Task[None] | None = None

    @web.middleware
    async def middleware(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Grants the connection more time with each request that began."""
        self._deadlines[request.protocol] = time.monotonic() + self._every
        return await handler(request)

    def accept(self, server: web.Server) -> web.RequestHandler:
        """A handler for a new connection, as `loop.create_server` asks for."""
        handler = server()
        self._deadlines[handler] = time.monotonic() + self._first_within
        if self._sweeping is None:
            self._sweeping = asyncio.get_running_loop().create_task(self._sweep())
        return handler

    def close(self) -> None:
        """Stop watching."""
        if self._sweeping is not None:
            self._sweeping.cancel()

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(min(CHECK_EVERY, self._first_within))
            now = time.monotonic()
            for handler, deadline in tuple(self._deadlines.items()):
                if handler.transport is None or deadline < now:
                    del self._deadlines[handler]
                    handler.force_close()
