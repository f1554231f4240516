"""MQTT 3.1.1 and 5 on the wire, as a server needs it: control packets and the fields in them.

Of version 5's properties only the length is read: none that a client may send has to be obeyed here.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from enum import IntEnum

V311, V5 = 4, 5
MOST_BYTES = 256 * 1024
AT_LEAST_ONCE = 1
_RETAIN, _WILL, _PASSWORD, _USER = 0x01, 0x04, 0x40, 0x80


class Broken(ValueError):
    """What came is not MQTT, or not what this server speaks of it."""


class Kind(IntEnum):
    """MQTT 5.0 section 2.1.2; those of QoS 2 and of extended authentication are left out."""

    CONNECT = 1
    CONNACK = 2
    PUBLISH = 3
    PUBACK = 4
    SUBSCRIBE = 8
    SUBACK = 9
    UNSUBSCRIBE = 10
    UNSUBACK = 11
    PINGREQ = 12
    PINGRESP = 13
    DISCONNECT = 14


@dataclass(frozen=True, slots=True)
class Packet:
    """One control packet, without its length."""

    kind: Kind
    flags: int
    body: bytes


@dataclass(frozen=True, slots=True)
class Connect:
    """Who wants to connect. The client is gone when it says nothing for `keepalive` seconds; 0 is never."""

    version: int
    keepalive: int
    client: str
    user: str | None
    password: str | None


@dataclass(frozen=True, slots=True)
class Message:
    """Something said on a topic."""

    topic: str
    payload: bytes
    qos: int = 0
    retain: bool = False


class Fields:
    """The fields of a packet's body, one after the other. Every method raises Broken when there is no such field."""

    def __init__(self, body: bytes) -> None:
        self._left = body

    def __bool__(self) -> bool:
        return bool(self._left)

    def take(self, size: int) -> bytes:
        """So many bytes."""
        if size > len(self._left):
            raise Broken("a packet that ends too soon")
        taken, self._left = self._left[:size], self._left[size:]
        return taken

    def rest(self) -> bytes:
        """All that is left."""
        return self.take(len(self._left))

    def byte(self) -> int:
        """An integer of one byte."""
        return self.take(1)[0]

    def word(self) -> int:
        """An integer of two bytes."""
        return int.from_bytes(self.take(2), "big")

    def text(self) -> str:
        """A string with its length before it."""
        try:
            return self.take(self.word()).decode()
        except UnicodeDecodeError:
            raise Broken("a string that is not UTF-8") from None

    def skip_properties(self, version: int) -> None:
        """Version 5's properties, with their length before them."""
        if version != V5:
            return
        length = b""
        while is_unfinished(length):
            length += self.take(1)
        self.take(decoded(length))


def is_unfinished(length: bytes) -> bool:
    """Whether more of a variable byte integer (MQTT 5.0 section 1.5.5) has to come. Raises Broken for none."""
    if len(length) == 4 and length[-1] & 0x80:
        raise Broken("a length that does not end")
    return not length or bool(length[-1] & 0x80)


def decoded(length: bytes) -> int:
    """The value of a variable byte integer."""
    return sum((byte & 0x7F) << (7 * place) for place, byte in enumerate(length))


def encoded(value: int) -> bytes:
    """A variable byte integer."""
    low, rest = value & 0x7F, value >> 7
    return bytes((low | 0x80,)) + encoded(rest) if rest else bytes((low,))


def word(value: int) -> bytes:
    """An integer of two bytes."""
    return value.to_bytes(2, "big")


def text(value: str) -> bytes:
    """A string with its length before it."""
    raw = value.encode()
    return word(len(raw)) + raw


def packed(kind: Kind, *fields: bytes, flags: int = 0) -> bytes:
    """A control packet."""
    body = b"".join(fields)
    return bytes((kind << 4 | flags,)) + encoded(len(body)) + body


async def read(reader: asyncio.StreamReader) -> Packet:
    """The next control packet. Raises Broken; EOFError or OSError when the connection ends."""
    (head,) = await reader.readexactly(1)
    length = b""
    while is_unfinished(length):
        length += await reader.readexactly(1)
    if decoded(length) > MOST_BYTES:
        raise Broken("a packet that is too long")
    try:
        kind = Kind(head >> 4)
    except ValueError:
        raise Broken(f"no packet for us: {head:#x}") from None
    return Packet(kind, head & 0x0F, await reader.readexactly(decoded(length)))


def read_connect(packet: Packet) -> Connect:
    """MQTT 5.0 section 3.1. Of a version that we do not speak, only the version is told. Raises Broken."""
    fields = Fields(packet.body)
    if packet.kind is not Kind.CONNECT or fields.text() != "MQTT":
        raise Broken("not the beginning of MQTT")
    version, flags, keepalive = fields.byte(), fields.byte(), fields.word()
    if version not in (V311, V5):
        return Connect(version, 0, "", None, None)
    fields.skip_properties(version)
    client = fields.text()
    if flags & _WILL:  # nobody here is told of those who leave without a word
        fields.skip_properties(version)
        fields.text()
        fields.take(fields.word())
    user = fields.text() if flags & _USER else None
    return Connect(version, keepalive, client, user, fields.text() if flags & _PASSWORD else None)


def read_message(packet: Packet, version: int) -> tuple[Message, int]:
    """A message and its packet identifier, 0 with QoS 0. Raises Broken for one of QoS 2, or on no topic."""
    fields = Fields(packet.body)
    topic, qos = fields.text(), packet.flags >> 1 & 3
    if qos > AT_LEAST_ONCE or not topic or {*topic} & {*"+#\0"}:
        raise Broken("a message that is not taken")
    number = fields.word() if qos else 0
    fields.skip_properties(version)
    return Message(topic, fields.rest(), qos, bool(packet.flags & _RETAIN)), number


def packed_message(message: Message, number: int, version: int) -> bytes:
    """A message; `number` is its packet identifier if it has QoS 1."""
    identifier = word(number) if message.qos else b""
    properties = b"\0" if version == V5 else b""
    flags = message.qos << 1 | message.retain
    return packed(Kind.PUBLISH, text(message.topic), identifier, properties, message.payload, flags=flags)
