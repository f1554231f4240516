"""Settings of the `sql` kind: what is accepted, and what is refused in which words."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from collector.model import Metric, MetricType
from collector.probes.sql import SqlSpec
from collector.settings import SettingsError, load
from tests.configuring import with_base

BASE: dict[str, Any] = {"dialect": "postgresql", "host": "db.example", "user": "hatang"}
GAUGE = {"column": "n", "name": "db_n", "help": "Rows."}


def spec(*queries: dict[str, Any], **settings: Any) -> SqlSpec:
    return SqlSpec.model_validate(BASE | {"queries": queries} | settings)


def refusal(*queries: dict[str, Any], **settings: Any) -> str:
    with pytest.raises(ValidationError) as caught:
        spec(*queries, **settings)
    return str(caught.value)


def test_metrics_of_the_queries_are_declared() -> None:
    counter = {"column": "m", "name": "db_m_total", "help": "All.", "type": "counter"}
    declared = spec(
        {"sql": "SELECT 1", "labels": ["state"], "metrics": [GAUGE, counter]},
        {"sql": "SELECT 2", "labels": ["state"], "metrics": [GAUGE]},
    ).declared()
    assert declared == (
        Metric("db_n", "Rows.", MetricType.GAUGE, ("state",)),
        Metric("db_m_total", "All.", MetricType.COUNTER, ("state",)),
    )


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ({"metrics": [GAUGE | {"name": "hatang_n"}]}, "the name 'hatang_n' is taken"),
        ({"metrics": [GAUGE | {"name": "probe_success"}]}, "the name 'probe_success' is taken"),
        ({"metrics": [GAUGE | {"name": "process_open_fds"}]}, "the name 'process_open_fds' is taken"),
        ({"metrics": [GAUGE | {"name": "up"}]}, "the name 'up' is taken"),
        ({"metrics": [GAUGE | {"name": "db-n"}]}, "String should match pattern"),
        ({"metrics": [GAUGE | {"type": "counter"}]}, "db_n: the name of a counter ends in _total"),
        ({"metrics": [GAUGE | {"name": "db_total"}]}, "db_total: gauges do not end in"),
        ({"metrics": [GAUGE | {"scale": "inf"}]}, "finite number"),
        ({"metrics": [GAUGE, GAUGE]}, "the metric 'db_n' twice"),
        ({"labels": ["target"]}, "the label 'target' is reserved"),
        ({"labels": ["__name__"]}, "the label '__name__' is reserved"),
        ({"labels": ["a b"]}, "String should match pattern"),
        ({"labels": ["a", "a"]}, "the label 'a' twice"),
        ({"labels": ["a", "b", "c", "d"]}, "at most 3 items"),
        ({"max_rows": 0}, "greater than or equal to 1"),
        ({"max_rows": 5001}, "less than or equal to 5000"),
        ({"expect": {}}, "an expectation needs"),
        ({"expect": {"at_most": 101}}, "at_most 101 is over max_rows 100"),
        ({"expect": {"at_least": 101}}, "at_least 101 is over max_rows 100"),
        ({"expect": {"condition": "[0"}}, "bad JMESPath"),
        ({"sql": ""}, "at least 1 character"),
    ],
)
def test_bad_queries(query: dict[str, Any], words: str) -> None:
    assert words in refusal({"sql": "SELECT 1"} | query)


def test_queries_that_contradict_each_other() -> None:
    one = {"sql": "SELECT 1", "metrics": [GAUGE]}
    assert "db_n twice" in refusal(one, one | {"labels": ["a"]})
    assert "db_n twice" in refusal(one, one | {"metrics": [GAUGE | {"help": "Else."}]})
    assert "two queries are called 'q'" in refusal(one | {"name": "q"}, one | {"name": "q"})
    assert "two queries are called '2'" in refusal(one | {"name": "2"}, one)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"dialect": "oracle"}, "'postgresql' or 'mariadb'"),
        ({"time_zone": "Asia/Quang_Ngai"}, "unknown time zone 'Asia/Quang_Ngai'"),
        ({"user": ""}, "at least 1 character"),
        ({"port": 0}, "greater than or equal to 1"),
        ({"host": "postgresql://db"}, "String should match pattern"),
        ({"max_size": "big"}, "expected a size"),
    ],
)
def test_bad_settings(settings: dict[str, Any], words: str) -> None:
    assert words in refusal(**settings)


def test_a_password_is_in_no_output() -> None:
    shown = spec(password="bi-mat-41c")
    assert "bi-mat-41c" not in f"{shown!r} {shown.model_dump_json()}"


@pytest.mark.parametrize(("dialect", "library"), [("postgresql", "asyncpg"), ("mariadb", "asyncmy")])
@pytest.mark.parametrize("which", ["the driver", "sqlalchemy"])
def test_without_the_libraries_check_says_what_to_install(
    tmp_path: Path, dialect: str, library: str, which: str
) -> None:
    missing = library if which == "the driver" else which
    target = f"""
targets:
  - {{id: db, system: portal, kind: sql, dialect: {dialect}, host: db.example, user: hatang}}
"""
    config = with_base(tmp_path, targets_d__db=target, monitor="defaults: {interval: 30s, timeout: 5s}\n")
    run = f"import sys; sys.modules[{missing!r}] = None; from collector.__main__ import main; main()"
    command = [sys.executable, "-c", run, "check", "--config", str(config)]
    said = subprocess.run(command, capture_output=True, text=True, check=False)
    assert said.returncode == 1
    output = " ".join((said.stdout + said.stderr).split())
    assert f"{dialect} needs {missing}, which is not installed: pip install 'hatang[sql]'" in output


def test_faults_name_their_place(tmp_path: Path) -> None:
    target = """
targets:
  - id: db
    system: portal
    kind: sql
    dialect: mariadb
    host: db.example
    user: hatang
    queries:
      - sql: SELECT 1 AS n
        metrics:
          - {column: n, name: hatang_n, help: Rows}
"""
    config = with_base(tmp_path, targets_d__db=target, monitor="defaults: {interval: 30s, timeout: 5s}\n")
    with pytest.raises(SettingsError) as caught:
        load([config])
    [fault] = caught.value.faults
    assert fault.line == 12
    assert "hatang_n" in fault.message
