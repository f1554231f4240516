"""3,700 stations fail at once, and come back at once: the loop goes on, all is written, nothing piles up."""

from __future__ import annotations

import asyncio
import time
from functools import partial
from pathlib import Path

import pytest
import yaml

from collector.journal import reading_ledger
from collector.model import SystemState
from tests.serving import SYSTEM, until, write_config
from tests.system.process import Child, free_port, hatang
from tests.system.test_month_and_counters import hold

STATIONS = 3700
STORMS = 4
LAG, GROWTH = 1.0, 20e6
TIMEOUT = 1.5
BACKLOG = 4096


def station(number: int, port: int) -> dict[str, object]:
    """Each is a system of its own, with an address of its own."""
    host = f"127.0.{1 + number // 250}.{1 + number % 250}"
    quick = {"interval": "2s", "timeout": f"{TIMEOUT}s", "confirm": 1, "recover": 1}
    return {"id": f"t{number}", "system": f"s{number}", "kind": "tcp", "host": host, "port": port, **quick}


async def lag_until(state: int, child: Child) -> float:
    """The longest lag of the loop until all systems are in this state; scraped once a second meanwhile."""
    worst = 0.0
    async with asyncio.timeout(40):
        while True:
            async with child.client.get("/metrics") as answer:
                lines = (await answer.text()).splitlines()
            states = [line.endswith(f" {state}.0") for line in lines if line.startswith("hatang_system_state{")]
            (lag,) = (line for line in lines if line.startswith("hatang_event_loop_lag_seconds"))
            worst = max(worst, float(lag.split()[1]))
            if sum(states) == STATIONS:
                return worst
            await asyncio.sleep(1)


def memory(child: Child) -> int:
    """Bytes that it holds."""
    return int(Path(f"/proc/{child.pid}/statm").read_text().split()[1]) * 4096


def written(journal: Path, state: SystemState, since: float) -> bool:
    """Whether the journal knows when each of them came into this state."""
    with reading_ledger(journal) as ledger:
        changes = (ledger.changes(f"s{number}", since, time.time()) for number in range(STATIONS))
        return all(any(one.new is state and one.at >= since for one in some) for some in changes)


@pytest.mark.system
@pytest.mark.timeout(180)
async def test_all_fail_and_recover(tmp_path: Path) -> None:
    port = free_port()
    config = write_config(tmp_path / "config", *(station(number, port) for number in range(STATIONS)))
    systems = [{**SYSTEM, "id": f"s{number}"} for number in range(STATIONS)]
    (config / "targets.d" / "systems.yaml").write_text(yaml.dump({"systems": systems}, Dumper=yaml.CSafeDumper))
    journal, held = config.with_suffix(".sqlite"), []
    server = await asyncio.start_server(hold, "0.0.0.0", port, backlog=BACKLOG)
    try:
        async with hatang(config) as child:
            await lag_until(1, child)
            for _ in range(STORMS):
                began = time.time()
                server.close()
                lag = await lag_until(0, child)
                server = await asyncio.start_server(hold, "0.0.0.0", port, backlog=BACKLOG)
                assert max(lag, await lag_until(1, child)) < LAG
                # Whoever was being asked when the storm began has not answered since before it.
                for state, since in ((SystemState.DOWN, began - TIMEOUT), (SystemState.UP, began)):
                    await until(partial(asyncio.to_thread, written, journal, state, since), within=30)
                held.append(await asyncio.to_thread(memory, child))
    finally:
        server.close()
    # What is remembered of each target fills up at first.
    assert held[-1] - held[1] < GROWTH
