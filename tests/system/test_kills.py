"""Killed at random moments, the service starts again, goes on counting, and calls what it missed unknown."""

from __future__ import annotations

import asyncio
import random
import time
from functools import partial
from pathlib import Path

import pytest

from collector.journal import reading_ledger
from tests.serving import listening, until, write_config, write_targets
from tests.system.process import Child, started

SAVED_EVERY = 5.0
START_WITHIN = 5.0


async def system_seconds(child: Child) -> dict[str, float]:
    """Seconds by state of the one system."""
    async with child.client.get("/metrics") as answer:
        lines = (await answer.text()).splitlines()
    found = [line for line in lines if line.startswith('hatang_system_state_seconds_total{system="portal"')]
    return {line.split('state="')[1].split('"')[0]: float(line.rpartition(" ")[2]) for line in found}


async def survive(directory: Path, kills: int, seed: int) -> None:
    rng = random.Random(seed)
    async with listening() as port:
        target = {"id": "a", "kind": "tcp", "host": "127.0.0.1", "port": port, "interval": "1s", "timeout": "0.5s"}
        config = write_config(directory / "config", target)
        born, before = time.time(), {"up": 0.0, "unknown": 0.0}
        for number in range(kills):
            asked = time.time()
            async with started(config) as child:
                assert time.time() - asked < START_WITHIN, child.log.read_text()[-2000:]
                after = await until(partial(_polled, child), within=10)
                # Prometheus would take a counter that fell for one that began anew.
                assert after["up"] >= before["up"]
                assert after["unknown"] >= before["unknown"]
                assert after["down"] == 0
                # They show what the last save holds.
                missing = time.time() - born - sum(after.values())
                assert -1 <= missing <= 3 + (not number) + SAVED_EVERY
                if rng.random() < 0.5:
                    write_targets(config, "more", {**target, "id": f"b{number}"})
                await asyncio.sleep(rng.uniform(0, 3))
                before = await system_seconds(child)
                child.process.kill()
                await child.process.wait()
        assert await asyncio.to_thread(_changes, directory / "config.sqlite", born)


def _changes(journal: Path, since: float) -> int:
    with reading_ledger(journal) as ledger:
        return len(ledger.changes("portal", since, time.time()))


async def _polled(child: Child) -> dict[str, float]:
    """The seconds once the system is seen to be up again."""
    async with child.client.get("/metrics") as answer:
        up = 'hatang_system_state{system="portal"} 1.0' in await answer.text()
    return await system_seconds(child) if up else {}


@pytest.mark.system
@pytest.mark.timeout(240)
async def test_twenty_kills(tmp_path: Path) -> None:
    await survive(tmp_path, 20, seed=57)


@pytest.mark.soak
@pytest.mark.timeout(2400)
async def test_two_hundred_kills(tmp_path: Path) -> None:
    await survive(tmp_path, 200, seed=58)
