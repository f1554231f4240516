"""What simulated devices say unasked, as the service's own receiver reads it."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from collector.demo.agents.build import Device, build
from collector.demo.agents.descriptions import describe
from collector.demo.agents.motion import Clock
from collector.demo.agents.notices import free_port, link_trap, send
from collector.traps.admission import Source
from collector.traps.decoder import Decoder
from collector.traps.identity import next_identity

HOST = "ly-son.truyen-thanh-co-so.quangngai.example"
SOURCE = Source("127.57.0.9", {b"mo-phong": ("switch",)}, {})


def switch() -> Device:
    return build(HOST, describe()[HOST], Clock())


@pytest.mark.parametrize(("failed", "name", "status"), [(True, "linkDown", "2"), (False, "linkUp", "1")])
def test_a_trap_says_which_interface_and_how_it_is(tmp_path: Path, failed: bool, name: str, status: str) -> None:
    device = switch()
    device.ports["Gi0/2"].failed.set(failed)
    decoder = Decoder(next_identity(tmp_path / "engine.json"))
    trap = decoder.decode(link_trap(device, "Gi0/2", "mo-phong"), SOURCE, 0.0).trap
    assert trap is not None
    assert (trap.name, trap.version, trap.targets) == (name, "2c", ("switch",))
    assert dict(trap.bindings) == {
        "ifIndex.2": "2",
        "ifAdminStatus.2": "1",
        "ifOperStatus.2": status,
        "ifName.2": "Gi0/2",
    }


def test_an_interface_that_there_is_not() -> None:
    with pytest.raises(KeyError, match="Gi9/9"):
        link_trap(switch(), "Gi9/9", "mo-phong")


async def test_it_comes_from_the_devices_own_address() -> None:
    heard: asyncio.Queue[tuple[bytes, str]] = asyncio.Queue()

    class Receiver(asyncio.DatagramProtocol):
        def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
            heard.put_nowait((data, addr[0]))

    port = free_port("127.0.0.1")
    transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(Receiver, ("127.0.0.1", port))
    try:
        send(b"trap", "127.57.0.9", ("127.0.0.1", port))
        async with asyncio.timeout(2):
            assert await heard.get() == (b"trap", "127.57.0.9")
    finally:
        transport.close()
