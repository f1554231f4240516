"""What each alert says when it fires, as Prometheus' templates write it: nothing missing, no error, both languages."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from dashboards.rules.compose import alerts
from tests.dashboards.rules.playing import CASES, case_test, needed, play
from tests.dashboards.rules.stage import BROKEN

ONE = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')


@pytest.mark.parametrize("alert", sorted({rule.alert for _, rule in alerts()}))
def test_texts(alert: str, real: Callable[[str], str], tmp_path: Path) -> None:
    """promtool shows what it got where it expected nothing."""
    case, moment = next((case, moment) for case in CASES["cases"][alert] for moment, count, _ in case["at"] if count)
    test = case_test(alert, case)
    del test["promql_expr_test"]
    test["alert_rule_test"] = [{"eval_time": moment, "alertname": alert, "exp_alerts": []}]
    got = play(real("promtool"), tmp_path, [test], case.get("step", "15s"), needed(alert)).split("got:", 1)[1]
    texts = dict(ONE.findall(got))
    assert texts.keys() >= {"summary", "summary_en", "description", "description_en", "runbook_url"}
    assert not BROKEN.search(got), got
    assert "@{" not in got
    assert "{{" not in got
    for name in ("description", "description_en"):
        assert 30 < len(texts[name]) < 700, texts[name]
