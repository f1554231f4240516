"""The wall clock jumps under the running service: no burst, no pause."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.serving import listening, until, write_config
from tests.system.process import Child, hatang

TARGETS = 50
INTERVAL = 1.0
pytestmark = [pytest.mark.system, pytest.mark.timeout(60)]


@pytest.fixture
def library(real: Callable[[str], str]) -> Path:
    """libfaketime, which shifts the wall clock of a child and leaves the monotonic one real."""
    real("faketime")
    [found] = Path("/usr/lib").glob("*/faketime/libfaketime.so.1")
    return found


async def runs(child: Child) -> int:
    """Runs so far, over all targets."""
    async with child.client.get("/metrics") as answer:
        lines = (await answer.text()).splitlines()
    return int(sum(float(line.rpartition(" ")[2]) for line in lines if line.startswith("hatang_runs_total{")))


async def test_no_burst_and_no_pause(tmp_path: Path, library: Path) -> None:
    shift = tmp_path / "shift"
    shift.write_text("+0")
    environment = {
        "LD_PRELOAD": str(library),
        "FAKETIME_TIMESTAMP_FILE": str(shift),
        "FAKETIME_NO_CACHE": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
    }
    async with listening("0.0.0.0") as port:
        targets = [
            {"id": f"t{number}", "kind": "tcp", "host": f"127.0.1.{1 + number}", "port": port}
            for number in range(TARGETS)
        ]
        config = write_config(tmp_path / "config", *targets, defaults={"interval": INTERVAL, "timeout": 0.5})
        async with hatang(config, os.environ | environment) as running:

            async def polled() -> bool:
                return await runs(running) > TARGETS

            await until(polled, within=20)
            for jump in ("+3600", "+2592000", "+2588400", "-3600", "+0"):
                shift.write_text(jump)
                before = await runs(running)
                await asyncio.sleep(5 * INTERVAL)
                made = await runs(running) - before
                # One extra run a target at the jump, and at most two seconds until it is noticed.
                assert 2 * TARGETS <= made <= 7 * TARGETS, jump
            async with running.client.get("/metrics") as answer:
                assert "hatang_clock_jumps_total 5.0" in await answer.text()
