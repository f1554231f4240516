"""A name server on loopback that says what a test wants it to say, over UDP, TCP or TLS."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import cast

import dns.flags
import dns.message
import dns.rcode
import dns.rrset

Handler = Callable[[dns.message.Message], bytes | None]
"""Wire answer to one question; None says nothing."""


@dataclass
class NameServer:
    """Where the server listens, and the names it was asked for, in order."""

    host: str
    port: int
    asked: list[str] = field(default_factory=list)
    connections: int = 0

    @property
    def address(self) -> str:
        """`host:port` as resolver settings write it."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


class Zone:
    """Answers from `records` (zone file lines); names in `silent` get no answer, unknown ones NXDOMAIN."""

    def __init__(self, records: Iterable[str] = (), silent: Iterable[str] = ()) -> None:
        self.records = list(records)
        self.silent = set(silent)

    def __call__(self, query: dns.message.Message) -> bytes | None:
        """The wire answer to `query`."""
        question = query.question[0]
        if question.name.to_text(omit_final_dot=True) in self.silent:
            return None
        reply = dns.message.make_response(query)
        reply.flags |= dns.flags.AA
        known = [rrset for rrset in map(_rrset, self.records) if rrset.name == question.name]
        reply.answer = [rrset for rrset in known if rrset.rdtype == question.rdtype]
        if not known:
            reply.set_rcode(dns.rcode.NXDOMAIN)
        return reply.to_wire()


def _rrset(line: str) -> dns.rrset.RRset:
    name, ttl, rdclass, rdtype, rdata = line.split(maxsplit=4)
    return dns.rrset.from_text(name, int(ttl), rdclass, rdtype, rdata)


class _Udp(asyncio.DatagramProtocol):
    def __init__(self, answer: Handler, asked: list[str]) -> None:
        self._answer = answer
        self._asked = asked

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        query = dns.message.from_wire(data)
        self._asked.append(query.question[0].name.to_text(omit_final_dot=True))
        wire = self._answer(query)
        if wire is not None:
            self._transport.sendto(wire, addr)


@asynccontextmanager
async def udp_server(answer: Handler, host: str = "127.0.0.1", port: int = 0) -> AsyncIterator[NameServer]:
    """Serve `answer` by UDP on `host`."""
    server = NameServer(host, port)
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(lambda: _Udp(answer, server.asked), local_addr=(host, port))
    server.port = transport.get_extra_info("sockname")[1]
    try:
        yield server
    finally:
        transport.close()


@asynccontextmanager
async def tcp_server(
    answer: Handler, host: str = "127.0.0.1", port: int = 0, tls: ssl.SSLContext | None = None
) -> AsyncIterator[NameServer]:
    """Serve `answer` by TCP (RFC 1035 section 4.2.2), or by TLS (RFC 7858) when given a context."""
    server = NameServer(host, port)

    async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        server.connections += 1
        try:
            length = int.from_bytes(await reader.readexactly(2), "big")
            query = dns.message.from_wire(await reader.readexactly(length))
            server.asked.append(query.question[0].name.to_text(omit_final_dot=True))
            wire = answer(query)
            if wire is None:
                await reader.read()
            else:
                writer.write(len(wire).to_bytes(2, "big") + wire)
                await writer.drain()
        except (OSError, EOFError):
            return
        finally:
            writer.close()

    listener = await asyncio.start_server(converse, host, port, ssl=tls)
    server.port = listener.sockets[0].getsockname()[1]
    try:
        yield server
    finally:
        listener.close()
