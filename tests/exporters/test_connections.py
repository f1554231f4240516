"""Inbound clients that say nothing, stop half-way or never read."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

from collector.service import Service
from exporters.connections import Connections
from exporters.exposition import Exposition
from exporters.http import Server
from tests.serving import serving, write_config

SLOW_CLIENTS = 500


async def test_slow_clients_do_not_keep_prometheus_out(tmp_path: Path) -> None:
    async with serving(write_config(tmp_path)) as running:
        host, _, port = running.address.rpartition(":")
        clients = [await asyncio.open_connection(host, int(port)) for _ in range(SLOW_CLIENTS)]
        for _, writer in clients[::2]:
            writer.write(b"GET /metrics HTTP/1.1\r\nHo")
        begun = time.monotonic()
        assert (await running.get("/metrics"))[0] == 200
        assert time.monotonic() - begun < 2
        for _, writer in clients:
            writer.close()


async def test_silent_half_sent_and_idle_connections_are_closed(tmp_path: Path) -> None:
    exposition = Exposition()
    service = Service([write_config(tmp_path)], exposition)
    server = Server(service, exposition, Connections(first_within=0.2, every=0.5))
    await service.start()
    host, port = await server.start("127.0.0.1", 0)
    silent, silent_writer = await asyncio.open_connection(host, port)
    half, half_writer = await asyncio.open_connection(host, port)
    half_writer.write(b"GET /metrics HTTP/1.1\r\nHost")
    idle, idle_writer = await asyncio.open_connection(host, port)
    idle_writer.write(b"GET /-/healthy HTTP/1.1\r\nHost: x\r\n\r\nGET /-/hea")
    assert await asyncio.wait_for(silent.read(), 2) == b""
    assert await asyncio.wait_for(half.read(), 2) == b""
    assert (await asyncio.wait_for(idle.read(), 3)).startswith(b"HTTP/1.1 200")
    for writer in (silent_writer, half_writer, idle_writer):
        writer.close()
    await server.stop()
    await service.stop()
