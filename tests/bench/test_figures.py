"""The arithmetic of budgets: absolute or ratio, and what counts as held."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.bench.figures import Budget, Figure, verdict, write

EITHER = Budget(0.12, ratio=0.55)


@pytest.mark.parametrize(
    ("value", "ratio", "holds"),
    [
        (0.12, 2.0, True),
        (0.3, 0.55, True),
        (0.3, 0.56, False),
        (0.12, None, True),
        (0.13, None, False),
    ],
)
def test_either_bound_is_enough(value: float, ratio: float | None, holds: bool) -> None:
    assert EITHER.holds(value, ratio) is holds


def test_a_plain_bound_knows_no_ratio() -> None:
    assert not Budget(15.0).holds(16.0, 0.01)


def test_medians_and_the_median_of_paired_ratios() -> None:
    figure = Figure("tcp", "ms", (1.0, 4.0, 3.0), EITHER, peers=(2.0, 8.0, 30.0))
    assert figure.value == 3.0
    assert figure.peer == 8.0
    assert figure.ratio == 0.5
    assert figure.ok


def test_an_unsound_measurement_is_not_ok() -> None:
    assert not Figure("tcp", "ms", (0.01,), EITHER, sound=False).ok
    assert Figure("tcp", "ms", (0.01,), EITHER).ok


def test_what_was_not_measured_is_missed_only_where_it_must_be_there() -> None:
    figures = [Figure("tcp", "ms", (0.01,), EITHER), Figure("http", "ms", (), note="nginx is not installed")]
    assert verdict(figures, strict=False) == (
        True,
        "Every measured budget held: 1 budgets held; not measured: http",
    )
    assert not verdict(figures, strict=True)[0]


def test_what_was_missed_or_did_not_start_is_named() -> None:
    figures = [Figure("tcp", "ms", (9.0,), EITHER), Figure("http", "ms", (), sound=False)]
    assert verdict(figures, strict=False) == (False, "NOT every budget held: 0 budgets held; MISSED: tcp, http")


def test_the_file_holds_every_figure(tmp_path: Path) -> None:
    write([Figure("tcp", "ms", (0.1, 0.2, 0.1), EITHER, peers=(0.4, 0.4, 0.4))], tmp_path / "build" / "bench.json")
    (entry,) = json.loads((tmp_path / "build" / "bench.json").read_text())
    assert entry["name"] == "tcp"
    assert entry["value"] == 0.1
    assert entry["unit"] == "ms"
    assert entry["budget"] == 0.12
    assert entry["ratio"] == pytest.approx(0.25)
    assert entry["ok"] is True
