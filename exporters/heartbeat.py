"""`/heartbeat/TOKEN[/start|/fail|/STATUS]`: where jobs and devices say that they live."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

from aiohttp import web

from collector.heartbeats import Pulse
from collector.model import Outcome
from collector.service import Service

_PATH = "/heartbeat/{token:[A-Za-z0-9_-]{16,128}}"
_LAST_STATUS = 255
# A body that is not there by then is taken as it is.
_BODY_WITHIN = 5.0


class HeartbeatDesk:
    """Takes calls for the targets of a service. An unknown token is answered like any path that is not there."""

    def __init__(self, service: Service) -> None:
        self._service = service

    def routes(self) -> list[web.RouteDef]:
        """GET, HEAD and POST."""
        handlers: dict[str, Callable[[web.Request], Awaitable[web.Response]]] = {
            _PATH: self.end,
            _PATH + r"/{status:\d{1,3}}": self.end,
            _PATH + "/fail": self.fail,
            _PATH + "/start": self.start,
        }
        return [method(path, handler) for path, handler in handlers.items() for method in (web.get, web.post)]

    async def start(self, request: web.Request) -> web.Response:
        """A run starts."""
        self._admitted(request).start(time.monotonic(), time.time())
        return web.Response(text="OK\n")

    async def fail(self, request: web.Request) -> web.Response:
        """A run failed."""
        return await self._ended(request, 1)

    async def end(self, request: web.Request) -> web.Response:
        """All is well; or a run ended with an exit status."""
        status = int(request.match_info.get("status", "0"))
        if status > _LAST_STATUS:
            raise web.HTTPNotFound
        return await self._ended(request, status)

    async def _ended(self, request: web.Request, status: int) -> web.Response:
        pulse = self._admitted(request)
        body = await _body(request, pulse.max_size)
        pulse.end(time.monotonic(), time.time(), status, body)
        self._look(pulse, status)
        return web.Response(text="OK\n")

    def _admitted(self, request: web.Request) -> Pulse:
        pulse = self._service.heartbeats.find(request.match_info["token"])
        if pulse is None:
            raise web.HTTPNotFound
        if not pulse.admit(time.monotonic()):
            raise web.HTTPTooManyRequests(headers={"Retry-After": "1"}, text="too many calls\n")
        return pulse

    def _look(self, pulse: Pulse, status: int) -> None:
        """What changes is seen at once, not at the next interval."""
        for target in pulse.targets:
            record = self._service.state.records.get(target)
            if status or record is None or record.last is None or record.last.outcome is not Outcome.OK:
                self._service.scheduler.soon(target, 0)


async def _body(request: web.Request, most: int) -> bytes:
    body = bytearray()
    try:
        async with asyncio.timeout(_BODY_WITHIN):
            while len(body) < most and (part := await request.content.read(most - len(body))):
                body += part
    except (OSError, web.RequestPayloadError):
        pass  # out of time, hung up, garbled: the call counts all the same
    return bytes(body)
