"""The simulated MQTT broker: versions 3.1.1 and 5, QoS 0 and 1, retained messages, logins.

What it leaves out: QoS 2, wills, and sessions that outlast their connection. Version 5's clients are told so.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import secrets
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

from collector.demo.mqtt.packets import (
    AT_LEAST_ONCE,
    MOST_BYTES,
    V5,
    V311,
    Broken,
    Connect,
    Fields,
    Kind,
    Message,
    Packet,
    encoded,
    packed,
    packed_message,
    read,
    read_connect,
    read_message,
    text,
    word,
)
from collector.mqtt.topics import TopicFilter

# Until a client has said who it is, and how much of what it does not read is kept for it.
GREETING_LIMIT, MOST_WAITING = 10.0, 1024 * 1024
# Codes of CONNACK: 3.1.1 section 3.2.2.3, 5.0 section 3.2.2.2.
_BAD_VERSION = {V311: 0x01, V5: 0x84}
_BAD_LOGIN = {V311: 0x04, V5: 0x86}
_NO_FILTER, _NO_SUBSCRIPTION = 0x80, 0x11
_ASSIGNED_CLIENT = b"\x12"
# Sessions end with their connection, QoS 1 at most, longest packet, no subscription identifiers, nothing shared.
_ABILITIES = b"\x11" + bytes(4) + b"\x24\x01\x27" + MOST_BYTES.to_bytes(4, "big") + b"\x29\x00\x2a\x00"
_NUMBERS = 65_535


class Broker:
    """Who listens to what, and the last retained message of each topic.

    `logins` are passwords by user; without any, everybody may come. `listened` is told of each new subscription.
    """

    def __init__(self, logins: Mapping[str, str], listened: Callable[[TopicFilter], None] = lambda _: None) -> None:
        self.logins = logins
        self.listened = listened
        self.sessions: dict[str, Session] = {}
        self.awake = asyncio.Event()
        self.awake.set()
        self._retained: dict[str, Message] = {}
        self._conversing: set[asyncio.Task[object]] = set()

    def conversation(self) -> asyncio.StreamReaderProtocol:
        """One more connection, for a listener."""
        return asyncio.StreamReaderProtocol(asyncio.StreamReader(), self._converse)

    def publish(self, message: Message) -> None:
        """Hand a message to all who listen, unless nothing is answered now."""
        if not self.awake.is_set():
            return
        if message.retain:
            self._retained.pop(message.topic, None)
            if message.payload:  # a message without any says that there is nothing to keep (section 3.3.1.3)
                self._retained[message.topic] = message
        for session in tuple(self.sessions.values()):
            session.deliver(replace(message, retain=False))

    def retained(self, wanted: TopicFilter) -> Iterator[Message]:
        """The retained messages of all topics that match."""
        return (message for topic, message in self._retained.items() if wanted.match(topic) is not None)

    def silence(self, silent: bool) -> None:
        """Neither answer nor hand on anything on the connections that there are, or go on as if nothing had been."""
        if silent:
            self.awake.clear()
        else:
            self.awake.set()

    async def stop(self) -> None:
        """Close all connections."""
        for conversing in self._conversing:
            conversing.cancel()
        await asyncio.gather(*self._conversing, return_exceptions=True)

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if (conversing := asyncio.current_task()) is not None:
            self._conversing.add(conversing)
            conversing.add_done_callback(self._conversing.discard)
        try:
            # It left, said nothing for too long, or speaks something else: an end like any other.
            with contextlib.suppress(OSError, EOFError, TimeoutError, Broken):
                async with asyncio.timeout(GREETING_LIMIT):
                    connect = read_connect(await read(reader))
                await Session(self, connect, reader, writer).last()
        finally:
            writer.close()


class Session:
    """One client, from its CONNECT to its end."""

    def __init__(
        self, broker: Broker, connect: Connect, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self._broker = broker
        self._connect = connect
        self._reader = reader
        self._writer = writer
        self._version = connect.version
        self._filters: dict[TopicFilter, int] = {}
        self._numbers = itertools.cycle(range(1, _NUMBERS + 1))

    async def last(self) -> None:
        """Answer until the client leaves. Raises Broken, EOFError, OSError or TimeoutError when it does not say so."""
        name = self._connect.client or f"demo-{secrets.token_hex(6)}"
        await self._broker.awake.wait()
        if not self._welcome(name):
            return
        sessions = self._broker.sessions
        if (other := sessions.get(name)) is not None:  # whoever comes last has the name (section 3.1.4)
            other.close()
        sessions[name] = self
        try:
            while (packet := await self._next()).kind is not Kind.DISCONNECT:
                self._answer(packet)
                await self._writer.drain()
        finally:
            if sessions.get(name) is self:
                del sessions[name]

    def deliver(self, message: Message) -> None:
        """Send a message if the client wants it, with the QoS that both want; forget it if the client does not read."""
        granted = [qos for wanted, qos in self._filters.items() if wanted.match(message.topic) is not None]
        if granted and self._writer.transport.get_write_buffer_size() <= MOST_WAITING:
            sent = replace(message, qos=min(message.qos, max(granted)))
            self._writer.write(packed_message(sent, next(self._numbers), self._version))

    def close(self) -> None:
        """End it."""
        self._writer.close()

    async def _next(self) -> Packet:
        # Section 3.1.2.10: one and a half times what the client announced.
        async with asyncio.timeout(1.5 * self._connect.keepalive or None):
            packet = await read(self._reader)
        await self._broker.awake.wait()
        return packet

    def _welcome(self, name: str) -> bool:
        code = self._refusal()
        properties = _ABILITIES
        if not self._connect.client:
            properties += _ASSIGNED_CLIENT + text(name)
        no_session = b"\0"
        self._say(Kind.CONNACK, no_session + bytes((code,)), properties=properties if not code else b"")
        return not code

    def _refusal(self) -> int:
        connect, logins = self._connect, self._broker.logins
        if self._version not in (V311, V5):
            return _BAD_VERSION[V5 if self._version > V5 else V311]
        known = not logins or (connect.user is not None and logins.get(connect.user) == connect.password)
        return 0 if known else _BAD_LOGIN[self._version]

    def _answer(self, packet: Packet) -> None:
        match packet.kind:
            case Kind.PINGREQ:
                self._writer.write(packed(Kind.PINGRESP))
            case Kind.SUBSCRIBE:
                self._subscribe(Fields(packet.body))
            case Kind.UNSUBSCRIBE:
                self._unsubscribe(Fields(packet.body))
            case Kind.PUBLISH:
                self._take(packet)
            case Kind.PUBACK:
                pass  # nothing is sent twice: there is no other connection to send it on
            case _:
                raise Broken(f"{packet.kind.name} from a client")

    def _subscribe(self, fields: Fields) -> None:
        number = fields.take(2)
        fields.skip_properties(self._version)
        codes, new = b"", []
        while fields:
            wanted, qos = _filter(fields.text()), min(fields.byte() & 3, AT_LEAST_ONCE)
            codes += bytes((_NO_FILTER if wanted is None else qos,))
            if wanted is not None:
                self._filters[wanted] = qos
                new.append(wanted)
        self._say(Kind.SUBACK, number, codes)
        for wanted in new:
            for message in tuple(self._broker.retained(wanted)):
                self.deliver(message)
            self._broker.listened(wanted)

    def _unsubscribe(self, fields: Fields) -> None:
        number, codes = fields.take(2), b""
        fields.skip_properties(self._version)
        while fields:
            wanted = _filter(fields.text())
            known = wanted is not None and self._filters.pop(wanted, None) is not None
            codes += bytes((0 if known else _NO_SUBSCRIPTION,))
        self._say(Kind.UNSUBACK, number, codes if self._version == V5 else b"")

    def _take(self, packet: Packet) -> None:
        message, number = read_message(packet, self._version)
        if message.qos:
            self._writer.write(packed(Kind.PUBACK, word(number)))
        self._broker.publish(message)

    def _say(self, kind: Kind, head: bytes, codes: bytes = b"", properties: bytes = b"") -> None:
        """A packet in which version 5 has properties between `head` and `codes`."""
        middle = encoded(len(properties)) + properties if self._version >= V5 else b""
        self._writer.write(packed(kind, head, middle, codes))


def _filter(wanted: str) -> TopicFilter | None:
    """None for what is no filter; names of wildcards are our own and unknown to the protocol."""
    try:
        made = TopicFilter(wanted)
    except ValueError:
        return None
    return made if made.plain == wanted else None
