"""What `hatang availability` says, and what a real Prometheus has of the counters, are the same time."""

from __future__ import annotations

import asyncio
import time
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from collector.demo.prometheus import Prometheus, Watched
from collector.journal import reading_ledger
from tests.serving import PATIENCE, until, write_config
from tests.system.process import free_port, started
from tests.system.test_month_and_counters import hold, is_in, reported

INTERVAL = 2.0
SECONDS = 'hatang_system_state_seconds_total{system="portal"}'
SAVED = "hatang_journal_saved_timestamp_seconds"


class Remembered:
    """What Prometheus has."""

    def __init__(self, prometheus: Prometheus, client: aiohttp.ClientSession) -> None:
        self._url = prometheus.url / "api/v1/query"
        self._client = client

    async def ask(self, query: str, at: float | None = None) -> list[dict[str, Any]]:
        """An instant query."""
        parameters = {"query": query} | ({"time": str(at)} if at is not None else {})
        async with self._client.get(self._url, params=parameters) as answer:
            said = await answer.json()
        assert said["status"] == "success", said
        found: list[dict[str, Any]] = said["data"]["result"]
        return found

    async def by_state(self, query: str, at: float | None = None) -> dict[str, float]:
        """Values of an instant query, by state."""
        return {one["metric"]["state"]: float(one["value"][1]) for one in await self.ask(query, at)}

    async def has_save(self, saved: float) -> float | None:
        """The first scrape that saw a save of that time or later."""
        scrapes = [value for one in await self.ask(f"{SAVED}[1m]") for value in one["values"]]
        return next((moment for moment, value in scrapes if float(value) >= saved), None)


def last_save(journal: Path) -> float:
    with reading_ledger(journal) as ledger:
        return ledger.last_heartbeat()


async def report_of_one_save(config: Path) -> tuple[dict[str, Any], float]:
    """A report, and when what it was made of was saved."""
    journal = config.with_suffix(".sqlite")
    while True:
        saved = await asyncio.to_thread(last_save, journal)
        found = await reported(config)
        if await asyncio.to_thread(last_save, journal) == saved:
            return found, saved


@pytest.mark.real
@pytest.mark.system
@pytest.mark.timeout(120)
async def test_the_month_agrees_with_prometheus(tmp_path: Path) -> None:
    """Through an outage and a kill, state by state within a poll interval; no counter ever falls."""
    port, listen = free_port(), f"127.0.0.1:{free_port()}"
    program = await asyncio.to_thread(Prometheus.find)
    assert program is not None, "Prometheus is not installed"
    target = {"id": "a", "kind": "tcp", "host": "127.0.0.1", "port": port, "interval": f"{INTERVAL:g}s"}
    config = write_config(tmp_path / "config", {**target, "timeout": "0.5s", "confirm": 2})
    prometheus = await Prometheus.start(program, Watched(listen, every=1), free_port(), tmp_path)
    server = await asyncio.start_server(hold, "127.0.0.1", port)
    try:
        await prometheus.ready()
        began = time.time()
        async with started(config, listen=listen) as child, asyncio.timeout(60):
            await until(partial(is_in, 1, child), within=15)
            server.close()
            await until(partial(is_in, 0, child), within=20)
            await asyncio.sleep(3)
            server = await asyncio.start_server(hold, "127.0.0.1", port)
            await until(partial(is_in, 1, child), within=20)
            await asyncio.sleep(3)
            child.process.kill()
            await child.process.wait()
        await asyncio.sleep(3)
        async with started(config, listen=listen) as child, aiohttp.ClientSession(timeout=PATIENCE) as client:
            await until(partial(is_in, 1, child), within=15)
            await asyncio.sleep(6)
            await agrees(config, Remembered(prometheus, client), began)
    finally:
        server.close()
        await prometheus.stop()


async def agrees(config: Path, remembered: Remembered, began: float) -> None:
    """Compare the report with the counters as they were scraped after the same save."""
    system, saved = await report_of_one_save(config)
    scraped = await until(partial(remembered.has_save, saved), within=10)
    counted = await remembered.by_state(SECONDS, scraped)
    spent = dict(system["figures"]["seconds"])
    # What came after the save nobody has observed yet.
    spent["unknown"] -= datetime.fromisoformat(system["until"]).timestamp() - saved
    assert counted == {state: pytest.approx(seconds, abs=INTERVAL) for state, seconds in spent.items()}
    assert counted["down"] > INTERVAL
    assert counted["unknown"] > 3
    window = f"{time.time() - began + 5:.0f}s"
    assert set((await remembered.by_state(f"resets({SECONDS}[{window}])")).values()) == {0.0}
    # It reckons beyond the first and the last scrape, by half of the time between two at most.
    grown = await remembered.by_state(f"increase({SECONDS}[{window}])", scraped)
    assert grown == {state: pytest.approx(seconds, abs=2 * INTERVAL) for state, seconds in counted.items()}
