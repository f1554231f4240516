"""From a file that an operator drops to who has signal, over HTTP and at the command line."""

from __future__ import annotations

import asyncio
import json
import os
import threading
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from collector.__main__ import app
from collector.coverage import counting, links
from exporters import coverage
from tests.serving import Serving, serving, until, write_config

SHIPPED = Path(__file__).parents[2] / "config" / "inventory.d" / "technologies.yaml"
PLACES = """
synthetic: true
owners: [{id: so, name_vi: Sở, name_en: Department}]
systems:
  - {id: op-a, name_vi: Mạng A, name_en: A, category: mobile-operator, owner: so}
  - {id: op-b, name_vi: Mạng B, name_en: B, category: mobile-operator, owner: so}
communes:
  - {id: "21025", name: Phường Cẩm Thành, kind: xa, lat: 15.10, lon: 108.80}
operators:
  - {id: op-a, plmn: [452-04]}
  - {id: op-b, plmn: [452-02]}
villages:
  - {id: thon-1, name: Thôn Một, lat: 15.100, lon: 108.800, population: 900}
  - {id: thon-2, name: Thôn Hai, lat: 15.150, lon: 108.800, population: 100}
  - {id: thon-3, name: Thôn Ba, lat: 15.200, lon: 108.800}
zones:
  - {id: kcn, name_vi: KCN, name_en: Park, category: industrial-park, lat: 15.15, lon: 108.80}
"""
MAP = """
title: Trạm
dataset: cells
table: {delimiter: ","}
as_of: {by: modified}
fields: {operator: plmn, technology: tech, cell: {id: cell}, site: site, lat: lat, lon: lon, state: state}
states: {on: active, off: down}
"""
HEADER = "plmn,tech,cell,site,lat,lon,state\n"
ROWS = (
    "452-04,4G,a1,S1,15.101,108.800,on\n",
    "452-02,4G,b1,S1,15.101,108.800,on\n",
    "452-04,5G,a2,S2,15.150,108.801,on\n",
)


def drop(folder: Path, *rows: str, ago: float = 10) -> None:
    """Write the file, so that it looks as if it had been there for some time."""
    put(folder, HEADER + "".join(rows), ago)


def put(folder: Path, text: str, ago: float) -> None:
    path = folder / "cells.csv"
    path.write_text(text)
    moment = time.time() - ago
    os.utime(path, (moment, moment))


def configured(directory: Path, folder: Path, **more: str) -> Path:
    feed = {
        "id": "cells",
        "system": "op-a",
        "kind": "table",
        "map": "cells",
        "source": {"folder": str(folder), "settle": "100ms"},
        "period": "1h",
        "interval": "1s",
        "timeout": "0.9s",
        **more,
    }
    write_config(directory, feed, feeds={"refused": str(directory.parent / "refused")})
    for name, text in (("places", PLACES), ("technologies", SHIPPED.read_text())):
        (directory / "inventory.d").mkdir(exist_ok=True)
        (directory / "inventory.d" / f"{name}.yaml").write_text(text)
    (directory / "feeds.d").mkdir()
    (directory / "feeds.d" / "cells.yaml").write_text(MAP)
    return directory


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "incoming"
    made.mkdir()
    drop(made, *ROWS)
    return made


@pytest.fixture
async def running(tmp_path: Path, folder: Path) -> AsyncIterator[Serving]:
    async with serving(configured(tmp_path / "config", folder)) as service:
        yield service


async def counted(running: Serving) -> dict[str, Any]:
    status, text = await running.get("/api/v1/coverage")
    told: dict[str, Any] = json.loads(text) if status == 200 else {}
    return told if told.get("technologies") else {}


async def ratio(running: Serving, technology: str, bound: str) -> float | None:
    series = await running.series()
    return series.get(f'hatang_coverage_ratio{{technology="{technology}",bound="{bound}"}}')


