"""What is said before TLS starts, in the protocols that start in the clear."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Literal

from collector.model import ProbeFailed, Reason
from collector.stream import Stream

StartTls = Literal["smtp", "imap", "ldap", "postgres"]

# RFC 4511 section 4.14.1: LDAPMessage 1, ExtendedRequest [APPLICATION 23], requestName [0] 1.3.6.1.4.1.1466.20037.
LDAP_REQUEST = b"\x30\x1d\x02\x01\x01\x77\x18\x80\x16" + b"1.3.6.1.4.1.1466.20037"
_LDAP_MESSAGE, _LDAP_EXTENDED_RESPONSE, _BER_INTEGER, _BER_ENUMERATED = 0x30, 0x78, 0x02, 0x0A
_LDAP_LIMIT = 4096
# PostgreSQL protocol 3.0, SSLRequest: length 8, code 80877103.
POSTGRES_REQUEST = (8).to_bytes(4, "big") + (80877103).to_bytes(4, "big")


async def ask(protocol: StartTls, stream: Stream) -> None:
    """Say in `protocol` that TLS shall start, up to the peer's consent.

    Raises ProbeFailed: PROTOCOL when the peer speaks something else, TLS when it refuses or does not offer it,
    UNEXPECTED when it turns us away before.
    """
    await _ASKS[protocol](stream)


async def _smtp(stream: Stream) -> None:
    """RFC 3207."""
    await _smtp_reply(stream, "220", Reason.UNEXPECTED)
    stream.write(b"EHLO hatang.invalid\r\n")
    offers = await _smtp_reply(stream, "250", Reason.UNEXPECTED)
    if not any(offer.upper() == "STARTTLS" for offer in offers):
        raise ProbeFailed(Reason.TLS, "the SMTP server does not offer STARTTLS")
    stream.write(b"STARTTLS\r\n")
    await _smtp_reply(stream, "220", Reason.TLS)


async def _smtp_reply(stream: Stream, code: str, otherwise: Reason) -> list[str]:
    """The texts of one reply of RFC 5321 section 4.2: `250-text` lines, the last one `250 text`."""
    texts: list[str] = []
    while True:
        line = await _text_line(stream)
        if len(line) < 3 or not line[:3].isdecimal() or line[3:4] not in ("", " ", "-"):
            raise ProbeFailed(Reason.PROTOCOL, f"not SMTP: {line}")
        if line[:3] != code:
            raise ProbeFailed(otherwise, f"SMTP: {line}")
        texts.append(line[4:])
        if line[3:4] != "-":
            return texts


async def _imap(stream: Stream) -> None:
    """RFC 3501 section 6.2.1."""
    greeting = await _text_line(stream)
    if not greeting.startswith("* "):
        raise ProbeFailed(Reason.PROTOCOL, f"not IMAP: {greeting}")
    if not greeting.upper().startswith("* OK"):
        raise ProbeFailed(Reason.UNEXPECTED, f"IMAP: {greeting}")
    stream.write(b"a1 STARTTLS\r\n")
    while (line := await _text_line(stream)).startswith("* "):
        continue
    if not line.upper().startswith("A1 "):
        raise ProbeFailed(Reason.PROTOCOL, f"not IMAP: {line}")
    if not line.upper().startswith("A1 OK"):
        raise ProbeFailed(Reason.TLS, f"IMAP: {line}")


async def _ldap(stream: Stream) -> None:
    """RFC 4511 section 4.14."""
    stream.write(LDAP_REQUEST)
    tag, message = await _ber(stream)
    try:
        if tag != _LDAP_MESSAGE:
            raise ValueError(f"tag {tag:#04x}")
        _, rest = _inner(message, _BER_INTEGER)
        response, _ = _inner(rest, _LDAP_EXTENDED_RESPONSE)
        code, _ = _inner(response, _BER_ENUMERATED)
    except (ValueError, IndexError) as error:
        raise ProbeFailed(Reason.PROTOCOL, f"not LDAP: {error}") from error
    if int.from_bytes(code, "big") != 0:
        raise ProbeFailed(Reason.TLS, f"the LDAP server refuses StartTLS: result code {int.from_bytes(code, 'big')}")


async def _ber(stream: Stream) -> tuple[int, bytes]:
    """One BER element: its tag and its contents (definite length only, as RFC 4511 section 5.1 demands)."""
    tag, length = await stream.exactly(2)
    if length > 0x84 or length == 0x80:
        raise ProbeFailed(Reason.PROTOCOL, "not LDAP: length of another form")
    if length > 0x80:
        length = int.from_bytes(await stream.exactly(length & 0x7F), "big")
    if length > _LDAP_LIMIT:
        raise ProbeFailed(Reason.PROTOCOL, f"not LDAP: a message of {length} bytes")
    return tag, await stream.exactly(length)


def _inner(data: bytes, tag: int) -> tuple[bytes, bytes]:
    """The contents of the element that `data` begins with, and what follows it. Raises ValueError, IndexError."""
    if data[0] != tag:
        raise ValueError(f"tag {data[0]:#04x} in place of {tag:#04x}")
    length, start = data[1], 2
    if length & 0x80:
        start += length & 0x7F
        length = int.from_bytes(data[2:start], "big")
    if start + length > len(data):
        raise ValueError("element longer than its message")
    return data[start : start + length], data[start + length :]


async def _postgres(stream: Stream) -> None:
    """PostgreSQL, protocol flow, SSL session encryption: one byte, S or N."""
    stream.write(POSTGRES_REQUEST)
    answer = await stream.exactly(1)
    if answer == b"N":
        raise ProbeFailed(Reason.TLS, "the PostgreSQL server does not offer TLS")
    if answer != b"S":
        raise ProbeFailed(Reason.PROTOCOL, f"not PostgreSQL: {answer!r}")


async def _text_line(stream: Stream) -> str:
    line = await stream.line()
    if line is None:
        raise ProbeFailed(Reason.PROTOCOL, "the peer closed the connection")
    return line.decode("utf-8", "replace")


_ASKS: dict[StartTls, Callable[[Stream], Awaitable[None]]] = {
    "smtp": _smtp,
    "imap": _imap,
    "ldap": _ldap,
    "postgres": _postgres,
}
