"""What a PostgreSQL server says (protocol 3.0, message formats), looked through before the driver hears it.

asyncpg trusts its server: lengths that cannot be make it read past its buffers, the elements of an array are given
memory before they are there, and the rounds of hashing that a login takes are the server's to choose.
"""

from __future__ import annotations

import re
import struct

from collector.model import ProbeFailed, Reason
from collector.sql.frames import Frames

# libpq takes no longer message before the login is over, and servers send far less in all.
_MAX_MESSAGE, _MAX_SAID = 30_000, 64 * 1024
_HEAD, _LENGTH = struct.Struct(">ci"), 4  # the type, and the length, which counts itself
_FIRST = b"REv"  # Authentication, ErrorResponse, NegotiateProtocolVersion
_AT_LOGIN = b"REvNSKZ"
# Answers to simple and extended queries, and what may come at any time; none of COPY, of functions or of replication.
_AFTER = b"123ACDEIKNSTZnst"
_CLEARTEXT, _SASL_CONTINUE = 3, 11
# RFC 5802 leaves the count to the server, and the hashing is done on the loop: 0.25 microseconds each.
_MAX_ITERATIONS = 100_000
_ITERATIONS = re.compile(rb",i=(\d+)")
_COLUMN = struct.Struct(">IhIhih")  # table, number, type, its size, its modifier, format
# Types that are one number, text, truth value, time or span (pg_type.dat); a domain comes as what it is made of.
_SCALARS = frozenset(
    {16, 17, 18, 19, 20, 21, 23, 24, 25, 26, 27, 28, 29, 114, 142, 650, 700, 701, 705, 774, 790, 829, 869}
    | {1042, 1043, 1082, 1083, 1114, 1184, 1186, 1266, 1560, 1562, 1700, 2202, 2203, 2204, 2205, 2206, 2278}
    | {2950, 3220, 3802, 4072, 4089, 4096, 5069}
)


class Messages:
    """Follows the messages of one connection."""

    def __init__(self, secure: bool) -> None:
        self._secure = secure
        self._asked_for_tls = secure
        self._allowed = _FIRST
        self._login = True
        self._said = 0
        self._rounds = 0
        self._frames = Frames(_HEAD.size)

    def __call__(self, said: bytes) -> None:
        """Raises ProbeFailed for what no server says, or none that we speak to."""
        if self._asked_for_tls:
            self._asked_for_tls = False
            _judge_tls(said)
            return
        self._said += len(said)
        if self._login and self._said > _MAX_SAID:
            raise ProbeFailed(Reason.PROTOCOL, f"{self._said} bytes before the login was over")
        for head, body in self._frames.take(said, self._measure):
            self._judge(head[:1], body)

    def _measure(self, head: bytes) -> int:
        kind, length = _HEAD.unpack(head)
        if kind not in self._allowed or length < _LENGTH or (self._login and length > _MAX_MESSAGE):
            raise _stranger(head)
        return int(length) - _LENGTH

    def _judge(self, kind: bytes, body: bytes) -> None:
        if kind == b"R":
            self._judge_authentication(body)
        elif kind == b"T":
            _judge_columns(body)
        if self._login:
            self._login = kind != b"Z"
            self._allowed = _AT_LOGIN if self._login else _AFTER

    def _judge_authentication(self, body: bytes) -> None:
        request = int.from_bytes(body[:4], "big")
        if request == _CLEARTEXT and not self._secure:
            raise ProbeFailed(Reason.AUTH, "it asks for the password in the clear: use `tls`")
        if request == _SASL_CONTINUE:
            self._rounds += sum(min(int(count[:9]), 10**9) for count in _ITERATIONS.findall(body))
        if self._rounds > _MAX_ITERATIONS:
            raise ProbeFailed(Reason.PROTOCOL, f"it asks for more than {_MAX_ITERATIONS} rounds of hashing")


def _judge_tls(answer: bytes) -> None:
    """The one byte that answers a request for TLS."""
    if answer == b"N":
        raise ProbeFailed(Reason.TLS, "the server does not offer TLS")
    if answer != b"S":
        raise _stranger(answer[:60])


def _judge_columns(body: bytes) -> None:
    """RowDescription: a count, and for each column its name, a zero and `_COLUMN`."""
    at = 2
    for _ in range(int.from_bytes(body[:2], "big")):
        end = body.find(b"\0", at)
        if end < 0 or len(body) < end + 1 + _COLUMN.size:
            raise _stranger(b"T" + body[:60])
        kind = _COLUMN.unpack_from(body, end + 1)[2]
        if kind not in _SCALARS:
            name = body[at:end].decode("utf-8", "replace")
            raise ProbeFailed(
                Reason.UNEXPECTED,
                f"column {name} is neither number, text nor time (type {kind}): cast it, as {name}::text",
            )
        at = end + 1 + _COLUMN.size
    if at != len(body):
        raise _stranger(b"T" + body[:60])


def _stranger(said: bytes) -> ProbeFailed:
    return ProbeFailed(Reason.PROTOCOL, f"not what PostgreSQL says: {said!r}")
