"""What is generated: current, sound for promtool, complete in both languages, and with a runbook for each alert."""

from __future__ import annotations

import re
import subprocess
import unicodedata
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from dashboards.known import known
from dashboards.lint import rules as lint
from dashboards.lint.promql import uses
from dashboards.queries import CATALOGUE
from dashboards.rules.__main__ import main, outdated
from dashboards.rules.compose import OUTPUT, ROOT, alerts, feasible
from dashboards.rules.definition import LONGEST, Group, Pair, RuleError, choices, seconds, spelled
from dashboards.rules.routing import INHIBITIONS
from dashboards.words import Language

RUNBOOKS = ROOT / "deploy" / "runbooks"
SECTIONS = ["Ý nghĩa", "Ảnh hưởng", "Chẩn đoán", "Xử lý", "Meaning", "Impact", "Diagnosis", "Mitigation"]
# Functions with an underscore in their names, to tell them from metrics.
FUNCTIONS = {"clamp_max", "label_replace", "predict_linear", "sort_desc"} | {
    f"{name}_over_time" for name in ("avg", "max", "min", "sum", "count", "last", "quantile")
}
NAMES = {rule.alert for _, rule in alerts()}


def groups() -> Iterator[dict[str, Any]]:
    """All generated groups."""
    for path in sorted(OUTPUT.glob("*.yaml")):
        yield from yaml.safe_load(path.read_text())["groups"]


RULES = [rule for group in groups() for rule in group["rules"]]


def test_the_committed_files_are_current(capsys: pytest.CaptureFixture[str]) -> None:
    """Nobody edits them, nobody forgets to build them."""
    assert outdated() == []
    assert main(["check"]) == 0


def test_promtool_finds_no_fault_in_the_rules(real: Callable[[str], str]) -> None:
    """Lint included."""
    files = map(str, sorted(OUTPUT.glob("*.yaml")))
    subprocess.run([real("promtool"), "check", "rules", "--lint=all", "--lint-fatal", *files], check=True, timeout=20)


def test_promtool_finds_no_fault_in_the_configuration(real: Callable[[str], str]) -> None:
    """As it is shipped."""
    path = ROOT / "deploy" / "prometheus" / "prometheus.yml"
    subprocess.run([real("promtool"), "check", "config", str(path)], check=True, timeout=20)


def test_every_metric_is_one_that_there_is() -> None:
    """An unknown name would be silent for ever; those of Prometheus and Alertmanager are theirs."""
    theirs = re.compile(r"(prometheus|alertmanager)_")
    for rule in RULES:
        bare = re.sub(r'"[^"]*"|\b(by|on|without|group_left|ignoring) *\([^)]*\)', "", rule["expr"])
        bare = re.sub(r"\{[^}]*\}|\[[^\]]*\]|\boffset \w+", "", bare)
        names = {name for name in re.findall(r"[a-zA-Z_:][\w:]*(?!\w*\()", bare) if re.search(r"[A-Z_:]", name)}
        names -= FUNCTIONS | {"group_left", "by", "on"}
        unknown = {name for name in names if name not in known() and not theirs.match(name)}
        assert not unknown, (rule.get("alert") or rule["record"], unknown)


def test_every_group_is_evaluated_often_enough() -> None:
    """An instant query looks back five minutes."""
    assert all(seconds(group["interval"]) <= LONGEST for group in groups())
    with pytest.raises(ValueError, match="holes"):
        Group(name="a", interval="5m", rules=())


def test_every_alert_says_all_that_people_need() -> None:
    """In both languages; with severity, area, province and a runbook."""
    for rule in (rule for rule in RULES if "alert" in rule):
        assert rule["labels"].keys() >= {"severity", "area", "province"}
        assert rule["labels"]["severity"] in {"critical", "warning", "info", "none"}
        texts = rule["annotations"]
        assert texts.keys() == {"summary", "summary_en", "description", "description_en", "runbook_url"}
        assert texts["runbook_url"].endswith(f"/{rule['alert']}.md")
        assert "{{" not in texts["summary"] + texts["summary_en"]
        assert all(unicodedata.is_normalized("NFC", text) for text in texts.values())


