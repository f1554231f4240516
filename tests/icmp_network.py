"""A network of its own for ICMP tests: nothing leaves it, and every host on it does what a test wants.

The calling thread enters a new network namespace; a TUN device in it leads to hosts that the test plays, packet by
packet. Formats: RFC 791, RFC 792, RFC 8200, RFC 4443.
"""

from __future__ import annotations

import asyncio
import ctypes
import fcntl
import ipaddress
import os
import struct
import subprocess
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

CLONE_NEWNET = 0x40000000
TUNSETIFF, IFF_TUN, IFF_NO_PI = 0x400454CA, 0x0001, 0x1000
OWN_IP4, OWN_IP6 = "198.51.100.1", "2001:db8::1"
HOST_IP4, HOST_IP6 = "198.51.100.7", "2001:db8::7"
ROUTER_IP4, ROUTER_IP6 = "198.51.100.254", "2001:db8::fe"
PING_GROUPS = Path("/proc/sys/net/ipv4/ping_group_range")


@dataclass(frozen=True)
class Request:
    """An echo request as a host on the network sees it; `whole` is the IP packet."""

    source: str
    destination: str
    ttl: int
    dont_fragment: bool
    identifier: int
    sequence: int
    payload: bytes
    whole: bytes

    @property
    def ip6(self) -> bool:
        """Whether it came by IPv6."""
        return ":" in self.source


Host = Callable[[Request], Iterable[bytes | tuple[float, bytes]]]
"""What a host sends for a request: IP packets, or delays in seconds with packets."""


def reply(
    request: Request, payload: bytes | None = None, ttl: int = 64, by: str | None = None, identifier: int | None = None
) -> bytes:
    """The echo reply to a request."""
    kind = 129 if request.ip6 else 0
    data = request.payload if payload is None else payload
    number = request.identifier if identifier is None else identifier
    body = struct.pack("!HH", number, request.sequence) + data
    return _packet(by or request.destination, request.source, ttl, kind, 0, body)


def complaint(request: Request, kind: int, code: int, by: str, info: int = 0) -> bytes:
    """An ICMP error about a request, which it quotes."""
    return _packet(by, request.source, 64, kind, code, struct.pack("!I", info) + request.whole[:128])


def answers(request: Request) -> Iterable[bytes]:
    """A host that is well."""
    return [reply(request)]


def silent(_: Request) -> Iterable[bytes]:
    """A host that is not there."""
    return []


def _packet(source: str, destination: str, ttl: int, kind: int, code: int, body: bytes) -> bytes:
    fro, to = ipaddress.ip_address(source).packed, ipaddress.ip_address(destination).packed
    if len(fro) == 16:
        pseudo = fro + to + struct.pack("!I3xB", 4 + len(body), 58)
        message = struct.pack("!BBH", kind, code, _sum(pseudo + struct.pack("!BBH", kind, code, 0) + body)) + body
        return struct.pack("!IHBB", 6 << 28, len(message), 58, ttl) + fro + to + message
    message = struct.pack("!BBH", kind, code, _sum(struct.pack("!BBH", kind, code, 0) + body)) + body
    header = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(message), 0, 0, ttl, 1, 0) + fro + to
    return header[:10] + struct.pack("!H", _sum(header)) + header[12:] + message


def _sum(data: bytes) -> int:
    """RFC 1071, by definition."""
    total = 0
    for (word,) in struct.iter_unpack("!H", data + b"\0" * (len(data) % 2)):
        total += word
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def _read(packet: bytes) -> Request | None:
    if packet[0] >> 4 == 6:
        if packet[6] != 58 or packet[40] != 128:
            return None
        source, destination, start, ttl, bound = packet[8:24], packet[24:40], 40, packet[7], True
    else:
        start = 4 * (packet[0] & 15)
        if packet[9] != 1 or packet[start] != 8:
            return None
        source, destination, ttl, bound = packet[12:16], packet[16:20], packet[8], bool(packet[6] & 0x40)
    identifier, sequence = struct.unpack_from("!HH", packet, start + 4)
    addresses = str(ipaddress.ip_address(source)), str(ipaddress.ip_address(destination))
    return Request(*addresses, ttl, bound, identifier, sequence, packet[start + 8 :], packet)


