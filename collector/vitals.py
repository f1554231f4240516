"""What the service says of itself."""

from __future__ import annotations

import platform
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from collector import __version__
from collector.model import Metric, MetricType, Sample, Target

BUILD_INFO = Metric("hatang_build_info", "Version of the service.", MetricType.INFO, ("version", "python"))
RELOAD_OK = Metric("hatang_config_last_reload_successful", "Whether the last load of the configuration succeeded.")
RELOAD_TIME = Metric(
    "hatang_config_last_reload_success_timestamp_seconds", "Unix time at which the configuration was last loaded."
)
CONFIG_WARNINGS = Metric("hatang_config_warnings", "Warnings of the configuration in force.")
TARGETS = Metric("hatang_targets", "Targets in force.", labels=("kind",))
LOOP_LAG = Metric("hatang_event_loop_lag_seconds", "Longest that the event loop was late since the last scrape.")
LOOP_STALLS = Metric(
    "hatang_event_loop_stalls_total", "Times the event loop stood still for over 250 ms.", MetricType.COUNTER
)
IN_FLIGHT = Metric("hatang_runs_in_flight", "Runs under way.")
WAITING = Metric("hatang_runs_waiting", "Runs that wait for a place.")
LATENESS = Metric("hatang_schedule_lateness_seconds", "Latest start of a slot since the last scrape.")
LATE_RUNS = Metric("hatang_runs_late_total", "Runs that started over a second late.", MetricType.COUNTER)
CLOCK_JUMPS = Metric("hatang_clock_jumps_total", "Jumps of the wall clock that were noticed.", MetricType.COUNTER)
VITALS = (
    BUILD_INFO,
    RELOAD_OK,
    RELOAD_TIME,
    CONFIG_WARNINGS,
    TARGETS,
    LOOP_LAG,
    LOOP_STALLS,
    IN_FLIGHT,
    WAITING,
    LATENESS,
    LATE_RUNS,
    CLOCK_JUMPS,
)


@dataclass(frozen=True, slots=True)
class LastReload:
    """How the last load of the configuration went; `loaded` is Unix seconds of the last good one."""

    ok: bool
    loaded: float
    message: str = ""


def build_info() -> Sample:
    """Version of the service and of Python."""
    return Sample(BUILD_INFO, (__version__, platform.python_version()), 1)


def target_counts(targets: Mapping[str, Target]) -> list[Sample]:
    """How many targets each kind has."""
    counts = Counter(target.kind for target in targets.values())
    return [Sample(TARGETS, (kind,), count) for kind, count in sorted(counts.items())]
