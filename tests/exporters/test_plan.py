"""Where the province stands against its plan, over HTTP and at the command line, with how each value was made."""

from __future__ import annotations

import asyncio
import csv
import io
import json
import time
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from typer.testing import CliRunner

from collector.__main__ import app
from tests.exporters.test_coverage import ROWS, configured, drop
from tests.http_peers import application
from tests.serving import Serving, listening, serving, until, write_config, write_targets
from tests.system.process import free_port

PLAN = """
references: [{id: report, name_vi: Báo cáo, name_en: Report}]
indicators:
  - id: villages-4g
    name_vi: Thôn có sóng 4G
    name_en: Villages with 4G
    unit: ratio
    figure: {view: coverage, name: villages, technology: 4G}
    observed: [{date: 2024-06-30, value: 0.5, source: report}]
    targets:
      - value: 100%
        due: 2030-12-31
        act: 2/KH
        basis: plan
        revisions: [{until: 2025-12-31, value: 80%, due: 2026-12-31, act: 1/KH, basis: plan}]
  - id: doors
    name_vi: Cửa
    name_en: Doors
    unit: number
    metric: {name: probe_success, system: portal}
    targets: [{value: 2, due: 2020-12-31}]
  - id: portals
    name_vi: Cổng
    name_en: Portals
    unit: ratio
    figure: {view: systems, name: available}
    targets: [{value: 100%, recurring: monthly}]
  - id: cables
    name_vi: Cáp
    name_en: Cables
    unit: ratio
    manual: true
    observed: [{date: 2024-06-30, value: 24%, source: report}]
    targets: [{value: 50%, due: 2025-12-31}]
"""


async def asked(running: Serving, query: str = "") -> dict[str, dict[str, Any]]:
    status, text = await running.get(f"/api/v1/plan{query}")
    return {one["indicator"]: one for one in json.loads(text)["indicators"]} if status == 200 else {}


async def has(running: Serving, indicator: str) -> dict[str, dict[str, Any]] | None:
    """The plan, once something is measured of an indicator."""
    found = await asked(running)
    return found if found.get(indicator, {}).get("actual_lower") is not None else None


@pytest.fixture
def province(tmp_path: Path) -> Path:
    """Places, a feed of cells and the plan; two of three villages have 4G."""
    folder = tmp_path / "incoming"
    folder.mkdir()
    drop(folder, *ROWS, ago=60)
    directory = configured(tmp_path / "config", folder)
    (directory / "plan.yaml").write_text(PLAN)
    return directory


async def test_each_indicator_says_how_its_value_was_made_and_how_fresh_it_is(province: Path) -> None:
    async with listening() as port, serving(province) as running:
        quick = {"kind": "tcp", "host": "127.0.0.1", "interval": "1s", "timeout": "0.5s"}
        write_targets(province, "doors", {**quick, "id": "a", "port": port}, {**quick, "id": "b", "port": 1})
        await running.service.reload()
        await until(partial(has, running, "villages-4g"), 12)
        found = await until(partial(has, running, "doors"), 20)
        chosen = await asked(running, "?status=missed&indicator=cables")
    villages = found["villages-4g"]
    assert (villages["origin"], villages["unit"], villages["target"], villages["due"]) == (
        "live",
        "ratio",
        1,
        "2030-12-31",
    )
    assert villages["actual_lower"] == villages["actual_upper"] == pytest.approx(2 / 3)
    assert villages["gap_lower"] == pytest.approx(1 / 3)
    assert villages["required_pace_per_day"] > 0
    how = villages["how"]
    assert how["by"] == "figure coverage villages technology=4G"
    assert (how["known_share"], how["synthetic"]) == (1, True)
    assert how["made_by"]["modelled"] == 2
    assert time.time() - datetime.fromisoformat(how["oldest"]).timestamp() == pytest.approx(60, abs=20)
    assert villages["revisions"] == [
        {
            "until": "2025-12-31",
            "target": 0.8,
            "comparator": "ge",
            "due": "2026-12-31",
            "act": "1/KH",
            "basis": "plan",
        }
    ]
    doors = found["doors"]
    assert (doors["actual_lower"], doors["status"]) == (1, "missed")
    assert (doors["how"]["by"], doors["how"]["known_share"]) == ("metric probe_success system=portal", 1)
    assert time.time() - datetime.fromisoformat(doors["how"]["oldest"]).timestamp() < 30
    assert found["portals"]["how"]["by"] == "figure systems available"
    cables = found["cables"]
    assert (cables["origin"], cables["as_of"], cables["how"]["by"]) == ("observation", "2024-06-30", "report report")
    assert list(chosen) == ["cables"]


