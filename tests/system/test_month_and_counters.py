"""What `hatang availability` says of the month, and the counters that Prometheus scrapes, are the same time."""

from __future__ import annotations

import asyncio
import json
import sys
from contextlib import suppress
from functools import partial
from pathlib import Path
from subprocess import PIPE
from typing import Any

import pytest

from tests.serving import until, write_config
from tests.system.process import Child, free_port, started

INTERVAL = 1.0


async def counters(child: Child) -> dict[str, float]:
    """Seconds by state of the one system."""
    async with child.client.get("/metrics") as answer:
        lines = (await answer.text()).splitlines()
    found = [line for line in lines if line.startswith('hatang_system_state_seconds_total{system="portal"')]
    return {line.split('state="')[1].split('"')[0]: float(line.rpartition(" ")[2]) for line in found}


async def command(config: Path, *words: str) -> str:
    """What a command prints, given beside the running service."""
    arguments = (sys.executable, "-m", "collector", *words, "--config", str(config))
    done = await asyncio.create_subprocess_exec(*arguments, stdout=PIPE, stderr=PIPE)
    out, err = await done.communicate()
    assert done.returncode == 0, err.decode()
    return out.decode()


async def hold(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Be there until the other goes."""
    with suppress(OSError):
        await reader.read()
    writer.close()


async def is_in(state: int, child: Child) -> bool:
    async with child.client.get("/metrics") as answer:
        return f'hatang_system_state{{system="portal"}} {state}.0' in await answer.text()


async def reported(config: Path) -> dict[str, Any]:
    """The system's part of the report of this month."""
    report = json.loads(await command(config, "availability", "--system", "portal", "--format", "json"))
    (system,) = report["systems"]
    found: dict[str, Any] = system
    return found


@pytest.mark.system
@pytest.mark.timeout(120)
async def test_the_month_agrees_with_the_counters(tmp_path: Path) -> None:
    """Through an outage, planned work by command and a kill: within one poll interval and one save, state by state."""
    port = free_port()
    target = {"id": "a", "kind": "tcp", "host": "127.0.0.1", "port": port, "interval": "1s", "timeout": "0.5s"}
    config = write_config(tmp_path / "config", target)
    server = await asyncio.start_server(hold, "127.0.0.1", port)
    async with started(config) as child:
        await until(partial(is_in, 1, child), within=15)
        server.close()
        await until(partial(is_in, 0, child), within=30)
        server = await asyncio.start_server(hold, "127.0.0.1", port)
        await until(partial(is_in, 1, child), within=30)
        number = (await command(config, "maintenance", "start", "--system", "portal", "--reason", "x")).split(":")[0]
        await until(partial(is_in, 4, child), within=15)
        await command(config, "maintenance", "stop", number)
        await until(partial(is_in, 1, child), within=15)
        child.process.kill()
        await child.process.wait()
    await asyncio.sleep(3)
    async with started(config) as child:
        await until(partial(is_in, 1, child), within=15)
        await asyncio.sleep(6)
        system = await reported(config)
        counted = await counters(child)
    server.close()
    seconds = system["figures"]["seconds"]
    assert counted["down"] > 1
    assert counted["maintenance"] > 1
    assert counted["unknown"] > 3
    # The counters are credited up to the last result; what the report still takes for up was saved 5 s ago at most.
    for state in ("down", "degraded", "unreachable"):
        assert seconds[state] == pytest.approx(counted[state], abs=INTERVAL), state
    for state in ("up", "maintenance", "unknown"):
        assert seconds[state] == pytest.approx(counted[state], abs=5 + INTERVAL), state
    (outage,) = system["outages"]
    assert outage["reason"].startswith("a ")
    assert outage["seconds"] == seconds["down"]
    assert [one["reason"] for one in system["maintenance"]] == ["x"]
