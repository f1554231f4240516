"""IF-MIB (RFC 2863) of a simulated device: ports with traffic, some of which a fault takes down."""

from __future__ import annotations

from collections.abc import Sequence

from collector.demo.agents.descriptions import Interface
from collector.demo.agents.motion import Clock, Stopwatch, Wave, age, share
from collector.demo.agents.tree import Tree, oid

_TABLE = oid("1.3.6.1.2.1.2.2.1")
_EXTENSION = oid("1.3.6.1.2.1.31.1.1.1")
_COUNT = oid("1.3.6.1.2.1.2.1.0")
_UP, _DOWN = 1, 2
_ETHERNET = 6
_PACKET = 700  # mean bytes
_OVERFLOW = 4_294_967_295


class Port:
    """One interface; its counters stand still while it is down."""

    def __init__(self, device: str, described: Interface, clock: Clock) -> None:
        self.described = described
        self.failed = Stopwatch(clock)
        self._device = device
        rate = described.mbps * 1e6 / 8 * described.load
        self._in = Wave(f"in {device} {described.name}", rate)
        self._out = Wave(f"out {device} {described.name}", rate * 0.6)

    @property
    def up(self) -> bool:
        """ifOperStatus is up."""
        return self.described.up and self.described.admin_up and not self.failed.running

    def status(self) -> int:
        """ifOperStatus."""
        return _UP if self.up else _DOWN

    def octets(self, inward: bool) -> float:
        """Bytes since the device booted."""
        wave = self._in if inward else self._out
        before = wave.total(age(self._device)) if self.described.load else 0.0
        return before + wave.total(self.failed.outside())


def add_interfaces(tree: Tree, device: str, described: Sequence[Interface], clock: Clock) -> dict[str, Port]:
    """Put ifTable and ifXTable into `tree`; returns the ports by name."""
    tree.integer(_COUNT, len(described))
    ports = {interface.name: Port(device, interface, clock) for interface in described}
    for index, port in enumerate(ports.values(), start=1):
        _static(tree, device, index, port.described)
        _status(tree, index, port)
        _counters(tree, index, port)
    return ports


def _static(tree: Tree, device: str, index: int, interface: Interface) -> None:
    tree.integer((*_TABLE, 1, index), index)
    tree.text((*_TABLE, 2, index), interface.name)
    tree.integer((*_TABLE, 3, index), _ETHERNET)
    tree.integer((*_TABLE, 4, index), 1500)
    tree.gauge((*_TABLE, 5, index), min(interface.mbps * 1_000_000, _OVERFLOW))
    # a locally administered address, made of the device's and the port's place
    host = int(share(device) * 2**24)
    tree.octets((*_TABLE, 6, index), b"\x02" + host.to_bytes(3, "big") + index.to_bytes(2, "big"))
    tree.integer((*_TABLE, 7, index), _UP if interface.admin_up else _DOWN)
    tree.text((*_EXTENSION, 1, index), interface.name)
    tree.gauge((*_EXTENSION, 15, index), interface.mbps)
    tree.integer((*_EXTENSION, 16, index), 2)
    tree.integer((*_EXTENSION, 17, index), 1)
    tree.text((*_EXTENSION, 18, index), interface.alias)


def _status(tree: Tree, index: int, port: Port) -> None:
    tree.integer((*_TABLE, 8, index), port.status)
    tree.ticks((*_TABLE, 9, index), lambda: 60.0)
    tree.ticks((*_EXTENSION, 19, index), lambda: 0.0)


def _counters(tree: Tree, index: int, port: Port) -> None:
    def octets_in() -> float:
        return port.octets(True)

    def octets_out() -> float:
        return port.octets(False)

    def packets_in() -> float:
        return octets_in() / _PACKET

    def packets_out() -> float:
        return octets_out() / _PACKET

    tree.counter((*_TABLE, 10, index), octets_in)
    tree.counter((*_TABLE, 11, index), packets_in)
    tree.counter((*_TABLE, 16, index), octets_out)
    tree.counter((*_TABLE, 17, index), packets_out)
    # other packets, discards, errors, unknown protocols
    tree.zeros(*((*_TABLE, column, index) for column in (12, 13, 14, 15, 18, 19, 20)))
    tree.counter64((*_EXTENSION, 6, index), octets_in)
    tree.counter64((*_EXTENSION, 7, index), packets_in)
    tree.counter64((*_EXTENSION, 10, index), octets_out)
    tree.counter64((*_EXTENSION, 11, index), packets_out)
    for column in (8, 9, 12, 13):  # multicast and broadcast packets
        tree.counter64((*_EXTENSION, column, index), lambda: 0)
