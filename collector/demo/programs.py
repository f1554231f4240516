"""Servers of other projects beside the demo: started, waited for until they are ready, asked, ended."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
from asyncio.subprocess import Process
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import ClassVar, Self

from aiohttp import ClientError, ClientSession, ClientTimeout
from yarl import URL

from collector.demo.children import ChildFailed, last_words, start, stop

START_LIMIT = 30.0
_ASK = ClientTimeout(total=5)


class Program:
    """A server on loopback with its data in a directory of its own."""

    NAME: ClassVar[str]
    FILES: ClassVar[tuple[str, ...]]  # what it is called here or there

    def __init__(self, process: Process, url: URL, errors: Path) -> None:
        self.url = url
        self._process = process
        self._errors = errors

    @classmethod
    def find(cls) -> str | None:
        """Path of the installed program; None when there is none."""
        places = f"{os.environ.get('PATH', '')}:/usr/bin:/usr/local/bin"
        return next(filter(None, (shutil.which(file, path=places) for file in cls.FILES)), None)

    @classmethod
    async def _launched(cls, words: Sequence[str], port: int, work: Path) -> Self:
        errors = work / f"{cls.NAME}.log"
        return cls(await start(words, errors), URL(f"http://127.0.0.1:{port}"), errors)

    async def ready(self) -> None:
        """Wait until it answers. Raises ChildFailed when it ends, or takes too long."""
        await self._until(self._answers, "does not answer")

    async def _until(self, asked: Callable[[ClientSession], Awaitable[bool]], complaint: str) -> None:
        try:
            async with asyncio.timeout(START_LIMIT), ClientSession(timeout=_ASK) as session:
                while not await asked(session):
                    if self._process.returncode is not None:
                        raise ChildFailed(f"{self.NAME} ended: {await asyncio.to_thread(last_words, self._errors)}")
                    await asyncio.sleep(0.1)
        except TimeoutError:
            raise ChildFailed(f"{self.NAME} {complaint} after {START_LIMIT:g} s") from None

    async def _answers(self, session: ClientSession) -> bool:
        try:
            async with session.get(self.url / "-/ready") as response:
                return response.status == 200
        except (ClientError, OSError):
            return False

    def _reload(self) -> None:
        self._process.send_signal(signal.SIGHUP)

    async def stop(self) -> None:
        """End it."""
        await stop(self._process)
