"""Series names and labels of a kind, pinned in `tests/golden/<kind>.txt`; HATANG_GOLDEN=1 writes the file anew."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from collector.model import Kind, Metric, Result
from collector.runner import RUNNER_METRICS

GOLDEN = Path(__file__).parent / "golden"


def check_pinned(kind: Kind[Any, Any], *results: Result) -> None:
    """Every declared family was emitted in `results`, nothing else was, and the file says the same."""
    seen = {sample.metric.name for result in results for sample in result.samples}
    assert seen == {metric.name for metric in (*kind.metrics, *RUNNER_METRICS)}
    path, text = GOLDEN / f"{kind.name}.txt", _text(kind.metrics)
    if os.environ.get("HATANG_GOLDEN"):
        path.write_text(text)
    assert path.read_text() == text


def _text(metrics: Iterable[Metric]) -> str:
    lines = {f"{metric.name}{{{','.join(metric.labels)}}}" if metric.labels else metric.name for metric in metrics}
    return "".join(f"{line}\n" for line in sorted(lines))
