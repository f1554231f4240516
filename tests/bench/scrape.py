"""What a scrape of 37,000 samples costs the loop, beside prometheus_client's way."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable
from pathlib import Path

from prometheus_client import CollectorRegistry, Gauge, generate_latest

from collector.model import Metric, Sample
from exporters.exposition import Exposition
from tests.bench.effort import Effort
from tests.bench.figures import Budget, Figure

TARGETS = 1850
# One family in four has a label of its own, of two values: 16 families make 20 samples a target.
FAMILIES = tuple(
    Metric(f"probe_bench_{number}_seconds", "A family as probes have it.", labels=("phase",) if number % 4 == 0 else ())
    for number in range(16)
)
SAMPLES = TARGETS * 20


async def measure(folder: Path, effort: Effort) -> list[Figure]:
    """Time on the loop of one exposition of all samples, and as a share of prometheus_client's."""
    exposition, registry = _exposition(), _registry()
    ours, theirs = [], []
    for number in range(1, 2 * effort.rounds + 1):
        effort.say(f"scrape of {SAMPLES:,} samples: round {number} of {2 * effort.rounds}")
        ours.append(_timed(exposition.render))
        theirs.append(_timed(lambda: generate_latest(registry)))
    same = _values(exposition.render()) == _values(generate_latest(registry))
    note = "" if same else "the two expositions differ"
    shares = [own / other for own, other in zip(ours, theirs, strict=True)]
    return [
        Figure("scrape of 37,000 samples", "ms", ours, Budget(15.0), theirs, "generate_latest", note, same),
        Figure("scrape against generate_latest", "x", shares, Budget(1 / 20), note=note, sound=same),
    ]


def _timed(render: Callable[[], bytes]) -> float:
    """Milliseconds of CPU of this thread: on the loop nothing else would run meanwhile."""
    gc.collect()
    begun = time.thread_time()
    render()
    return 1000 * (time.thread_time() - begun)


def _exposition() -> Exposition:
    exposition = Exposition()
    for target in range(TARGETS):
        exposition.put(f"values t{target}", (("target", f"t{target}"), ("system", "bench")), _samples(target))
    return exposition


def _samples(target: int) -> list[Sample]:
    return [
        Sample(metric, labels, (target + position) / 7)
        for position, metric in enumerate(FAMILIES)
        for labels in ((("connect",), ("resolve",)) if metric.labels else ((),))
    ]


def _registry() -> CollectorRegistry:
    registry = CollectorRegistry()
    gauges = {
        metric.name: Gauge(metric.name, metric.help, ("target", "system", *metric.labels), registry=registry)
        for metric in FAMILIES
    }
    for target in range(TARGETS):
        for metric, labels, value in _samples(target):
            gauges[metric.name].labels(f"t{target}", "bench", *labels).set(value)
    return registry


def _values(exposition: bytes) -> dict[tuple[str, frozenset[bytes]], float]:
    lines = (line for line in exposition.splitlines() if not line.startswith(b"#"))
    found = {}
    for line in lines:
        series, _, value = line.rpartition(b" ")
        name, _, labels = series.partition(b"{")
        found[name.decode(), frozenset(labels.rstrip(b"}").split(b","))] = float(value)
    return found
