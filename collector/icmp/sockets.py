"""Sockets for echo requests, unprivileged or raw: opened, set up, and their ancillary data read and written.

Linux only: the numbers below are those of its headers. Formats: ip(7), ipv6(7), icmp(7), socket(7).
"""

from __future__ import annotations

import errno
import socket
import struct
from contextlib import suppress
from typing import Literal

from collector.icmp import echo

Mode = Literal["datagram", "raw"]
Ancillary = tuple[int, int, bytes]

# linux/in.h, linux/in6.h, linux/icmp.h, linux/icmpv6.h, linux/errqueue.h, asm-generic/socket.h
_SO_TIMESTAMPNS = 35
_IP_PKTINFO, _IP_MTU_DISCOVER, _IP_RECVERR, _IP_RECVTTL = 8, 10, 11, 12
_IPV6_MTU_DISCOVER, _IPV6_RECVERR = 23, 25
_PMTUDISC_DONT, _PMTUDISC_WANT, _PMTUDISC_PROBE = 0, 1, 3
_SOL_RAW, _ICMP_FILTER, _ICMPV6_FILTER = 255, 1, 1
_EXTENDED_ERROR = struct.Struct("=IBBBxII")  # errno, origin, type, code, info, data
_ICMP_ORIGINS = (2, 3)
_TIMESPEC = struct.Struct("@ll")
_INT = struct.Struct("@i")

_RECEIVE_SPACE = 1 << 20
_PROTOCOLS = {socket.AF_INET: socket.IPPROTO_ICMP, socket.AF_INET6: socket.IPPROTO_ICMPV6}
_HOP_LIMITS = {(socket.IPPROTO_IP, socket.IP_TTL), (socket.IPPROTO_IPV6, socket.IPV6_HOPLIMIT)}
_ERRORS = {(socket.IPPROTO_IP, _IP_RECVERR), (socket.IPPROTO_IPV6, _IPV6_RECVERR)}


def usable_mode(family: socket.AddressFamily) -> Mode | None:
    """Which sockets this process may open: unprivileged ones if it can; None if neither.

    Raises OSError where there is no such IP version.
    """
    modes: tuple[Mode, ...] = ("datagram", "raw")
    for mode in modes:
        with suppress(PermissionError):
            _new(family, mode).close()
            return mode
    return None


def icmp_socket(family: socket.AddressFamily, mode: Mode, dont_fragment: bool) -> socket.socket:
    """A socket that never blocks and hears nothing but answers. Raises PermissionError, OSError."""
    sock = _new(family, mode)
    try:
        sock.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_SPACE)
        if family == socket.AF_INET:
            _set_up_ip4(sock, mode, dont_fragment)
        else:
            _set_up_ip6(sock, mode, dont_fragment)
    except OSError:
        sock.close()
        raise
    return sock


def _new(family: socket.AddressFamily, mode: Mode) -> socket.socket:
    kind = socket.SOCK_DGRAM if mode == "datagram" else socket.SOCK_RAW
    return socket.socket(family, kind | socket.SOCK_NONBLOCK, _PROTOCOLS[family])


def _set_up_ip4(sock: socket.socket, mode: Mode, dont_fragment: bool) -> None:
    sock.setsockopt(socket.IPPROTO_IP, _IP_RECVTTL, 1)
    sock.setsockopt(socket.IPPROTO_IP, _IP_MTU_DISCOVER, _PMTUDISC_PROBE if dont_fragment else _PMTUDISC_DONT)
    if mode == "datagram":
        sock.setsockopt(socket.IPPROTO_IP, _IP_RECVERR, 1)
    else:
        blocked = 0xFFFFFFFF & ~sum(1 << kind for kind in echo.ANSWER_TYPES[socket.AF_INET])
        sock.setsockopt(_SOL_RAW, _ICMP_FILTER, struct.pack("=I", blocked))


def _set_up_ip6(sock: socket.socket, mode: Mode, dont_fragment: bool) -> None:
    # Routers never fragment IPv6; the sender itself does, unless told not to.
    discovery = _PMTUDISC_PROBE if dont_fragment else _PMTUDISC_WANT
    sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVHOPLIMIT, 1)
    sock.setsockopt(socket.IPPROTO_IPV6, _IPV6_MTU_DISCOVER, discovery)
    if mode == "datagram":
        sock.setsockopt(socket.IPPROTO_IPV6, _IPV6_RECVERR, 1)
    else:
        blocked = [0xFFFFFFFF] * 8
        for kind in echo.ANSWER_TYPES[socket.AF_INET6]:
            blocked[kind >> 5] &= ~(1 << (kind & 31))
        sock.setsockopt(socket.IPPROTO_ICMPV6, _ICMPV6_FILTER, struct.pack("=8I", *blocked))


def with_request(family: socket.AddressFamily, ttl: int | None, source: str | None) -> list[Ancillary]:
    """What to tell the kernel with one request: the hops it may take, and the own address to send from."""
    told: list[Ancillary] = []
    if family == socket.AF_INET:
        if ttl is not None:
            told.append((socket.IPPROTO_IP, socket.IP_TTL, _INT.pack(ttl)))
        if source is not None:
            told.append((socket.IPPROTO_IP, _IP_PKTINFO, bytes(4) + packed(family, source) + bytes(4)))
    else:
        if ttl is not None:
            told.append((socket.IPPROTO_IPV6, socket.IPV6_HOPLIMIT, _INT.pack(ttl)))
        if source is not None:
            told.append((socket.IPPROTO_IPV6, socket.IPV6_PKTINFO, packed(family, source) + bytes(4)))
    return told


def arrival(ancillary: list[Ancillary]) -> tuple[float | None, int | None]:
    """When a message reached this machine (Unix seconds), and the hops that it had left."""
    moment = hops = None
    for level, kind, data in ancillary:
        if (level, kind) == (socket.SOL_SOCKET, _SO_TIMESTAMPNS):
            seconds, nanoseconds = _TIMESPEC.unpack(data)
            moment = seconds + nanoseconds * 1e-9
        elif (level, kind) in _HOP_LIMITS:
            hops = _INT.unpack(data)[0]
    return moment, hops


def complaint(family: socket.AddressFamily, ancillary: list[Ancillary]) -> tuple[str, str] | None:
    """What a struct sock_extended_err says, and the address of who said it: "" for this machine.

    None when there is none, or when it only gives advice (a redirect).
    """
    data = next((data for level, kind, data in ancillary if (level, kind) in _ERRORS), None)
    if data is None:
        return None
    number, origin, kind, code, _, _ = _EXTENDED_ERROR.unpack_from(data)
    if origin not in _ICMP_ORIGINS:
        return errno.errorcode.get(number, str(number)), ""
    if kind not in echo.ANSWER_TYPES[family]:
        return None
    # A sockaddr_in or sockaddr_in6 follows.
    start, length = (4, 4) if family == socket.AF_INET else (8, 16)
    address = data[_EXTENDED_ERROR.size + start :][:length]
    return echo.words(family, kind, code), socket.inet_ntop(family, address)


def socket_address(family: socket.AddressFamily, address: str) -> tuple[str, int] | tuple[str, int, int, int]:
    """A literal address for the socket module; `fe80::1%eth0` names its zone. Raises OSError for an unknown zone."""
    host, _, zone = address.partition("%")
    if family == socket.AF_INET:
        return host, 0
    return host, 0, 0, int(zone) if zone.isdecimal() else socket.if_nametoindex(zone) if zone else 0


def packed(family: socket.AddressFamily, address: str) -> bytes:
    """The bytes of a literal address, without its zone."""
    return socket.inet_pton(family, address.partition("%")[0])
