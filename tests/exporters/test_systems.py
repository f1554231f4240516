"""Why a system is as it is, and who is affected: over the API of a running service."""

from __future__ import annotations

import json
import threading
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from collector.derive.systems import dependents
from collector.model import Dependency, Outcome, Reason, Result
from collector.state import Record
from collector.streak import Streak
from exporters import answers
from tests.collector.reports.reporting import system
from tests.collector.test_scheduler import target
from tests.serving import Serving, listening, serving, until, write_config

PART = """\
systems:
  - {id: centre, name_vi: "Trung tâm", name_en: "Centre", category: data-centre, owner: office, objective: 99%}
  - {id: portal, hosting: centre}
  - {id: app, name_vi: "Ứng dụng", name_en: "App", category: app, owner: office, depends_on: [portal]}
  - {id: mail, name_vi: "Thư", name_en: "Mail", category: app, owner: office}
maintenance:
  - {id: night, reason: "Vá lỗi", starts: 2020-01-01 00:00, duration: 1d, rrule: FREQ=DAILY, systems: [mail]}
"""
QUICK = {"kind": "tcp", "host": "127.0.0.1", "interval": "1s", "timeout": "0.5s", "confirm": 1}


async def told(service: Serving, query: str = "") -> dict[str, dict[str, Any]]:
    _, text = await service.get(f"/api/v1/systems{query}")
    return {one["id"]: one for one in json.loads(text)["systems"]}


async def is_in(state: str, name: str, service: Serving) -> dict[str, dict[str, Any]] | None:
    found = await told(service)
    return found if found[name]["state"] == state else None


async def test_a_system_says_whose_fault_it_is_and_who_is_affected(tmp_path: Path) -> None:
    async with listening() as port:
        config = write_config(
            tmp_path / "config",
            {**QUICK, "id": "centre-gw", "system": "centre", "port": 1},
            {**QUICK, "id": "web", "port": 1},
            {**QUICK, "id": "app-web", "system": "app", "port": 1},
            {**QUICK, "id": "mail-in", "system": "mail", "port": port},
        )
        overlay = tmp_path / "overlay"
        (overlay / "targets.d").mkdir(parents=True)
        (overlay / "targets.d" / "more.yaml").write_text(PART)
        async with serving(config, overlay) as service:
            found = await until(partial(is_in, "unreachable", "app", service), within=15)
            mail = await until(partial(is_in, "maintenance", "mail", service), within=15)
            chosen = await told(service, "?state=unreachable&owner=office&category=app")
    assert [(one["id"], one["state"]) for one in found["centre"]["affects"]] == [
        ("portal", "unreachable"),
        ("app", "unreachable"),
    ]
    assert (found["centre"]["state"], found["centre"]["reason"]) == ("down", "centre-gw refused")
    assert (found["centre"]["objective_ratio"], found["centre"]["objective_basis"]) == (0.99, "proposed")
    assert [one["id"] for one in found["app"]["caused_by"]] == ["centre"]
    assert found["app"]["depends_on"][0]["systems"][0]["id"] == "portal"
    assert found["app"]["targets"][0]["verdict"] == "down"
    assert (mail["mail"]["reason"], mail["mail"]["source"]) == ("Vá lỗi", "maintenance")
    assert list(chosen) == ["app"]


async def test_what_nobody_has_seen_says_so(tmp_path: Path) -> None:
    slow = {"id": "web", "kind": "tcp", "host": "127.0.0.1", "port": 1, "interval": "1h", "timeout": "1s"}
    async with serving(write_config(tmp_path / "config", slow)) as service:
        (found,) = (await told(service)).values()
    assert found["state"] == "unknown"
    assert (found["reason"], found["source"]) in {("web no result", "self-check"), ("web local", "self-check")}
    assert found["affects"] == found["caused_by"] == found["observer_impaired"] == []


async def test_thousands_of_targets_are_written_off_the_loop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """For as long as they are on it, nothing is polled."""
    writers: set[threading.Thread] = set()
    write = answers.target

    def watched(record: Record) -> dict[str, Any]:
        writers.add(threading.current_thread())
        return write(record)

    monkeypatch.setattr(answers, "target", watched)
    async with serving(write_config(tmp_path / "config", {**QUICK, "id": "web", "port": 1})) as service:
        (found,) = (await told(service)).values()
        await service.get("/api/v1/targets")
    assert [one["id"] for one in found["targets"]] == ["web"]
    assert writers
    assert threading.current_thread() not in writers


def test_a_run_may_end_while_its_target_is_written(monkeypatch: pytest.MonkeyPatch) -> None:
    failed = Result("web", Outcome.FAIL, 1.7e9, 0.1, Reason.REFUSED, "no")
    record, write = Record(target("web"), Streak(0.0)), answers.result
    record.failures.extend((failed, failed))

    def meanwhile(last: Result) -> dict[str, Any]:
        record.failures.append(failed)
        return write(last)

    monkeypatch.setattr(answers, "result", meanwhile)
    assert len(answers.target(record)["failures"]) == 2


def test_dependents_come_nearest_first() -> None:
    systems = {
        one.id: one
        for one in (
            system("a"),
            system("b", depends_on=(Dependency(("a",)),)),
            system("c", depends_on=(Dependency(("b",)), Dependency(("a", "d"), any=True))),
            system("d"),
            system("e", depends_on=(Dependency(("c",)),)),
        )
    }
    assert dependents(systems) == {"a": ["b", "c", "e"], "b": ["c", "e"], "c": ["e"], "d": ["c", "e"]}
