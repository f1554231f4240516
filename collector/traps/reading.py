"""What a notification holds: its name, and its objects as bounded, printable text."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pysnmp.proto.rfc1902 import IpAddress, OctetString

from collector.model import DETAIL_LIMIT
from collector.traps.trap import Oid, object_name

_TRAP_OID = (1, 3, 6, 1, 6, 3, 1, 1, 4, 1, 0)  # snmpTrapOID.0, RFC 3418
# Said otherwise: sysUpTime.0, snmpTrapOID.0, and snmpTrapCommunity.0 (RFC 3584, section 3.1), which is a secret.
_LEFT_OUT = frozenset({(1, 3, 6, 1, 2, 1, 1, 3, 0), _TRAP_OID, (1, 3, 6, 1, 6, 3, 18, 1, 4, 0)})
_MOST = 20


class Unreadable(Exception):
    """A notification that does not say what it is."""


def trap_oid(bindings: Iterable[tuple[Any, Any]]) -> Oid:
    """The value of snmpTrapOID.0. Raises Unreadable."""
    for name, value in bindings:
        if tuple(name) == _TRAP_OID:
            try:
                return tuple(map(int, value))
            except (TypeError, ValueError):
                break
    raise Unreadable


def objects(bindings: Iterable[tuple[Any, Any]]) -> tuple[tuple[str, str], ...]:
    """The objects that a notification carries beside what every one does, at most 20 of them."""
    told = ((tuple(name), value) for name, value in bindings)
    carried = [(name, value) for name, value in told if name not in _LEFT_OUT][:_MOST]
    return tuple((object_name(name)[:DETAIL_LIMIT], _text(value)[:DETAIL_LIMIT]) for name, value in carried)


def _text(value: Any) -> str:
    if not isinstance(value, OctetString) or isinstance(value, IpAddress):
        return str(value.prettyPrint())
    octets = value.asOctets().rstrip(b"\0")
    try:
        text: str = octets.decode()
    except UnicodeDecodeError:
        return f"0x{octets.hex()}"
    return text if text.isprintable() else f"0x{octets.hex()}"
