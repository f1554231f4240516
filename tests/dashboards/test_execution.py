"""Every expression of every page, asked of a real Prometheus that scrapes the demo and evaluates our rules."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import yaml

from dashboards.known import RULES
from dashboards.lint.walk import drawn
from dashboards.queries import CATALOGUE
from dashboards.words import Json, Language
from tests.dashboards.executing import Question, asked, questions, widened
from tests.mosquitto import free_port
from tests.system.demo_run import demo

CONFIG = Path(__file__).parents[2] / "config"
PATIENCE = 180.0  # seconds until the demo has everything that it will have
# What a demo of a few minutes cannot have, and why.
MAY_BE_EMPTY = {
    "no alert of the kind fires": ["system-firing", "centre-firing", "operator-firing", "firing"],
    "everything is well": [
        "operator-sites-down",
        "operator-communes-down",
        "worst-systems",
        "targets-reason",
        "failing-reasons",
    ],
    "nothing was measured for long enough": [
        *(
            f"plan-{table}-{column}"
            for table in ("ratio", "number", "coverage")
            for column in ("observed", "projected")
        ),
        *("outage-1d", "outage-30d", "zones-days", "operator-coverage-days"),
    ],
    "nobody has reported it yet": [f"plan-number-{column}" for column in ("lower", "upper", "gap", "required")],
    "nothing happened": ["systems-changed", "traps-received"],
}


def excused() -> set[str]:
    """Expressions that may give nothing."""
    names = (name for some in MAY_BE_EMPTY.values() for name in some)
    return {widened(CATALOGUE[name].expression(language)) for name in names for language in Language}


@asynccontextmanager
async def prometheus(program: str, scraped: str, work: Path) -> AsyncIterator[str]:
    """A Prometheus with our rules, all evaluated every 5 s; its address."""
    for file in sorted(RULES.glob("*.yaml")):
        content = yaml.safe_load(file.read_text(encoding="utf-8"))
        for group in content["groups"]:
            group["interval"] = "5s"
        (work / file.name).write_text(json.dumps(content), encoding="utf-8")
    jobs = [{"job_name": "hatang", "static_configs": [{"targets": [scraped]}]}]
    times = {"scrape_interval": "5s", "scrape_timeout": "4s", "evaluation_interval": "5s"}
    config = {"global": times, "rule_files": [f"{work}/*.yaml"], "scrape_configs": jobs}
    (work / "prometheus.json").write_text(json.dumps(config), encoding="utf-8")
    listen = f"127.0.0.1:{free_port()}"
    process = await asyncio.create_subprocess_exec(
        program,
        f"--config.file={work / 'prometheus.json'}",
        f"--storage.tsdb.path={work / 'data'}",
        f"--web.listen-address={listen}",
        "--log.level=error",
    )
    try:
        yield f"http://{listen}"
    finally:
        process.terminate()
        await process.wait()
        shutil.rmtree(work / "data", ignore_errors=True)


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
