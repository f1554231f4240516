"""`hatang run` as a child process, as a user starts it."""

from __future__ import annotations

import asyncio
import socket
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp

from tests.serving import PATIENCE, until


@dataclass(frozen=True, slots=True)
class Child:
    """A running child, a client of it and what it logs."""

    process: asyncio.subprocess.Process
    client: aiohttp.ClientSession
    log: Path

    @property
    def pid(self) -> int:
        return self.process.pid


def free_port() -> int:
    """A TCP port of loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@asynccontextmanager
async def hatang(
    config: Path, environment: Mapping[str, str] | None = None, wrapper: Sequence[str] = ()
) -> AsyncIterator[Child]:
    """Started (by `wrapper`, if any) and ready; ended by SIGTERM, which must take under ten seconds and exit with 0."""
    async with started(config, environment, wrapper) as child:
        yield child
        if child.process.returncode is None:
            child.process.terminate()
            async with asyncio.timeout(10):
                assert await child.process.wait() == 0, child.log.read_text()


@asynccontextmanager
async def started(
    config: Path, environment: Mapping[str, str] | None = None, wrapper: Sequence[str] = (), listen: str | None = None
) -> AsyncIterator[Child]:
    """Started and ready, on a free port unless `listen` says which; killed if it still runs at the end."""
    address = listen or f"127.0.0.1:{free_port()}"
    log = config / "log.txt"
    words = ["-m", "collector", "run", "--config", str(config), "--listen", address]
    with log.open("ab") as sink:
        process = await asyncio.create_subprocess_exec(*wrapper, sys.executable, *words, stderr=sink, env=environment)
    try:
        async with aiohttp.ClientSession(f"http://{address}", timeout=PATIENCE) as client:
            child = Child(process, client, log)
            await until(lambda: _ready(child), within=30)
            yield child
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def _ready(child: Child) -> bool:
    assert child.process.returncode is None, child.log.read_text()
    try:
        async with child.client.get("/-/ready") as answer:
            return answer.status == 200
    except aiohttp.ClientConnectionError:
        return False
