"""An SNMP agent in this process that answers as it should, or as a test wants (RFC 1157, RFC 3416; BER by hand)."""

from __future__ import annotations

import asyncio
from bisect import bisect_right
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

GET, GET_NEXT, RESPONSE, GET_BULK, REPORT = 0xA0, 0xA1, 0xA2, 0xA5, 0xA8
NO_SUCH_NAME, TOO_BIG, GEN_ERR = 2, 1, 5
NULL, NO_SUCH_OBJECT, NO_SUCH_INSTANCE, END = b"\x05\0", b"\x80\0", b"\x81\0", b"\x82\0"
Arcs = tuple[int, ...]


def tlv(tag: int, content: bytes) -> bytes:
    """Tag, length, content."""
    size = len(content)
    if size < 128:
        return bytes([tag, size]) + content
    octets = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(octets)]) + octets + content


def integer(value: int, tag: int = 0x02) -> bytes:
    """INTEGER, or with another tag one of the unsigned types."""
    return tlv(tag, value.to_bytes(value.bit_length() // 8 + 1, "big", signed=True))


def counter(value: int) -> bytes:
    """Counter32."""
    return integer(value, 0x41)


def counter64(value: int) -> bytes:
    """Counter64."""
    return integer(value, 0x46)


def ticks(value: int) -> bytes:
    """TimeTicks."""
    return integer(value, 0x43)


def text(value: str | bytes) -> bytes:
    """OCTET STRING."""
    return tlv(0x04, value.encode() if isinstance(value, str) else value)


def arcs(dotted: str) -> Arcs:
    """`1.3.6` as numbers."""
    return tuple(map(int, dotted.split(".")))


def oid(dotted: str) -> bytes:
    """OBJECT IDENTIFIER."""
    first, second, *rest = arcs(dotted)
    return tlv(0x06, b"".join(map(_arc, (first * 40 + second, *rest))))


def _arc(number: int) -> bytes:
    octets = [number & 0x7F]
    while number := number >> 7:
        octets.insert(0, 0x80 | (number & 0x7F))
    return bytes(octets)


def parts(message: bytes) -> list[tuple[int, bytes]]:
    """(tag, content) of each element in `message`."""
    found, place = [], 0
    while place < len(message):
        tag, size = message[place], message[place + 1]
        place += 2
        if size & 0x80:
            place, size = place + (size & 0x7F), int.from_bytes(message[place : place + (size & 0x7F)], "big")
        found.append((tag, message[place : place + size]))
        place += size
    return found


def dotted(content: bytes) -> str:
    """The content of an OBJECT IDENTIFIER as text."""
    numbers, number = [content[0] // 40, content[0] % 40], 0
    for octet in content[1:]:
        number = number << 7 | octet & 0x7F
        if not octet & 0x80:
            numbers.append(number)
            number = 0
    return ".".join(map(str, numbers))


@dataclass(frozen=True)
class Question:
    """A request of version 1 or 2c, taken apart. For GETBULK, `extra` is (non-repeaters, max-repetitions)."""

    raw: bytes
    version: int
    community: bytes
    kind: int
    id: int
    extra: tuple[int, int]
    oids: tuple[str, ...]

    def answer(
        self,
        bindings: Iterable[tuple[str, bytes]],
        status: int = 0,
        *,
        index: int = 0,
        id: int | None = None,  # noqa: A002  the protocol's word
        version: int | None = None,
        community: bytes | None = None,
        kind: int = RESPONSE,
    ) -> bytes:
        """A message that answers this question, or almost."""
        listed = b"".join(tlv(0x30, oid(name) + value) for name, value in bindings)
        pdu = integer(self.id if id is None else id) + integer(status) + integer(index) + tlv(0x30, listed)
        head = integer(self.version if version is None else version)
        return tlv(0x30, head + tlv(0x04, self.community if community is None else community) + tlv(kind, pdu))


def question(raw: bytes) -> Question:
    """`raw` taken apart."""
    (_, version), (_, community), (kind, pdu) = parts(parts(raw)[0][1])
    (_, number), (_, first), (_, second), (_, bindings) = parts(pdu)
    names = tuple(dotted(parts(binding)[0][1]) for _, binding in parts(bindings))
    numbers = [int.from_bytes(each, "big", signed=True) for each in (version, number, first, second)]
    return Question(raw, numbers[0], community, kind, numbers[1], (numbers[2], numbers[3]), names)


class Agent(asyncio.DatagramProtocol):
    """Answers from `tree` (OID -> encoded value), or what `respond(question, agent)` returns: datagrams, in order."""

    def __init__(self, tree: Mapping[str, bytes], respond: Respond | None = None, community: bytes = b"public") -> None:
        self.tree = dict(tree)
        self.respond = respond
        self.community = community
        self.questions: list[Question] = []
        self.ports: set[int] = set()
        self.largest_group = 1000
        self.port = 0
        self._transport: Any = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # uvloop's, which is of no class of asyncio's
        self.port = transport.get_extra_info("sockname")[1]

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        asked = question(data)
        self.questions.append(asked)
        self.ports.add(addr[1])
        for answer in self.respond(asked, self) if self.respond else self.honest(asked):
            self.send(answer, addr)

    def send(self, datagram: bytes, addr: tuple[str, int]) -> None:
        """Send it, from this agent's address."""
        self._transport.sendto(datagram, addr)

    def later(self, seconds: float, datagram: bytes, asker: tuple[str, int]) -> None:
        """Send it after a while."""
        asyncio.get_running_loop().call_later(seconds, self.send, datagram, asker)

    def honest(self, asked: Question) -> list[bytes]:
        """What an agent by the book answers: nothing to a wrong community, errors as its version has them."""
        if asked.community != self.community:
            return []
        if asked.kind == GET and len(asked.oids) > self.largest_group:
            return [asked.answer([], TOO_BIG)]
        bindings = self._bulk(asked) if asked.kind == GET_BULK else [self._one(asked, name) for name in asked.oids]
        if asked.version == 0:
            for index, (_, value) in enumerate(bindings, start=1):
                if value in {NO_SUCH_OBJECT, NO_SUCH_INSTANCE, END}:
                    return [asked.answer([(name, NULL) for name in asked.oids], NO_SUCH_NAME, index=index)]
        return [asked.answer(bindings)]

    def _one(self, asked: Question, name: str) -> tuple[str, bytes]:
        if asked.kind == GET:
            return name, self.tree.get(name, NO_SUCH_INSTANCE)
        return self._after(name)

    def _bulk(self, asked: Question) -> list[tuple[str, bytes]]:
        found, (name,) = [], asked.oids
        for _ in range(asked.extra[1]):
            name, value = self._after(name)
            found.append((name, value))
        return found

    def _after(self, name: str) -> tuple[str, bytes]:
        order = sorted(map(arcs, self.tree))
        place = bisect_right(order, arcs(name))
        if place == len(order):
            return name, END
        following = ".".join(map(str, order[place]))
        return following, self.tree[following]


Respond = Callable[[Question, Agent], Iterable[bytes]]


@asynccontextmanager
async def agent(
    tree: Mapping[str, bytes] | None = None, respond: Respond | None = None, host: str = "127.0.0.1"
) -> AsyncIterator[Agent]:
    """A running agent on a free port of `host`."""
    loop = asyncio.get_running_loop()
    transport, protocol = await loop.create_datagram_endpoint(lambda: Agent(tree or {}, respond), (host, 0))
    try:
        yield protocol
    finally:
        transport.close()