def test_every_alert_has_a_runbook_and_every_runbook_an_alert() -> None:
    """Four sections, twice, none empty."""
    assert {path.stem for path in RUNBOOKS.glob("*.md")} == NAMES
    for path in RUNBOOKS.glob("*.md"):
        text = path.read_text()
        assert unicodedata.is_normalized("NFC", text)
        parts = re.split(r"^## (.+)$", text, flags=re.MULTILINE)
        assert parts[1::2] == SECTIONS, path
        assert all(part.strip() for part in parts[2::2])


def test_an_alert_that_pages_survives_a_restart_of_prometheus() -> None:
    """Pending alerts are restored only from ten minutes on; firing ones are believed for four."""
    states = {
        "DataCentreDown",
        "SystemDown",
        "ProvinceOutage",
        "OperatorDown",
        "OperatorCommuneDown",
        "TowerBatteryLow",
    }
    for rule in (rule for rule in RULES if rule.get("alert") in states):
        assert seconds(rule.get("for", "0s")) <= 180
        assert rule["keep_firing_for"] == "5m"


def test_single_systems_are_told_at_once() -> None:
    """They have been checked several times already."""
    assert all("for" not in rule for rule in RULES if rule.get("alert") == "SystemDown")


def test_no_rule_counts_raw_samples() -> None:
    """Prometheus 3 leaves out the sample at the left end: only a ratio of two counts means the same on both."""
    for rule in RULES:
        counted = re.findall(r"count_over_time", rule["expr"])
        assert len(counted) in {0, 2}
        if counted:
            assert re.search(r"count_over_time\([^)]*\) / scalar\(count_over_time", rule["expr"])


def test_recorded_names_have_level_metric_and_operation() -> None:
    """And no label of scraping."""
    for rule in (rule for rule in RULES if "record" in rule):
        assert re.fullmatch(r"[a-z_]+:[A-Za-z][A-Za-z0-9_]*:[a-z0-9_]+", rule["record"])


def test_long_windows_read_recorded_series_only() -> None:
    """Raw series of thousands of targets over days cost seconds; the seconds of systems over a day are affordable."""
    assert lint.faults({"all": RULES}) == []


@pytest.mark.parametrize(
    ("expr", "complaint"),
    [
        ("increase(hatang_runs_total[1d])", "hatang_runs_total: looks 24 h back"),
        ("avg_over_time((probe_success > 0)[2d:1h])", "probe_success: looks 48 h back"),
        ("last_over_time(hatang_runs_total[1h] offset 3d)", "hatang_runs_total: looks 73 h back"),
        ("sum(a:b:c) / max_over_time(probe_success[6h1s])", "probe_success: looks 6.00028 h back"),
        ("increase(hatang_system_state_seconds_total[30d])", "reads 720 h sample by sample"),
        ("max_over_time((hatang_system_state_seconds_total)[30d:1m])", "reads 720 h sample by sample"),
        ("increase(hatang_runs_total[1d]", "is no PromQL"),
    ],
)
def test_a_rule_that_reads_raw_series_for_long_is_refused(expr: str, complaint: str) -> None:
    """Windows, subqueries and offsets, wherever in the expression."""
    (found,) = lint.faults({"a.yaml": [{"record": "x:y:z", "expr": expr}]})
    assert found.startswith("a.yaml: x:y:z: ")
    assert complaint in found


@pytest.mark.parametrize(
    "expr",
    [
        "increase(feed:hatang_runs:total[3d])",
        "max_over_time(probe_success[6h])",
        "last_over_time(hatang_system_state_seconds_total[1h] offset 30d)",
        "count(ALERTS offset 1d)",
    ],
)
def test_a_rule_that_reads_little_is_not(expr: str) -> None:
    """Recorded series, six hours, single readings of the counters of systems."""
    assert lint.faults({"a.yaml": [{"record": "x:y:z", "expr": expr}]}) == []