@dataclass
class Network:
    """The network, and the requests that its hosts have seen; `host` decides what they do."""

    tun: int
    host: Host = answers
    seen: list[Request] = field(default_factory=list)

    def start(self) -> None:
        """Let the hosts live on the running loop, well and unseen."""
        self.host = answers
        self.seen.clear()
        asyncio.get_running_loop().add_reader(self.tun, self._readable)

    def stop(self) -> None:
        """Let the hosts rest."""
        asyncio.get_running_loop().remove_reader(self.tun)

    def add_address(self, address: str) -> None:
        """Give this machine one more address."""
        subprocess.run(
            ["ip", "addr", "add", address, "dev", "hosts", *(["nodad"] if ":" in address else [])], check=True
        )

    def _readable(self) -> None:
        try:
            request = _read(os.read(self.tun, 1 << 16))
        except BlockingIOError:
            return
        if request is None:
            return
        self.seen.append(request)
        for packet in self.host(request):
            if isinstance(packet, bytes):
                os.write(self.tun, packet)
            else:
                asyncio.get_running_loop().call_later(packet[0], self._send, packet[1])

    def _send(self, packet: bytes) -> None:
        try:
            os.write(self.tun, packet)
        except OSError:
            return  # the test is over


@contextmanager
def network(unprivileged: bool) -> Iterator[Network]:
    """Put this thread into a network of its own, where unprivileged ICMP sockets are permitted or not."""
    if os.geteuid() != 0 or not Path("/dev/net/tun").exists():
        _missing("a network of its own needs root and /dev/net/tun")
    with _own_namespace():
        PING_GROUPS.write_text("0 2147483647" if unprivileged else "1 0")
        tun = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
        try:
            fcntl.ioctl(tun, TUNSETIFF, struct.pack("16sH22x", b"hosts", IFF_TUN | IFF_NO_PI))
            for link in ("lo", "hosts"):
                subprocess.run(["ip", "link", "set", link, "up"], check=True)
            net = Network(tun)
            net.add_address(f"{OWN_IP4}/24")
            net.add_address(f"{OWN_IP6}/64")
            yield net
        finally:
            os.close(tun)


@contextmanager
def _own_namespace() -> Iterator[None]:
    libc = ctypes.CDLL(None, use_errno=True)
    home = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
    try:
        if libc.unshare(CLONE_NEWNET):
            _missing(f"no network namespace: {os.strerror(ctypes.get_errno())}")
        try:
            yield
        finally:
            assert libc.setns(home, CLONE_NEWNET) == 0
    finally:
        os.close(home)


def _missing(words: str) -> None:
    if os.environ.get("CI") == "true":
        pytest.fail(words)
    pytest.skip(words)


class _CapabilityHeader(ctypes.Structure):
    _fields_ = (("version", ctypes.c_uint32), ("pid", ctypes.c_int))


_CAPABILITY_VERSION_3, _CAP_NET_RAW = 0x20080522, 13


@contextmanager
def without_raw_sockets() -> Iterator[None]:
    """Take CAP_NET_RAW from this thread (capset(2)); it stays permitted, so that it comes back."""
    libc = ctypes.CDLL(None, use_errno=True)
    header = _CapabilityHeader(_CAPABILITY_VERSION_3, 0)
    sets = (ctypes.c_uint32 * 6)()  # effective, permitted, inheritable; twice
    assert libc.capget(ctypes.byref(header), sets) == 0
    had = sets[0]
    sets[0] = had & ~(1 << _CAP_NET_RAW)
    assert libc.capset(ctypes.byref(header), sets) == 0
    try:
        yield
    finally:
        sets[0] = had
        assert libc.capset(ctypes.byref(header), sets) == 0
