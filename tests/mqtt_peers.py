"""Brokers that do what no honest one does: byte by byte, on loopback."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

CONNECT, SUBSCRIBE, PINGREQ, DISCONNECT = 0x10, 0x82, 0xC0, 0xE0
CONNACK, PINGRESP = b"\x20\x02\x00\x00", b"\xd0\x00"


def packet(head: int, body: bytes) -> bytes:
    """A control packet with its length (MQTT 5.0 section 2.1)."""
    size, length = len(body), b""
    while True:
        size, low = size >> 7, size & 0x7F
        length += bytes([low | (0x80 if size else 0)])
        if not size:
            return bytes([head]) + length + body


def publish(topic: str | bytes, payload: bytes = b"1", head: int = 0x30) -> bytes:
    """A message of version 3.1.1 with QoS 0."""
    name = topic.encode() if isinstance(topic, str) else topic
    return packet(head, len(name).to_bytes(2, "big") + name + payload)


@dataclass
class Answers:
    """What a broker says; None is nothing. `then` follows a subscription, and `pours` bytes; `closes` after it."""

    connack: bytes | None = CONNACK
    suback: bytes | None = b"\x00"
    pingresp: bytes | None = PINGRESP
    before: bytes = b""
    then: bytes = b""
    pours: int = 0
    closes: bool = False
    port: int = 0
    connections: int = 0
    open: int = 0
    heard: list[int] = field(default_factory=list)
    poured: int = 0

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection."""
        writer.write(self.before)
        while True:
            head, body = await _read(reader)
            self.heard.append(head)
            if head == CONNECT and self.connack is not None:
                writer.write(self.connack)
            elif head == SUBSCRIBE and self.suback is not None:
                writer.write(packet(0x90, body[:2] + self.suback) + self.then)
                while self.poured < self.pours:
                    writer.write(b"x" * 262_144)
                    await writer.drain()
                    self.poured += 262_144
                if self.closes:
                    return
            elif head == PINGREQ and self.pingresp is not None:
                writer.write(self.pingresp)
            elif head == DISCONNECT:
                return
            await writer.drain()


async def _read(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    head = (await reader.readexactly(1))[0]
    size = place = 0
    while True:
        byte = (await reader.readexactly(1))[0]
        size |= (byte & 0x7F) << place
        place += 7
        if byte < 0x80:
            return head, await reader.readexactly(size)


@asynccontextmanager
async def broker(answers: Answers | None = None) -> AsyncIterator[Answers]:
    """A broker that says `answers`, or what an honest one says."""
    said = answers or Answers()
    talks: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        said.connections += 1
        said.open += 1
        try:
            with suppress(OSError, asyncio.IncompleteReadError):
                await said.talk(reader, writer)
        finally:
            said.open -= 1
            writer.close()

    async def track(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.ensure_future(serve(reader, writer))
        talks.add(task)
        task.add_done_callback(talks.discard)

    server = await asyncio.start_server(track, "127.0.0.1", 0)
    said.port = server.sockets[0].getsockname()[1]
    try:
        yield said
    finally:
        server.close()
        for task in tuple(talks):
            task.cancel()
        await asyncio.gather(*talks, return_exceptions=True)
