"""HTTP peers on loopback for tests: byte for byte, or as an aiohttp application."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

from aiohttp import web

Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@dataclass
class Peer:
    """A listening peer: its port, the request heads it got, and how many connections are open and were made."""

    port: int
    requests: list[str] = field(default_factory=list)
    connections: int = 0
    open: int = 0


@asynccontextmanager
async def peer(talk: Talk, host: str = "127.0.0.1", tls: ssl.SSLContext | None = None) -> AsyncIterator[Peer]:
    """A server that lets `talk` do what it wants with each connection."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.connections += 1
        seen.open += 1
        try:
            with suppress(OSError, asyncio.IncompleteReadError):
                await talk(reader, writer)
        finally:
            seen.open -= 1
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()

    talks: set[asyncio.Task[None]] = set()

    async def track(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.ensure_future(serve(reader, writer))
        talks.add(task)
        task.add_done_callback(talks.discard)

    seen = Peer(0)
    server = await asyncio.start_server(track, host, 0, ssl=tls)
    seen.port = server.sockets[0].getsockname()[1]
    try:
        yield seen
    finally:
        server.close()
        for task in tuple(talks):
            task.cancel()
        await asyncio.gather(*talks, return_exceptions=True)
        await server.wait_closed()


@asynccontextmanager
async def saying(
    *answers: bytes, host: str = "127.0.0.1", tls: ssl.SSLContext | None = None, then_hang: bool = False
) -> AsyncIterator[Peer]:
    """A server that reads one request head and says `answers` by turns of connections, the last for ever."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        turn = min(len(seen.requests), len(answers) - 1)
        seen.requests.append((await reader.readuntil(b"\r\n\r\n")).decode())
        writer.write(answers[turn])
        await writer.drain()
        if then_hang:
            await asyncio.sleep(60)

    async with peer(talk, host, tls) as seen:
        yield seen


def ok(body: bytes = b"hello", *headers: str) -> bytes:
    """A good answer with a length."""
    lines = ["HTTP/1.1 200 OK", f"Content-Length: {len(body)}", *headers, "\r\n"]
    return "\r\n".join(lines).encode() + body


def redirect(location: str, status: int = 302, *headers: str) -> bytes:
    """An answer that sends elsewhere."""
    return "\r\n".join(
        [f"HTTP/1.1 {status} Go", f"Location: {location}", "Content-Length: 0", *headers, "\r\n"]
    ).encode()


@asynccontextmanager
async def application(
    handler: Callable[[web.BaseRequest], Awaitable[web.StreamResponse]], tls: ssl.SSLContext | None = None
) -> AsyncIterator[int]:
    """An aiohttp server that hands every request to `handler`; gives its port."""
    runner = web.ServerRunner(web.Server(handler), shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls)
    await site.start()
    try:
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()
