"""Names to addresses, addresses to connections: every probe reaches its peer through here."""

from __future__ import annotations

import asyncio
import errno
import ipaddress
import re
import socket
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Generic, TypeVar

from collector.fields import IpProtocol
from collector.model import Emit, Metric, ProbeFailed, Reason
from collector.resolver import Resolver
from collector.tls import TlsContexts

__all__ = (
    "DNS_LOOKUP",
    "IP_PROTOCOL",
    "LOCAL_ERRNOS",
    "NET_METRICS",
    "AddressMap",
    "Context",
    "Endpoint",
    "Net",
    "Resolver",
    "failure",
)

DNS_LOOKUP = Metric("probe_dns_lookup_time_seconds", "Time the name lookup of the target took.")
IP_PROTOCOL = Metric("probe_ip_protocol", "IP version that was used: 4 or 6.")
NET_METRICS = (DNS_LOOKUP, IP_PROTOCOL)

# A host that we cannot even try to reach is our own shortage, not the target's fault.
LOCAL_ERRNOS = frozenset(
    {
        errno.EMFILE,
        errno.ENFILE,
        errno.ENOBUFS,
        errno.ENOMEM,
        errno.EADDRNOTAVAIL,
        errno.EPERM,
        errno.EACCES,
        errno.ENONET,
    }
)
_UNREACHABLE = frozenset({errno.EHOSTUNREACH, errno.ENETUNREACH, errno.EHOSTDOWN, errno.ENETDOWN})
_CLOSED = frozenset({errno.ECONNRESET, errno.EPIPE, errno.ECONNABORTED})
_FAMILIES = {
    IpProtocol.IP4: (socket.AF_INET,),
    IpProtocol.IP6: (socket.AF_INET6,),
    IpProtocol.PREFER_IP4: (socket.AF_INET, socket.AF_INET6),
    IpProtocol.PREFER_IP6: (socket.AF_INET6, socket.AF_INET),
}
_BRACKETED = re.compile(r"\[([^\[\]]+)\](?::(\d+))?")
_HOST_PORT = re.compile(r"([^:\[\]]*):(\d+)")
_HOST = re.compile(r"[^\s/\[\]@]*")

R = TypeVar("R")
P = TypeVar("P", bound=asyncio.BaseProtocol)


