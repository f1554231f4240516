"""The metrics of the plan: names and labels as dashboards know them."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from collector.derive.plan import METRICS, samples
from collector.plan import NOTHING_KNOWN, Comparator, Demand, Plan, Recurring, Value, compute, day_of
from tests.collector.plan.planning import at, days, indicator, least

NOW = at("2026-11-23 12:00")


def said(plan: Plan, values: dict[str, Value], past: float | None = None) -> dict[str, float]:
    """Samples as text."""
    kept = {"one": days("2026-11-01", [past] * 22)} if past is not None else {}
    return {
        f"{one.metric.name}{{{','.join(map('='.join, zip(one.metric.labels, one.labels, strict=True)))}}}": one.value
        for one in samples(compute(plan, values, kept, NOW), day_of(NOW))
    }


def test_names_and_labels() -> None:
    assert {metric.name: metric.labels for metric in METRICS} == {
        "hatang_plan_info": ("indicator", "unit", "basis", "name_vi", "name_en"),
        "hatang_plan_actual": ("indicator", "bound"),
        "hatang_plan_target": ("indicator", "due"),
        "hatang_plan_due_timestamp_seconds": ("indicator", "due"),
        "hatang_plan_gap": ("indicator", "due", "bound"),
        "hatang_plan_required_pace_per_day": ("indicator", "due"),
        "hatang_plan_observed_pace_per_day": ("indicator",),
        "hatang_plan_projected_timestamp_seconds": ("indicator", "due"),
        "hatang_plan_status": ("indicator", "due", "status"),
    }


def test_what_is_not_yet_due() -> None:
    plan = Plan((indicator(least(1.0, "2026-12-31")),))
    found = said(plan, {"one": Value(0.5, 0.75)}, 0.5)
    assert found["hatang_plan_info{indicator=one,unit=ratio,basis=proposed,name_vi=Một,name_en=One}"] == 1
    assert found["hatang_plan_actual{indicator=one,bound=lower}"] == 0.5
    assert found["hatang_plan_actual{indicator=one,bound=upper}"] == 0.75
    assert found["hatang_plan_target{indicator=one,due=2026-12-31}"] == 1.0
    assert found["hatang_plan_due_timestamp_seconds{indicator=one,due=2026-12-31}"] == at("2027-01-01 00:00")
    assert found["hatang_plan_gap{indicator=one,due=2026-12-31,bound=lower}"] == 0.5
    assert found["hatang_plan_required_pace_per_day{indicator=one,due=2026-12-31}"] == 0.5 / 38.5
    assert found["hatang_plan_observed_pace_per_day{indicator=one}"] == 0.0
    states = {name: value for name, value in found.items() if name.startswith("hatang_plan_status")}
    assert len(states) == 5
    assert [name for name, value in states.items() if value] == [
        "hatang_plan_status{indicator=one,due=2026-12-31,status=behind}"
    ]
    assert not any("projected" in name for name in found)


def test_what_is_unknown_has_no_number() -> None:
    found = said(Plan((indicator(least(1.0, "2026-12-31")),)), {"one": NOTHING_KNOWN})
    assert found["hatang_plan_status{indicator=one,due=2026-12-31,status=unknown}"] == 1
    assert not any(name.startswith(("hatang_plan_actual", "hatang_plan_gap")) for name in found)


def test_due_is_a_date_a_period_or_none() -> None:
    demands = (
        least(0.9),
        replace(least(0.8), recurring=Recurring.MONTHLY),
        Demand(0.7, Comparator.LE, date(2026, 1, 1)),
    )
    found = said(Plan((indicator(*demands),)), {"one": Value.exactly(0.5)})
    targets = {name: value for name, value in found.items() if name.startswith("hatang_plan_target")}
    assert list(targets.values()) == [0.9, 0.8, 0.7]
    assert [name.split("due=")[1] for name in targets] == ["none}", "monthly}", "2026-01-01}"]
    # Without a due date: only a gap.
    assert not any(name.startswith("hatang_plan_status") and "due=none" in name for name in found)
    assert "hatang_plan_gap{indicator=one,due=none,bound=upper}" in found


def test_of_what_is_history_only_the_name_is_left() -> None:
    ended = replace(indicator(least(1.0, "2026-12-31")), valid_to=date(2025, 6, 30))
    assert [name.split("{")[0] for name in said(Plan((ended,)), {"one": Value.exactly(0.5)})] == ["hatang_plan_info"]
