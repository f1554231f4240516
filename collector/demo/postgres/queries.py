"""What a client that is logged in asks, by simple or extended query, and what a simulated server answers."""

from __future__ import annotations

import struct
from collections.abc import Sequence

from collector.demo.postgres import messages as say
from collector.demo.postgres.database import Database

# How a session is: idle, in a transaction, in one that failed.
IDLE, BEGUN, FAILED = b"I", b"T", b"E"
# What is answered without rows, and how the session is afterwards; None: as before.
_COMMANDS = {"BEGIN": BEGUN, "COMMIT": IDLE, "ROLLBACK": IDLE, "SET": None}
_ENDS = ("COMMIT", "ROLLBACK")


class _Refused(Exception):
    def __init__(self, code: str, words: str) -> None:
        super().__init__(f"mô phỏng / simulated: {words}")
        self.code = code


class Queries:
    """Those of one session. It understands nothing that would write."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._status = IDLE
        self._skips = False  # what comes between an error and the next Sync
        self._statements: dict[bytes, str] = {}
        self._portals: dict[bytes, tuple[str, Sequence[int]]] = {}
        self._ways = {
            b"Q": self._simple,
            b"P": self._parse,
            b"B": self._bind,
            b"D": self._describe,
            b"E": self._execute,
            b"C": self._close,
            b"H": self._flush,
            b"S": self._sync,
        }

    def answer(self, kind: bytes, body: bytes) -> bytes:
        """What is said to one message. Raises ValueError, LookupError or struct.error for what is none."""
        way = self._ways[kind]
        if self._skips and kind != b"S":
            return b""
        try:
            return way(body)
        except _Refused as refused:
            self._skips = True
            return self._error(refused)

    def _error(self, refused: _Refused) -> bytes:
        if self._status == BEGUN:
            self._status = FAILED
        return say.error("ERROR", refused.code, str(refused))

    def _simple(self, body: bytes) -> bytes:
        said = b""
        try:
            for statement in filter(None, map(str.strip, _text(body).split(";"))):
                row = self._row(statement)
                said += (say.columns(row) if row else b"") + self._run(statement)
        except _Refused as refused:
            said += self._error(refused)
        return (said or say.message(b"I")) + say.ready(self._status)

    def _parse(self, body: bytes) -> bytes:
        name, statement, _ = body.split(b"\0", 2)
        self._statements[name] = statement.decode()
        self._row(self._statements[name])
        return say.message(b"1")

    def _bind(self, body: bytes) -> bytes:
        """The formats of the parameters, the parameters, and the formats of the answer: a count before each."""
        portal, name, rest = body.split(b"\0", 2)
        numbers = struct.unpack(f">{len(rest) // 2}h", rest)
        given = numbers[0] + 1
        if numbers[given]:
            raise _Refused("0A000", "no parameters are taken")
        self._portals[portal] = self._statements[name], numbers[given + 2 :]
        return say.message(b"2")

    def _describe(self, body: bytes) -> bytes:
        name = _text(body[1:]).encode()
        if body[:1] == b"S":
            return say.message(b"t", bytes(2)) + say.columns(self._row(self._statements[name]))
        statement, formats = self._portals[name]
        return say.columns(self._row(statement), formats)

    def _execute(self, body: bytes) -> bytes:
        name, _, _ = body.partition(b"\0")
        return self._run(*self._portals[name])

    def _close(self, body: bytes) -> bytes:
        (self._statements if body[:1] == b"S" else self._portals).pop(body[1:-1], None)
        return say.message(b"3")

    def _flush(self, _: bytes) -> bytes:
        return b""

    def _sync(self, _: bytes) -> bytes:
        self._skips = False
        return say.ready(self._status)

    def _row(self, statement: str) -> say.Row | None:
        """The row that answers a statement; None for one that is answered without. Raises _Refused."""
        if _verb(statement) in _COMMANDS:
            return None
        row = self._database.answer(statement)
        if row is None:
            raise _Refused("0A000", "only what its targets ask is answered")
        return row

    def _run(self, statement: str, formats: Sequence[int] = ()) -> bytes:
        verb, row = _verb(statement), self._row(statement)
        if self._status == FAILED and verb not in _ENDS:
            raise _Refused("25P02", "commands are ignored until the transaction ends")
        self._status = _COMMANDS.get(verb) or self._status
        if row is None:
            return say.complete(verb)
        return say.data(row, formats) + say.complete("SELECT 1")


def _text(body: bytes) -> str:
    return body.removesuffix(b"\0").decode()


def _verb(statement: str) -> str:
    return statement.split(maxsplit=1)[0].upper()
