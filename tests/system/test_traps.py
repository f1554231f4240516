"""Traps to the running service: polled at once, counted, and no storm in the way of others."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import socket
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from collector.journal import reading_ledger
from collector.scheduler import slot_of
from tests.device_profiles import SHIPPED
from tests.serving import listening, until, write_config
from tests.snmp_agent import Agent, agent, integer, oid, text, ticks, tlv
from tests.system.process import Child, hatang
from tests.trapping import COLD_START, LINK_DOWN, device

pytestmark = [pytest.mark.system, pytest.mark.timeout(90)]
MARKERS = ("geheim-eins-marker", "geheim-zwei-marker", "geheim-drei-marker")
UPTIME = {"1.3.6.1.2.1.1.3.0": ticks(100)}


def late(prefix: str) -> str:
    """A name of a target that is not polled by itself within the first 20 s."""
    names = (f"{prefix}-{number}" for number in range(1000))
    return next(name for name in names if slot_of(replace(device(name), interval=3600.0)).phase / 1e6 % 30 > 20)


def free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port


def config(directory: Path, port: int, *targets: dict[str, Any], **traps: Any) -> Path:
    """With a receiver on `port`; the targets are polled once an hour unless they say otherwise."""
    listen = {"listen": f"127.0.0.1:{port}", "engine_file": str(directory / "engine.json"), **traps}
    written = write_config(directory, *targets, defaults={"interval": "1h", "timeout": "2s"}, traps=listen)
    (written / "devices.d").mkdir()
    shutil.copy(SHIPPED / "system.yaml", written / "devices.d")
    return written


def switch(name: str, polled: Agent, **settings: Any) -> dict[str, Any]:
    own = settings or {"community": "public"}
    return {"id": name, "kind": "snmp", "host": "127.0.0.1", "port": polled.port, "profiles": ["system"], **own}


async def send(program: str, directory: Path, *arguments: str) -> None:
    environment = {**os.environ, "MIBS": "", "SNMP_PERSISTENT_DIR": str(directory / "net-snmp")}
    process = await asyncio.create_subprocess_exec(
        program, *arguments, env=environment, stderr=asyncio.subprocess.DEVNULL
    )
    assert await process.wait() == 0


async def series(child: Child) -> dict[str, float]:
    async with child.client.get("/metrics") as answer:
        lines = (line.rpartition(" ") for line in (await answer.text()).splitlines() if not line.startswith("#"))
        return {name: float(value) for name, _, value in lines}


@pytest.mark.real
async def test_a_trap_leads_to_a_poll_within_a_second(tmp_path: Path, real: Callable[[str], str]) -> None:
    """By version 2c and by an inform of version 3, which the journal notes; the wrong community leads to nothing."""
    port = free_port()
    name, other = late("sw"), late("v3")
    keys = {"auth_protocol": "sha256", "auth_password": MARKERS[0], "priv_protocol": "aes128"}
    async with agent(UPTIME) as polled:
        secured = switch(other, polled, version=3, user="observer", **keys, priv_password=MARKERS[1])
        targets = switch(name, polled), {**secured, "port": free_port()}
        async with hatang(config(tmp_path, port, *targets)) as running:
            place = f"127.0.0.1:{port}"
            await send(real("snmptrap"), tmp_path, "-v2c", f"-c{MARKERS[2]}", place, "100", LINK_DOWN)
            await asyncio.sleep(0.3)
            assert polled.questions == []
            begun = time.monotonic()
            await send(real("snmptrap"), tmp_path, "-v2c", "-cpublic", place, "100", LINK_DOWN)
            await until(lambda: _true(polled.questions))
            assert time.monotonic() - begun < 1
            secure = (
                "-v3",
                "-uobserver",
                "-lauthPriv",
                "-aSHA-256",
                f"-A{MARKERS[0]}",
                "-xAES",
                f"-X{MARKERS[1]}",
            )
            begun = time.monotonic()
            await send(real("snmpinform"), tmp_path, *secure, "-r1", "-t3", place, "100", COLD_START)
            await until(lambda: _runs(running, other))
            assert time.monotonic() - begun < 1.5  # with the poll, which is refused
            values = await series(running)
            assert values[f'hatang_traps_received_total{{target="{name}",trap="linkDown"}}'] == 1
            assert values[f'hatang_traps_received_total{{target="{other}",trap="coldStart"}}'] == 1
            assert values['hatang_traps_dropped_total{reason="authentication"}'] == 1
            assert abs(values[f'hatang_trap_timestamp_seconds{{target="{name}",trap="linkDown"}}'] - time.time()) < 30
            log = running.log.read_text()
            assert not any(secret in log for secret in MARKERS)
        # Stopped, so that all of it is on the disk.
        assert await asyncio.to_thread(_noted, tmp_path.with_suffix(".sqlite")) == {
            name: "linkDown: SNMPv2c trap from 127.0.0.1, unauthenticated",
            other: "coldStart: SNMPv3 inform from 127.0.0.1, authenticated",
        }


def _noted(journal: Path) -> dict[str, str]:
    with reading_ledger(journal) as ledger:
        return {event.subject: event.text for event in ledger.events(0, time.time(), "trap")}


async def _true(value: object) -> bool:
    return bool(value)


async def _runs(child: Child, target: str) -> bool:
    values = await series(child)
    return any(values.get(f'hatang_runs_total{{target="{target}",outcome="{each}"}}') for each in ("ok", "fail"))


@pytest.mark.real
async def test_a_socket_that_systemd_hands_over(tmp_path: Path, real: Callable[[str], str]) -> None:
    """By systemd's own program: it opens the port, and starts the service with the first trap, which is not lost."""
    port = free_port()
    name = late("sw")
    activate = [real("systemd-socket-activate"), "--datagram", f"--listen=127.0.0.1:{port}", "--fdname=hatang-traps"]
    async with agent(UPTIME) as polled:
        written = config(tmp_path, 0, switch(name, polled), listen="127.0.0.1:1")
        knocking = asyncio.create_task(_knock(real("snmptrap"), tmp_path, port, polled))
        async with hatang(written, wrapper=activate) as running:
            await until(lambda: _true(polled.questions))
            await knocking
            values = await series(running)
            assert values["hatang_traps_listening"] == 1
            assert values[f'hatang_traps_received_total{{target="{name}",trap="coldStart"}}'] >= 1
            # A reload that changes the settings goes on with the same socket.
            text_ = (written / "monitor.yaml").read_text()
            (written / "monitor.yaml").write_text(text_.replace("traps:", "traps:\n  poll_gap: 100ms"))
            before = len(polled.questions)
            await until(lambda: _true(running.log.read_text().count("taking SNMP traps") == 2), 10)
            await send(real("snmptrap"), tmp_path, "-v2c", "-cpublic", f"127.0.0.1:{port}", "100", COLD_START)
            await until(lambda: _true(len(polled.questions) > before))
            assert json.loads((tmp_path / "engine.json").read_text())["boots"] == 2