async def test_a_dropped_file_says_who_has_signal(running: Serving) -> None:
    told = await until(lambda: counted(running), 12)
    assert (told["villages"], told["population"], told["synthetic"]) == (3, 1000, True)
    fourth, fifth = told["technologies"]["4G"], told["technologies"]["5G"]
    assert fourth["villages_covered"] == {"lower": 2, "upper": 2}
    assert fifth["villages_covered"] == {"lower": 1, "upper": 1}
    assert (fourth["uncovered"], fourth["single_site"], fourth["single_operator"]) == (1, 2, 1)
    assert fourth["population_ratio"] == {"lower": 1, "upper": 1}
    assert fifth["zones_covered"] == {"industrial-park": {"lower": 1, "upper": 1}}
    assert fourth["operators"]["op-b"]["lower"] == pytest.approx(1 / 3)
    (feed,) = told["feeds"]
    assert (feed["records"], feed["fresh"], feed["refused"]) == (3, True, {})
    assert await ratio(running, "4G", "lower") == pytest.approx(2 / 3)


async def test_villages_zones_and_sites_are_on_the_map(running: Serving) -> None:
    await until(lambda: counted(running), 12)
    found = {}
    for what in ("villages", "zones", "sites"):
        status, text = await running.get(f"/api/v1/{what}.geojson")
        assert status == 200
        found[what] = {one["id"]: one for one in json.loads(text)["features"]}
    first, last = found["villages"]["thon-1"], found["villages"]["thon-3"]
    assert first["geometry"] == {"type": "Point", "coordinates": [108.8, 15.1]}
    assert first["properties"]["signal"]["4G"]["operators"] == ["op-a", "op-b"]
    assert (first["properties"]["best"], last["properties"]["best"]) == ("4G", "none")
    assert found["zones"]["kcn"]["properties"]["covered"]["5G"] == {"lower": True, "upper": True}
    site = next(one for one in found["sites"].values() if len(one["properties"]["operators"]) == 2)
    assert site["properties"]["operators"] == {"op-a": "active", "op-b": "active"}
    assert site["properties"]["critical_villages"]["4G"] == 1


async def test_an_outage_moves_it_and_a_broken_file_does_not(running: Serving, folder: Path) -> None:
    await until(lambda: counted(running), 12)
    drop(folder, *ROWS[:2], ROWS[2].replace(",on", ",off"), ago=9)

    async def seen() -> bool:
        return await ratio(running, "4G", "lower") == pytest.approx(1 / 3)

    await until(seen)
    put(folder, "<!doctype html><html><body>Đăng nhập</body></html>\n", ago=8)

    async def refused() -> bool:
        series = await running.series()
        return series['hatang_feed_refused_total{target="cells",operator="",guard="shape"}'] >= 1

    await until(refused)
    assert await ratio(running, "4G", "lower") == pytest.approx(1 / 3)
    told = await counted(running)
    assert told["feeds"][0]["records"] == 3


async def test_who_would_lose_signal(running: Serving) -> None:
    told = await until(lambda: counted(running), 12)
    assert told["sites"]["op-a"]["all"]["active"] == 2
    status, text = await running.get("/api/v1/coverage/what-if?operator=op-a")
    found = json.loads(text)
    assert (status, found["cells"]) == (200, 2)
    assert [one["name"] for one in found["technologies"]["4G"]["villages"]] == ["Thôn Hai"]
    assert found["technologies"]["4G"]["population"] == 100
    assert [one["name_vi"] for one in found["technologies"]["5G"]["zones"]] == ["KCN"]
    status, text = await running.get("/api/v1/coverage/what-if?operator=op-c")
    assert status == 404
    assert text.startswith("unknown operator 'op-c'; did you mean 'op-")


async def test_a_fault_of_ours_is_no_question_that_has_no_answer(
    running: Serving, monkeypatch: pytest.MonkeyPatch
) -> None:
    await until(lambda: counted(running), 12)
    monkeypatch.setattr(coverage, "_supposed", lambda *_: {"people": float("nan")})
    status, _ = await running.get("/api/v1/coverage/what-if?operator=op-a")
    assert status == 500


@pytest.mark.slow
async def test_silence_becomes_unknown_never_up(tmp_path: Path, folder: Path) -> None:
    drop(folder, *ROWS, ago=1)
    async with serving(configured(tmp_path / "config", folder, period="3s")) as running:
        await until(lambda: counted(running), 12)
        assert await ratio(running, "4G", "lower") == pytest.approx(2 / 3)

        async def silent() -> bool:
            return await ratio(running, "4G", "lower") == 0

        await until(silent, 12)
        assert await ratio(running, "4G", "upper") == pytest.approx(2 / 3)
        series = await running.series()
        assert series['hatang_cells{operator="op-a",technology="4G",state="unknown"}'] == 1
        told = await counted(running)
        assert not told["feeds"][0]["fresh"]


