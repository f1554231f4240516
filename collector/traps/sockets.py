"""Where traps come in: a socket of our own, or those that systemd hands over for the port that needs privileges."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Mapping

# As `FileDescriptorName=` in deploy/systemd/hatang-traps.socket.
NAME = "hatang-traps"
_FIRST = 3
# A burst waits here while the loop is busy; the kernel may allow less (net.core.rmem_max).
_BUFFER = 1 << 20
_FAMILIES = (socket.AF_INET, socket.AF_INET6)


def handed_over(environment: Mapping[str, str] = os.environ) -> list[socket.socket]:
    """Copies of the UDP sockets of our name that systemd handed over (sd_listen_fds(3)); none outside of systemd.

    The originals stay open for the next time. Raises OSError when one is no UDP socket.
    """
    if environment.get("LISTEN_PID") != str(os.getpid()) or not environment.get("LISTEN_FDS", "").isdigit():
        return []
    names = environment.get("LISTEN_FDNAMES", "").split(":")[: int(environment["LISTEN_FDS"])]
    copies: list[socket.socket] = []
    try:
        copies += (_copy(_FIRST + index) for index, name in enumerate(names) if name == NAME)
    except OSError:
        for copy in copies:
            copy.close()
        raise
    return copies


def _copy(descriptor: int) -> socket.socket:
    os.set_inheritable(descriptor, False)
    sock = socket.socket(fileno=os.dup(descriptor))
    if sock.type != socket.SOCK_DGRAM or sock.family not in _FAMILIES:
        sock.close()
        raise OSError(f"the socket {NAME} that was handed over is no UDP socket: use ListenDatagram=")
    sock.setblocking(False)
    return sock


async def bound(host: str, port: int) -> socket.socket:
    """A UDP socket on `host`, all addresses if it is empty, and `port`, any free one if it is 0. Raises OSError."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host or None, port, type=socket.SOCK_DGRAM, flags=socket.AI_PASSIVE)
    family, kind, protocol, _, address = found[0]
    sock = socket.socket(family, kind, protocol)
    try:
        sock.setblocking(False)
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER)
        sock.bind(address)
    except OSError:
        sock.close()
        raise
    return sock
