"""What a MariaDB or MySQL server says (client/server protocol, text result sets), looked through before the driver.

asyncmy trusts its server: it takes any length in a column's definition or in a row, and reads past its buffers.
"""

from __future__ import annotations

from collections.abc import Callable

from collector.model import ProbeFailed, Reason
from collector.sql.frames import Frames

_HEAD = 4  # three bytes of length, one of sequence
_MAX_PACKET = 0xFFFFFF  # a packet of this length goes on in the next one
_MAX_SAID = 64 * 1024
_OK, _MORE_LOGIN, _LOCAL_FILE, _END, _ERROR = 0x00, 0x01, 0xFB, 0xFE, 0xFF
_NULL = 0xFB
_VERSION = 10
_MIN_OK, _CLASSIC_END = 7, 5
_MAX_COLUMNS = 4096
_NAMES, _FIXED = 6, 13  # of a column's definition: catalog to original name; 0x0c and what it counts
_LENGTHS = {0xFC: 2, 0xFD: 3, 0xFE: 8}


class Packets:
    """Follows the packets of one connection."""

    def __init__(self) -> None:
        self._step: Callable[[Packets, bytes], None] = Packets._greeting
        self._said = 0
        self._login = True
        self._columns = 0
        self._described = 0
        self._frames = Frames(_HEAD)

    def __call__(self, said: bytes) -> None:
        """Raises ProbeFailed for what no server says, or none that we speak to."""
        self._said += len(said)
        if self._login and self._said > _MAX_SAID:
            raise ProbeFailed(Reason.PROTOCOL, f"{self._said} bytes before the login was over")
        for _, body in self._frames.take(said, self._measure):
            if not body:
                raise _stranger(body)
            self._step(self, body)

    def _measure(self, head: bytes) -> int:
        length = int.from_bytes(head[:3], "little")
        if self._login and length > _MAX_SAID:
            raise _stranger(head)
        if length == _MAX_PACKET:
            raise ProbeFailed(Reason.TOO_LARGE, "a packet of 16 MiB or more")
        return length

    def _greeting(self, body: bytes) -> None:
        if body[0] == _VERSION:
            self._step = Packets._logging_in
        elif body[0] != _ERROR:
            raise _stranger(body)

    def _logging_in(self, body: bytes) -> None:
        if body[0] == _OK:
            self._login, self._step = False, Packets._answer
            self._answer(body)
        elif body[0] not in {_ERROR, _END, _MORE_LOGIN}:
            raise _stranger(body)

    def _answer(self, body: bytes) -> None:
        """OK, an error, or the number of columns of a result set."""
        if body[0] == _LOCAL_FILE:
            raise ProbeFailed(Reason.PROTOCOL, "the server asks for a file of ours")
        if body[0] == _ERROR or (body[0] == _OK and len(body) >= _MIN_OK):
            return
        count, end = _integer(body, 0)
        if end != len(body) or not 0 < count <= _MAX_COLUMNS:
            raise _stranger(body)
        self._columns, self._described, self._step = count, 0, Packets._column

    def _column(self, body: bytes) -> None:
        at = 0
        for _ in range(_NAMES):
            at = _skip(body, at)
        if len(body) - at < _FIXED:
            raise _stranger(body)
        self._described += 1
        if self._described == self._columns:
            self._step = Packets._first

    def _first(self, body: bytes) -> None:
        """What follows the columns: an end of its own for servers that still send it, or a row."""
        self._step = Packets._row
        if body[0] != _END or len(body) != _CLASSIC_END:
            self._row(body)

    def _row(self, body: bytes) -> None:
        if body[0] in {_ERROR, _END}:
            self._step = Packets._answer  # of the next result set, or to the next command
            return
        at = 0
        for _ in range(self._columns):
            at = _skip(body, at)
        if at != len(body):
            raise _stranger(body)


def _integer(body: bytes, at: int) -> tuple[int, int]:
    """A length-encoded integer and where it ends; 0 for NULL."""
    if at >= len(body):
        raise _stranger(body)
    first = body[at]
    if first <= _NULL:
        return first if first < _NULL else 0, at + 1
    end = at + 1 + _LENGTHS.get(first, len(body))
    if end > len(body):
        raise _stranger(body)
    return int.from_bytes(body[at + 1 : end], "little"), end


def _skip(body: bytes, at: int) -> int:
    """Where the length-encoded string ends."""
    length, start = _integer(body, at)
    if start + length > len(body):
        raise _stranger(body)
    return start + length


def _stranger(body: bytes) -> ProbeFailed:
    return ProbeFailed(Reason.PROTOCOL, f"not what MariaDB says: {body[:60]!r}")
