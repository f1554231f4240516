"""Simulated TCP services: each says just enough of its protocol for a client to know it is there."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from dataclasses import dataclass
from typing import Protocol, cast

MARK = "hatang-demo (mo phong / simulated)"
MAX_HEARD = 64 * 1024


@dataclass(frozen=True, slots=True)
class Reply:
    """What to say; then, if asked, go on under TLS, or hang up."""

    words: bytes = b""
    secure: bool = False
    leave: bool = False


class Speech(Protocol):
    """A server's side of a protocol. `hear` takes one request out of `heard`, or returns None to wait for more."""

    greeting: bytes

    def hear(self, heard: bytearray) -> Reply | None:
        """The answer to what was heard."""


class Quiet:
    """Accepts, listens, says nothing: a port that is open."""

    greeting = b""

    def hear(self, heard: bytearray) -> Reply | None:
        """Forget it."""
        heard.clear()
        return None


def _line(heard: bytearray) -> str | None:
    end = heard.find(b"\n")
    if end < 0:
        return None
    line = heard[:end].decode("utf-8", "replace").strip()
    del heard[: end + 1]
    return line


_SMTP_ANSWERS = {
    "EHLO": b"250-mail\r\n250-SIZE 26214400\r\n250-STARTTLS\r\n250 8BITMIME\r\n",
    "HELO": b"250 mail\r\n",
    "NOOP": b"250 ok\r\n",
}


class Smtp:
    """RFC 5321 with STARTTLS (RFC 3207)."""

    greeting = f"220 mail ESMTP {MARK}\r\n".encode()

    def hear(self, heard: bytearray) -> Reply | None:
        """One command."""
        line = _line(heard)
        if line is None:
            return None
        verb = line.partition(" ")[0].upper()
        if verb == "STARTTLS":
            return Reply(b"220 go ahead\r\n", secure=True)
        if verb == "QUIT":
            return Reply(b"221 bye\r\n", leave=True)
        return Reply(_SMTP_ANSWERS.get(verb, b"502 not simulated\r\n"))


class Imap:
    """RFC 9051, as far as one gets without logging in."""

    greeting = f"* OK [CAPABILITY IMAP4rev1 STARTTLS] {MARK}\r\n".encode()

    def hear(self, heard: bytearray) -> Reply | None:
        """One tagged command."""
        line = _line(heard)
        if line is None:
            return None
        tag, _, command = line.partition(" ")
        match command.upper():
            case "CAPABILITY":
                return Reply(f"* CAPABILITY IMAP4rev1 STARTTLS LOGINDISABLED\r\n{tag} OK done\r\n".encode())
            case "STARTTLS":
                return Reply(f"{tag} OK begin TLS\r\n".encode(), secure=True)
            case "LOGOUT":
                return Reply(f"* BYE\r\n{tag} OK bye\r\n".encode(), leave=True)
            case _:
                return Reply(f"{tag} BAD not simulated\r\n".encode())


class Ldap:
    """LDAPv3's StartTLS (RFC 4511, section 4.14): an extended request by BER, with a message id of up to 4 bytes."""

    greeting = b""

    def hear(self, heard: bytearray) -> Reply | None:
        """One LDAPMessage of less than 128 bytes."""
        if len(heard) < 2 or len(heard) < heard[1] + 2:
            return None
        message = bytes(heard[: heard[1] + 2])
        del heard[: len(message)]
        if message[:1] != b"\x30" or message[2:3] != b"\x02" or b"1.3.6.1.4.1.1466.20037" not in message:
            return Reply(leave=True)
        number = message[2 : 4 + message[3]]
        success = bytes.fromhex("78070a010004000400")
        return Reply(bytes((0x30, len(number) + len(success))) + number + success, secure=True)


class Rtsp:
    """RTSP's OPTIONS (RFC 2326, section 10.1)."""

    greeting = b""

    def hear(self, heard: bytearray) -> Reply | None:
        """A request up to its empty line."""
        if b"\r\n\r\n" not in heard and b"\n\n" not in heard:
            return None
        sequence = next((line for line in heard.splitlines() if line.lower().startswith(b"cseq:")), b"CSeq: 0")
        heard.clear()
        head = f"RTSP/1.0 200 OK\r\nPublic: OPTIONS, DESCRIBE\r\nServer: {MARK}\r\n".encode()
        return Reply(head + bytes(sequence) + b"\r\n\r\n")


class Ssh:
    """The identification string of RFC 4253, section 4.2."""

    greeting = b"SSH-2.0-hatang_demo simulated\r\n"

    def hear(self, heard: bytearray) -> Reply | None:
        """Goes no further."""
        heard.clear()
        return None


BY_NAME: dict[str, type[Speech]] = {"smtp": Smtp, "imap": Imap, "ldap": Ldap}
BY_PORT: dict[int, type[Speech]] = {
    22: Ssh,
    25: Smtp,
    143: Imap,
    389: Ldap,
    554: Rtsp,
    587: Smtp,
    993: Imap,
}


class Conversation(asyncio.Protocol):
    """One connection to a simulated service; `context` is for services that turn to TLS midway."""

    def __init__(self, speech: Speech, context: ssl.SSLContext | None) -> None:
        self._speech = speech
        self._context = context
        self._heard = bytearray()
        self._transport: asyncio.Transport | None = None  # None while turning to TLS
        self._turning: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Greet."""
        self._transport = cast("asyncio.Transport", transport)
        if self._speech.greeting:
            self._transport.write(self._speech.greeting)

    def data_received(self, data: bytes) -> None:
        """Answer every request that is complete."""
        self._heard += data
        self._answer_all()

    def _answer_all(self) -> None:
        while self._transport is not None and self._heard:
            reply = self._speech.hear(self._heard)
            if reply is None:
                break
            self._answer(self._transport, reply)
        if len(self._heard) > MAX_HEARD and self._transport is not None:
            self._transport.close()

    def _answer(self, transport: asyncio.Transport, reply: Reply) -> None:
        if reply.secure and self._context is not None:
            self._heard.clear()  # nothing said in clear may be taken for said under TLS
            transport.pause_reading()
            self._transport = None
            self._turning = asyncio.create_task(self._turn(transport, self._context))
        if reply.words:
            transport.write(reply.words)
        if reply.leave:
            transport.close()

    async def _turn(self, transport: asyncio.Transport, context: ssl.SSLContext) -> None:
        with contextlib.suppress(OSError):  # the client does not like our certificate: its right
            self._transport = await asyncio.get_running_loop().start_tls(transport, self, context, server_side=True)
            self._answer_all()
