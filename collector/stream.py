"""A bounded conversation over one connection, in the clear or by TLS, for probes that talk to a peer."""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager, suppress

from collector.fields import Tls
from collector.model import Emit, ProbeFailed, Reason
from collector.net import Endpoint, Net, failure
from collector.tls import emit_tls, tls_failure

# What is left of a run after the facts of a certificate that does not verify were read.
_FACTS_MARGIN = 0.05


class Unverified(ProbeFailed):
    """The peer's certificate does not verify; its facts can still be read by a handshake that does not ask."""


class Stream(asyncio.Protocol):
    """What a peer says, line by line or byte by byte; at most `limit` bytes of it in all.

    Every method that reads raises ProbeFailed: TOO_LARGE over the limit, PROTOCOL or TLS when the connection breaks.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._received = 0
        self._buffer = bytearray()
        self._ended = False
        self._broken: Exception | None = None
        self._waiter: asyncio.Future[None] | None = None
        self._transport: asyncio.Transport | None = None

    # asyncio's side

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment]  # uvloop's transports are of no asyncio class

    def data_received(self, data: bytes) -> None:
        self._received += len(data)
        if self._received > self._limit:
            self._broken = ProbeFailed(Reason.TOO_LARGE, f"more than {self._limit} bytes")
            self.abort()
        else:
            self._buffer += data
        self._wake()

    def eof_received(self) -> None:
        self._ended = True
        self._wake()

    def connection_lost(self, exc: Exception | None) -> None:
        self._ended = True
        self._broken = self._broken or exc
        self._wake()

    # The probe's side

    async def line(self) -> bytes | None:
        """The next line without its end; the unfinished rest when the peer has closed; None after all."""
        searched = 0
        while (end := self._buffer.find(b"\n", searched)) < 0:
            searched = len(self._buffer)
            if not await self._more():
                return self._take(len(self._buffer)) or None
        return self._take(end + 1).removesuffix(b"\n").removesuffix(b"\r")

    async def exactly(self, count: int) -> bytes:
        """The next `count` bytes. Raises ProbeFailed(PROTOCOL) also when the peer closes before."""
        while len(self._buffer) < count:
            if not await self._more():
                raise ProbeFailed(Reason.PROTOCOL, f"closed after {len(self._buffer)} of {count} bytes")
        return self._take(count)

    def write(self, data: bytes) -> None:
        """Send, as soon as the peer takes it."""
        if self._transport is not None:
            self._transport.write(data)

    async def start_tls(self, context: ssl.SSLContext, server_name: str) -> ssl.SSLObject:
        """Speak TLS from here. Raises Unverified, ProbeFailed(TLS)."""
        if self._buffer:
            # Whoever can put bytes before the handshake would have them taken for the peer's own.
            raise ProbeFailed(
                Reason.TLS, f"the peer spoke in the clear before the handshake: {bytes(self._buffer[:60])!r}"
            )
        transport, self._transport = self._transport, None
        if transport is None or self._ended:
            raise ProbeFailed(Reason.TLS, "the peer closed the connection before the handshake")
        try:
            self._transport = await self._handshake(transport, context, server_name)
        finally:
            if self._transport is None:
                transport.abort()
        connection: ssl.SSLObject = self._transport.get_extra_info("ssl_object")
        return connection

    async def _handshake(
        self, transport: asyncio.Transport, context: ssl.SSLContext, server_name: str
    ) -> asyncio.Transport:
        loop = asyncio.get_running_loop()
        try:
            secured = await loop.start_tls(transport, self, context, server_hostname=server_name)
        except ssl.SSLCertVerificationError as error:
            verdict = tls_failure(error)
            raise Unverified(verdict.reason, verdict.detail) from error
        except ssl.SSLError as error:
            raise tls_failure(error) from error
        except OSError as error:
            raise ProbeFailed(Reason.TLS, f"handshake: {failure(error).detail}") from error
        if secured is None:
            raise ProbeFailed(Reason.TLS, "the peer closed the connection during the handshake")
        return secured

    def abort(self) -> None:
        """Close at once."""
        if self._transport is not None:
            self._transport.abort()

    def _take(self, count: int) -> bytes:
        taken = bytes(self._buffer[:count])
        del self._buffer[:count]
        return taken

    async def _more(self) -> bool:
        """Wait until something happens; False when nothing can any more."""
        if isinstance(self._broken, ssl.SSLError):
            raise tls_failure(self._broken)
        if isinstance(self._broken, OSError):
            raise failure(self._broken)
        if self._broken is not None:
            raise self._broken
        if self._ended:
            return False
        self._waiter = asyncio.get_running_loop().create_future()
        try:
            await self._waiter
        finally:
            self._waiter = None
        return True

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)


@asynccontextmanager
async def connected(net: Net, endpoint: Endpoint, limit: int, source_ip: str | None = None) -> AsyncIterator[Stream]:
    """A connection that is closed on every way out. Raises what Net.dial raises."""
    _, stream = await net.dial(lambda: Stream(limit), endpoint, source_ip)
    try:
        yield stream
    finally:
        stream.abort()


async def secure(stream: Stream, net: Net, tls: Tls, host: str, emit: Emit) -> None:
    """Start TLS as `tls` says, asking for `host` if it names no other; emit what the handshake tells.

    Raises Unverified, ProbeFailed; OSError or ssl.SSLError when one of our own files cannot be used.
    """
    context = await net.tls.get(tls)
    connection = await stream.start_tls(context, tls.server_name or host.rstrip("."))
    emit_tls(connection, tls.verify, emit)


async def read_facts(attempt: Awaitable[None], deadline: float) -> None:
    """Await a second, unverifying handshake for its facts, within the run; its own failure says nothing new."""
    with suppress(ProbeFailed, OSError):
        async with asyncio.timeout(deadline - time.monotonic() - _FACTS_MARGIN):
            await attempt
