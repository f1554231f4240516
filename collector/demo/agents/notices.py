"""What simulated devices say unasked: linkDown and linkUp (RFC 2863), as SNMPv2c traps (RFC 3416, section 4.2.6)."""

from __future__ import annotations

import socket

from pyasn1.codec.ber import encoder
from pysnmp.proto.api import v2c

from collector.demo.agents.build import Device
from collector.demo.agents.tree import Oid, oid

_UPTIME, _TRAP_OID = oid("1.3.6.1.2.1.1.3.0"), oid("1.3.6.1.6.3.1.1.4.1.0")
_LINK_DOWN, _LINK_UP = oid("1.3.6.1.6.3.1.1.5.3"), oid("1.3.6.1.6.3.1.1.5.4")
# ifIndex, ifAdminStatus, ifOperStatus, as the standard has them, and ifName
_LINK_OBJECTS: tuple[Oid, ...] = (
    oid("1.3.6.1.2.1.2.2.1.1"),
    oid("1.3.6.1.2.1.2.2.1.7"),
    oid("1.3.6.1.2.1.2.2.1.8"),
    oid("1.3.6.1.2.1.31.1.1.1.1"),
)


def link_trap(device: Device, interface: str, community: str) -> bytes:
    """What the device says of how an interface is now. Raises KeyError for one that it has not."""
    port, index = device.ports[interface], 1 + list(device.ports).index(interface)
    objects = ((*name, index) for name in _LINK_OBJECTS)
    pdu = v2c.TrapPDU()
    v2c.apiTrapPDU.set_defaults(pdu)
    v2c.apiTrapPDU.set_varbinds(
        pdu,
        [
            (v2c.ObjectIdentifier(_UPTIME), device.tree.get(_UPTIME)),
            (v2c.ObjectIdentifier(_TRAP_OID), v2c.ObjectIdentifier(_LINK_UP if port.up else _LINK_DOWN)),
            *((v2c.ObjectIdentifier(name), device.tree.get(name)) for name in objects),
        ],
    )
    message = v2c.Message()
    v2c.apiMessage.set_defaults(message)
    v2c.apiMessage.set_community(message, community)
    v2c.apiMessage.set_pdu(message, pdu)
    return bytes(encoder.encode(message))


def send(message: bytes, source: str, receiver: tuple[str, int]) -> None:
    """Send a datagram from the address `source`. Raises OSError."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.setblocking(False)
        sender.bind((source, 0))
        sender.sendto(message, receiver)


def free_port(address: str) -> int:
    """A UDP port that nobody listens at. Raises OSError."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as trial:
        trial.bind((address, 0))
        port: int = trial.getsockname()[1]
        return port
