"""Each alert, played by promtool: silent before, fires at, resolves; no data, planned work, counters begun anew."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from dashboards.rules.compose import alerts
from tests.dashboards.rules.playing import CASES, case_test, needed, play


@pytest.mark.parametrize("alert", sorted({rule.alert for _, rule in alerts()}))
def test_alert(alert: str, real: Callable[[str], str], tmp_path: Path) -> None:
    """It fires when it must, and not otherwise."""
    rules = needed(alert)
    for case in CASES["cases"][alert]:
        said = play(real("promtool"), tmp_path, [case_test(alert, case)], case.get("step", "15s"), rules)
        assert not said, f"{case.get('what', '')}: {said}"


def test_every_alert_has_a_case_that_fires_and_one_moment_that_does_not() -> None:
    """And no case is of an alert that is no more."""
    assert set(CASES["cases"]) == {rule.alert for _, rule in alerts()}
    for alert, cases in CASES["cases"].items():
        counts = [count for case in cases for _, count, _ in case["at"]]
        assert any(counts)
        assert alert == "Watchdog" or 0 in counts
