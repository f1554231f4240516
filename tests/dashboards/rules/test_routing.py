"""Alertmanager's configuration and texts, by amtool: who is told, how alerts are grouped, what they read."""

from __future__ import annotations

import json
import subprocess
import unicodedata
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from dashboards.rules.__main__ import ALERTMANAGER
from dashboards.rules.receivers import Receivers, receivers
from dashboards.rules.routing import GROUPS, HOURS, INHIBITIONS, configuration

CONFIG = ALERTMANAGER / "alertmanager.yml"
TEMPLATES = ALERTMANAGER / "templates" / "hatang.tmpl"
ROUTES = yaml.safe_load((Path(__file__).parent / "routes.yaml").read_text())
MADE = yaml.safe_load(CONFIG.read_text())
LONG = "Trạm phát sóng tại Đặc khu Lý Sơn của nhà mạng không hoạt động; " * 60


def amtool(program: str, *words: str) -> str:
    """What it prints. Raises CalledProcessError."""
    done = subprocess.run([program, *words], capture_output=True, text=True, check=True, timeout=20)
    return done.stdout


def test_amtool_finds_no_fault(real: Callable[[str], str]) -> None:
    """Templates included."""
    assert "1 templates" in amtool(real("amtool"), "check-config", str(CONFIG))


@pytest.mark.parametrize(("labels", "told"), ROUTES, ids=[one[0] for one in ROUTES])
def test_who_is_told(labels: str, told: str, real: Callable[[str], str]) -> None:
    """By severity, area, centre, operator and commune."""
    words = ["config", "routes", "test", f"--config.file={CONFIG}", f"--verify.receivers={told}", *labels.split()]
    amtool(real("amtool"), *words)


def test_every_matcher_is_quoted_and_inhibitions_are_guarded() -> None:
    """Two labels that are missing count as equal; newer versions refuse bare values."""
    for rule in MADE["inhibit_rules"]:
        for side in (rule["source_matchers"], rule["target_matchers"]):
            assert {f'{label}!=""' for label in rule["equal"]} <= set(side)
            assert all(matcher.endswith('"') for matcher in side)
        assert rule["equal"]


def test_no_alert_silences_itself() -> None:
    """One of both sides would never be silenced, or only by chance."""
    for one in INHIBITIONS:
        assert one.source not in one.targets or one.severities is not None


def test_the_watchdog_repeats_a_little_sooner_than_its_group() -> None:
    """With equal times every second call is left out."""
    route = MADE["route"]["routes"][0]
    assert (route["group_interval"], route["repeat_interval"], route["group_wait"]) == ("1m", "50s", "0s")


def test_plan_and_information_wait_for_working_hours() -> None:
    """In the province's time zone; what is critical never waits."""
    routes = MADE["route"]["routes"]
    waiting = [route["matchers"] for route in routes if HOURS in route.get("active_time_intervals", [])]
    assert waiting == [['area="plan"'], ['severity="info"']]
    (interval,) = MADE["time_intervals"][0]["time_intervals"]
    assert interval["location"] == "Asia/Ho_Chi_Minh"


def test_warnings_wait_too_where_asked() -> None:
    """Also in each area: mute intervals are not inherited."""
    told = receivers(ALERTMANAGER / "receivers.yaml").model_copy(update={"warnings_at": "hours"})
    tickets = configuration(told, "x")["route"]["routes"][-1]
    assert all(route["active_time_intervals"] == [HOURS] for route in [tickets, *tickets["routes"]])


def test_every_area_has_its_groups() -> None:
    """One notification for each cause."""
    assert all(labels[0] == "alertname" for labels in GROUPS.values())


@pytest.mark.parametrize("missing", ["mail", "telegram"])
def test_a_way_that_is_not_described_is_refused(missing: str) -> None:
    """Nobody should wait for what cannot come."""
    told = yaml.safe_load((ALERTMANAGER / "receivers.yaml").read_text())
    del told[missing]
    with pytest.raises(ValueError, match=f"`{missing}` does not say how"):
        Receivers.model_validate(told)