def failure(error: OSError) -> ProbeFailed:
    """The target's fault that an operating-system error stands for.

    Raises the error itself when the fault is ours (descriptors, memory, permission).
    """
    if error.errno in LOCAL_ERRNOS:
        raise error
    if isinstance(error, ConnectionRefusedError):
        return ProbeFailed(Reason.REFUSED, "connection refused")
    if isinstance(error, TimeoutError) or error.errno == errno.ETIMEDOUT:
        return ProbeFailed(Reason.TIMEOUT, "no answer")
    if error.errno in _CLOSED or isinstance(error, ConnectionError):
        return ProbeFailed(Reason.PROTOCOL, "the peer closed the connection")
    if error.errno in _UNREACHABLE:
        return ProbeFailed(Reason.UNREACHABLE, error.strerror or "no route")
    return ProbeFailed(Reason.UNREACHABLE, error.strerror or str(error))


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where to connect: a literal address, a port, and the address family."""

    ip: str
    port: int
    family: socket.AddressFamily


@lru_cache(maxsize=16_384)
def _literal(host: str) -> socket.AddressFamily | None:
    try:
        version = ipaddress.ip_address(host).version
    except ValueError:
        return None
    return socket.AF_INET if version == 4 else socket.AF_INET6


class AddressMap:
    """Points configured hosts elsewhere: `host[:port]` or a pattern -> `address`, `address:port` or `:port`.

    An exact entry wins over patterns, with a port over without, a longer pattern over a shorter one. `*` stands
    for any text; IPv6 addresses are bracketed where a port follows. What a target says to its peer (Host header,
    TLS name) stays as configured. Raises ValueError for an entry of another shape.
    """

    def __init__(self, entries: Mapping[str, str]) -> None:
        self._exact: dict[tuple[str, int | None], tuple[str, int | None]] = {}
        patterns: list[tuple[str, int | None, str, int | None]] = []
        for key, value in entries.items():
            (host, port), to = _host_port(key.lower()), _host_port(value)
            if not host:
                raise ValueError(f"{key!r} names no host")
            if "*" in host:
                patterns.append((host, port, *to))
            else:
                self._exact[host, port] = to
        patterns.sort(key=lambda entry: (-len(entry[0]), entry[1] is None))
        self._patterns = [(_pattern(host), port, (address, other)) for host, port, address, other in patterns]
        self._redirect = lru_cache(maxsize=16_384)(self._look_up)

    def redirect(self, host: str, port: int) -> tuple[str, int]:
        """Host and port to use for `host:port`."""
        return self._redirect(host, port) if self._exact or self._patterns else (host, port)

    def _look_up(self, host: str, port: int) -> tuple[str, int]:
        name = host.lower()
        entry = self._exact.get((name, port)) or self._exact.get((name, None)) or self._by_pattern(name, port)
        if entry is None:
            return host, port
        address, other_port = entry
        return address or host, other_port or port

    def _by_pattern(self, name: str, port: int) -> tuple[str, int | None] | None:
        for pattern, only_port, to in self._patterns:
            if only_port in (None, port) and pattern.fullmatch(name):
                return to
        return None


def _pattern(text: str) -> re.Pattern[str]:
    return re.compile(".*".join(map(re.escape, text.split("*"))), re.DOTALL)


def _host_port(text: str) -> tuple[str, int | None]:
    """`host`, `host:port`, `:port`, `[v6]`, `[v6]:port` or `v6` taken apart. Raises ValueError."""
    match = _BRACKETED.fullmatch(text) or _HOST_PORT.fullmatch(text)
    host, digits = (match[1], match[2]) if match else (text, None)
    port = int(digits) if digits else None
    if (port is None and not host) or (port is not None and not 0 < port < 65536) or not _HOST.fullmatch(host):
        raise ValueError(f"{text!r} is not host, host:port or :port")
    if ":" in host and "*" not in host:
        ipaddress.IPv6Address(host)
    return host, port


class Net:
    """Resolves and dials on behalf of all kinds; owns the resolver and the TLS contexts."""

    def __init__(self, resolver: Resolver, address_map: AddressMap) -> None:
        self.resolver = resolver
        self.address_map = address_map
        self.tls = TlsContexts()

    async def resolve(self, host: str, port: int, ip: IpProtocol, emit: Emit) -> Endpoint:
        """Address to use for `host:port`; emits lookup time and IP version.

        Raises ProbeFailed(RESOLVE); OSError when no name server answers at all.
        """
        host, port = self.address_map.redirect(host, port)
        begun = time.perf_counter()  # uvloop's own clock only counts whole milliseconds
        try:
            endpoint = await self._find(host, port, _FAMILIES[ip])
        finally:
            emit(DNS_LOOKUP, time.perf_counter() - begun)
        emit(IP_PROTOCOL, 4 if endpoint.family == socket.AF_INET else 6)
        return endpoint

    async def _find(self, host: str, port: int, families: tuple[socket.AddressFamily, ...]) -> Endpoint:
        family = _literal(host)
        if family is not None:
            return Endpoint(host, port, family)
        failed = ProbeFailed(Reason.RESOLVE, host)
        for family in families:
            try:
                addresses = await self.resolver.lookup(host, family)
            except ProbeFailed as error:
                failed = error
                continue
            return Endpoint(addresses[0], port, family)
        raise failed

    async def dial(
        self, factory: Callable[[], P], endpoint: Endpoint, source_ip: str | None = None
    ) -> tuple[asyncio.Transport, P]:
        """Connect by TCP, from `source_ip` when given. Raises ProbeFailed; OSError when the fault is ours."""
        loop, local = asyncio.get_running_loop(), _source(source_ip, endpoint)
        try:
            transport, protocol = await loop.create_connection(factory, endpoint.ip, endpoint.port, local_addr=local)
        except OSError as error:
            raise failure(error) from error
        return transport, protocol

    def datagram_socket(self, endpoint: Endpoint, source_ip: str | None = None) -> socket.socket:
        """A UDP socket that hears `endpoint` alone, from `source_ip` when given; never blocks.

        Raises ProbeFailed; OSError when the fault is ours.
        """
        local = _source(source_ip, endpoint)
        sock = socket.socket(endpoint.family, socket.SOCK_DGRAM)
        try:
            sock.setblocking(False)
            if local:
                sock.bind(local)
            sock.connect((endpoint.ip, endpoint.port))
        except OSError as error:
            sock.close()
            raise failure(error) from error
        return sock


def _source(source_ip: str | None, endpoint: Endpoint) -> tuple[str, int] | None:
    if source_ip is None:
        return None
    if _literal(source_ip) is not endpoint.family:
        raise OSError(errno.EADDRNOTAVAIL, f"no way from {source_ip} to {endpoint.ip}: another IP version")
    return source_ip, 0


@dataclass(frozen=True, slots=True)
class Context(Generic[R]):
    """What one run may use.

    `deadline` is the loop's time by which it must have ended, or be cancelled; the next run comes `interval` seconds
    after this one, unless something calls it sooner.
    """

    net: Net
    deadline: float
    resource: R
    interval: float
