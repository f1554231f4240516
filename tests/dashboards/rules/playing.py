"""Cases of alerts, as promtool plays them."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import yaml

from dashboards.rules.compose import OUTPUT

CASES = yaml.safe_load((Path(__file__).parent / "cases.yaml").read_text())
# Recordings come before what reads them, so that coarse steps lose nothing.
FILES = (
    "availability",
    "devices",
    "mobile",
    "burn",
    "alerts-systems",
    "alerts-mobile",
    "alerts-feeds-plan",
    "alerts-self",
)
_RECORDED = re.compile(r"[a-z_]+:[A-Za-z0-9_]+:[a-z0-9_]+")


def needed(*wanted_names: str) -> dict[str, Any]:
    """The rules that alerts or recordings rest on, and no others: those take promtool minutes."""
    files = [yaml.safe_load((OUTPUT / f"{name}.yaml").read_text()) for name in FILES]
    groups = [group for content in files for group in content["groups"]]
    rules = [rule for group in groups for rule in group["rules"]]
    wanted, missing = set(wanted_names), set(wanted_names)
    while missing:
        texts = [rule["expr"] for rule in rules if missing & {rule.get("record"), rule.get("alert")}]
        missing = {name for text in texts for name in _RECORDED.findall(text)} - wanted
        wanted |= missing
    kept = [
        {**group, "rules": [rule for rule in group["rules"] if wanted & {rule.get("record"), rule.get("alert")}]}
        for group in groups
    ]
    return {"groups": [group for group in kept if group["rules"]]}


def recorded_names(expression: str) -> list[str]:
    """Recorded series that an expression reads."""
    return _RECORDED.findall(expression)


def series(lines: list[str]) -> list[dict[str, str]]:
    """`name{labels}: values` as promtool has it."""
    return [dict(zip(("series", "values"), line.rsplit(": ", 1), strict=True)) for line in lines]


def case_test(alert: str, case: dict[str, Any]) -> dict[str, Any]:
    """One case as a test group: what fires is counted."""
    lines = [*([] if case.get("alone") else CASES["common"]), *case["series"]]
    checks = []
    for moment, count, labels in case["at"]:
        matchers = ",".join(filter(None, [f'alertname="{alert}"', 'alertstate="firing"', labels]))
        expr = f"count(ALERTS{{{matchers}}}) or vector(0)"
        checks.append({"expr": expr, "eval_time": moment, "exp_samples": [{"labels": "{}", "value": count}]})
    return {"interval": case.get("step", "15s"), "input_series": series(lines), "promql_expr_test": checks}


def play(promtool: str, work: Path, groups: list[dict[str, Any]], every: str, rules: dict[str, Any]) -> str:
    """What promtool says of tests; '' when all is as expected."""
    (work / "rules.yaml").write_text(json.dumps(rules))
    document = {
        "rule_files": ["rules.yaml"],
        "evaluation_interval": every,
        "group_eval_order": [group["name"] for group in rules["groups"]],
        "tests": groups,
    }
    path = work / "test.yaml"
    path.write_text(json.dumps(document))
    words = [promtool, "test", "rules", str(path)]
    done = subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)
    return "" if done.returncode == 0 else done.stdout + done.stderr
