"""Everybody's inbox: takes what the demo's Alertmanager sends to whomever, and shows it to the one who plays."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import replace

from aiohttp import web

from collector.demo.alarms.notices import Notice, read

KEPT = 50
# Alertmanager tells all receivers of a group at once.
GATHERED_WITHIN = 0.4
LARGEST = 1024**2
_HEAD = "MÔ PHỎNG / SIMULATED: tin nhắn của Alertmanager, mới nhất trước / messages of Alertmanager, the latest first\n"


class Inbox:
    """A webhook, a messenger that speaks Telegram's protocol, and one who hears the dead-man's switch."""

    def __init__(self) -> None:
        self.address = ""
        self._held: deque[Notice] = deque(maxlen=KEPT)
        self._tell: Callable[[Notice], None] = self._held.append
        self._calls = 0
        self._awake: Callable[[], None] | None = None
        self._texts: deque[str] = deque(maxlen=KEPT)
        self._waiting: dict[frozenset[tuple[str, bool]], Notice] = {}
        self._runner: web.AppRunner | None = None

    async def open(self) -> None:
        """Listen on a free port of loopback. Raises OSError."""
        app = web.Application(client_max_size=LARGEST)
        app.router.add_get("/", self._page)
        app.router.add_post("/to/{receiver}", self._webhook)
        app.router.add_post("/bot{token}/sendMessage", self._message)
        app.router.add_post("/watchdog", self._watchdog)
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        host, port = self._runner.addresses[0]
        self.address = f"{host}:{port}"

    def deliver_to(self, tell: Callable[[Notice], None], awake: Callable[[], None]) -> None:
        """Call these with each notification, also those that came before, and once the switch was heard."""
        self._tell = tell
        while self._held:
            tell(self._held.popleft())
        self._awake = awake
        if self._calls:
            awake()

    async def close(self) -> None:
        """Take no more."""
        if self._runner is not None:
            await self._runner.cleanup()

    async def _webhook(self, request: web.Request) -> web.Response:
        try:
            notice = read(request.match_info["receiver"], await request.json())
        except (ValueError, KeyError, TypeError, AttributeError):
            return web.Response(status=400)
        self._gather(notice)
        return web.Response()

    def _gather(self, notice: Notice) -> None:
        first = self._waiting.get(notice.content)
        if first is None:
            asyncio.get_running_loop().call_later(GATHERED_WITHIN, self._deliver, notice.content)
            self._waiting[notice.content] = notice
        else:
            self._waiting[notice.content] = replace(first, receivers=(*first.receivers, *notice.receivers))

    def _deliver(self, content: frozenset[tuple[str, bool]]) -> None:
        self._tell(self._waiting.pop(content))

    async def _message(self, request: web.Request) -> web.Response:
        try:
            self._texts.appendleft(str((await request.json())["text"]))
        except (ValueError, KeyError, TypeError):
            return web.Response(status=400)
        said = {"message_id": 1, "date": 1, "chat": {"id": 1, "type": "private"}, "text": ""}
        return web.json_response({"ok": True, "result": said})

    async def _watchdog(self, _: web.Request) -> web.Response:
        self._calls += 1
        if self._calls == 1 and self._awake is not None:
            self._awake()
        return web.Response()

    async def _page(self, _: web.Request) -> web.Response:
        return web.Response(text="\n\n────\n".join([_HEAD, *self._texts]))
