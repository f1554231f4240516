"""What is shipped, some times as fast: only waits change."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from collector.demo.alarms.faster import faster_routes, faster_rules, shorter

DEPLOY = Path(__file__).parents[4] / "deploy"
RULES = sorted((DEPLOY / "prometheus" / "rules").glob("*.yaml"))
WAITS = {"for", "keep_firing_for", "interval"}


@pytest.mark.parametrize(
    ("duration", "pace", "least", "made"),
    [("1m", 60, 0.0, "1000ms"), ("50s", 60, 0.0, "833ms"), ("15s", 60, 5.0, "5000ms"), ("0s", 60, 0.0, "0ms")],
)
def test_a_duration_is_so_many_times_as_short_but_not_below_the_least(
    duration: str, pace: int, least: float, made: str
) -> None:
    assert shorter(duration, pace, least) == made


@pytest.mark.parametrize("path", RULES, ids=lambda path: path.stem)
def test_nothing_but_the_waits_of_rules_changes(path: Path) -> None:
    before = yaml.safe_load(path.read_text())
    made = faster_rules(before, 60, 5.0)
    assert _without_waits(made) == _without_waits(before)
    assert made != before == yaml.safe_load(path.read_text())
    assert {group["interval"] for group in made["groups"]} == {"5000ms"}


def test_every_route_waits_shorter() -> None:
    route = yaml.safe_load((DEPLOY / "alertmanager" / "alertmanager.yml").read_text())["route"]
    made = faster_routes(route, 60)
    assert (made["group_wait"], made["group_interval"], made["repeat_interval"]) == ("500ms", "5000ms", "720000ms")
    watchdog = made["routes"][0]
    assert (watchdog["group_wait"], watchdog["group_interval"], watchdog["repeat_interval"]) == (
        "0ms",
        "1000ms",
        "833ms",
    )
    assert [one["receiver"] for one in made["routes"]] == [one["receiver"] for one in route["routes"]]


def _without_waits(node: Any) -> Any:
    if isinstance(node, dict):
        return {name: _without_waits(value) for name, value in node.items() if name not in WAITS}
    return [_without_waits(one) for one in node] if isinstance(node, list) else node
