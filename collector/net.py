"""Names to addresses, addresses to connections: every probe reaches its peer through here."""

from __future__ import annotations

import asyncio
import errno
import ipaddress
import socket
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Generic, TypeVar

import aiodns

from collector.fields import IpProtocol
from collector.model import Emit, Metric, ProbeFailed, Reason
from collector.tls import TlsContexts

DNS_LOOKUP = Metric("probe_dns_lookup_time_seconds", "Time the name lookup of the target took.")
IP_PROTOCOL = Metric("probe_ip_protocol", "IP version that was used: 4 or 6.")
NET_METRICS = (DNS_LOOKUP, IP_PROTOCOL)

# A host that we cannot even try to reach is our own shortage, not the target's fault.
LOCAL_ERRNOS = frozenset(
    {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM, errno.EADDRNOTAVAIL, errno.EPERM, errno.EACCES}
)
_UNREACHABLE = frozenset({errno.EHOSTUNREACH, errno.ENETUNREACH, errno.EHOSTDOWN, errno.ENETDOWN})
_CLOSED = frozenset({errno.ECONNRESET, errno.EPIPE, errno.ECONNABORTED})
_FAMILIES = {
    IpProtocol.IP4: (socket.AF_INET,),
    IpProtocol.IP6: (socket.AF_INET6,),
    IpProtocol.PREFER_IP4: (socket.AF_INET, socket.AF_INET6),
    IpProtocol.PREFER_IP6: (socket.AF_INET6, socket.AF_INET),
}
# c-ares: what the name server said about the name itself. Everything else is the lookup's own failure.
_NO_SUCH_NAME = frozenset({aiodns.error.ARES_ENOTFOUND, aiodns.error.ARES_ENODATA, aiodns.error.ARES_ENONAME})

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


@dataclass(slots=True)
class _Answer:
    addresses: tuple[str, ...]
    expires: float
    stale_until: float


def _literal(host: str) -> socket.AddressFamily | None:
    try:
        version = ipaddress.ip_address(host).version
    except ValueError:
        return None
    return socket.AF_INET if version == 4 else socket.AF_INET6


class Resolver:
    """Bounded lookups by c-ares, never in the shared thread pool.

    One query at a time per name and family; answers are kept for their time to live. When the name server
    itself fails, the last good answer serves for one more lifetime; a name that it denies fails at once.
    """

    def __init__(self, servers: tuple[str, ...] = (), timeout: float = 2.0, max_entries: int = 20_000) -> None:
        self._dns = aiodns.DNSResolver(timeout=timeout, tries=2, rotate=False)
        if servers:
            self._dns.nameservers = list(servers)
        self._answers: dict[tuple[str, socket.AddressFamily], _Answer] = {}
        self._lookups: dict[tuple[str, socket.AddressFamily], asyncio.Task[tuple[str, ...]]] = {}
        self._max_entries = max_entries

    async def lookup(self, host: str, family: socket.AddressFamily) -> tuple[str, ...]:
        """Addresses of `host`, at least one. Raises ProbeFailed(RESOLVE)."""
        key = (host, family)
        answer = self._answers.get(key)
        if answer is not None and answer.expires > asyncio.get_running_loop().time():
            return answer.addresses
        task = self._lookups.get(key)
        if task is None:
            task = self._lookups[key] = asyncio.create_task(self._ask(host, family))
            task.add_done_callback(lambda done: self._finished(key, done))
        # The lookup outlives a waiter that runs out of time: the next waiter finds its answer.
        return await asyncio.shield(task)

    async def close(self) -> None:
        """Give up every lookup under way."""
        for task in tuple(self._lookups.values()):
            task.cancel()
        await self._dns.close()

    def _finished(self, key: tuple[str, socket.AddressFamily], task: asyncio.Task[tuple[str, ...]]) -> None:
        del self._lookups[key]
        if not task.cancelled():
            task.exception()  # seen, also when every waiter has given up

    async def _ask(self, host: str, family: socket.AddressFamily) -> tuple[str, ...]:
        now = asyncio.get_running_loop().time()
        try:
            found = await self._dns.getaddrinfo(host, family=family, type=socket.SOCK_STREAM)
        except aiodns.error.DNSError as error:
            return self._without_answer(host, family, error, now)
        nodes = [node for node in found.nodes if node.family == family]
        if not nodes:
            raise ProbeFailed(Reason.RESOLVE, f"{host} has no address of this family")
        addresses = tuple(_text(node.addr[0]) for node in nodes)
        lifetime = max(1.0, float(min(node.ttl for node in nodes)))
        if len(self._answers) >= self._max_entries:
            self._answers.clear()
        self._answers[host, family] = _Answer(addresses, now + lifetime, now + 2 * lifetime)
        return addresses

    def _without_answer(
        self, host: str, family: socket.AddressFamily, error: aiodns.error.DNSError, now: float
    ) -> tuple[str, ...]:
        code, words = (*error.args, "")[:2]
        answer = self._answers.get((host, family))
        if answer is not None and code not in _NO_SUCH_NAME and answer.stale_until > now:
            return answer.addresses
        self._answers.pop((host, family), None)
        raise ProbeFailed(Reason.RESOLVE, f"{host}: {words}")