def test_what_grows_with_targets_is_recorded_only_for_a_reader() -> None:
    """A series for each of thousands of targets, that no rule and no page reads, is storage for nobody."""
    read = {use.name for rule in RULES for use in uses(rule["expr"])}
    read |= {use.name for query in CATALOGUE.values() for use in uses(query.expression(Language.VI))}
    recorded = {rule["record"] for rule in RULES if "record" in rule}
    assert {name for name in recorded if name.startswith(("target:", "feed:", "interface:", "storage:"))} <= read


def test_burn_rates_are_of_groups_and_can_come_true() -> None:
    """A factor times what the objective allows must be below 1."""
    burning = {rule.alert for _, rule in alerts() if rule.burn}
    assert burning == {"CentreBudgetBurn", "OperatorBudgetBurn", "FeedBudgetBurn"}
    pair = Pair(long="1h", short="5m", factor=14.4, severity="critical")
    feasible([pair], {"good": 0.95})
    with pytest.raises(RuleError, match=r"objective low of 0\.9"):
        feasible([pair], {"low": 0.9})


def test_placeholders_that_nobody_explains_are_refused() -> None:
    """A typing error must not reach Prometheus."""
    assert spelled("@{a}", {"a": "@{b}", "b": "c"}) == "c"
    with pytest.raises(RuleError, match=r"@\{x\}"):
        spelled("@{x}", {})
    assert list(choices({"window": ("1h",)})) == [{"window": "1h", "seconds_window": "3600"}]


def test_inhibitions_name_alerts_that_there_are() -> None:
    """Renamed alerts must not get loud."""
    assert {one.source for one in INHIBITIONS} <= NAMES
    assert {name for one in INHIBITIONS for name in one.targets} <= NAMES


def test_the_source_of_an_inhibition_is_not_later_than_what_it_silences() -> None:
    """Or people would be told of the effect first."""
    waits = {rule["alert"]: seconds(rule.get("for", "0s")) for rule in RULES if "alert" in rule}
    groups_wait = 30
    for one in INHIBITIONS:
        if one.severities is None and one.source not in {
            "VillageCoverageLost",
            "FeedStale",
            "ExporterDown",
            "ObserverImpaired",
        }:
            assert all(waits[one.source] <= waits[name] + groups_wait + 30 for name in one.targets), one


def test_usage(capsys: pytest.CaptureFixture[str]) -> None:
    """Words that mean nothing."""
    with pytest.raises(SystemExit):
        main(["paint"])


def test_an_installation_gets_its_secrets_and_nobody_else_does(tmp_path: Path) -> None:
    """The token comes from its file; owner and group may read the result."""
    (tmp_path / "token").write_text("1:secret\n")
    told = (ROOT / "deploy" / "alertmanager" / "receivers.yaml").read_text()
    (tmp_path / "receivers.yaml").write_text(
        told.replace("/etc/hatang/secrets/telegram-token", str(tmp_path / "token"))
    )
    out = tmp_path / "alertmanager.yml"
    assert main(["alertmanager", "--receivers", str(tmp_path / "receivers.yaml"), "--out", str(out)]) == 0
    assert "1:secret" in out.read_text()
    assert out.stat().st_mode & 0o777 == 0o640
    assert (tmp_path / "templates" / "hatang.tmpl").is_file()


def test_a_receiver_that_nobody_knows_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Before it reaches Alertmanager."""
    told = (ROOT / "deploy" / "alertmanager" / "receivers.yaml").read_text()
    (tmp_path / "r.yaml").write_text(told.replace("duty: truc-ban", "duty: nobody"))
    assert main(["alertmanager", "--receivers", str(tmp_path / "r.yaml"), "--out", str(tmp_path / "o")]) == 1
    assert "no receiver is called 'nobody'" in capsys.readouterr().err
