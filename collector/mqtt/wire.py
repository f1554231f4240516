"""What paho-mqtt takes for its socket: whole packets of an asyncio transport, none of them longer than allowed.

The library would resolve, connect and shake hands by itself, in a blocking thread; it would hold a packet of 256 MB,
and read as fast as a broker sends. So it is given this instead, and only encodes and decodes.
"""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import Callable
from contextlib import suppress
from math import inf
from typing import cast

from collector.model import ProbeFailed, Reason
from collector.net import failure
from collector.tls import tls_failure

_PINGREQ, _PINGRESP = b"\xc0\x00", 0xD0  # MQTT 5.0 sections 3.12 and 3.13
_CONNACK, _PUBLISH, _QOS = 0x20, 0x30, 0x06
# So much is decoded in one go, then others run for a while: 2,500 messages a second, a tenth of a core.
BATCH_PACKETS, BATCH_BYTES, PAUSE = 128, 128 * 1024, 0.05
# How long our goodbye may take to leave.
GOODBYE = 0.5


class Wire(asyncio.Protocol):
    """One connection: `read` and `write` are the library's, `deliver` is called after each packet.

    `lost` tells once that nothing will come any more: why, or None when it was us; `closed`, that nothing is left.
    """

    def __init__(self, limit: int) -> None:
        self._loop = asyncio.get_running_loop()
        self.lost: asyncio.Future[ProbeFailed | None] = self._loop.create_future()
        self.closed: asyncio.Future[None] = self._loop.create_future()
        self.limit = limit
        self.skipped = 0
        self.read: Callable[[], object] | None = None
        self.write: Callable[[], object] | None = None
        self.deliver: Callable[[], object] | None = None
        self.leaving = False
        self._transport: asyncio.Transport | None = None
        self._raw = bytearray()
        self._greeted = False
        self._skip = 0
        self._packet = b""
        self._resting: asyncio.TimerHandle | None = None
        self._pong: asyncio.Future[None] | None = None
        self._asked = 0.0
        self._behind_since = self._rested = -inf

    # What asyncio calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin to hear."""
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Cut what came into packets."""
        self._raw += data
        if not self._greeted and self._raw[0] != _CONNACK:  # what may follow it would be waited for
            self.fail(ProbeFailed(Reason.PROTOCOL, "not an MQTT broker"))
        self._greeted = True
        if self._resting is None:
            self._decode()

    def connection_lost(self, exc: Exception | None) -> None:
        """End; what is left is no packet."""
        self._transport = None
        self._end(_fault(exc))
        self.closed.set_result(None)

    # What the library calls.

    def recv(self, size: int) -> bytes:
        """Up to `size` bytes of the packet that is being decoded; none when the connection is over."""
        if not self._packet:
            if self.lost.done():
                return b""
            raise BlockingIOError
        part, self._packet = self._packet[:size], self._packet[size:]
        return part

    def send(self, data: bytes) -> int:
        """Queue `data`. Raises BrokenPipeError when the connection is over."""
        if self._transport is None or self.lost.done():
            raise BrokenPipeError
        if not self._transport.is_closing():  # else `connection_lost` is about to tell why
            self._transport.write(data)
        return len(data)

    def close(self) -> None:
        """Say nothing more, once what was said has left."""
        self._end(None if self.leaving else ProbeFailed(Reason.PROTOCOL, "not an MQTT packet"))
        if self._transport is not None and not self._transport.is_closing():
            self._transport.close()
            self._loop.call_later(GOODBYE, self.abort)

    def setblocking(self, flag: bool) -> None:
        """Nothing blocks here. Raises ValueError when the library wants it."""
        if flag:
            raise ValueError("this never blocks")

    def fileno(self) -> int:
        """There is no descriptor to wait for."""
        return -1

    # What we call.

    def write_soon(self) -> None:
        """Have the library write what it has, on the loop; from any thread."""
        self._loop.call_soon_threadsafe(self._write)

    def send_ping(self) -> asyncio.Future[None]:
        """Ask the broker for a sign of life, unless it still owes one; done when that comes."""
        if self._pong is None or self._pong.done():
            self._pong, self._asked = self._loop.create_future(), time.monotonic()
            with suppress(BrokenPipeError):  # `lost` tells
                self.send(_PINGREQ)
        return self._pong

    @property
    def owed(self) -> float:
        """For how many seconds the broker has owed us a sign of life; 0 when it does not."""
        return 0.0 if self._pong is None or self._pong.done() else time.monotonic() - self._asked

    async def ping(self) -> None:
        """Wait for a sign of life; what the broker had sent before is heard by then. Raises ProbeFailed."""
        pong = self.send_ping()
        if not self.lost.done():
            await asyncio.wait((pong, self.lost), return_when=asyncio.FIRST_COMPLETED)
        if not pong.done():
            raise self.fault or ProbeFailed(Reason.PROTOCOL, "the connection is closed")

    @property
    def fault(self) -> ProbeFailed | None:
        """Why the connection is over, if it is and was not closed by us."""
        if not self.lost.done() or (fault := self.lost.result()) is None:
            return None
        return ProbeFailed(fault.reason, fault.detail)

    def abort(self) -> None:
        """End at once."""
        self._end(None)
        if self._transport is not None:
            self._transport.abort()

    def fail(self, fault: ProbeFailed) -> None:
        """End at once because of what the broker did."""
        self._end(fault)
        self.abort()

    def _write(self) -> None:
        if self.write is not None:
            self.write()

    def _end(self, fault: ProbeFailed | None) -> None:
        if self._resting is not None:
            self._resting.cancel()
            self._resting = None
        if self.lost.done():
            return
        self.lost.set_result(fault)
        self._raw.clear()
        if self.read is not None:
            self.read()  # the library learns that it is over

    def _decode(self) -> None:
        """Hand over whole packets, at most a batch of them."""
        packets, budget = BATCH_PACKETS, BATCH_BYTES
        while not self.lost.done() and self._drop() and (size := self._next()):
            if not packets or budget <= 0:
                self._rest()
                return
            packets, budget = packets - 1, budget - size
            packet = bytes(self._raw[:size])
            del self._raw[:size]
            self._hand_over(packet)

    def _drop(self) -> bool:
        """Drop what is left of a packet that is too long; whether it is gone."""
        size = min(self._skip, len(self._raw))
        del self._raw[:size]
        self._skip -= size
        return not self._skip

    def _next(self) -> int:
        """Size of the first packet that is there as a whole, or 0; begins to drop one that is too long."""
        size = self._size()
        while size > self.limit:
            if self._raw[0] & 0xF0 != _PUBLISH:
                self.fail(ProbeFailed(Reason.TOO_LARGE, f"a packet of {size} bytes"))
                return 0
            self.skipped += 1
            self._skip = size
            if not self._drop():
                return 0
            size = self._size()
        return size if size <= len(self._raw) else 0

    def _size(self) -> int:
        """Size of the first packet by its fixed header (MQTT 5.0 section 2.1), or 0 when that is not there yet."""
        remaining = 0
        for place in range(4):
            if place + 1 >= len(self._raw):
                return 0
            byte = self._raw[place + 1]
            remaining |= (byte & 0x7F) << (7 * place)
            if byte < 0x80:
                return place + 2 + remaining
        self.fail(ProbeFailed(Reason.PROTOCOL, "not an MQTT packet"))
        return 0

    def _hand_over(self, packet: bytes) -> None:
        if packet[0] == _PINGRESP:
            if self._pong is not None and not self._pong.done():
                self._pong.set_result(None)
            return
        if packet[0] & 0xF0 == _PUBLISH and packet[0] & _QOS:
            # The library would keep those of QoS 2 until they are released, which may be never.
            self.fail(ProbeFailed(Reason.PROTOCOL, "a message with another QoS than was asked for"))
            return
        self._packet = packet
        try:
            if self.read is not None:
                self.read()
        except Exception:  # noqa: BLE001  what the library makes of bytes that are no packet is manifold
            self._packet = packet
        if self._packet and not self.lost.done():
            self.fail(ProbeFailed(Reason.PROTOCOL, "not an MQTT packet"))
        elif self.deliver is not None:
            self.deliver()

    @property
    def behind(self) -> float:
        """For how many seconds more has been coming than is read; 0 when all is read."""
        now = time.monotonic()
        return now - self._behind_since if now - self._rested < 4 * PAUSE else 0.0

    def _rest(self) -> None:
        if not self.behind:
            self._behind_since = time.monotonic()
        self._rested = time.monotonic()
        if self._transport is not None:
            self._transport.pause_reading()
            self._resting = self._loop.call_later(PAUSE, self._go_on)

    def _go_on(self) -> None:
        self._resting = None
        self._decode()
        if self._resting is None and self._transport is not None and not self._transport.is_closing():
            self._transport.resume_reading()


def _fault(error: Exception | None) -> ProbeFailed:
    if isinstance(error, ssl.SSLError):
        return tls_failure(error)  # such as that it wants a certificate of ours
    if isinstance(error, OSError):
        return failure(error)
    return ProbeFailed(Reason.PROTOCOL, "the broker closed the connection")
