"""ICMP echo messages: how they are written, read, and complained about (RFC 792, RFC 4443)."""

from __future__ import annotations

import socket
import struct
from dataclasses import dataclass

HEADER = struct.Struct("!BBHHH")  # type, code, checksum, identifier, sequence
_REQUEST = {socket.AF_INET: 8, socket.AF_INET6: 128}
_REPLY = {socket.AF_INET: 0, socket.AF_INET6: 129}
_IP6_HEADER = 40

# Types that say that a packet went nowhere, with the codes that have words of their own.
_WORDS: dict[socket.AddressFamily, dict[int, tuple[str, dict[int, str]]]] = {
    socket.AF_INET: {
        3: (
            "destination unreachable",
            {
                0: "network unreachable",
                1: "host unreachable",
                2: "protocol unreachable",
                3: "port unreachable",
                4: "packet too big",
                9: "network prohibited",
                10: "host prohibited",
                13: "communication prohibited",
            },
        ),
        11: ("time to live exceeded", {}),
        12: ("parameter problem", {}),
    },
    socket.AF_INET6: {
        1: (
            "destination unreachable",
            {0: "no route", 1: "communication prohibited", 3: "address unreachable", 4: "port unreachable"},
        ),
        2: ("packet too big", {}),
        3: ("hop limit exceeded", {}),
        4: ("parameter problem", {}),
    },
}
ANSWER_TYPES = {family: (_REPLY[family], *_WORDS[family]) for family in _REPLY}


@dataclass(frozen=True, slots=True)
class Message:
    """An echo reply, or what somebody says about a request of ours (`complaint`, else None).

    `destination` is where the request went that the complaint is about, packed; b"" for a reply.
    """

    identifier: int
    sequence: int
    payload: bytes
    complaint: str | None = None
    destination: bytes = b""


def request(family: socket.AddressFamily, identifier: int, sequence: int, payload: bytes) -> bytes:
    """An echo request; the kernel fills in the checksum of ICMPv6, which covers the addresses."""
    message = HEADER.pack(_REQUEST[family], 0, 0, identifier, sequence) + payload
    if family == socket.AF_INET6:
        return message
    return HEADER.pack(_REQUEST[family], 0, checksum(message), identifier, sequence) + payload


def checksum(data: bytes) -> int:
    """The internet checksum of RFC 1071: the complement of the one's complement sum of 16-bit words."""
    number = int.from_bytes(data + b"\0" * (len(data) % 2), "big")
    # Modulo 65535 is that sum, but for its two ways to write zero.
    return 0xFFFF - (number % 0xFFFF or (0xFFFF if number else 0))


def message_of(packet: bytes) -> bytes:
    """The ICMP message in an IPv4 packet (RFC 791 section 3.1), as raw sockets give it; b"" if there is none."""
    start = 4 * (packet[0] & 0x0F) if packet else 0
    return packet[start:] if start >= 20 else b""


def read(family: socket.AddressFamily, message: bytes) -> Message | None:
    """What an ICMP message says about our requests; None when it is about something else or broken."""
    if len(message) < HEADER.size:
        return None
    kind, code, _, identifier, sequence = HEADER.unpack_from(message)
    if kind == _REPLY[family]:
        return Message(identifier, sequence, message[HEADER.size :])
    if kind not in _WORDS[family]:
        return None
    return _complaint(family, words(family, kind, code), message[HEADER.size :])


def sequence_of(message: bytes) -> int:
    """The sequence number of an echo message; -1 when it is broken."""
    return int(HEADER.unpack_from(message)[4]) if len(message) >= HEADER.size else -1


def words(family: socket.AddressFamily, kind: int, code: int) -> str:
    """An ICMP error for people."""
    usual, by_code = _WORDS[family].get(kind, (f"ICMP error {kind}.{code}", {}))
    return by_code.get(code, usual)


def _complaint(family: socket.AddressFamily, said: str, packet: bytes) -> Message | None:
    """Read from the packet that the error quotes: its header and at least 8 bytes."""
    if family == socket.AF_INET6:
        destination, quoted = packet[24:_IP6_HEADER], packet[_IP6_HEADER:]
    else:
        destination, quoted = packet[16:20], message_of(packet)
    if len(quoted) < HEADER.size:
        return None
    kind, _, _, identifier, sequence = HEADER.unpack_from(quoted)
    return Message(identifier, sequence, b"", said, destination) if kind == _REQUEST[family] else None