async def test_before_the_first_judgement_and_without_a_plan(tmp_path: Path) -> None:
    async with serving(write_config(tmp_path / "config")) as running:
        views = running.service.views
        await views.stop()
        views.planning.judged = None
        status, text = await running.get("/api/v1/plan")
        assert (status, "not judged yet" in text) == (503, True)
        views.start()
        await running.service.reload()

        async def judged() -> str:
            status, text = await running.get("/api/v1/plan")
            return text if status == 200 else ""

        assert json.loads(await until(judged))["indicators"] == []
        _, page = await running.get("/")
        assert 'href="api/v1/plan"' in page


async def command(place: Path, *words: str) -> tuple[int, str, str]:
    """Status, output and errors of `hatang plan`."""
    given = ["plan", "--config", str(place), *words]
    done = await asyncio.to_thread(CliRunner().invoke, app, given, env={"COLUMNS": "250"})
    return done.exit_code, done.stdout, done.stderr


async def test_the_command_asks_the_service_and_else_reads_the_journal(province: Path) -> None:
    async with serving(province) as running:
        await until(partial(has, running, "villages-4g"), 12)
        code, said, _ = await command(province, "--listen", running.address)
        assert code == 0
        for words in (
            "66,66 %",
            "đang đo, mô phỏng",
            f"dịch vụ đang chạy ở {running.address}",
            "Đến 31/12/2025: ≥ 80 %",
        ):
            assert words in said
        today = datetime.now(UTC)
        assert any(str(day) in said for day in (f"{today:%d/%m/%Y}", today.year))
        _, said, note = await command(province, "--listen", running.address, "--format", "json")
        told = json.loads(said)
        assert (told["read_from"], told["references"]["report"]["name_en"]) == ("service", "Report")
        assert running.address in note
        _, said, _ = await command(province, "--listen", running.address, "--format", "csv")
        rows = {one["indicator"]: one for one in csv.DictReader(io.StringIO(said.removeprefix("\ufeff")))}
        assert rows["villages-4g"]["how"] == "figure coverage villages technology=4G"
        assert "modelled=2" in rows["villages-4g"]["made_by"]
        assert rows["villages-4g"]["revisions"] == "2025-12-31: ge 0.8 2026-12-31 1/KH"
        journal = running.service.config.monitor.journal.path
        _, said, _ = await command(province, "--listen", running.address, "--journal", str(journal), "--lang", "en")
        assert f"Read from the journal {journal}." in " ".join(said.split())
    nobody = f"127.0.0.1:{free_port()}"
    _, said, _ = await command(province, "--listen", nobody)
    assert f"không có dịch vụ nào trả lời ở {nobody}" in said
    _, said, note = await command(province, "--listen", nobody, "--journal", "nowhere.sqlite", "--format", "json")
    assert json.loads(said)["read_from"] == "reports"
    assert "there is no journal at nowhere.sqlite" in note


async def test_what_is_no_hatang_is_not_believed(province: Path) -> None:
    async def strange(_: web.BaseRequest) -> web.StreamResponse:
        return web.json_response({"indicators": [{"indicator": 1}]})

    async def starting(_: web.BaseRequest) -> web.StreamResponse:
        return web.Response(text="not yet\n", status=503)

    for handler, words in ((strange, "no hatang"), (starting, "not yet")):
        async with application(handler) as port:
            code, said, note = await command(province, "--listen", f"127.0.0.1:{port}", "--lang", "en")
        assert code == 0
        assert words in note
        assert "Traceback" not in note
        assert "Only reported values" in said
