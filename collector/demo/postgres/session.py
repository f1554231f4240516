"""One client's connection to a simulated PostgreSQL server, from the first byte to the last.

Messages and their order are those of PostgreSQL's documentation, "Message Flow"; codes of errors are SQLSTATEs.
"""

from __future__ import annotations

import secrets
import struct
from collections.abc import Generator

from collector.demo.postgres import messages as say
from collector.demo.postgres.database import Database
from collector.demo.postgres.queries import IDLE, Queries
from collector.demo.postgres.scram import MECHANISM, Exchange
from collector.demo.services import Reply

_PROTOCOL = struct.pack(">hh", 3, 0)
# What may come before: requests for encryption, by TLS or by GSSAPI.
_TLS, _GSSAPI = struct.pack(">i", 80877103), struct.pack(">i", 80877104)
_ENCRYPTION = {_TLS: Reply(b"S", secure=True), _GSSAPI: Reply(b"N")}
_LOGGED_IN, _SASL, _SASL_CONTINUE, _SASL_FINAL = 0, 10, 11, 12
_PARAMETERS = {
    "server_version": "17.0 (mô phỏng / simulated)",
    "server_encoding": "UTF8",
    "client_encoding": "UTF8",
    "DateStyle": "ISO, DMY",
    "integer_datetimes": "on",
    "standard_conforming_strings": "on",
    "default_transaction_read_only": "on",
}


class Session:
    """A collector.demo.services.Speech."""

    greeting = b""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._typed = False  # messages have no type before the login
        self._talk = self._converse()
        next(self._talk)

    def hear(self, heard: bytearray) -> Reply | None:
        """One message: its type, its length, which counts itself, and what it says."""
        head = int(self._typed)
        size = head + max(4, int.from_bytes(heard[head : head + 4], "big"))
        if len(heard) < size:
            return None
        kind, body = bytes(heard[:head]), bytes(heard[head + 4 : size])
        del heard[:size]
        try:
            return self._talk.send((kind, body))
        except StopIteration as over:
            return over.value or Reply(leave=True)
        except (ValueError, LookupError, struct.error) as wrong:
            return _farewell("08P01", f"not understood: {wrong}")

    def _converse(self) -> Generator[Reply, tuple[bytes, bytes], Reply | None]:
        """From message to reply; what it returns is said before hanging up."""
        _, body = yield Reply()
        while body in _ENCRYPTION:
            _, body = yield _ENCRYPTION[body]
        if body[:4] != _PROTOCOL:
            return None  # a request to cancel another's query: none takes that long
        login = Exchange(self._password(body[4:]))
        self._typed = True
        _, first = yield Reply(say.authentication(_SASL, MECHANISM + b"\0\0"))
        _, _, first = first.partition(b"\0")  # the mechanism; then the length of what follows
        _, final = yield Reply(say.authentication(_SASL_CONTINUE, login.challenge(first[4:])))
        signature = login.signature(final)
        if signature is None:
            return _farewell("28P01", "mô phỏng / simulated: password authentication failed")
        queries, reply = Queries(self._database), Reply(_welcome(signature))
        while True:
            kind, body = yield reply
            if kind == b"X":
                return None
            reply = Reply(queries.answer(kind, body))

    def _password(self, parameters: bytes) -> str:
        words = parameters.decode().split("\0")
        user = dict(zip(words[::2], words[1::2], strict=False))["user"]
        # Strangers are turned away no sooner than those with a wrong password.
        return self._database.passwords.get(user) or secrets.token_hex()


def _welcome(signature: bytes) -> bytes:
    admitted = say.authentication(_SASL_FINAL, signature) + say.authentication(_LOGGED_IN)
    return admitted + b"".join(say.parameter(*pair) for pair in _PARAMETERS.items()) + say.ready(IDLE)


def _farewell(code: str, words: str) -> Reply:
    return Reply(say.error("FATAL", code, words), leave=True)
