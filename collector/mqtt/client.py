"""aiomqtt over a connection that is there already: it connects, subscribes and leaves as the protocol has it."""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import Callable, Sequence
from typing import Any

import aiomqtt
from paho.mqtt.client import Client as PahoClient
from paho.mqtt.client import DisconnectFlags, MQTTMessage
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from collector.model import ProbeFailed, Reason
from collector.mqtt.wire import Wire

KEEPALIVE = 60
# A run says what went wrong; the library would log it as well.
_QUIET = logging.getLogger("hatang.mqtt")
_QUIET.setLevel(logging.CRITICAL)
# MQTT 5.0 section 2.4; the library translates the codes of 3.1.1, whose only one for a refused filter is 0x80.
_NOT_AUTHORISED = frozenset({0x86, 0x87, 0x8C})
_UNSPECIFIED, _UNSUPPORTED_VERSION = 0x80, 0x84


class Client(aiomqtt.Client):
    """The client of one connection; `hear` gets each message. Throw it away when the wire is lost."""

    def __init__(self, wire: Wire, hear: Callable[[MQTTMessage], None], limit: int, **settings: Any) -> None:
        properties = None
        if settings["protocol"] is aiomqtt.ProtocolVersion.V5:
            properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]  # the library's own gap
            properties.MaximumPacketSize = limit
        # The host is never used; time limits are those of the run.
        super().__init__("-", keepalive=KEEPALIVE, timeout=math.inf, logger=_QUIET, properties=properties, **settings)
        self.dismissal: ReasonCode | None = None
        self._wire = wire
        self._hear = hear
        self._heard: list[MQTTMessage] = []
        library = self._client
        library.on_socket_open = library.on_socket_close = library.on_socket_unregister_write = None
        library.on_socket_register_write = lambda *_: wire.write_soon()
        library.on_message = lambda _client, _userdata, message: self._heard.append(message)
        # The one place where the library takes a socket from elsewhere; it has no public name.
        library._create_socket = lambda: wire  # type: ignore[assignment, method-assign, return-value]  # noqa: SLF001
        wire.read, wire.write, wire.deliver = library.loop_read, library.loop_write, self._deliver

    @property
    def keepalive(self) -> int:
        """Seconds within which the broker wants to hear something; 0 for never."""
        return self._client.keepalive

    async def enter(self, filters: Sequence[str]) -> None:
        """Connect and subscribe. Raises ProbeFailed."""
        try:
            await self.__aenter__()
            codes = await self.subscribe([(topic, 0) for topic in filters])
        except aiomqtt.MqttCodeError as error:
            if isinstance(error.rc, ReasonCode):
                raise refusal(error.rc, "the broker refuses us") from error
            raise self.fault from error
        except aiomqtt.MqttError as error:
            raise self.fault from error
        if len(codes) != len(filters):
            raise ProbeFailed(Reason.PROTOCOL, f"{len(codes)} answers to {len(filters)} subscriptions")
        for topic, code in zip(filters, codes, strict=True):
            if isinstance(code, ReasonCode) and code.is_failure:
                raise refusal(code, f"the broker refuses {topic}", _NOT_AUTHORISED | {_UNSPECIFIED})

    def leave(self) -> None:
        """Say goodbye and close."""
        self._wire.leaving = True
        self._client.disconnect()

    @property
    def fault(self) -> ProbeFailed:
        """Why the connection is over."""
        if self.dismissal is not None:
            return refusal(self.dismissal, "the broker ends the connection")
        return self._wire.fault or ProbeFailed(Reason.PROTOCOL, "the connection is closed")

    def _deliver(self) -> None:
        messages, self._heard = self._heard, []
        for message in messages:
            self._hear(message)

    def _on_disconnect(
        self,
        client: PahoClient,
        userdata: Any,
        flags: DisconnectFlags,
        reason_code: ReasonCode,
        properties: Properties | None = None,
    ) -> None:
        """Wake whoever waits for an answer: aiomqtt would let them wait until their time limit."""
        if flags.is_disconnect_packet_from_server:
            self.dismissal = reason_code
        waiters: list[asyncio.Future[Any]] = [self._connected, *self._pending_subscribes.values()]
        for waiting in waiters:
            if not waiting.done():
                waiting.set_exception(aiomqtt.MqttError("the connection is over"))
                waiting.exception()  # nobody may be waiting any more
        super()._on_disconnect(client, userdata, flags, reason_code, properties)
        if self._disconnected.done():
            self._disconnected.exception()


def refusal(code: ReasonCode, what: str, not_authorised: frozenset[int] = _NOT_AUTHORISED) -> ProbeFailed:
    """What a reason code means."""
    if code.value in not_authorised:
        return ProbeFailed(Reason.AUTH, f"{what}: {code}")
    unsupported = code.value == _UNSUPPORTED_VERSION
    return ProbeFailed(Reason.PROTOCOL if unsupported else Reason.UNEXPECTED, f"{what}: {code}")
