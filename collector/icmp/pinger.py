"""Echo requests to many hosts over a few shared sockets.

One socket per IP version and fragmentation setting serves every target: a raw socket gets a copy of every ICMP
answer to this machine, so that one for each run would cost the square of their number.
"""

from __future__ import annotations

import asyncio
import errno
import secrets
import select
import socket
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass

from collector.icmp import echo
from collector.icmp.sockets import (
    Ancillary,
    Mode,
    arrival,
    complaint,
    icmp_socket,
    packed,
    socket_address,
    usable_mode,
    with_request,
)
from collector.net import Endpoint, failure

FAMILIES = (socket.AF_INET, socket.AF_INET6)
HOW_TO_PERMIT = (
    "no ICMP socket may be opened: let net.ipv4.ping_group_range hold a group of this process, or give it CAP_NET_RAW"
)

_BATCH = 64
_ANCILLARY_SPACE = 512
_TOKEN_SIZE = 8


@dataclass(frozen=True, slots=True)
class Packet:
    """How a request looks: bytes of data, hops it may take (None: as many as usual), own address to send from."""

    size: int
    ttl: int | None = None
    source: str | None = None
    dont_fragment: bool = False

    def payload(self) -> bytes:
        """Data that nobody else sends."""
        token = secrets.token_bytes(_TOKEN_SIZE)
        return (token * (self.size // _TOKEN_SIZE + 1))[: self.size]


@dataclass(slots=True, eq=False)
class Echo:
    """One request and what became of it. `rtt` is seconds, None while unanswered."""

    sequence: int
    destination: bytes
    payload: bytes
    sent: float
    settled: asyncio.Future[None]
    rtt: float | None = None
    hop_limit: int | None = None
    duplicates: int = 0
    altered: bool = False
    complaint: str | None = None

    def answered(self, payload: bytes, ancillary: list[Ancillary]) -> None:
        """An echo reply came."""
        now, clock = time.perf_counter(), time.time()
        if payload != self.payload:
            self.altered = True
        elif self.rtt is not None:
            self.duplicates += 1
        else:
            moment, self.hop_limit = arrival(ancillary)
            self.rtt = now - self.sent
            if moment is not None and 0 < clock - moment < self.rtt:
                self.rtt -= clock - moment  # it lay that long with us; no such figure when the clock was set meanwhile
            self._settle()

    def refused(self, destination: bytes, words: str, by: str) -> None:
        """Somebody said that a request to `destination` went nowhere."""
        if destination == self.destination and self.rtt is None:
            self.complaint = f"{words}, says {by}" if by else words
            self._settle()

    def _settle(self) -> None:
        if not self.settled.done():
            self.settled.set_result(None)


class Channel:
    """One shared socket: sends requests, and settles them as answers come. Call `close` in the end."""

    def __init__(self, family: socket.AddressFamily, mode: Mode, dont_fragment: bool) -> None:
        self._family = family
        self._mode = mode
        # The kernel puts its own number in place of this one where it keeps our requests apart itself.
        self._identifier = secrets.randbelow(0xFFFF) + 1
        self._sequence = secrets.randbelow(0xFFFF)
        self._pending: dict[int, Echo] = {}
        self._buffer = memoryview(bytearray(1 << 16))
        self._sock = icmp_socket(family, mode, dont_fragment)
        # libuv gives up a descriptor on which an error waits; one of epoll stays merely readable.
        self._ready = select.epoll()
        self._ready.register(self._sock, select.EPOLLIN)
        asyncio.get_running_loop().add_reader(self._ready, self._readable)

    def close(self) -> None:
        """Hear no more answers."""
        asyncio.get_running_loop().remove_reader(self._ready)
        self._ready.close()
        self._sock.close()

    def send(self, address: str, packet: Packet) -> Echo:
        """Send one request to a literal address. Raises ProbeFailed; OSError when the fault is ours."""
        sequence, payload, settled = self._free_sequence(), packet.payload(), asyncio.get_running_loop().create_future()
        message = echo.request(self._family, self._identifier, sequence, payload)
        destination = packed(self._family, address)
        request = self._pending[sequence] = Echo(sequence, destination, payload, time.perf_counter(), settled)
        try:
            self._transmit(message, with_request(self._family, packet.ttl, packet.source), address)
        except OSError as error:
            del self._pending[sequence]
            raise _blamed(error) from error
        return request

    def forget(self, requests: Iterable[Echo]) -> None:
        """Whatever still comes for these counts for nothing."""
        for request in requests:
            self._pending.pop(request.sequence, None)

    def _free_sequence(self) -> int:
        if len(self._pending) > 0x7FFF:
            raise OSError(errno.ENOBUFS, "too many echo requests under way")
        while True:
            self._sequence = (self._sequence + 1) & 0xFFFF
            if self._sequence not in self._pending:
                return self._sequence

    def _transmit(self, message: bytes, ancillary: list[Ancillary], address: str) -> None:
        to = socket_address(self._family, address)
        try:
            self._sock.sendmsg([message], ancillary, 0, to)
        except OSError:
            # It may be the error of an earlier request, which the kernel reports on the next call, whoever makes it.
            self._take_errors()
            self._sock.sendmsg([message], ancillary, 0, to)

    def _readable(self) -> None:
        for _ in range(_BATCH):
            try:
                size, ancillary, _, sender = self._sock.recvmsg_into([self._buffer], _ANCILLARY_SPACE)
            except BlockingIOError:
                break
            except OSError:
                continue  # the same error waits in the queue, with all that is known of it
            self._received(bytes(self._buffer[:size]), ancillary, sender[0])
        if self._mode == "datagram":
            self._take_errors()

    def _received(self, message: bytes, ancillary: list[Ancillary], sender: str) -> None:
        if self._mode == "raw" and self._family == socket.AF_INET:
            message = echo.message_of(message)
        answer = echo.read(self._family, message)
        if answer is None or (self._mode == "raw" and answer.identifier != self._identifier):
            return
        request = self._pending.get(answer.sequence)
        if request is None:
            return
        if answer.complaint is not None:
            request.refused(answer.destination, answer.complaint, sender)
        elif packed(self._family, sender) == request.destination:
            request.answered(answer.payload, ancillary)

    def _take_errors(self) -> None:
        """Read the error queue of unprivileged sockets: each entry brings the request that it is about."""
        while True:
            try:
                message, ancillary, _, to = self._sock.recvmsg(1 << 16, _ANCILLARY_SPACE, socket.MSG_ERRQUEUE)
            except OSError:
                return
            said = complaint(self._family, ancillary)
            request = self._pending.get(echo.sequence_of(message))
            if request is not None and said is not None:
                request.refused(packed(self._family, to[0]), *said)


class Pinger:
    """All channels of this process; `modes` says which sockets it may open, None for neither. Raises OSError."""

    def __init__(self) -> None:
        self.modes: dict[socket.AddressFamily, Mode | None] = {}
        self._channels: dict[tuple[socket.AddressFamily, bool], Channel] = {}
        for family in FAMILIES:
            with suppress(OSError):  # a machine without this IP version
                self.modes[family] = usable_mode(family)
        try:
            self._open()
        except OSError:
            self.close()
            raise

    def _open(self) -> None:
        for family, mode in self.modes.items():
            if mode is not None:
                for dont_fragment in (False, True):
                    self._channels[family, dont_fragment] = Channel(family, mode, dont_fragment)

    def close(self) -> None:
        """Close every socket."""
        for channel in self._channels.values():
            channel.close()

    def channel(self, endpoint: Endpoint, packet: Packet) -> Channel:
        """The way to `endpoint`. Raises PermissionError; OSError when this machine lacks its IP version."""
        if endpoint.family not in self.modes:
            raise OSError(errno.EADDRNOTAVAIL, f"no way to {endpoint.ip}: this machine lacks its IP version")
        channel = self._channels.get((endpoint.family, packet.dont_fragment))
        if channel is None:
            raise PermissionError(errno.EPERM, HOW_TO_PERMIT)
        return channel


async def ping(channel: Channel, address: str, packet: Packet, count: int, spacing: float, wait: float) -> list[Echo]:
    """Send `count` requests `spacing` seconds apart; end when all are settled, or `wait` seconds after the last.

    Raises ProbeFailed when they cannot leave; OSError when that is our fault.
    """
    requests: list[Echo] = []
    try:
        for number in range(count):
            if number:
                await asyncio.sleep(spacing)
            requests.append(channel.send(address, packet))
        await asyncio.wait([request.settled for request in requests], timeout=wait)
    finally:
        channel.forget(requests)
    return requests


def _blamed(error: OSError) -> Exception:
    """Whose fault it is that a request cannot be sent."""
    if isinstance(error, BlockingIOError):
        return OSError(errno.ENOBUFS, "the queue of outgoing packets is full")
    try:
        return failure(error)
    except OSError as ours:
        return ours
