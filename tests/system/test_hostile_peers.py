"""2,000 healthy targets beside peers that drip, never answer, cannot be resolved, or send a bomb."""

from __future__ import annotations

import asyncio
import gzip
import json
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import psutil
import pytest

from tests.serving import listening, until, write_config, write_targets
from tests.system.process import hatang

HEALTHY, DRIPPING, SILENT, DEAD_NAMES = 2000, 200, 200, 40
INTERVAL = 5.0
WATCHED = 30.0
pytestmark = [pytest.mark.system, pytest.mark.timeout(180)]
Answer = Callable[[asyncio.StreamWriter], Any]
HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n"


@asynccontextmanager
async def http_server(answer: Answer) -> AsyncIterator[int]:
    """Reads a request's head, then does as `answer` says."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.readuntil(b"\r\n\r\n")
            await answer(writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # the peer gave up, as it should
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "0.0.0.0", 0, backlog=1000)
    async with server:
        yield server.sockets[0].getsockname()[1]


async def good(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok")
    await writer.drain()


async def drip(writer: asyncio.StreamWriter) -> None:
    writer.write(HEAD)
    while True:
        writer.write(b"x")
        await writer.drain()
        await asyncio.sleep(0.5)


def bomb() -> bytes:
    return gzip.compress(bytes(300 * 1000 * 1000), 9)


def http_targets(name: str, port: int, count: int) -> list[dict[str, Any]]:
    return [
        {
            "id": f"{name}-{number}",
            "kind": "http",
            "url": f"http://127.0.{1 + number // 250}.{1 + number % 250}:{port}/",
        }
        for number in range(count)
    ]


@asynccontextmanager
async def hostile_targets() -> AsyncIterator[tuple[list[dict[str, Any]], int]]:
    """Targets of every hostile sort, and the port of a name server that never answers."""
    packed = bomb()

    async def explode(writer: asyncio.StreamWriter) -> None:
        writer.write(
            f"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {len(packed)}\r\n\r\n".encode() + packed
        )
        await writer.drain()

    async with AsyncExitStack() as stack:
        dripping = await stack.enter_async_context(http_server(drip))
        exploding = await stack.enter_async_context(http_server(explode))
        silent = await stack.enter_async_context(listening("0.0.0.0"))
        transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
            asyncio.DatagramProtocol, local_addr=("127.0.0.1", 0)
        )
        stack.callback(transport.close)
        targets = http_targets("drip", dripping, DRIPPING) + http_targets("silent", silent, SILENT)
        targets += http_targets("bomb", exploding, 1)
        targets += [
            {"id": f"dead-{number}", "kind": "tcp", "host": f"dead-{number}.example", "port": 80}
            for number in range(DEAD_NAMES)
        ]
        yield targets, transport.get_extra_info("sockname")[1]


async def ages(client: aiohttp.ClientSession) -> list[float]:
    """Seconds since each healthy target's last run began, sorted."""
    async with client.get("/api/v1/targets?outcome=ok") as answer:
        targets = json.loads(await answer.read())["targets"]
    return sorted(time.time() - each["last"]["started"] for each in targets if each["id"].startswith("healthy"))


async def test_hostile_peers_cost_the_healthy_nothing(tmp_path: Path) -> None:
    async with http_server(good) as port, hostile_targets() as (targets, silent_dns):
        config = write_config(
            tmp_path,
            *http_targets("healthy", port, HEALTHY),
            defaults={"interval": INTERVAL, "timeout": "4s"},
            resolver={"servers": [f"127.0.0.1:{silent_dns}"], "timeout": "1s"},
        )
        async with hatang(config) as running:

            async def all_ran() -> bool:
                return len(await ages(running.client)) == HEALTHY

            await until(all_ran, within=60)
            await asyncio.sleep(2 * INTERVAL)
            process = psutil.Process(running.pid)
            calm = process.memory_info().rss
            write_targets(config, "hostile", *targets)
            worst, peak = [], calm
            begun = time.monotonic()
            while time.monotonic() - begun < WATCHED:
                await asyncio.sleep(1)
                aged = await ages(running.client)
                assert len(aged) == HEALTHY
                worst.append(aged[int(0.99 * HEALTHY)])
                peak = max(peak, process.memory_info().rss)
            async with running.client.get("/api/v1/targets?outcome=fail") as answer:
                failing = json.loads(await answer.read())["targets"]
    reasons = {each["id"].split("-")[0]: each["last"]["reason"] for each in failing}
    assert reasons == {"drip": "timeout", "silent": "timeout", "bomb": "too_large", "dead": reasons["dead"]}
    assert reasons["dead"] in {"resolve", "timeout"}
    assert len(failing) == len(targets)
    assert max(worst) < 1.5 * INTERVAL
    assert peak - calm < 50 * 1000 * 1000
