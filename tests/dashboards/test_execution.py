"""Every expression of every page, asked of a real Prometheus that scrapes the demo and evaluates our rules."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from dashboards.lint.walk import drawn
from dashboards.words import Json
from tests.dashboards.executing import Question, asked, excused, prometheus, questions, widened
from tests.system.demo_run import demo

CONFIG = Path(__file__).parents[2] / "config"
PATIENCE = 180.0  # seconds until the demo has everything that it will have


async def unanswered(url: str, asked_for: Iterable[Question]) -> dict[Question, str]:
    """What gave an error, or nothing without an excuse."""
    pardoned = excused()

    def ask() -> dict[Question, str]:
        found = {}
        for one in asked_for:
            series, error = asked(url, one.expr)
            planned = ": annotation " in one.where
            if error or not (series or planned or one.expr in pardoned):
                found[one] = f"{one.where}: {error or 'nothing'}: {one.expr}"
        return found

    return await asyncio.to_thread(ask)


def rows(url: str, panel: Json) -> list[str]:
    """Queries of a table of which two series would be one row."""
    results = [[one["metric"] for one in asked(url, widened(target["expr"]))[0]] for target in panel["targets"]]
    results = [one for one in results if one]
    shared = set.intersection(*({name for labels in one for name in labels} for one in results)) if results else set()
    keys = [[tuple(labels.get(name, "") for name in sorted(shared)) for labels in one] for one in results]
    return [f"{panel['title']}: {sorted(shared)}" for one in keys if len(one) != len(set(one)) and len(keys) > 1]


@pytest.mark.system
@pytest.mark.timeout(300)
async def test_every_query_of_every_page_answers(
    pages: dict[str, Json], real: Callable[[str], str], tmp_path: Path
) -> None:
    """Panels, variables and annotations: without an error, with series, and tables without two series for a row."""
    program = real("prometheus")
    wanted = {one.expr: one for one in questions(pages)}
    async with (
        demo(CONFIG, "--no-prometheus", "--faults", "none") as playing,
        prometheus(program, playing.address.removeprefix("http://"), tmp_path) as url,
    ):
        ends = asyncio.get_running_loop().time() + PATIENCE
        left = await unanswered(url, wanted.values())
        while left and asyncio.get_running_loop().time() < ends:
            await asyncio.sleep(4)
            left = await unanswered(url, left)
        assert list(left.values()) == []
        tables = [one for page in pages.values() for one in drawn(page) if one["type"] == "table"]
        assert [fault for one in tables for fault in await asyncio.to_thread(rows, url, one)] == []
