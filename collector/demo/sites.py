"""Simulated web servers, by aiohttp: one for each host and port, with conditions that a fault lays on a path."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from aiohttp import web

from collector.demo.mobile.desks import Desk
from collector.demo.mobile.forms import Asked
from collector.demo.pages import HTML, SIMULATED, Answer

SERVER = "hatang-demo"
_NOT_FOUND = Answer(f"<h1>404</h1><p>{SIMULATED}</p>".encode(), HTML, 404)
_BUSY = Answer(f"<h1>503</h1><p>Hệ thống bận ({SIMULATED})</p>".encode(), HTML, 503)


@dataclass(slots=True)
class Condition:
    """What is wrong with one path."""

    delay: float = 0.0
    instead: Answer | None = None
    flapping: bool = False
    asked: int = 0


class Site:
    """One host's web server: answers by path, and desks that make theirs when they are asked."""

    def __init__(self) -> None:
        self.answers: dict[str, Answer] = {}
        self.desks: dict[str, Desk] = {}
        self.conditions: dict[str, Condition] = {}
        self.server = web.Server(self._handle, access_log=None)

    async def close(self) -> None:
        """Close its connections."""
        await self.server.shutdown(0.1)

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        answer = self._answer(request)
        condition = self.conditions.get(request.path)
        if condition is not None:
            answer = await _under(condition, answer)
        headers = {**answer.headers, "Content-Type": answer.content_type, "Server": SERVER, "X-Simulated": "true"}
        return web.Response(body=answer.body, status=answer.status, headers=headers)

    def _answer(self, request: web.BaseRequest) -> Answer:
        desk = self.desks.get(request.path)
        if desk is None:
            return self.answers.get(request.path, _NOT_FOUND)
        return desk.answer(Asked(str(request.url.with_query(None)), request.query))


async def _under(condition: Condition, answer: Answer) -> Answer:
    condition.asked += 1
    if condition.delay:
        await asyncio.sleep(condition.delay)
    if condition.flapping and condition.asked % 2:
        return _BUSY
    return condition.instead or answer
