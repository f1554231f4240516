"""Takes SNMP traps and informs: from the socket, past the limits, through pysnmp in a thread, to whom it concerns."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, NamedTuple

import structlog

from collector.model import Sink, Target
from collector.net import Net
from collector.settings.monitor import Traps
from collector.traps.admission import Admission, Dropped, Source
from collector.traps.figures import Figures
from collector.traps.identity import next_identity
from collector.traps.sockets import bound, handed_over
from collector.traps.sources import AddressBook
from collector.traps.trap import Trap

if TYPE_CHECKING:
    from collector.traps.decoder import Decoder

_MOST_WAITING = 500
# Names change their addresses without notice, and a port that was taken may be free again.
_LOOK_UP_EVERY = 300.0
_LISTEN_AGAIN_AFTER = 30.0
_MOST_TOLD = 100

log = structlog.get_logger(__name__)


class _Datagram(NamedTuple):
    content: bytes
    source: Source
    at: float
    sender: Any
    transport: Any


class _Socket(asyncio.DatagramProtocol):
    """One socket; `heard(datagram, sender, transport)` takes what comes."""

    def __init__(self, heard: Callable[[bytes, Any, Any], None]) -> None:
        self._heard = heard
        self._transport: Any = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # uvloop's, which is of no class of asyncio's

    def datagram_received(self, data: bytes, addr: Any) -> None:
        self._heard(data, addr, self._transport)

    def error_received(self, exc: Exception) -> None:
        """The device does not wait for our answer any more."""


class TrapReceiver:
    """Hands traps of the devices that are polled by SNMP to `on_trap`, on the loop."""

    def __init__(self, settings: Traps, net: Net, on_trap: Callable[[Trap], None]) -> None:
        self._settings = settings
        self._on_trap = on_trap
        self._admission = Admission(settings.per_source, settings.in_all)
        self._addresses = AddressBook(net)
        self._figures = Figures()
        self._targets: Mapping[str, Target] = {}
        self._changed = asyncio.Event()
        self._waiting: asyncio.Queue[_Datagram] = asyncio.Queue(_MOST_WAITING)
        self._thread = ThreadPoolExecutor(1, "traps")
        self._transports: list[Any] = []
        self._tasks: list[asyncio.Task[None]] = []
        self._told: set[tuple[str, Dropped]] = set()

    @property
    def addresses(self) -> list[tuple[str, int]]:
        """Where traps are taken: host and port of each socket."""
        return [transport.get_extra_info("sockname")[:2] for transport in self._transports]

    async def start(self) -> None:
        """Warm pysnmp up and listen.

        A port that cannot be had is told by the log and the figures, and tried again: polling goes on without traps.
        """
        decoder = await asyncio.get_running_loop().run_in_executor(self._thread, _decoder, self._settings)
        self._tasks = [asyncio.create_task(self._decode(decoder)), asyncio.create_task(self._look_up())]
        if not await self._open():
            self._tasks.append(asyncio.create_task(self._open_later()))

    def update(self, targets: Mapping[str, Target]) -> None:
        """From now on these are the targets, and their hosts may have other addresses."""
        self._targets = targets
        self._told.clear()
        self._figures.keep(targets)
        self._changed.set()

    def publish(self, sink: Sink) -> None:
        """Hand the figures to `sink`."""
        self._figures.put(sink, len(self._transports))

    async def stop(self, sink: Sink) -> None:
        """Take nothing more; withdraw the figures from `sink`."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._close()
        await asyncio.to_thread(self._thread.shutdown)
        self._figures.withdraw(sink)

    async def _open(self) -> bool:
        try:
            for sock in await self._sockets():
                transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
                    lambda: _Socket(self._heard), sock=sock
                )
                self._transports.append(transport)
        except OSError as error:
            self._close()
            log.error("no traps are taken", listen=self._settings.listen, error=error.strerror or str(error))
            return False
        log.info("taking SNMP traps", addresses=self.addresses)
        return True

    def _close(self) -> None:
        for transport in self._transports:
            transport.close()
        self._transports.clear()

    async def _sockets(self) -> list[socket.socket]:
        host, _, port = self._settings.listen.rpartition(":")
        return handed_over() or [await bound(host.strip("[]"), int(port))]

    async def _open_later(self) -> None:
        while True:
            await asyncio.sleep(_LISTEN_AGAIN_AFTER)
            if await self._open():
                return

    async def _look_up(self) -> None:
        while True:
            self._changed.clear()
            self._admission.know(await self._addresses.sources(self._targets.values(), self._settings))
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_LOOK_UP_EVERY):  # wait_for of Python 3.11 may swallow that we are to end
                    await self._changed.wait()

    def _heard(self, content: bytes, sender: Any, transport: Any) -> None:
        source = self._admission.admit(sender[0], len(content))
        if isinstance(source, Dropped):
            self._drop(source, sender[0])
            return
        try:
            self._waiting.put_nowait(_Datagram(content, source, time.time(), sender, transport))
        except asyncio.QueueFull:
            self._drop(Dropped.RATE, sender[0])

    def _drop(self, reason: Dropped, address: str, detail: str = "") -> None:
        self._figures.dropped(reason)
        if reason is Dropped.UNKNOWN_SOURCE and len(self._told) >= _MOST_TOLD:
            return  # anybody may send from any address
        if (address, reason) not in self._told:
            self._told.add((address, reason))
            log.warning("a datagram at the trap port was dropped", source=address, reason=reason.value, detail=detail)

    async def _decode(self, decoder: Decoder) -> None:
        loop = asyncio.get_running_loop()
        while True:
            one = await self._waiting.get()
            decoded = await loop.run_in_executor(self._thread, decoder.decode, one.content, one.source, one.at)
            with contextlib.suppress(OSError):  # the device will ask again
                for reply in decoded.replies:
                    one.transport.sendto(reply, one.sender)
            if decoded.dropped is not None:
                self._drop(decoded.dropped, one.source.address, decoded.detail)
            if decoded.trap is not None:
                self._figures.took(decoded.trap)
                self._tell(decoded.trap)

    def _tell(self, trap: Trap) -> None:
        try:
            self._on_trap(trap)
        except Exception as error:  # noqa: BLE001  the next trap must find us here
            log.error("a trap found no hearing", source=trap.source, trap=trap.name, error=repr(error))


def _decoder(settings: Traps) -> Decoder:
    # pysnmp takes a tenth of a second and reads folders on import; only those who take traps need it at all.
    from collector.traps.decoder import Decoder  # noqa: PLC0415

    return Decoder(next_identity(settings.engine_file))
