"""`hatang plan` as a user types it."""

from __future__ import annotations

import csv
import io
import json
import time
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from collector.__main__ import app
from collector.journal.schema import connect
from collector.plan import day_of
from tests.collector.journal.ledgers import put
from tests.configuring import write
from tests.system.process import free_port

PLAN = """\
references:
  - {id: seed, name_vi: "Báo cáo 57", name_en: "Report 57"}
indicators:
  - id: reached
    name_vi: "Đã xong"
    name_en: "Done"
    unit: ratio
    manual: true
    observed: [{date: 2025-03-20, value: 100%, source: seed}]
    targets: [{value: 100%, due: 2025-12-31, act: 1/KH, basis: plan}]
  - id: clusters
    name_vi: "Cụm công nghiệp"
    name_en: "Clusters"
    unit: ratio
    figure: {view: coverage, name: zones, technology: 5G, category: industrial-cluster}
    observed: [{date: 2025-03-20, value: 2/15, source: seed}]
    targets: [{value: 100%, due: 2025-12-31, act: 1/KH, basis: plan}]
  - id: parks
    name_vi: "Khu công nghiệp"
    name_en: "Parks"
    unit: ratio
    manual: true
    observed: [{date: 2025-03-20, value: 4/5, source: seed}]
    targets: [{value: 100%, due: 2025-12-31, act: 1/KH, basis: plan}, {value: 50%, confirmed: false}]
  - id: people
    name_vi: "Dân số"
    name_en: "People"
    unit: ratio
    manual: true
    targets: [{value: 99%, due: 2099-12-31}]
  - id: masts
    name_vi: "Cột"
    name_en: "Masts"
    unit: count
    manual: true
    observed: [{date: 2025-03-20, value: 1780, comparator: gt, source: seed}]
  - id: old
    name_vi: "Cũ"
    name_en: "Old"
    unit: count
    manual: true
    valid_to: 2025-06-30
    observed: [{date: 2025-03-20, value: 8, source: seed}]
reported:
  - {entry: plan, metric: whole, reason: "Not defined"}
"""


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A configuration with a plan; there is no journal yet."""
    return write(
        tmp_path / "config",
        monitor=f"journal: {{path: {tmp_path}/journal.sqlite}}\nweb: {{listen: 127.0.0.1:{free_port()}}}\n",
        plan=PLAN,
    )


def give(place: Path, *words: str) -> Result:
    return CliRunner().invoke(app, ["plan", *words, "--config", str(place)], env={"COLUMNS": "250"})


def found(place: Path) -> list[dict[str, Any]]:
    result = give(place, "--format", "json")
    assert result.exit_code == 0, result.output
    indicators: list[dict[str, Any]] = json.loads(result.stdout)["indicators"]
    return indicators


def test_what_is_worst_comes_first(place: Path) -> None:
    assert [(one["indicator"], one["due"], one["status"]) for one in found(place)] == [
        ("clusters", "2025-12-31", "missed"),
        ("parks", "2025-12-31", "missed"),
        ("people", "2099-12-31", "unknown"),
        ("reached", "2025-12-31", "met"),
        ("parks", "none", None),
        ("masts", None, None),
        ("old", None, None),
    ]


def test_the_table_in_vietnamese(place: Path) -> None:
    said = give(place).output
    for words in ("Không đạt, đã quá hạn", "13,33 %", "86,7 điểm", "≥ 1.780", "31/12/2025", "Kế hoạch: 1/KH"):
        assert words in said
    for words in ("Đề xuất, chưa chính thức", "≥ 50 % ?", "Báo cáo 57", "chưa có hạn", "Số liệu đã chốt"):
        assert words in said


def test_the_table_in_english(place: Path) -> None:
    said = give(place, "--lang", "en").output
    for words in ("missed", "13.33 %", "86.7 points", "≥ 1,780", "2025-12-31", "Report 57", "no date", "History"):
        assert words in said


def test_the_table_for_spreadsheets(place: Path) -> None:
    text = give(place, "--format", "csv").stdout
    assert text.startswith("\ufeff")
    rows = list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"))))
    assert (rows[0]["indicator"], rows[0]["gap_lower"], rows[0]["official"]) == ("clusters", str(1 - 2 / 15), "true")
    assert rows[2]["official"] == "false"


def test_programs_are_told_what_is_not_followed_and_why(place: Path) -> None:
    whole = json.loads(give(place, "--format", "json").stdout)
    assert whole["not_followed"] == [{"entry": "plan", "metric": "whole", "reason": "Not defined"}]
    assert whole["references"]["seed"]["name_en"] == "Report 57"
    assert "NaN" not in json.dumps(whole)
    assert "Infinity" not in json.dumps(whole)


def test_what_the_journal_measured_wins(place: Path) -> None:
    now = time.time()
    path = put(place.parent / "journal.sqlite", [], [(now - 60, now)], {})
    connection = connect(path)
    for bound, value in (("lower", 0.4), ("upper", 0.6)):
        row = day_of(now).isoformat(), "clusters", bound, value * 100, 100
        connection.execute("INSERT INTO daily VALUES (?, ?, ?, ?, ?)", row)
    connection.close()
    (clusters,) = (one for one in found(place) if one["indicator"] == "clusters")
    assert (clusters["origin"], clusters["status"]) == ("journal", "missed")
    assert (clusters["mean_lower"], clusters["mean_upper"]) == (0.4, 0.6)
    assert "only reported values" not in give(place).output
    said = give(place).output
    assert "40 – 60 %" in said
    assert "40 – 60 điểm" in said


def test_without_a_plan_the_table_is_empty(tmp_path: Path) -> None:
    empty = write(
        tmp_path / "config",
        monitor=f"journal: {{path: {tmp_path}/journal.sqlite}}\nweb: {{listen: 127.0.0.1:{free_port()}}}\n",
    )
    assert found(empty) == []
    assert give(empty).exit_code == 0
    assert give(empty, "--format", "csv").exit_code == 0
