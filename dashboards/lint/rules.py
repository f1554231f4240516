"""Rules for what Prometheus evaluates by itself, time and again."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from dashboards.durations import RAW_LIMIT
from dashboards.lint.promql import Use, uses

# Raw series of systems, never of targets: as many as the inventory has systems and technologies, whatever is polled.
# Their counters are what recorded series of days are made of.
FEW: Final = frozenset({"hatang_system_state_seconds_total", "hatang_village_outage_seconds_total"})
DAY: Final = 86400


def faults(files: Mapping[str, Iterable[Mapping[str, Any]]]) -> list[str]:
    """What is wrong with rules, by file."""
    return [
        f"{file}: {rule.get('record') or rule['alert']}: {fault}"
        for file, rules in sorted(files.items())
        for rule in rules
        for fault in _faults(rule["expr"])
    ]


def _faults(expr: str) -> Iterator[str]:
    try:
        found = uses(expr)
    except ValueError as error:
        yield f"is no PromQL: {error}"
        return
    for use in found:
        yield from (f"{use.name}: {fault}" for fault in _far(use))


def _far(use: Use) -> Iterator[str]:
    """A window of days is read sample by sample, a reading of then is one."""
    if ":" in use.name or use.name == "ALERTS":
        return
    if use.name not in FEW and use.back > RAW_LIMIT:
        yield f"looks {use.back / 3600:g} h back, and is not recorded"
    if use.name in FEW and use.window > DAY:
        yield f"reads {use.window / 3600:g} h sample by sample, and is not recorded"
