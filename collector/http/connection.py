"""Connections for single HTTP requests: every one is new, goes where Net says, and times its phases."""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass, field

from aiohttp import ClientRequest
from aiohttp.client_proto import ResponseHandler
from aiohttp.connector import BaseConnector
from yarl import URL

from collector.fields import IpProtocol, Tls
from collector.model import Emit, Metric, ProbeFailed, Reason
from collector.net import Net
from collector.tls import emit_tls, handshake, tls_failure, unverified

# Longer headers, or more of them, come from no honest server.
LINE_LIMIT = 64 * 1024
HEADERS_LIMIT = 256
# Reading the certificate that did not verify may take this share of the time that is left.
LOOK_SHARE = 0.8


class Wire(ResponseHandler):
    """aiohttp's reader of answers that notes the first byte, and whether the peer broke off."""

    def __init__(self, loop: asyncio.AbstractEventLoop, first_byte: Callable[[], None] | None = None) -> None:
        super().__init__(loop)
        self._first_byte = first_byte
        self.heard = False
        self.broken: BaseException | None = None

    def data_received(self, data: bytes) -> None:
        """Hand `data` to aiohttp's parser."""
        if not self.heard:
            self.heard = True
            first_byte, self._first_byte = self._first_byte, None
            if first_byte is not None:
                first_byte()
        super().data_received(data)

    def connection_lost(self, exc: BaseException | None) -> None:
        """Remember a reset: aiohttp takes it for the end of a body that has no length."""
        self.broken = exc
        super().connection_lost(exc)

    def close(self) -> None:
        """Close at once: waiting for the peer's goodbye would hold the descriptor."""
        self.abort()


@dataclass(frozen=True, slots=True)
class Proxy:
    """A proxy to go through; `authorization` is its Proxy-Authorization header, `tls` how to speak to an https one."""

    url: URL
    authorization: str = ""
    tls: Tls = field(default_factory=Tls)


