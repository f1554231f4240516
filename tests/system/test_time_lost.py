"""The time that villages were without signal goes on over restarts and kills: little is lost, nothing comes twice."""

from __future__ import annotations

import asyncio
import time
from functools import partial
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.exporters.test_coverage import ROWS, configured, drop
from tests.serving import Serving, serving, until
from tests.system.process import Child, started

KEY = ("hatang_village_outage_seconds_total", "4G")
SERIES = 'hatang_village_outage_seconds_total{technology="4G"}'
SAVED = "hatang_journal_saved_timestamp_seconds"
SAVED_EVERY = 5.0
OUT = [row.replace(",on", ",off") for row in ROWS]
VILLAGES = 2  # with cells of 4G, all of which are out


class Seen(NamedTuple):
    """Village-seconds in a scrape, and the Unix time of the save that they are of."""

    lost: float
    saved: float


def province(directory: Path) -> Path:
    """Places, and a feed of cells that are all out."""
    folder = directory / "incoming"
    folder.mkdir()
    drop(folder, *OUT, ago=60)
    return configured(directory / "config", folder)


async def seen(child: Child) -> Seen:
    async with child.client.get("/metrics") as answer:
        lines = (await answer.text()).splitlines()
    found = {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines if line[0] != "#")}
    return Seen(found.get(SERIES, 0.0), found[SAVED])


async def beyond(child: Child, least: float) -> Seen | None:
    found = await seen(child)
    return found if found.lost > least else None


async def test_a_restart_goes_on_from_where_it_was(tmp_path: Path) -> None:
    config = province(tmp_path)

    async def shown(running: Serving) -> float:
        return (await running.series()).get(SERIES, 0.0)

    async with serving(config) as running:
        await until(partial(shown, running), 18)
    async with serving(config) as running:
        ended = running.service.books.saved.totals[KEY]
        assert ended > 0
        assert await shown(running) == pytest.approx(ended)
        # Nobody knows what was between the two.
        assert running.service.views.totals()[KEY] < ended + VILLAGES * 3


@pytest.mark.system
@pytest.mark.timeout(150)
async def test_a_kill_costs_no_more_than_a_save_and_nothing_comes_twice(tmp_path: Path) -> None:
    config, before = province(tmp_path), Seen(0.0, 0.0)
    for life in range(4):
        async with started(config) as child:
            again = await seen(child)
            # To Prometheus, a counter that fell would have begun anew, and all of it would count once more.
            assert before.lost <= again.lost <= before.lost + VILLAGES * (SAVED_EVERY + 1)
            first = await until(partial(beyond, child, again.lost), within=20)
            second = await until(partial(beyond, child, first.lost), within=20)
            assert second.lost - first.lost == pytest.approx(VILLAGES * (second.saved - first.saved), abs=1)
            await asyncio.sleep(1.1 * life)
            before = await seen(child)
            # All that a kill takes is what came after the last save.
            assert time.time() - before.saved < SAVED_EVERY + 1
            child.process.kill()
            await child.process.wait()
