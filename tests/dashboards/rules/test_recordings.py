"""Recorded series against what is known: seconds, availability, observed share, means."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.dashboards.rules.playing import needed, play, recorded_names, series

DAY = 86400


def recorded(
    real: Callable[[str], str], work: Path, lines: list[str], checks: list[tuple[str, str, float]], step: str = "1m"
) -> None:
    """promtool finds `value` (to four digits) for each (expression, moment, value)."""
    expected = [
        {
            "expr": f"round(sum({expression}) * 10000) / 10000",
            "eval_time": moment,
            "exp_samples": [{"labels": "{}", "value": value}],
        }
        for expression, moment, value in checks
    ]
    test: dict[str, Any] = {"interval": step, "input_series": series(lines), "promql_expr_test": expected}
    rules = needed(*(name for expression, _, _ in checks for name in recorded_names(expression)))
    said = play(real("promtool"), work, [test], step, rules)
    assert not said, said


def seconds(state: str, values: str, system: str = "a") -> str:
    """The counter of one state."""
    return f'hatang_system_state_seconds_total{{system="{system}",state="{state}"}}: {values}'


def test_an_hour(real: Callable[[str], str], tmp_path: Path) -> None:
    """Half of it up, a quarter down, a quarter unreachable: users and owner see different shares."""
    lines = [
        seconds("up", "0+30x120"),
        seconds("down", "0+15x120"),
        seconds("unreachable", "0+15x120"),
        seconds("unknown", "0x120"),
        seconds("degraded", "0x120"),
        seconds("maintenance", "0x120"),
    ]
    recorded(
        *(real, tmp_path, lines),
        [
            ("system:hatang_availability:ratio_1h", "90m", 0.5),
            ("system:hatang_availability_owner:ratio_1h", "90m", 0.6667),
            ("system:hatang_observed:ratio_1h", "90m", 1),
            ('system:hatang_system_state_seconds:increase_1h{state="up"}', "90m", 1800),
        ],
    )


def test_time_that_nobody_saw_is_in_neither_term(real: Callable[[str], str], tmp_path: Path) -> None:
    """Twenty minutes unknown: all that was seen was up, and less was seen."""
    lines = [seconds("up", "0+60x40 2400+0x20 2400+60x60"), seconds("unknown", "0x40 0+60x20 1200x60")]
    checks = [("system:hatang_availability:ratio_1h", "1h", 1.0), ("system:hatang_observed:ratio_1h", "1h", 0.6667)]
    recorded(real, tmp_path, lines, checks)


def test_a_restart_that_keeps_counters_loses_nothing(real: Callable[[str], str], tmp_path: Path) -> None:
    """Prometheus was away for half an hour; the counter went on."""
    lines = [seconds("up", "0+60x20 _x30 3000+60x60"), seconds("down", "0x20 _x30 0x60")]
    recorded(real, tmp_path, lines, [("system:hatang_availability:ratio_1h", "80m", 1.0)])


def test_thirty_days_are_the_difference_of_two_readings(real: Callable[[str], str], tmp_path: Path) -> None:
    """A day lost of thirty; the day before them does not count."""
    up = "0x6 14400+14400x59 864000x5 878400+14400x150"
    down = "0+14400x6 86400x59 100800+14400x5 172800x150"
    recorded(
        *(real, tmp_path, [seconds("up", up), seconds("down", down)]),
        [
            ('system:hatang_system_state_seconds:increase_30d{state="down"}', "36d", DAY),
            ("system:hatang_availability:ratio_30d", "36d", 0.9667),
            ("system:hatang_observed:ratio_30d", "36d", 1),
        ],
        "4h",
    )


def test_a_young_system_is_judged_by_what_there_is(real: Callable[[str], str], tmp_path: Path) -> None:
    """Three days old, half of it down: the share of what was observed, and how little that is."""
    lines = [seconds("up", "0+120x1080"), seconds("down", "0+120x1080"), seconds("unknown", "0x1080")]
    recorded(
        *(real, tmp_path, lines),
        [("system:hatang_availability:ratio_30d", "3d", 0.5), ("system:hatang_observed:ratio_30d", "3d", 0.1)],
        "4m",
    )


def test_counters_that_begin_anew_are_summed_by_days(real: Callable[[str], str], tmp_path: Path) -> None:
    """The journal was lost on day 20: nothing negative, nothing counted twice."""
    lines = [seconds("up", "0+3600x480 0+3600x480"), seconds("down", "0x480 0x480")]
    recorded(real, tmp_path, lines, [("system:hatang_availability:ratio_30d", "39d", 1.0)], "1h")


def test_groups_sum_seconds_before_they_divide(real: Callable[[str], str], tmp_path: Path) -> None:
    """No average of averages; a system without a centre belongs to none."""
    lines = [
        seconds("up", "0+60x120"),
        seconds("up", "0+10x120", "b"),
        seconds("down", "0+10x120", "b"),
        seconds("down", "0+60x120", "c"),
        'hatang_system_info{system="a",centre="x"}: 1x120',
        'hatang_system_info{system="b",centre="x"}: 1x120',
        'hatang_system_info{system="c",centre=""}: 1x120',
    ]
    checks = [
        ("centre:hatang_availability:ratio_1h", "90m", 0.875),
        ("province:hatang_availability:ratio_1h", "90m", 0.5),
        ("centre:hatang_observed:ratio_1h", "90m", 0.6667),
    ]
    recorded(real, tmp_path, lines, checks)


def test_what_is_left_of_the_error_budget(real: Callable[[str], str], tmp_path: Path) -> None:
    """0.995 of 0.99 leaves half of it."""
    lines = [
        seconds("up", "0+238.8x200"),
        seconds("down", "0+1.2x200"),
        'hatang_system_objective_ratio{system="a"}: 0.99x200',
    ]
    recorded(real, tmp_path, lines, [("system:hatang_budget_remaining:ratio_30d", "10h", 0.5)], "4m")


def test_stations_of_an_operator(real: Callable[[str], str], tmp_path: Path) -> None:
    """Sleeping ones are well, planned ones do not count, unknown ones lower what was observed."""
    lines = [
        f'hatang_sites{{operator="o",state="{state}"}}: {count}x120'
        for state, count in (("active", 50), ("sleeping", 10), ("down", 20), ("planned", 100), ("unknown", 20))
    ]
    checks = [
        ("operator:hatang_sites_active:ratio", "90m", 0.75),
        ("operator:hatang_sites_active:ratio_1h", "90m", 0.75),
        ("operator:hatang_observed:ratio_1h", "90m", 0.8),
        ("operator:hatang_sites:sum", "90m", 100),
    ]
    recorded(real, tmp_path, lines, checks)


def test_stations_that_were_not_there_are_not_observed(real: Callable[[str], str], tmp_path: Path) -> None:
    """Half of the hour hatang was away: the mean is of the other half, and says so."""
    lines = ['hatang_sites{operator="o",state="active"}: 10x60 stale _x28 10x60', "up: 1x200"]
    checks = [
        ("operator:hatang_sites_active:ratio_1h", "90m", 1.0),
        ("operator:hatang_observed:ratio_1h > bool 0.5", "90m", 1),
        ("operator:hatang_observed:ratio_1h < bool 0.65", "90m", 1),
    ]
    recorded(real, tmp_path, lines, checks)


def test_coverage(real: Callable[[str], str], tmp_path: Path) -> None:
    """Shares of communes and zones, and means over time."""
    lines = [
        'hatang_villages{commune="1"}: 8x400',
        'hatang_villages_covered{commune="1",technology="4G",bound="lower"}: 6x400',
        'hatang_zones{category="park"}: 5x400',
        'hatang_zones_covered{category="park",technology="5G",bound="lower"}: 4x400',
        'hatang_coverage_ratio{technology="4G",bound="lower"}: 1x20 0.5x400',
        'hatang_villages_uncovered{technology="4G"}: 3 9 3x400',
    ]
    checks = [
        ("commune:hatang_villages_covered:ratio", "10h", 0.75),
        ("zone:hatang_zones_covered:ratio", "10h", 0.8),
        ("province:hatang_coverage:mean_1h", "10h", 0.5),
        ("province:hatang_villages_uncovered:max_1h", "30m", 9),
        ("commune:hatang_villages_covered:mean_1d", "10h", 0.75),
        ("zone:hatang_zones_covered:mean_30d", "10h", 0.8),
    ]
    recorded(real, tmp_path, lines, checks, "2m")


def test_storage_and_traffic(real: Callable[[str], str], tmp_path: Path) -> None:
    """Disks only, and by their names; bytes a second."""
    lines = [
        'hrStorageUsed{target="t",system="s",hrStorageIndex="1",hrStorageDescr="/",hrStorageType="fixedDisk"}: 30x60',
        'hrStorageSize{target="t",system="s",hrStorageIndex="1",hrStorageDescr="/",hrStorageType="fixedDisk"}: 40x60',
        'hrStorageUsed{target="t",system="s",hrStorageIndex="2",hrStorageDescr="RAM",hrStorageType="ram"}: 40x60',
        'hrStorageSize{target="t",system="s",hrStorageIndex="2",hrStorageDescr="RAM",hrStorageType="ram"}: 40x60',
        'ifHCInOctets{target="t",system="s",ifName="eth0",ifAlias=""}: 0+600x60',
    ]
    checks = [('storage:hatang_used:ratio{storage="/"}', "30m", 0.75), ("storage:hatang_used:ratio", "30m", 0.75)]
    recorded(real, tmp_path, lines, [*checks, ("interface:ifHCInOctets:rate5m", "30m", 10)])
