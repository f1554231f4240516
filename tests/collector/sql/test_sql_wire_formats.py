"""What servers say, looked through before the drivers hear it: nothing that a driver would trip over gets by."""

from __future__ import annotations

import struct
from collections.abc import Callable
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.model import ProbeFailed, Reason
from collector.sql.messages import Messages
from collector.sql.packets import Packets

Screen = Callable[[bytes], None]


def message(kind: bytes, body: bytes = b"") -> bytes:
    return kind + (len(body) + 4).to_bytes(4, "big") + body


def column(name: bytes, kind: int) -> bytes:
    return name + b"\0" + struct.pack(">IhIhih", 0, 0, kind, 4, -1, 1)


LOGIN = message(b"R", b"\0\0\0\0") + message(b"S", b"server_version\x0015.18\0") + message(b"Z", b"I")
ROW = message(b"D", b"\0\x01\0\0\0\x041234")
POSTGRES = LOGIN + message(b"1") + message(b"T", b"\0\x01" + column(b"n", 23)) + ROW + message(b"C", b"SELECT 1\0")


def packet(number: int, body: bytes) -> bytes:
    return len(body).to_bytes(3, "little") + bytes([number]) + body


def text(value: bytes) -> bytes:
    return bytes([len(value)]) + value


OK = b"\0\0\0\2\0\0\0"
DEFINITION = b"".join(map(text, (b"def", b"", b"", b"", b"n", b""))) + b"\x0c\x3f\0\x0b\0\0\0\x03\x81\0\0\0\0"
GREETING = packet(0, b"\x0a10.11.6-MariaDB\0" + bytes(60))
RESULT = packet(1, b"\1") + packet(2, DEFINITION) + packet(3, text(b"7")) + packet(4, b"\xfe" + OK[1:])
CLASSIC = packet(1, b"\1") + packet(2, DEFINITION) + packet(3, b"\xfe\0\0\2\0") + packet(4, text(b"7"))
MARIADB = (
    GREETING
    + packet(2, OK)
    + packet(1, OK)
    + RESULT
    + CLASSIC
    + packet(5, b"\xfe\0\0\2\0")
    + packet(1, b"\xff\x15\x04no")
)


def fed(screen: Screen, said: bytes, cuts: list[int] | None = None) -> ProbeFailed | None:
    """The first fault, when `said` comes in pieces."""
    places = [0, *sorted(cut % (len(said) + 1) for cut in cuts or []), len(said)]
    try:
        for begin, end in pairwise(places):
            screen(said[begin:end])
    except ProbeFailed as fault:
        return fault
    return None


@given(st.lists(st.integers(0, 10**6), max_size=20))
def test_what_servers_say_gets_by_in_whatever_pieces(cuts: list[int]) -> None:
    assert fed(Messages(False), POSTGRES, cuts) is None
    assert fed(Packets(), MARIADB, cuts) is None


@given(st.binary(max_size=300), st.integers(0, 2), st.lists(st.integers(0, 10**6), max_size=5))
def test_anything_else_is_refused_or_waited_for(said: bytes, after: int, cuts: list[int]) -> None:
    heads = [b"", LOGIN, POSTGRES]
    whole = fed(Messages(False), heads[after] + said)
    pieces = fed(Messages(False), heads[after] + said, cuts)
    assert (whole is None) == (pieces is None)
    heads = [b"", GREETING, MARIADB]
    whole, pieces = fed(Packets(), heads[after] + said), fed(Packets(), heads[after] + said, cuts)
    assert (whole is None) == (pieces is None)


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        (b"SSH-2.0-OpenSSH\r\n", Reason.PROTOCOL),
        (message(b"R", b"\0\0\0\3"), Reason.AUTH),
        (b"R\xff\xff\xff\xff", Reason.PROTOCOL),
        (b"R\0\0\0\3", Reason.PROTOCOL),
        (b"E\x7f\xff\xff\xff", Reason.PROTOCOL),
        (LOGIN + b"D\xff\xff\xff\xff", Reason.PROTOCOL),
        (LOGIN + b"D\0\0\0\0", Reason.PROTOCOL),
        (LOGIN + message(b"H", b"\0\0\0"), Reason.PROTOCOL),
        (LOGIN + message(b"T", b"\0\x01" + column(b"n", 1007)), Reason.UNEXPECTED),
        (LOGIN + message(b"T", b"\0\x02" + column(b"n", 23)), Reason.PROTOCOL),
        (LOGIN + message(b"T", b"\0\x01" + column(b"n", 23) + b"more"), Reason.PROTOCOL),
        (LOGIN + message(b"T", b"\0\x01n"), Reason.PROTOCOL),
        (message(b"R", b"\0\0\0\0") + message(b"N", b"x" * 20_000) * 4, Reason.PROTOCOL),
    ],
)
def test_bad_postgres(said: bytes, reason: Reason) -> None:
    fault = fed(Messages(False), said)
    assert fault is not None
    assert fault.reason is reason


def test_the_password_goes_in_the_clear_by_tls() -> None:
    screen = Messages(True)
    screen(b"S")
    screen(message(b"R", b"\0\0\0\3"))


HUGE = b"\xfe" + (2**63).to_bytes(8, "little")


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        (b"SSH-2.0-OpenSSH\r\n" + bytes(6_000_000), Reason.PROTOCOL),
        (packet(0, b"\x09old"), Reason.PROTOCOL),
        (packet(0, b""), Reason.PROTOCOL),
        (GREETING + packet(2, b"\2what"), Reason.PROTOCOL),
        (GREETING + packet(2, b"\0"), Reason.PROTOCOL),
        (GREETING + packet(2, b"\1" * 40_000) * 2, Reason.PROTOCOL),
        (GREETING + packet(2, OK) + packet(1, b"\xfb/etc/passwd"), Reason.PROTOCOL),
        (GREETING + packet(2, OK) + packet(1, HUGE), Reason.PROTOCOL),
        (GREETING + packet(2, OK) + packet(1, b"\xfc\xff\xff"), Reason.PROTOCOL),
        (GREETING + packet(2, OK) + packet(1, b"\1more"), Reason.PROTOCOL),
        (GREETING + packet(2, OK) + packet(1, b"\1") + packet(2, HUGE + b"def"), Reason.PROTOCOL),
        (GREETING + packet(2, OK) + packet(1, b"\1") + packet(2, b"\xfd\xff\xff\x7fdef"), Reason.PROTOCOL),
        (GREETING + packet(2, OK) + packet(1, b"\1") + packet(2, DEFINITION[:-5]), Reason.PROTOCOL),
        (
            GREETING + packet(2, OK) + packet(1, b"\1") + packet(2, DEFINITION) + packet(3, b"\x09short"),
            Reason.PROTOCOL,
        ),
        (GREETING + packet(2, OK) + packet(1, b"\1") + packet(2, DEFINITION) + packet(3, b"\1ab"), Reason.PROTOCOL),
        (GREETING + packet(2, OK) + b"\xff\xff\xff\1", Reason.TOO_LARGE),
    ],
)
def test_bad_mariadb(said: bytes, reason: Reason) -> None:
    fault = fed(Packets(), said)
    assert fault is not None
    assert fault.reason is reason
