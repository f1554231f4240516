"""Simulated devices, asked by net-snmp's own clients."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest

from collector.demo.agents.build import Device, build
from collector.demo.agents.descriptions import Interface, Storage, Switch, Ups, Volume, describe
from collector.demo.agents.engine import STRANGER, Agent, Agents, Community, Credentials, User
from collector.demo.agents.motion import Clock
from collector.demo.agents.tree import Tree, oid

ADDRESS = "127.57.255.1"
COMMUNITY = Community("mo-phong")
USER = User("giam-sat", "sha256", "mo-phong-xac-thuc", "aes128", "mo-phong-ma-hoa")
V2C = ("-v2c", "-c", "mo-phong")
KEY = ("-x", "AES", "-X", "mo-phong-ma-hoa")
V3 = ("-v3", "-l", "authPriv", "-u", "giam-sat", "-a", "SHA-256", "-A", "mo-phong-xac-thuc", *KEY)
BOTH = pytest.mark.parametrize(("credentials", "options"), [(COMMUNITY, V2C), (USER, V3)], ids=["v2c", "v3"])
SWITCH = Switch(
    model="switch",
    sysname="sw-01",
    location="Tủ N1",
    interfaces=(
        *(Interface(name=f"Te1/0/{number}", mbps=10000, load=0.2) for number in range(1, 8)),
        Interface(name="Te1/0/8", mbps=10000, load=0, up=False, admin_up=False),
    ),
)
UPS = Ups(
    model="ups",
    sysname="ups-01",
    location="Phòng nguồn",
    battery_minutes=26,
    battery_percent=100,
    battery_volts=430.1,
    battery_celsius=22,
    load=0.44,
    input_volts=(228, 233, 229),
    output_volts=(230, 230, 230),
)
IF_OPER_STATUS = "1.3.6.1.2.1.2.2.1.8"
NAMES = "1.3.6.1.2.1.31.1.1.1.1"


@dataclass(frozen=True, slots=True)
class Running:
    device: Device
    agent: Agent
    agents: Agents
    port: int

    async def ask(self, *arguments: str) -> str:
        return await ask(self.port, *arguments)


async def ask(port: int, program: str, *arguments: str) -> str:
    """The client's whole answer, numeric; the last argument is the OIDs."""
    process = await asyncio.create_subprocess_exec(
        *(program, "-On", "-t", "0.4", "-r", "0", "-m", ""),
        *(*arguments[:-1], f"{ADDRESS}:{port}", *arguments[-1].split()),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await process.communicate()
    return said.decode()


@asynccontextmanager
async def running(credentials: Credentials) -> AsyncIterator[Running]:
    agents = Agents()
    try:
        device = build("sw-01", SWITCH, Clock())
        agent, port = await agents.add(device.tree, credentials, ADDRESS)
        yield Running(device, agent, agents, port)
    finally:
        agents.close()


@BOTH
async def test_get_and_walk(real: Callable[[str], str], credentials: Credentials, options: tuple[str, ...]) -> None:
    async with running(credentials) as it:
        got = await it.ask(real("snmpget"), *options, "1.3.6.1.2.1.1.5.0 1.3.6.1.2.1.1.99.0")
        walked = await it.ask(real("snmpbulkwalk"), *options, "-Cr10", NAMES)
        stepped = await it.ask(real("snmpwalk"), *options, NAMES)
    assert '.1.3.6.1.2.1.1.5.0 = STRING: "sw-01"' in got
    assert "No Such Instance" in got
    assert walked == stepped
    assert walked.splitlines()[0] == f'.{NAMES}.1 = STRING: "Te1/0/1"'
    assert len(walked.splitlines()) == 8


async def test_a_walk_ends_at_the_end_of_the_view(real: Callable[[str], str]) -> None:
    async with running(COMMUNITY) as it:
        walked = await it.ask(real("snmpbulkwalk"), *V2C, "1.3.6.1.2.1")
        assert walked.count("\n.1.3") == len(it.device.tree)
    assert "No more variables left" in walked


async def test_every_device_says_that_it_is_simulated() -> None:
    for host, described in (await asyncio.to_thread(describe)).items():
        tree = build(host, described, Clock()).tree
        assert "mô phỏng / simulated" in bytes(tree.get(oid("1.3.6.1.2.1.1.1.0"))).decode()
        assert "mô phỏng" in bytes(tree.get(oid("1.3.6.1.2.1.1.6.0"))).decode()


async def test_counters_grow(real: Callable[[str], str]) -> None:
    octets = "1.3.6.1.2.1.31.1.1.1.6.1"
    async with running(COMMUNITY) as it:
        first = int((await it.ask(real("snmpget"), *V2C, "-Oqv", octets)).split()[-1])
        await asyncio.sleep(0.2)
        second = int((await it.ask(real("snmpget"), *V2C, "-Oqv", octets)).split()[-1])
    assert 0 < first < second < 2**53


@BOTH
async def test_silence(real: Callable[[str], str], credentials: Credentials, options: tuple[str, ...]) -> None:
    async with running(credentials) as it:
        it.agent.silence(True)
        assert "Timeout" in await it.ask(real("snmpget"), *options, "1.3.6.1.2.1.1.5.0")
        it.agent.silence(False)
        assert "STRING" in await it.ask(real("snmpget"), *options, "1.3.6.1.2.1.1.5.0")


@pytest.mark.parametrize(
    ("credentials", "options", "refusal"),
    [(COMMUNITY, V2C, "Timeout"), (USER, V3, "Unknown user name")],
    ids=["v2c", "v3"],
)
async def test_changed_credentials(
    real: Callable[[str], str], credentials: Credentials, options: tuple[str, ...], refusal: str
) -> None:
    async with running(credentials) as it:
        await it.agents.change_credentials(it.agent, STRANGER)
        assert refusal in await it.ask(real("snmpget"), *options, "1.3.6.1.2.1.1.5.0")
        await it.agents.change_credentials(it.agent, credentials)
        assert "STRING" in await it.ask(real("snmpget"), *options, "1.3.6.1.2.1.1.5.0")


async def test_two_devices_of_one_engine_are_told_apart(real: Callable[[str], str]) -> None:
    agents = Agents()
    try:
        ports = []
        for name in ("one", "two"):
            tree = Tree()
            tree.text(oid("1.3.6.1.2.1.1.5.0"), name)
            ports.append((await agents.add(tree, COMMUNITY, ADDRESS))[1])
        said = [await ask(port, real("snmpget"), *V2C, "-Oqv", "1.3.6.1.2.1.1.5.0") for port in ports]
    finally:
        agents.close()
    assert [line.strip().strip('"') for line in said] == ["one", "two"]


async def test_a_port_that_failed_is_down_and_its_counters_stand_still() -> None:
    device = build("sw-01", SWITCH, Clock())
    port = device.ports["Te1/0/1"]
    assert device.tree.get(oid(f"{IF_OPER_STATUS}.1")) == 1
    port.failed.set(True)
    before = port.octets(True)
    await asyncio.sleep(0.05)
    assert device.tree.get(oid(f"{IF_OPER_STATUS}.1")) == 2
    assert port.octets(True) == pytest.approx(before, rel=1e-12)
    port.failed.set(False)
    await asyncio.sleep(0.05)
    assert port.octets(True) > before


def test_a_ups_without_mains_lives_on_its_battery() -> None:
    now = [0.0]
    clock = Clock(lambda: now[0])
    device = build("ups-01", UPS, clock)
    assert device.supply is not None
    assert read_ups(device.tree) == {"source": 3, "seconds": 0, "minutes": 26, "charge": 100, "volts": 228, "alarms": 0}
    device.supply.lose_mains(True)
    now[0] = 130.0
    assert read_ups(device.tree) == {"source": 5, "seconds": 130, "minutes": 23, "charge": 91, "volts": 0, "alarms": 2}
    device.supply.lose_mains(False)
    assert read_ups(device.tree)["source"] == 3
    assert read_ups(device.tree)["seconds"] == 0


def read_ups(tree: Tree) -> dict[str, int]:
    places = {"source": "4.1.0", "seconds": "2.2.0", "minutes": "2.3.0", "charge": "2.4.0"}
    places |= {"volts": "3.3.1.3.1", "alarms": "6.1.0"}
    return {name: int(tree.get(oid(f"1.3.6.1.2.1.33.1.{place}"))) for name, place in places.items()}


def test_a_volume_fills() -> None:
    volume = Volume(name="vol-01 Máy ảo", unit=8192, units=1220703125, used=0.58)
    device = build("s", Storage(model="storage", sysname="s", location="S4", volumes=(volume,)), Clock())
    disk = device.disks["vol-01 Máy ảo"]
    assert disk.used() == int(1220703125 * 0.58)
    disk.filled = 0.97
    assert device.tree.get(oid("1.3.6.1.2.1.25.2.3.1.6.31")) == int(1220703125 * 0.97)
