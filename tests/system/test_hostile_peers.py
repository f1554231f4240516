"""2,000 healthy targets beside peers that drip, never answer, cannot be resolved, or send a bomb."""

from __future__ import annotations

import asyncio
import gzip
import json
import time
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import psutil
import pytest

from tests.dns_server import Zone, udp_server
from tests.peers import Converse, hang, peer
from tests.serving import until, write_config, write_targets
from tests.system.process import hatang

HEALTHY, DRIPPING, SILENT, DEAD_NAMES = 2000, 200, 200, 40
INTERVAL = 5.0
WATCHED = 30.0
pytestmark = [pytest.mark.system, pytest.mark.timeout(180)]


def answers(body: bytes, *headers: str) -> Converse:
    """Reads a request's head and answers it."""
    head = "\r\n".join(["HTTP/1.1 200 OK", f"Content-Length: {len(body)}", "Connection: close", *headers])

    async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(f"{head}\r\n\r\n".encode() + body)

    return converse


async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """A byte each half second, of a million."""
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
    while not writer.is_closing():
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
async def hostile_targets() -> AsyncIterator[tuple[list[dict[str, Any]], str]]:
    """Targets of every hostile sort, and the address of a name server that is silent on the dead names."""
    dead = [f"dead-{number}.example" for number in range(DEAD_NAMES)]
    async with AsyncExitStack() as stack:
        dripping = await stack.enter_async_context(peer(drip, "0.0.0.0"))
        exploding = await stack.enter_async_context(peer(answers(bomb(), "Content-Encoding: gzip"), "0.0.0.0"))
        silent = await stack.enter_async_context(peer(hang, "0.0.0.0"))
        names = await stack.enter_async_context(udp_server(Zone(silent=dead)))
        targets = http_targets("drip", dripping, DRIPPING) + http_targets("silent", silent, SILENT)
        targets += http_targets("bomb", exploding, 1)
        targets += [
            {"id": f"dead-{number}", "kind": "tcp", "host": host, "port": 80} for number, host in enumerate(dead)
        ]
        yield targets, names.address


async def ages(client: aiohttp.ClientSession) -> list[float]:
    """Seconds since each healthy target's last run began, sorted."""
    async with client.get("/api/v1/targets?outcome=ok") as answer:
        targets = json.loads(await answer.read())["targets"]
    return sorted(time.time() - each["last"]["started"] for each in targets if each["id"].startswith("healthy"))


async def test_hostile_peers_cost_the_healthy_nothing(tmp_path: Path) -> None:
    async with peer(answers(b"ok"), "0.0.0.0") as port, hostile_targets() as (targets, name_server):
        config = write_config(
            tmp_path,
            *http_targets("healthy", port, HEALTHY),
            defaults={"interval": INTERVAL, "timeout": "4s"},
            resolver={"servers": [name_server], "timeout": "1s"},
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
            reasons = defaultdict(set)  # of each hostile target, whenever it was looked at
            begun = time.monotonic()
            while time.monotonic() - begun < WATCHED:
                await asyncio.sleep(1)
                aged = await ages(running.client)
                assert len(aged) == HEALTHY
                worst.append(aged[int(0.99 * HEALTHY)])
                peak = max(peak, process.memory_info().rss)
                async with running.client.get("/api/v1/targets?outcome=fail") as answer:
                    for each in json.loads(await answer.read())["targets"]:
                        reasons[each["id"]].add(each["last"]["reason"])
    expected = {"drip": "timeout", "silent": "timeout", "bomb": "too_large", "dead": "resolve"}
    assert reasons == {target["id"]: {expected[target["id"].split("-")[0]]} for target in targets}
    assert max(worst) < 1.5 * INTERVAL
    assert peak - calm < 50 * 1000 * 1000
