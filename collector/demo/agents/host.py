"""What servers and storage arrays answer: HOST-RESOURCES-MIB (RFC 2790) and UCD-SNMP-MIB (net-snmp)."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from collector.demo.agents.descriptions import Server, Storage, Store, Volume
from collector.demo.agents.motion import Clock, Wave, age, share
from collector.demo.agents.tree import Oid, Tree, oid

_HOST = oid("1.3.6.1.2.1.25")
_STORAGE = (*_HOST, 2, 3, 1)
_DEVICE = (*_HOST, 3, 2, 1)
_PROCESSOR = (*_HOST, 3, 3, 1)
_UCD = oid("1.3.6.1.4.1.2021")
_RAM, _VIRTUAL, _FIXED_DISK = ((*_HOST, 2, 1, kind) for kind in (2, 3, 4))
_PROCESSOR_TYPE = (*_HOST, 3, 1, 3)
# Where net-snmp puts things: memory first, processors from 196608, file systems from 31.
_MEMORY_INDEX, _SWAP_INDEX, _FIRST_PROCESSOR, _FIRST_VOLUME = 1, 10, 196608, 31
_HZ = 100
_KIB = 1024
_CACHE = 64 * 1024 * 1024  # KiB of main memory of a storage array


class Disk:
    """A volume; a fault fills it."""

    def __init__(self, described: Volume, clock: Clock) -> None:
        self.described = described
        self.filled: float | None = None
        self._clock = clock

    def used(self) -> int:
        """Allocation units in use."""
        share_used = self.described.used if self.filled is None else self.filled
        return int(self.described.units * share_used)


def add_array(tree: Tree, device: str, array: Storage, clock: Clock) -> dict[str, Disk]:
    """Put all of a storage array into `tree`; returns its disks by name."""
    _host(tree, device, _CACHE, clock)
    return _volumes(tree, array.volumes, clock)


def _host(tree: Tree, device: str, memory: int, clock: Clock) -> None:
    tree.ticks((*_HOST, 1, 1, 0), lambda: age(device) + clock())
    tree.gauge((*_HOST, 1, 5, 0), 1 + int(4 * share(f"users {device}")))
    processes = Wave(f"processes {device}", 250 + 200 * share(f"processes {device}"), 0.05)
    tree.gauge((*_HOST, 1, 6, 0), lambda: int(processes.at(clock())))
    tree.integer((*_HOST, 1, 7, 0), 0)
    tree.integer((*_HOST, 2, 2, 0), memory)


def _volumes(tree: Tree, volumes: Sequence[Volume], clock: Clock) -> dict[str, Disk]:
    disks = {volume.name: Disk(volume, clock) for volume in volumes}
    for index, disk in enumerate(disks.values(), start=_FIRST_VOLUME):
        _storage_row(tree, index, _FIXED_DISK, disk.described.name, disk.described)
        tree.integer((*_STORAGE, 6, index), disk.used)
    return disks


def add_server(tree: Tree, device: str, server: Server, clock: Clock) -> dict[str, Disk]:
    """Put all of a server but its interfaces into `tree`; returns its disks by name."""
    _host(tree, device, server.memory.units * server.memory.unit // _KIB, clock)
    for index, kind, name, store in (
        (_MEMORY_INDEX, _RAM, "Physical memory", server.memory),
        (_SWAP_INDEX, _VIRTUAL, "Swap space", server.swap),
    ):
        _storage_row(tree, index, kind, name, store)
        tree.integer((*_STORAGE, 6, index), int(store.units * store.used))
    _processors(tree, device, server, clock)
    _load(tree, device, server, clock)
    _memory(tree, server)
    _processor_time(tree, device, server, clock)
    return _volumes(tree, server.volumes, clock)


def _storage_row(tree: Tree, index: int, kind: Oid, name: str, store: Store) -> None:
    tree.integer((*_STORAGE, 1, index), index)
    tree.identifier((*_STORAGE, 2, index), kind)
    tree.text((*_STORAGE, 3, index), name)
    tree.integer((*_STORAGE, 4, index), store.unit)
    tree.integer((*_STORAGE, 5, index), store.units)
    tree.zeros((*_STORAGE, 7, index))


def _processors(tree: Tree, device: str, server: Server, clock: Clock) -> None:
    for number in range(server.cpus):
        index = _FIRST_PROCESSOR + number
        load = Wave(f"cpu {device} {number}", 100 * server.cpu_load, 0.4)
        tree.integer((*_DEVICE, 1, index), index)
        tree.identifier((*_DEVICE, 2, index), _PROCESSOR_TYPE)
        tree.text((*_DEVICE, 3, index), "Mô phỏng / simulated processor")
        tree.integer((*_DEVICE, 5, index), 2)
        tree.identifier((*_PROCESSOR, 1, index), (0, 0))
        tree.integer((*_PROCESSOR, 2, index), partial(_percent, load, clock))


def _load(tree: Tree, device: str, server: Server, clock: Clock) -> None:
    for index, minutes in enumerate((1, 5, 15), start=1):
        load = Wave(f"load {device} {minutes}", server.cpus * server.cpu_load, 0.3 / index)
        tree.integer((*_UCD, 10, 1, 1, index), index)
        tree.text((*_UCD, 10, 1, 2, index), f"Load-{minutes}")
        tree.text((*_UCD, 10, 1, 3, index), partial(_decimal, load, clock))
        tree.integer((*_UCD, 10, 1, 5, index), partial(_hundredths, load, clock))


def _percent(load: Wave, clock: Clock) -> int:
    return min(100, int(load.at(clock())))


def _decimal(load: Wave, clock: Clock) -> str:
    return f"{load.at(clock()):.2f}"


def _hundredths(load: Wave, clock: Clock) -> int:
    return int(100 * load.at(clock()))


def _memory(tree: Tree, server: Server) -> None:
    memory, swap = (store.units * store.unit // _KIB for store in (server.memory, server.swap))
    available, swap_available = memory * (1 - server.memory.used), swap * (1 - server.swap.used)
    kibibytes = {
        3: swap,
        4: swap_available,
        5: memory,
        6: available * 0.3,
        11: available * 0.3 + swap_available,
        13: memory * 0.01,
        14: available * 0.1,
        15: available * 0.6,
        27: available,
    }
    for column, value in kibibytes.items():
        tree.integer((*_UCD, 4, column, 0), min(int(value), 2**31 - 1))
    # the same in 64 bits, for hosts of more than 2 TiB
    for wide, narrow in ((18, 3), (19, 4), (20, 5), (21, 6), (22, 11), (24, 13), (25, 14), (26, 15)):
        tree.counter64((*_UCD, 4, wide, 0), partial(float, kibibytes[narrow]))
    tree.integer((*_UCD, 4, 12, 0), 16000)
    tree.integer((*_UCD, 4, 100, 0), 0)


def _processor_time(tree: Tree, device: str, server: Server, clock: Clock) -> None:
    busy = Wave(f"time {device}", server.cpu_load * server.cpus * _HZ, 0.2)

    def spent(part: float) -> float:
        return part * (busy.total(age(device)) + busy.total(clock()))

    # user, nice, system, idle, wait, kernel, interrupt, soft interrupt, steal
    parts = {50: 0.7, 51: 0.01, 52: 0.2, 54: 0.05, 55: 0.19, 56: 0.01, 61: 0.02, 64: 0.01}
    for column, part in parts.items():
        tree.counter((*_UCD, 11, column, 0), partial(spent, part))
    everything = server.cpus * _HZ
    tree.counter((*_UCD, 11, 53, 0), lambda: everything * (age(device) + clock()) - spent(1.0))
    tree.integer((*_UCD, 11, 67, 0), server.cpus)
    # blocks sent and received, interrupts, context switches, swap in and out
    for column, rate in {57: 4000, 58: 6000, 59: 9000, 60: 15000, 62: 0, 63: 0}.items():
        tree.counter((*_UCD, 11, column, 0), partial(_steady, rate, device, clock))


def _steady(rate: float, device: str, clock: Clock) -> float:
    return rate * (age(device) + clock())
