"""Every family that can be exposed, as promtool and the OpenMetrics parser see it."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable, Iterable
from pathlib import Path

from prometheus_client.openmetrics.parser import text_string_to_metric_families

from collector import registry
from collector.devices.plan import plan_of
from collector.model import Metric, Sample
from collector.observer import IMPAIRED
from collector.runner import RUNNER_METRICS
from collector.settings import load
from collector.standing import STANDING_METRICS
from collector.state import STATE_METRICS
from collector.traps import RECEIVER_METRICS, TARGET_METRICS
from collector.vitals import VITALS
from exporters.exposition import Exposition
from exporters.http import SERIES

ROOT = Path(__file__).parents[2]


def own_metrics() -> list[Metric]:
    """Families that are ours to name."""
    kinds = [metric for kind in registry.KINDS for metric in kind.metrics]
    return [
        *RUNNER_METRICS,
        *STATE_METRICS,
        *TARGET_METRICS,
        *STANDING_METRICS,
        *VITALS,
        IMPAIRED,
        *RECEIVER_METRICS,
        SERIES,
        *kinds,
    ]


def mib_metrics() -> list[Metric]:
    """Families that a MIB has named: they keep its spelling."""
    profiles = load([ROOT / "config"]).devices.values()
    return [metric for profile in profiles for metric in plan_of((profile,)).metrics]


def exposed(metrics: Iterable[Metric]) -> Exposition:
    exposition = Exposition()
    exposition.put("all", (("target", "t"),), [Sample(metric, ("x",) * len(metric.labels), 1) for metric in metrics])
    return exposition


def complaints(promtool: str, text: bytes) -> set[tuple[str, str]]:
    """What promtool says, as (family, words)."""
    done = subprocess.run([promtool, "check", "metrics"], input=text, capture_output=True, check=False)
    assert done.returncode in {0, 3}, done.stderr
    lines = done.stderr.decode().splitlines() + done.stdout.decode().splitlines()
    return {(line.partition(" ")[0], line.partition(" ")[2]) for line in lines if line}


def test_our_own_families_are_lint_clean(real: Callable[[str], str]) -> None:
    assert complaints(real("promtool"), exposed(own_metrics()).render()) == set()


def test_families_of_mibs_differ_only_in_their_spelling(real: Callable[[str], str]) -> None:
    found = complaints(real("promtool"), exposed(mib_metrics()).render())
    spelling = re.compile(r"(metric|label) names should be written in 'snake_case' not 'camelCase'")
    assert {words for _, words in found if not spelling.fullmatch(words)} == set()
    assert {name for name, _ in found} <= {metric.name for metric in mib_metrics()}


def test_everything_is_openmetrics() -> None:
    metrics = own_metrics() + mib_metrics()
    text = exposed(metrics).render(openmetrics=True).decode() + "# EOF\n"
    read = {sample.name for family in text_string_to_metric_families(text) for sample in family.samples}
    assert read == {metric.name for metric in metrics}
