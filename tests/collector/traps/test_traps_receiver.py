"""The receiver's life: reloads, ports that are taken, callbacks that fail."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path

import pytest

from collector.net import AddressMap, Net, Resolver
from collector.settings.monitor import Traps
from collector.traps import Trap, TrapDesk
from collector.traps import receiver as module
from tests.snmp_agent import integer, oid, text, ticks, tlv
from tests.trapping import COLD_START, Figures, device, trapping


def send(port: int, community: str = "public") -> None:
    bindings = tlv(0x30, oid("1.3.6.1.2.1.1.3.0") + ticks(1))
    bindings += tlv(0x30, oid("1.3.6.1.6.3.1.1.4.1.0") + oid(COLD_START))
    pdu = integer(1) + integer(0) + integer(0) + tlv(0x30, bindings)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.sendto(tlv(0x30, integer(1) + text(community) + tlv(0xA7, pdu)), ("127.0.0.1", port))


async def test_targets_come_and_go(tmp_path: Path) -> None:
    async with trapping(tmp_path, device("old")) as traps:
        send(traps.port)
        await traps.until(lambda: len(traps.traps) == 1)
        traps.receiver.update({"new": device("new", community="other")})
        await asyncio.sleep(0.05)
        send(traps.port)
        await traps.until(lambda: traps.dropped("authentication") == 1)
        send(traps.port, "other")
        await traps.until(lambda: len(traps.traps) == 2)
        assert traps.traps[1].targets == ("new",)
        assert [name for name in traps.values() if "received" in name] == ["hatang_traps_received_total{new,coldStart}"]
    assert traps.figures.owners == {}


async def test_who_fails_to_react_hears_the_next_one(tmp_path: Path) -> None:
    async with trapping(tmp_path, device()) as traps:

        def fail(trap: Trap) -> None:
            traps.traps.append(trap)
            raise RuntimeError("no")

        traps.receiver._on_trap = fail
        for count in (1, 2):
            send(traps.port)
            await traps.until(lambda count=count: len(traps.traps) == count)  # type: ignore[misc]


async def test_it_stops_at_once_although_something_changed_just_before(tmp_path: Path) -> None:
    async with trapping(tmp_path, device()) as traps:
        traps.receiver.update({})
        async with asyncio.timeout(2):
            await traps.receiver.stop(traps.figures)


class Service:
    """A desk, and what it is told to do."""

    def __init__(self, net: Net) -> None:
        self.polled: list[str] = []
        self.written: list[Trap] = []
        self.figures = Figures()
        self.desk = TrapDesk(net, lambda target, _: self.polled.append(target), self.written.append, self.figures)

    async def until(self, count: int) -> None:
        async with asyncio.timeout(5):
            while len(self.polled) < count:
                await asyncio.sleep(0.01)


def free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port


async def test_a_reload_turns_it_on_changes_it_and_turns_it_off(tmp_path: Path) -> None:
    resolver = Resolver()
    service = Service(Net(resolver, AddressMap({})))
    targets = {"sw": device()}
    ports = [free_port() for _ in range(2)]
    first, second = (
        Traps(listen=f"127.0.0.1:{port}", engine_file=tmp_path / "engine.json", poll_gap=0.001) for port in ports
    )
    try:
        await service.desk.apply(None, targets)
        service.desk.publish()
        assert service.figures.owners == {}
        for count, (settings, port) in enumerate(((first, ports[0]), (first, ports[0]), (second, ports[1])), start=1):
            await service.desk.apply(settings, targets)
            await asyncio.sleep(0.05)
            send(port)
            await service.until(count)
            service.desk.publish()
            assert service.figures.values()["hatang_traps_listening{}"] == 1
        assert [trap.name for trap in service.written] == ["coldStart"] * 2  # the second in a minute is no news
        await service.desk.apply(None, targets)
        service.desk.publish()
        assert service.figures.owners == {}
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.bind(("127.0.0.1", ports[1]))
    finally:
        await service.desk.stop()
        await resolver.close()


async def test_a_port_that_is_taken_is_tried_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Polling starts all the same, and the figures say that no traps are taken."""
    monkeypatch.setattr(module, "_LISTEN_AGAIN_AFTER", 0.05)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        async with trapping(tmp_path, device(), listen=f"127.0.0.1:{port}") as traps:
            assert traps.values()["hatang_traps_listening{}"] == 0
            taken.close()
            await traps.until(lambda: traps.values()["hatang_traps_listening{}"] == 1)
            send(port)
            await traps.until(lambda: len(traps.traps) == 1)