async def _knock(program: str, directory: Path, port: int, polled: Agent) -> None:
    # Until systemd's program listens, nobody takes it; until the addresses are known, nobody knows the device.
    while not polled.questions:
        await send(program, directory, "-v2c", "-cpublic", f"127.0.0.1:{port}", "100", COLD_START)
        await asyncio.sleep(0.5)


async def test_a_storm_of_traps_makes_no_other_target_late(tmp_path: Path) -> None:
    """10,000 traps a second of one device for five seconds: the p99 age of the others stays below 1.5 intervals."""
    port, count, interval = free_port(), 100, 1.0
    async with agent(UPTIME) as polled, listening("0.0.0.0") as accepting:
        others = [
            {
                "id": f"t{number}",
                "kind": "tcp",
                "host": f"127.0.1.{1 + number}",
                "port": accepting,
                "interval": interval,
            }
            for number in range(count)
        ]
        for other in others:
            other["timeout"] = 0.5
        async with hatang(config(tmp_path, port, switch("sw", polled), *others)) as running:
            names = [f'hatang_run_timestamp_seconds{{target="{other["id"]}"}}' for other in others]
            await until(lambda: _known(running, names), 30)
            storming = asyncio.create_task(asyncio.to_thread(_storm, port, 5 * 10_000, 5.0))
            ages: list[float] = []
            while not storming.done():
                values = await series(running)
                now = time.time()
                ages += [now - values[name] for name in names]
                await asyncio.sleep(0.3)
            sent = await storming
            values = await series(running)
            taken = values['hatang_traps_received_total{target="sw",trap="linkDown"}']
            dropped = values['hatang_traps_dropped_total{reason="rate"}']
            assert taken <= 50 + 10 * 8
            assert taken + dropped > 0.5 * sent  # the kernel drops what finds no room while others have the processor
            assert sorted(ages)[int(0.99 * len(ages))] < 1.5 * interval
            assert len(polled.questions) <= 1 + 1 + 5 / 5 + 1


async def _known(child: Child, names: list[str]) -> bool:
    values = await series(child)
    return all(name in values for name in names)


def _storm(port: int, count: int, seconds: float) -> int:
    bindings = tlv(0x30, oid("1.3.6.1.2.1.1.3.0") + ticks(1)) + tlv(0x30, oid("1.3.6.1.6.3.1.1.4.1.0") + oid(LINK_DOWN))
    pdu = integer(1) + integer(0) + integer(0) + tlv(0x30, bindings)
    trap = tlv(0x30, integer(1) + text("public") + tlv(0xA7, pdu))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        begun = time.perf_counter()
        for number in range(count):
            sock.sendto(trap, ("127.0.0.1", port))
            ahead = begun + number * seconds / count - time.perf_counter()
            if ahead > 0.002:
                time.sleep(ahead)
    return count
