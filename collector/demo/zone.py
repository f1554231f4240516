"""The name server of the simulated province: authoritative for one zone, over UDP and TCP.

Messages by dnspython (RFC 1035); TCP frames are two bytes of length before each message (section 4.2.2).
"""

from __future__ import annotations

import asyncio
import ssl
import struct
from collections.abc import Mapping
from typing import cast

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.opcode
import dns.rcode
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import dns.rrset

from collector.demo.doors import Door

# So short that a name that stops resolving is noticed at the next run.
TTL = 2
NEGATIVE_TTL = 1
UDP_LIMIT = 512
TCP_IDLE = 10.0


class Zone:
    """The names below `origin` and their IPv4 addresses; NS and MX follow from the names `ns*` and `mail_host`."""

    def __init__(self, origin: str, addresses: Mapping[str, str], mail_host: str) -> None:
        self.origin = dns.name.from_text(origin)
        self.missing: set[str] = set()
        self._serial = 2025032001
        self._mail_host = dns.name.from_text(mail_host)
        self._addresses = {dns.name.from_text(host): address for host, address in addresses.items()}
        self._servers = sorted(name for name in self._addresses if name.labels[0].startswith(b"ns"))

    def answer(self, wire: bytes, limit: int = 0) -> bytes | None:
        """The response to one query; None when it is not a query that can be answered.

        `limit` truncates (TC) for UDP: 0 is unlimited.
        """
        try:
            query = dns.message.from_wire(wire)
        except (dns.exception.DNSException, ValueError):
            return None
        if query.flags & dns.flags.QR or len(query.question) != 1 or query.opcode() != dns.opcode.QUERY:
            return None
        response = dns.message.make_response(query, recursion_available=True)
        self._fill(response, query.question[0])
        return _to_wire(response, max(limit, query.payload) if limit else 0)

    def _fill(self, response: dns.message.Message, question: dns.rrset.RRset) -> None:
        name = question.name
        if not name.is_subdomain(self.origin):
            response.set_rcode(dns.rcode.REFUSED)
            return
        response.flags |= dns.flags.AA
        known = self._known(name)
        records = self._records(name, question.rdtype) if known else []
        if records:
            response.answer.append(_rrset(name, question.rdtype, TTL, records))
            return
        if not known:
            response.set_rcode(dns.rcode.NXDOMAIN)
        response.authority.append(_rrset(self.origin, dns.rdatatype.SOA, NEGATIVE_TTL, [self._soa()]))

    def _known(self, name: dns.name.Name) -> bool:
        if name.to_text(omit_final_dot=True).lower() in self.missing:
            return False
        return name in self._addresses or any(known.is_subdomain(name) for known in self._addresses)

    def _records(self, name: dns.name.Name, kind: dns.rdatatype.RdataType) -> list[str]:
        if kind == dns.rdatatype.A and name in self._addresses:
            return [self._addresses[name]]
        if name != self.origin:
            return []
        if kind == dns.rdatatype.NS:
            return [server.to_text() for server in self._servers]
        if kind == dns.rdatatype.MX:
            return [f"10 {self._mail_host}"]
        if kind == dns.rdatatype.TXT:
            return ['"mô phỏng / simulated"']
        return [self._soa()] if kind == dns.rdatatype.SOA else []

    def _soa(self) -> str:
        primary = self._servers[0] if self._servers else self.origin
        return f"{primary} hostmaster.{self.origin} {self._serial} 3600 600 604800 {NEGATIVE_TTL}"


def _rrset(name: dns.name.Name, kind: dns.rdatatype.RdataType, ttl: int, records: list[str]) -> dns.rrset.RRset:
    return dns.rrset.from_text_list(name, ttl, dns.rdataclass.IN, kind, records)


def _to_wire(response: dns.message.Message, limit: int) -> bytes:
    try:
        return response.to_wire(max_size=limit or 65535)
    except dns.exception.TooBig:
        response.answer.clear()
        response.authority.clear()
        response.flags |= dns.flags.TC
        return response.to_wire()


class _Datagrams(asyncio.DatagramProtocol):
    def __init__(self, zone: Zone) -> None:
        self._zone = zone
        self._transport: asyncio.DatagramTransport | None = None
        self.silent = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        reply = self._zone.answer(data, UDP_LIMIT) if not self.silent else None
        if reply is not None and self._transport is not None:
            self._transport.sendto(reply, addr)


class NameServer:
    """Serves a zone on one address: UDP and TCP on the same port, until closed."""

    def __init__(self, zone: Zone) -> None:
        self._zone = zone
        self._datagrams: tuple[asyncio.DatagramTransport, _Datagrams] | None = None
        self._door: Door | None = None

    async def start(self, address: str, context: ssl.SSLContext | None = None) -> int:
        """Listen on a free port of `address`, by TLS alone when a context is given; returns the port."""
        for _ in range(20):
            self._door = Door(self._caller, address, context)
            port = await self._door.open()
            if context is not None or await self._datagram_port(address, port):
                return port
            self._door.close()
        raise OSError(f"no port of {address} is free for both UDP and TCP")

    def silence(self, silent: bool) -> None:
        """Stop or resume answering at all."""
        if self._datagrams is not None:
            self._datagrams[1].silent = silent
        if self._door is not None:
            self._door.silence(silent)

    def stop(self) -> None:
        """Close both listeners."""
        if self._datagrams is not None:
            self._datagrams[0].close()
        if self._door is not None:
            self._door.close()

    async def _datagram_port(self, address: str, port: int) -> bool:
        loop = asyncio.get_running_loop()
        try:
            self._datagrams = await loop.create_datagram_endpoint(
                lambda: _Datagrams(self._zone), local_addr=(address, port)
            )
        except OSError:
            return False
        return True

    def _caller(self) -> asyncio.StreamReaderProtocol:
        return asyncio.StreamReaderProtocol(asyncio.StreamReader(), self._stream)

    async def _stream(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(TCP_IDLE):
                while True:
                    (size,) = struct.unpack("!H", await reader.readexactly(2))
                    reply = self._zone.answer(await reader.readexactly(size))
                    if reply is None:
                        break
                    writer.write(struct.pack("!H", len(reply)) + reply)
                    await writer.drain()
        except (OSError, EOFError, TimeoutError):
            pass  # the client left
        finally:
            writer.close()
