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


def described(alert: str, lines: list[str], promtool: str, work: Path) -> dict[str, str]:
    """The annotations of the alert that fires over these series for a minute."""
    case = {"series": lines, "at": []}
    test = case_test(alert, case)
    del test["promql_expr_test"]
    test["alert_rule_test"] = [{"eval_time": "1m", "alertname": alert, "exp_alerts": []}]
    return dict(ONE.findall(play(promtool, work, [test], "15s", needed(alert)).split("got:", 1)[1]))


def depending(on: str, names: list[str], count: int) -> list[str]:
    """What the service says of systems that depend on one, the most important first."""
    info = 'category="app",centre="ttdl",owner="o",tier=""'
    lines = [f'hatang_system_dependents{{system="{on}"}}: {count}x10']
    for place, name in enumerate(names, 1):
        lines.append(f'hatang_system_dependent_rank{{system="{on}",dependent="{name}"}}: {place}x10')
        names_of = f'name_vi="Hệ {name}",name_en="The {name}"'
        lines.append(f'hatang_system_info{{system="{name}",{info},{names_of}}}: 1x10')
    return lines


@pytest.mark.parametrize(("alert", "down"), [("SystemDown", "portal"), ("DataCentreDown", "ttdl")])
def test_who_depends_on_what_is_down_is_counted_and_named(
    alert: str, down: str, real: Callable[[str], str], tmp_path: Path
) -> None:
    """In the order of their importance, and of many the first; one that nobody depends on says so."""
    states = [f'hatang_system_state{{system="{down}"}}: 0x10']
    names = list("zyxwvutsrq")
    found = described(alert, [*states, *depending(down, names, 25)], real("promtool"), tmp_path)
    listed = "; ".join(f"Hệ {name}" for name in names[:8])
    assert f"25 hệ thống phụ thuộc vào đây: {listed}; và 17 hệ thống khác." in found["description"]
    listed = "; ".join(f"The {name}" for name in names[:8])
    assert f"25 dependent system(s): {listed}; and 17 more." in found["description_en"]
    found = described(alert, [*states, *depending(down, ["z"], 1)], real("promtool"), tmp_path)
    assert "1 hệ thống phụ thuộc vào đây: Hệ z." in found["description"]
    found = described(alert, [*states, *depending(down, [], 0)], real("promtool"), tmp_path)
    assert "không có hệ thống nào khác phụ thuộc vào đây." in found["description"]
    assert "no other system depends on it." in found["description_en"]
    found = described(alert, states, real("promtool"), tmp_path)
    assert "what depends on it is not known." in found["description_en"]
