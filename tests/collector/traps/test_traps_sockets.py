"""Sockets of our own, and those handed over by systemd."""

from __future__ import annotations

import fcntl
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from collector.traps.sockets import bound, handed_over

REPORT = """
import json
from collector.traps.sockets import handed_over
try:
    given = handed_over()
    print(json.dumps([[one.getsockname()[1], one.gettimeout()] for one in given]))
except OSError as error:
    print(json.dumps(str(error)))
"""


def asked(*sockets: socket.socket, names: str, pid: str = "$$", count: int | None = None) -> str:
    """What a child that gets these sockets from descriptor 3 on makes of them."""
    moves = " ".join(f"{3 + index}<&{one.fileno()}" for index, one in enumerate(sockets))
    number = len(sockets) if count is None else count
    script = f'LISTEN_PID={pid} LISTEN_FDS={number} LISTEN_FDNAMES={names} exec "$0" -c "$1" {moves}'
    done = subprocess.run(
        ["bash", "-c", script, sys.executable, REPORT],
        pass_fds=[one.fileno() for one in sockets],
        cwd=Path(__file__).parents[3],
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


def high(sock: socket.socket) -> socket.socket:
    """The same, above the descriptors that the child's shell moves it to."""
    with sock:
        return socket.socket(fileno=fcntl.fcntl(sock.fileno(), fcntl.F_DUPFD_CLOEXEC, 100))


def udp(family: socket.AddressFamily = socket.AF_INET) -> socket.socket:
    sock = socket.socket(family, socket.SOCK_DGRAM)
    sock.bind(("::1" if family == socket.AF_INET6 else "127.0.0.1", 0))
    return high(sock)


def test_what_systemd_hands_over() -> None:
    with udp() as other, udp() as four, udp(socket.AF_INET6) as six:
        ports = [four.getsockname()[1], six.getsockname()[1]]
        told = asked(other, four, six, names="syslog:hatang-traps:hatang-traps")
        assert told == str([[port, 0.0] for port in ports])


@pytest.mark.parametrize(
    ("names", "pid", "count"),
    [("other", "$$", 1), ("hatang-traps", "1", 1), ("hatang-traps", "$$", 0), ("''", "$$", 1)],
)
def test_what_is_not_ours(names: str, pid: str, count: int) -> None:
    with udp() as one:
        assert asked(one, names=names, pid=pid, count=count) == "[]"


def test_a_socket_of_another_kind_is_an_error() -> None:
    with high(socket.create_server(("127.0.0.1", 0))) as stream:
        assert "is no UDP socket: use ListenDatagram=" in asked(stream, names="hatang-traps")


def test_nothing_outside_of_systemd() -> None:
    assert handed_over({}) == []
    assert handed_over({"LISTEN_PID": str(os.getpid()), "LISTEN_FDS": "many", "LISTEN_FDNAMES": "hatang-traps"}) == []


async def test_a_socket_of_our_own_takes_both_families() -> None:
    with await bound("::", 0) as sock, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as four:
        four.sendto(b"x", ("127.0.0.1", sock.getsockname()[1]))
        sock.settimeout(2)
        assert sock.recvfrom(10)[1][0] == "::ffff:127.0.0.1"


async def test_a_port_that_is_taken() -> None:
    with await bound("127.0.0.1", 0) as sock, pytest.raises(OSError, match="in use"):
        await bound("127.0.0.1", sock.getsockname()[1])


async def test_all_addresses_without_a_host() -> None:
    with await bound("", 0) as sock:
        assert sock.getsockname()[0] in {"0.0.0.0", "::"}
