"""The plan as people write it: dated lines, overlays, revisions."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from collector.plan import Comparator, Figure, Plan, Value
from collector.settings import SettingsError, load, masked
from tests.configuring import with_base, write

PLAN = """\
indicators:
  - id: cable
    name_vi: "Ngầm hóa cáp"
    name_en: "Cable put underground"
    unit: ratio
    manual: true
    observed:
      - {date: 2025-03-20, value: 20%, source: seed}
    targets:
      - value: 30%
        due: 2026-12-31
        act: "1/KH"
        basis: plan
        revisions:
          - {until: 2026-06-30, value: 0.25, due: 2026-06-30}
"""


def line(day: str, value: str) -> str:
    return f"observations:\n  - {{indicator: cable, date: {day}, value: {value}, source: Sở, note: theo km}}\n"


def values(plan: Plan) -> list[tuple[date, float]]:
    return [(one.day, one.value) for one in plan.indicators[0].observations]


@pytest.mark.parametrize(
    ("written", "value"),
    [("0.24", 0.24), ("24%", 0.24), ("24 %", 0.24), ("13,3%", 0.133), ("4/5", 0.8), ("2 / 15", 2 / 15), ("1", 1.0)],
)
def test_a_clerk_adds_a_line(tmp_path: Path, written: str, value: float) -> None:
    write(tmp_path, plan=PLAN, observations_d__so=line("2026-06-30", f'"{written}"' if "," in written else written))
    config = load([tmp_path])
    assert values(config.plan) == [(date(2025, 3, 20), 0.2), (date(2026, 6, 30), pytest.approx(value))]
    last = config.plan.indicators[0].observations[-1]
    assert (last.source, last.note, last.comparator) == ("Sở", "theo km", Comparator.EQ)
    assert not config.warnings


def test_lines_stand_in_any_order(tmp_path: Path) -> None:
    write(tmp_path, plan=PLAN, observations_d__a=line("2026-06-30", "0.3"), observations_d__b=line("2024-01-01", "0.1"))
    assert [value for _, value in values(load([tmp_path]).plan)] == [0.1, 0.2, 0.3]


def test_a_later_directory_extends_the_plan_and_puts_lines_right(tmp_path: Path) -> None:
    write(tmp_path / "a", plan=PLAN, observations_d__so=line("2026-06-30", "0.3"))
    more = (
        "indicators:\n  - {id: cable, name_en: Cables}\n  - {id: b, name_vi: b, name_en: b, unit: count, feed: any}\n"
    )
    write(tmp_path / "b", plan=more, observations_d__so=line("2026-06-30", "0.4"))
    plan = load([tmp_path / "a", tmp_path / "b"]).plan
    assert [(one.id, one.name_vi, one.name_en) for one in plan.indicators] == [
        ("cable", "Ngầm hóa cáp", "Cables"),
        ("b", "b", "b"),
    ]
    assert [value for _, value in values(plan)] == [0.2, 0.4]


def test_revisions_keep_what_was_demanded(tmp_path: Path) -> None:
    (goal,) = load([write(tmp_path, plan=PLAN)]).plan.indicators[0].goals
    assert [goal.on(date(2026, 6, day)).value for day in (29, 30)] == [0.25, 0.25]
    assert goal.on(date(2026, 7, 1)).value == 0.3


def test_a_line_of_the_future_is_a_warning(tmp_path: Path) -> None:
    (warning,) = load([write(tmp_path, plan=PLAN, observations_d__so=line("2099-06-30", "0.3"))]).warnings
    assert "lies in the future" in str(warning)
    assert warning.place == ("observations.d/so.yaml", 2, 30)


def test_a_plan_that_cannot_be_read_makes_no_indicator_unknown(tmp_path: Path) -> None:
    write(tmp_path, plan="indicators: [", observations_d__so=line("2026-06-30", "0.3"))
    with pytest.raises(SettingsError) as caught:
        load([tmp_path])
    assert [fault.file for fault in caught.value.faults] == ["plan.yaml"]


def test_sources_name_what_the_inventory_has(tmp_path: Path) -> None:
    figure = "figure: {view: systems, name: count, part_of: portal}"
    plan = f"indicators: [{{id: a, name_vi: a, name_en: a, unit: count, {figure}}}]"
    config = load([with_base(tmp_path, plan=plan)])
    assert config.plan.indicators[0].source == Figure("systems", "count", part_of="portal")
    assert config.plan.indicators[0].observations == ()


def test_without_a_plan_there_is_none(tmp_path: Path) -> None:
    assert load([with_base(tmp_path)]).plan == Plan()


def test_a_changed_line_is_a_changed_configuration(tmp_path: Path) -> None:
    before = load([write(tmp_path, plan=PLAN)])
    after = load([write(tmp_path, observations_d__so=line("2026-06-30", "0.3"))], before)
    assert before.hash != after.hash
    assert after.plan.indicators[0].observations[-1].bounds(after.plan.indicators[0].unit) == Value.exactly(0.3)


def test_the_plan_may_be_read_by_anybody(tmp_path: Path) -> None:
    shown = masked(load([write(tmp_path, plan=PLAN)]))
    assert "plan:\n- id: cable\n  name_vi: Ngầm hóa cáp\n" in shown
    assert "value: 0.3\n" in shown
