"""From a description to a device: its objects, and what of it a fault can change."""

from __future__ import annotations

from dataclasses import dataclass, field

from collector.demo.agents.descriptions import Description, Plant, Sensors, Server, Storage, Switch, Ups
from collector.demo.agents.host import Disk, add_array, add_server
from collector.demo.agents.motion import Clock, age
from collector.demo.agents.network import Port, add_interfaces
from collector.demo.agents.plants import add_plant
from collector.demo.agents.sensing import add_sensors
from collector.demo.agents.tree import Oid, Tree, oid
from collector.demo.agents.ups import Supply, add_ups
from collector.demo.pages import SIMULATED

_SYSTEM = oid("1.3.6.1.2.1.1")
_NET_SNMP_LINUX = oid("1.3.6.1.4.1.8072.3.2.10")
_KINDS: dict[str, tuple[str, Oid]] = {
    # 32473 is the enterprise number for examples (RFC 5612)
    "server": ("Linux server", _NET_SNMP_LINUX),
    "storage": ("storage array", oid("1.3.6.1.4.1.32473.57.1")),
    "switch": ("Ethernet switch", oid("1.3.6.1.4.1.32473.57.2")),
    "router": ("router", oid("1.3.6.1.4.1.32473.57.3")),
    "ups": ("UPS", oid("1.3.6.1.4.1.32473.57.4")),
    "sensor": ("sensor box", oid("1.3.6.1.4.1.32473.57.5")),
    "eltek": ("Eltek eNexus power plant", oid("1.3.6.1.4.1.12148.10")),
    "netsure": ("Vertiv NetSure power plant", oid("1.3.6.1.4.1.6302.2.1")),
    # Huawei's controller answers with net-snmp's own identity.
    "smu": ("Huawei SMU power plant", _NET_SNMP_LINUX),
}


@dataclass(slots=True)
class Device:
    """A simulated device: what it answers, and what of it can fail."""

    tree: Tree = field(default_factory=Tree)
    ports: dict[str, Port] = field(default_factory=dict)
    disks: dict[str, Disk] = field(default_factory=dict)
    supply: Supply | None = None


def build(host: str, described: Description, clock: Clock) -> Device:
    """The device that `described` is."""
    device = Device()
    _system(device.tree, host, described, clock)
    match described:
        case Server():
            device.disks = add_server(device.tree, host, described, clock)
            device.ports = add_interfaces(device.tree, host, described.interfaces, clock)
        case Storage():
            device.disks = add_array(device.tree, host, described, clock)
        case Switch():
            device.ports = add_interfaces(device.tree, host, described.interfaces, clock)
        case Ups():
            device.supply = add_ups(device.tree, host, described, clock)
        case Sensors():
            add_sensors(device.tree, host, described.sensors, clock)
        case Plant():
            add_plant(device.tree, host, described, clock)
    return device


def _system(tree: Tree, host: str, described: Description, clock: Clock) -> None:
    words, identity = _KINDS[described.model]
    tree.text((*_SYSTEM, 1, 0), f"hatang demo: {words} ({SIMULATED})")
    tree.identifier((*_SYSTEM, 2, 0), identity)
    tree.ticks((*_SYSTEM, 3, 0), lambda: age(host) + clock())
    tree.text((*_SYSTEM, 4, 0), "hatang demo")
    tree.text((*_SYSTEM, 5, 0), described.sysname)
    location = described.location
    tree.text((*_SYSTEM, 6, 0), location if "mô phỏng" in location else f"{location} (mô phỏng)")
    tree.integer((*_SYSTEM, 7, 0), 72)