async def test_without_its_feed_nothing_is_counted_any_more(running: Serving, tmp_path: Path) -> None:
    await until(lambda: counted(running), 12)
    write_config(tmp_path / "config", feeds={"refused": str(tmp_path / "refused")})
    await running.service.reload()

    async def gone() -> bool:
        series = await running.series()
        return not any(name.startswith(("hatang_coverage", "hatang_site", "hatang_cells")) for name in series)

    await until(gone)
    assert (await running.get("/api/v1/coverage"))[0] == 503


async def test_places_that_change_during_a_count_are_counted_next(
    running: Serving, tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Links that were made over the places of before are not taken for those of now."""
    await until(lambda: counted(running), 12)
    begun, let_go, build = threading.Event(), threading.Event(), links.build

    def held(*given: Any) -> links.Links:
        begun.set()
        let_go.wait(10)
        return build(*given)

    monkeypatch.setattr(links, "build", held)
    drop(folder, *ROWS, "452-04,4G,a3,S3,15.150,108.802,on\n", ago=9)
    try:
        assert await asyncio.to_thread(begun.wait, 10)
        village = "  - {id: thon-2, name: Thôn Hai, lat: 15.150, lon: 108.800, population: 100}\n"
        (tmp_path / "config" / "inventory.d" / "places.yaml").write_text(PLACES.replace(village, ""))
        await running.service.reload()
    finally:
        let_go.set()

    async def fewer() -> bool:
        told = await counted(running)
        return (told["villages"], told["technologies"]["4G"]["villages_covered"]["lower"]) == (2, 1)

    await until(fewer)


async def test_what_cannot_be_counted_is_not_what_it_was(
    running: Serving, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A fault of ours leaves no figure standing as if it were of now, and the plan goes on without."""
    await until(lambda: counted(running), 12)

    def faulty(*_: object) -> None:
        raise RuntimeError("a bug")

    before = running.service.views.planning.judged
    with monkeypatch.context() as patched:
        patched.setattr(counting, "count", faulty)
        drop(folder, *ROWS[:2], ago=9)

        async def gone() -> bool:
            return (await running.get("/api/v1/coverage"))[0] == 503

        await until(gone)
        assert await ratio(running, "4G", "lower") is None
        judged = await until(lambda: _other(running, before))
        assert judged.at > (before.at if before is not None else 0)
    drop(folder, *ROWS, ago=8)
    await until(lambda: counted(running))
    series = await running.series()
    assert any(name.startswith("hatang_site_info") for name in series)


async def _other(running: Serving, before: object) -> Any:
    judged = running.service.views.planning.judged
    return judged if judged is not before else None


async def test_before_the_first_feed_it_says_so(tmp_path: Path) -> None:
    async with serving(write_config(tmp_path / "config")) as service:
        status, text = await service.get("/api/v1/coverage")
    assert status == 503
    assert "inventory.d" in text


async def test_at_the_command_line(running: Serving, tmp_path: Path) -> None:
    await until(lambda: counted(running), 12)

    async def command(*words: str) -> tuple[int, str]:
        given = ["coverage", "--config", str(tmp_path / "config"), "--listen", running.address, *words]
        done = await asyncio.to_thread(CliRunner().invoke, app, given)
        return done.exit_code, done.output

    code, text = await command()
    assert code == 0
    for word in ("Mọi nhà mạng", "66.7 %", "Mạng B", "MÔ PHỎNG", "cells"):
        assert word in text
    code, text = await command("--format", "csv")
    assert "op-b,4G,0.3333333333333333,0.3333333333333333,3,true" in text.splitlines()
    code, text = await command("--what-if", "operator=op-a")
    assert "Thôn Hai" in text
    code, text = await command("--what-if", "operator=op-a", "--format", "csv")
    lines = text.removeprefix("\ufeff").splitlines()
    assert lines[0] == "technology,what,id,name,commune"
    assert {"4G,village,thon-2,Thôn Hai,21025", "5G,zone,kcn,KCN,"} <= set(lines)
    code, text = await command("--what-if", "thon-2")
    assert code == 2
    assert "site=ID" in text
