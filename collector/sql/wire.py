"""The network under a database driver: the connection that it opens is ours, bounded, and goes where we say."""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import Callable
from typing import Any, Protocol, Self

from collector.model import ProbeFailed, Reason
from collector.net import Endpoint, Net, failure
from collector.tls import SHUTDOWN_LIMIT, handshake, tls_failure

Factory = Callable[[], Any]


class Screen(Protocol):
    """Judges what a server says before the driver hears it."""

    def __call__(self, said: bytes, /) -> None:
        """Raises ProbeFailed for what the driver must not hear."""


class Secure:
    """How to speak TLS: `name` is asked for and verified, the handshake ends `within` seconds."""

    def __init__(self, context: ssl.SSLContext, name: str, within: float) -> None:
        self.context = _Witness(context)
        self.name = name
        self.within = max(within, 0.001)


class _Witness(ssl.SSLContext):
    """Makes the connections of another context, and remembers the last one even when its handshake fails."""

    def __new__(cls, _: ssl.SSLContext) -> Self:
        return super().__new__(cls, ssl.PROTOCOL_TLS_CLIENT)

    def __init__(self, context: ssl.SSLContext) -> None:
        self._context = context
        self.connection: ssl.SSLObject | None = None

    def wrap_bio(self, *args: Any, **settings: Any) -> ssl.SSLObject:
        self.connection = self._context.wrap_bio(*args, **settings)
        return self.connection


class Wire:
    """What a driver takes for its event loop.

    It may connect once, to `endpoint` whatever address it names, and start TLS once, as `secure` says; after
    `limit` received bytes the connection is cut. Whatever goes wrong on the way is in `failed`, because drivers
    wrap it in errors of their own. `seconds` tells how long `connect` and `tls` took.
    """

    def __init__(self, net: Net, endpoint: Endpoint, secure: Secure | None, limit: int, screen: Screen) -> None:
        self.endpoint = endpoint
        self.failed: Exception | None = None
        self.seconds: dict[str, float] = {}
        self._loop = asyncio.get_running_loop()
        self._net = net
        self._secure = secure
        self._limit = limit
        self._received = 0
        self._screen = screen
        self._line: _Line | None = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._loop, name)

    @property
    def secured(self) -> ssl.SSLObject | None:
        """The TLS connection, also one whose handshake failed."""
        return self._secure.context.connection if self._secure else None

    async def create_connection(self, factory: Factory, *_: Any, sock: Any = None, **__: Any) -> tuple[Any, Any]:
        """As asyncio's; over `sock`, which a driver took from a connection of before, it starts TLS."""
        if sock is None and self._line is not None:
            raise ConnectionRefusedError("a run connects once")
        begun = time.perf_counter()
        line = _Line(self, factory)
        try:
            if sock is None:
                await self._net.dial(lambda: line, self.endpoint)
            else:
                await self._secure_socket(line, sock)
        except Exception as error:
            raise self.fail(error) from error
        return self._settled("connect" if sock is None else "tls", begun, line)

    async def start_tls(self, transport: Any, protocol: Any, *_: Any, **__: Any) -> tuple[Any, Any] | Any:
        """As asyncio's, but with our own context and server name."""
        begun = time.perf_counter()
        line, secure = _Line(self, lambda: protocol), self._required()
        try:
            await handshake(transport.beneath, lambda: line, secure.context, secure.name, secure.within)
        except Exception as error:
            raise self.fail(error) from error
        return self._settled("tls", begun, line)[0]

    async def _secure_socket(self, line: _Line, sock: Any) -> None:
        secure = self._required()
        await self._loop.create_connection(
            lambda: line,
            sock=sock,
            ssl=secure.context,
            server_hostname=secure.name,
            ssl_handshake_timeout=secure.within,
            ssl_shutdown_timeout=SHUTDOWN_LIMIT,
        )

    def _required(self) -> Secure:
        if self._secure is None:
            raise RuntimeError("the driver wants TLS, which was not asked for")
        return self._secure

    def _settled(self, phase: str, begun: float, line: _Line) -> tuple[Any, Any]:
        self.seconds[phase] = time.perf_counter() - begun
        self._line = line
        return line.transport, line.inner

    def fail(self, error: Exception) -> Exception:
        """Note why the conversation failed, in our terms; the first reason stays. Returns what to raise."""
        if self.failed is None:
            self.failed = _verdict(error)
        return self.failed

    def admits(self, data: bytes) -> bool:
        """Whether the driver may hear this; otherwise the connection is cut."""
        self._received += len(data)
        if self._received > self._limit:
            self.fail(ProbeFailed(Reason.TOO_LARGE, f"more than {self._limit} bytes"))
            return False
        try:
            self._screen(data)
        except ProbeFailed as fault:
            self.fail(fault)
            return False
        return True

    def abort(self) -> None:
        """Close at once; without a connection nothing."""
        if self._line is not None:
            self._line.abort()

    def close(self) -> None:
        """Abort, and let go of what would keep the run's objects alive in a circle."""
        self.abort()
        self._line = self.failed = self._secure = None


def _verdict(error: Exception) -> Exception:
    if isinstance(error, ssl.SSLError):
        return tls_failure(error)
    if isinstance(error, OSError):
        try:
            return failure(error)
        except OSError as ours:
            return ours
    return error


class _Line(asyncio.Protocol):
    """One connection, between its transport and the driver's protocol."""

    def __init__(self, wire: Wire, factory: Factory) -> None:
        self._wire = wire
        self._factory = factory
        self.inner: Any = None
        self.transport: Any = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = _Transport(transport, self)
        self.inner = self._factory()
        self.inner.connection_made(self.transport)

    def data_received(self, data: bytes) -> None:
        if not self._wire.admits(data):
            self.abort()
            return
        try:
            if isinstance(self.inner, asyncio.BufferedProtocol):
                _fill(self.inner, data)
            else:
                self.inner.data_received(data)
        except Exception as error:  # noqa: BLE001  what a driver raises here, the loop would only log
            self._wire.fail(ProbeFailed(Reason.PROTOCOL, f"not understood: {error}"))
            self.abort()

    def eof_received(self) -> Any:
        return self.inner.eof_received()

    def pause_writing(self) -> None:
        self.inner.pause_writing()

    def resume_writing(self) -> None:
        self.inner.resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        inner, self.inner, self.transport = self.inner, None, None
        inner.connection_lost(exc)

    def abort(self) -> None:
        if self.transport is not None:
            self.transport.abort()


def _fill(protocol: asyncio.BufferedProtocol, data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        buffer: Any = protocol.get_buffer(len(rest))
        count = min(len(buffer), len(rest))
        buffer[:count] = rest[:count]
        protocol.buffer_updated(count)
        rest = rest[count:]


class _Transport:
    """The driver's side of a transport: a protocol that is set here is heard through the line, too."""

    def __init__(self, beneath: Any, line: _Line) -> None:
        self.beneath = beneath
        self._line = line

    def __getattr__(self, name: str) -> Any:
        return getattr(self.beneath, name)

    def set_protocol(self, protocol: Any) -> None:
        self._line.inner = protocol