def rendered(program: str, work: Path, template: str, firing: int, resolved: int = 0, text: str = LONG) -> str:
    """A text as amtool renders it."""

    def alert(number: int, status: str) -> dict[str, Any]:
        labels = {"alertname": "BtsDown", "severity": "warning", "site": f"s{number}"}
        texts = {
            "summary": "Trạm ngừng",
            "summary_en": "A station is down",
            "description": text,
            "description_en": text,
        }
        texts["runbook_url"] = "https://hatang.example/runbooks/BtsDown.md"
        moments = {"startsAt": "2026-11-23T17:30:00Z", "endsAt": "2026-11-23T18:00:00Z"}
        return {
            "status": status,
            "labels": labels,
            "annotations": texts,
            **moments,
            "generatorURL": "",
            "fingerprint": "1",
        }

    alerts = [alert(one, "firing") for one in range(firing)] + [alert(one, "resolved") for one in range(resolved)]
    common = {"severity": "warning", "alertname": "BtsDown"} if alerts else {}
    data = {
        "receiver": "a",
        "status": "firing" if firing else "resolved",
        "alerts": alerts,
        "groupLabels": common,
        "commonLabels": common,
        "commonAnnotations": alerts[0]["annotations"],
        "externalURL": "https://am.example",
    }
    (work / "data.json").write_text(json.dumps(data))
    words = [f"--template.glob={TEMPLATES}", f'--template.text={{{{ template "{template}" . }}}}']
    said = amtool(program, "template", "render", *words, f"--template.data={work / 'data.json'}")
    assert "<no value>" not in said
    assert unicodedata.is_normalized("NFC", said)
    return said


@pytest.mark.parametrize("template", ["hatang.text", "hatang.text.en"])
@pytest.mark.parametrize(
    ("firing", "resolved"), [(1, 0), (2, 0), (5, 5), (6, 0), (15, 1000), (1000, 0), (0, 1), (0, 5), (0, 1000)]
)
def test_texts_are_bounded(
    template: str, firing: int, resolved: int, real: Callable[[str], str], tmp_path: Path
) -> None:
    """Telegram takes 4,096 characters, and 15 alerts are what anybody reads."""
    said = rendered(real("amtool"), tmp_path, template, firing, resolved)
    assert len(said) < 4000
    assert said.count("\n•") == min(15, firing or resolved)
    if max(firing, resolved if not firing else 0) > 15:
        assert f"{max(firing, resolved)}" in said


def test_the_text_in_vietnamese(real: Callable[[str], str], tmp_path: Path) -> None:
    """Times are those of the province."""
    said = rendered(real("amtool"), tmp_path, "hatang.text", 1, text="Trạm A tại Lý Sơn ngừng.")
    assert said.strip() == (
        "[CẢNH BÁO] Trạm ngừng\n• Trạm A tại Lý Sơn ngừng. (từ 00:30 24/11)\n"
        "Cách xử lý: https://hatang.example/runbooks/BtsDown.md"
    )
    said = rendered(real("amtool"), tmp_path, "hatang.text", 0, 1, text="Trạm A tại Lý Sơn ngừng.")
    assert said.strip() == "[ĐÃ KHÔI PHỤC] Trạm ngừng\n• Trạm A tại Lý Sơn ngừng. (hết lúc 01:00 24/11)"


def test_the_text_in_english(real: Callable[[str], str], tmp_path: Path) -> None:
    """The same."""
    said = rendered(real("amtool"), tmp_path, "hatang.text.en", 2, text="Station A is down.")
    assert said.startswith("[WARNING] A station is down (2)\n• Station A is down. (since 00:30 24/11)")


def test_mails_escape_nothing_twice_and_hide_nothing(real: Callable[[str], str], tmp_path: Path) -> None:
    """A hostile device name stays text in plain mail; the HTML of it is escaped."""
    said = rendered(real("amtool"), tmp_path, "hatang.mail", 1, text="<script>x</script>")
    assert "https://am.example" in said