def _text(address: str | bytes) -> str:
    return address.decode() if isinstance(address, bytes) else address


class AddressMap:
    """Points configured hosts elsewhere: `host[:port]` or a pattern -> `address`, `address:port` or `:port`.

    Exact entries win over patterns, longer patterns over shorter ones. What a target says to its peer
    (Host header, TLS name) stays as configured.
    """

    def __init__(self, entries: Mapping[str, str]) -> None:
        self._exact = {key.lower(): value for key, value in entries.items() if "*" not in key}
        patterns = [(key.lower(), value) for key, value in entries.items() if "*" in key]
        self._patterns = sorted(patterns, key=lambda entry: -len(entry[0]))

    def redirect(self, host: str, port: int) -> tuple[str, int]:
        """Host and port to use for `host:port`."""
        if not self._exact and not self._patterns:
            return host, port
        name = host.lower()
        entry = self._exact.get(f"{name}:{port}") or self._exact.get(name) or self._by_pattern(name, port)
        if entry is None:
            return host, port
        return _split(entry, host, port)

    def _by_pattern(self, name: str, port: int) -> str | None:
        for pattern, value in self._patterns:
            if fnmatchcase(f"{name}:{port}" if ":" in pattern else name, pattern):
                return value
        return None


def _split(entry: str, host: str, port: int) -> tuple[str, int]:
    if entry.startswith("["):
        address, _, rest = entry[1:].partition("]")
        return address, int(rest[1:]) if rest else port
    address, colon, digits = entry.rpartition(":")
    if not colon or ":" in address:
        return entry, port
    return address or host, int(digits)


class Net:
    """Resolves and dials on behalf of all kinds; owns the resolver and the TLS contexts."""

    def __init__(self, resolver: Resolver, address_map: AddressMap) -> None:
        self.resolver = resolver
        self.address_map = address_map
        self.tls = TlsContexts()

    async def resolve(self, host: str, port: int, ip: IpProtocol, emit: Emit) -> Endpoint:
        """Address to use for `host:port`; emits lookup time and IP version. Raises ProbeFailed(RESOLVE)."""
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

    async def dial(self, factory: Callable[[], P], endpoint: Endpoint) -> tuple[asyncio.Transport, P]:
        """Connect by TCP. Raises ProbeFailed; OSError when the fault is ours."""
        loop = asyncio.get_running_loop()
        try:
            transport, protocol = await loop.create_connection(factory, endpoint.ip, endpoint.port)
        except OSError as error:
            raise failure(error) from error
        return transport, protocol


@dataclass(frozen=True, slots=True)
class Context(Generic[R]):
    """What one run may use. `deadline` is the loop's time by which it must have ended, or be cancelled."""

    net: Net
    deadline: float
    resource: R