@dataclass(slots=True)
class Passage:
    """How the connections of one run are made, and what they showed.

    `seconds` holds the phases that are over (resolve, connect, tls, processing, transfer), summed over all
    requests of the run; a proxy's CONNECT is part of connect. `secured` is what the newest connection's
    handshake agreed on, None without TLS. `dialled` says whether the last request needed a new connection.
    """

    net: Net
    deadline: float
    emit: Emit
    ip: IpProtocol
    tls: Tls
    proxy: Proxy | None = None
    source_ip: str | None = None
    seconds: dict[str, float] = field(default_factory=dict)
    secured: ssl.SSLObject | None = None
    wire: Wire | None = None
    dialled: bool = False
    _since: float = 0.0
    _context: ssl.SSLContext | None = None

    def mark(self, phase: str) -> None:
        """`phase` is over; it began when the one before it ended."""
        now = time.perf_counter()  # uvloop's own clock only counts whole milliseconds
        self.seconds[phase] = self.seconds.get(phase, 0.0) + now - self._since
        self._since = now

    async def prepare(self, url: URL) -> None:
        """Get ready for a request to `url`. Raises OSError, which names the file, when a file of ours is unusable."""
        self.secured = self.wire = None
        self.dialled = False
        self._context = await self.net.tls.get(self.tls) if url.scheme == "https" else None
        self._since = time.perf_counter()

    async def connect(self, url: URL) -> Wire:
        """A connection for one request to `url`, after `prepare`. Raises ProbeFailed; OSError when it is our fault."""
        self.dialled = True
        if self._context is None:
            _, self.wire = await self._reach(url, self._wire)
            self.mark("connect")
            return self.wire
        transport, plain = await self._reach(url, self._bare_wire)
        self.mark("connect")
        if plain.heard and self.proxy is None:
            transport.abort()
            raise ProbeFailed(Reason.TLS, "the peer spoke before the handshake")
        try:
            transport, self.wire = await self._secure(transport, url, self._context)
        except (ssl.SSLError, ProbeFailed) as error:
            await self._look(url)
            raise error if isinstance(error, ProbeFailed) else tls_failure(error) from error
        self.secured = transport.get_extra_info("ssl_object")
        self.mark("tls")
        return self.wire

    def _wire(self) -> Wire:
        return Wire(asyncio.get_running_loop(), lambda: self.mark("processing"))

    @staticmethod
    def _bare_wire() -> Wire:
        return Wire(asyncio.get_running_loop())

    async def _reach(self, url: URL, wire: Callable[[], Wire], quiet: bool = False) -> tuple[asyncio.Transport, Wire]:
        # What a run says of its lookup is about its first request.
        emit = ignore if quiet or "resolve" in self.seconds else self.emit
        goal = self.proxy.url if self.proxy else url
        endpoint = await self.net.resolve(goal.raw_host or "", goal.port or 0, self.ip, emit)
        if not quiet:
            self.mark("resolve")
        if self.proxy is None:
            return await self.net.dial(wire, endpoint, self.source_ip)
        context = await self.net.tls.get(self.proxy.tls) if self.proxy.url.scheme == "https" else None
        transport, protocol = await self.net.dial(self._bare_wire if context else wire, endpoint, self.source_ip)
        if context:
            transport, protocol = await self._to_proxy(self.proxy, transport, wire, context)
        if url.scheme == "https":
            await _tunnel(self.proxy, url, transport, protocol)
        return transport, protocol

    async def _to_proxy(
        self, proxy: Proxy, transport: asyncio.Transport, wire: Callable[[], Wire], context: ssl.SSLContext
    ) -> tuple[asyncio.Transport, Wire]:
        try:
            return await handshake(transport, wire, context, proxy.url.raw_host or "", self._left())
        except ssl.SSLError as error:
            raise ProbeFailed(Reason.TLS, f"proxy: {tls_failure(error).detail}") from error

    async def _secure(
        self, transport: asyncio.Transport, url: URL, context: ssl.SSLContext
    ) -> tuple[asyncio.Transport, Wire]:
        name = self.tls.server_name or url.raw_host or ""
        return await handshake(transport, self._wire, context, name, self._left())

    async def _look(self, url: URL) -> None:
        """Read the certificate that was just refused, by a second handshake after which nothing is sent."""
        try:
            async with asyncio.timeout(LOOK_SHARE * (self.deadline - time.monotonic())):
                context = await self.net.tls.get(unverified(self.tls))
                transport, _ = await self._reach(url, self._bare_wire, quiet=True)
                transport, _ = await self._secure(transport, url, context)
                secured = transport.get_extra_info("ssl_object")
                transport.abort()
                emit_tls(secured, False, self.emit)
        except (OSError, ProbeFailed):  # the first handshake has given the verdict
            return

    def _left(self) -> float:
        # A second more than the run has: its own time limit is to end it.
        return self.deadline - time.monotonic() + 1.0


def ignore(metric: Metric, value: float, *labels: str) -> None:
    """Take a figure that nobody asked for."""


async def _tunnel(proxy: Proxy, url: URL, transport: asyncio.Transport, wire: Wire) -> None:
    """Have `proxy` connect through to `url` (RFC 9110 section 9.3.6). Raises ProbeFailed, or as aiohttp's parser."""
    authority = f"{url.host_subcomponent}:{url.port}"
    lines = [f"CONNECT {authority} HTTP/1.1", f"Host: {authority}"]
    if proxy.authorization:
        lines.append(f"Proxy-Authorization: {proxy.authorization}")
    try:
        wire.set_response_params(
            read_until_eof=True, max_line_size=LINE_LIMIT, max_field_size=LINE_LIMIT, max_headers=HEADERS_LIMIT
        )
        transport.write("\r\n".join([*lines, "\r\n"]).encode())
        status = 100
        while status < 200:
            message, _ = await wire.read()
            status = message.code
        if status == 407:
            raise ProbeFailed(Reason.AUTH, "the proxy wants other credentials")
        if status >= 300:
            raise ProbeFailed(Reason.UNEXPECTED, f"the proxy answered {status} to CONNECT {authority}")
    except BaseException:
        transport.abort()
        raise


PASSAGE: ContextVar[Passage] = ContextVar("passage")


class PassageConnector(BaseConnector):
    """Gives aiohttp the connections of the passage that the running task is on."""

    def __init__(self, reuse: bool) -> None:
        super().__init__(force_close=not reuse, limit=0)

    async def _create_connection(self, req: ClientRequest, *_: object) -> ResponseHandler:
        return await PASSAGE.get().connect(req.url)
