"""One answer of a device to a number or a text: pure functions, no I/O.

Answers come as the SNMP library gives them: int (INTEGER, Counter, Gauge, TimeTicks), float, bytes (OCTET STRING,
Opaque), str (IpAddress, OBJECT IDENTIFIER). Everything here raises ValueError for an answer that does not fit.
"""

from __future__ import annotations

import ipaddress
import math
import struct
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone

Raw = int | float | str | bytes
# An exact float needs an integer below this; larger counters are wrapped here, which `rate()` takes for a restart.
EXACT = 2**53
_NTP_EPOCH = 2_208_988_800  # seconds from 1900 to 1970
# Opaque as net-snmp uses it: an extended tag, a length, an IEEE 754 number (UCD-SNMP-MIB, Float).
_OPAQUE = {b"\x9f\x78\x04": struct.Struct(">f"), b"\x9f\x79\x08": struct.Struct(">d")}


def number(raw: Raw) -> float:
    """An integer as it is; a number in Opaque or in text (`b"12.5"`)."""
    if isinstance(raw, int):
        return raw
    if isinstance(raw, bytes):
        layout = _OPAQUE.get(raw[:3])
        raw = layout.unpack(raw[3:])[0] if layout and len(raw) == 3 + layout.size else _decimal(text(raw))
    if isinstance(raw, str) or not math.isfinite(raw):
        raise ValueError("not a number")
    return raw


def _decimal(words: str) -> float:
    if "_" in words or not words.isascii():
        raise ValueError("not a number")
    return float(words)


def text(raw: Raw) -> str:
    """UTF-8 without the padding that devices add; octets that are no UTF-8 become U+FFFD."""
    if isinstance(raw, bytes):
        return raw.decode("utf-8", "replace").strip("\0 \t\r\n")
    return str(raw)


def _octets(raw: Raw) -> bytes:
    if not isinstance(raw, bytes):
        raise ValueError("not octets")
    return raw


def hexadecimal(raw: Raw) -> str:
    """`0xff34`."""
    return f"0x{_octets(raw).hex()}"


def mac(raw: Raw) -> str:
    """`00:01:02:03:04:ff`; also other lengths (EUI-64, InfiniBand)."""
    return _octets(raw).hex(":")


def ip(raw: Raw) -> str:
    """An address of 4 or 16 octets, with or without the 4 octets of an RFC 4001 zone, or an IpAddress."""
    if isinstance(raw, str):
        return str(ipaddress.ip_address(raw))
    octets = _octets(raw)
    return str(ipaddress.ip_address(octets[: -4 if len(octets) in {8, 20} else None]))


def oid(raw: Raw) -> str:
    """An OBJECT IDENTIFIER without leading dot."""
    if not isinstance(raw, str):
        raise ValueError("not an object identifier")
    return raw


def float32(raw: Raw) -> float:
    """Four octets, IEEE 754, big-endian."""
    return _ieee(raw, ">f", 4)


def float64(raw: Raw) -> float:
    """Eight octets, IEEE 754, big-endian."""
    return _ieee(raw, ">d", 8)


def _ieee(raw: Raw, layout: str, size: int) -> float:
    octets = _octets(raw)
    if len(octets) != size:
        raise ValueError(f"not {size} octets")
    value: float = struct.unpack(layout, octets)[0]
    if not math.isfinite(value):
        raise ValueError("not a number")
    return value


def date_and_time(raw: Raw) -> float:
    """Unix seconds of a DateAndTime (RFC 2579); UTC where the device names no zone."""
    octets = _octets(raw)
    if len(octets) not in {8, 11}:
        raise ValueError("not a DateAndTime")
    year, month, day, hour, minute, second, tenths = struct.unpack(">HBBBBBB", octets[:8])
    zone = UTC
    if len(octets) == 11:
        away = timedelta(hours=octets[9], minutes=octets[10])
        zone = timezone(-away if octets[8:9] == b"-" else away)
    # A leap second (60) has no place in Unix time.
    return _unix(datetime(year, month, day, hour, minute, min(second, 59), tenths * 100_000, zone))


def _unix(moment: datetime) -> float:
    try:
        return moment.timestamp()
    except OverflowError:
        raise ValueError("a date out of range") from None


def ntp(raw: Raw) -> float:
    """Unix seconds of an NTP timestamp (RFC 5905 section 6): 32 bits of seconds since 1900, 32 of fraction."""
    octets = _octets(raw)
    if len(octets) != 8:
        raise ValueError("not an NTP timestamp")
    seconds, fraction = struct.unpack(">II", octets)
    return float(seconds - _NTP_EPOCH + fraction / 2**32)


def date_text(layout: str) -> Callable[[Raw], float]:
    """Reads dates in text by a strptime `layout` to Unix seconds; UTC where the text names no zone."""

    def read(raw: Raw) -> float:
        moment = datetime.strptime(text(raw), layout)  # noqa: DTZ007  the zone is set below
        return _unix(moment if moment.tzinfo else moment.replace(tzinfo=UTC))

    return read


def bits(raw: Raw) -> frozenset[int]:
    """Numbers of the bits that are set: bit 0 is the first octet's highest (RFC 2578 section 7.1.4)."""
    octets = _octets(raw)
    return frozenset(place * 8 + bit for place, octet in enumerate(octets) for bit in range(8) if octet & (0x80 >> bit))


NUMBERS: dict[str, Callable[[Raw], float]] = {
    "number": number,
    "float32": float32,
    "float64": float64,
    "date-and-time": date_and_time,
    "ntp": ntp,
}
TEXTS: dict[str, Callable[[Raw], str]] = {"text": text, "hex": hexadecimal, "mac": mac, "ip": ip, "oid": oid}
