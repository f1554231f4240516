"""The range of a cell, against the table that was worked out by hand from TR 38.901."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.coverage.radius import ENVIRONMENTS, ranges_km
from collector.places import Environment
from collector.records import Cell, Technology
from tests.collector.coverage.ranges import shipped

OPEN, TOWN, MOUNTAIN = (ENVIRONMENTS.index(one) for one in (Environment.OPEN, Environment.TOWN, Environment.MOUNTAIN))
# Technology, MHz, open, town and mountain at the good threshold, open at the basic one; kilometres, mast 35 m.
TABLE = [
    ("2G", 900, 4.47, 2.27, 1.83, 8.1),
    ("3G", 900, 3.32, 1.69, 1.36, 6.0),
    ("3G", 2100, 2.27, 1.16, 0.93, 4.1),
    ("4G", 700, 1.55, 0.79, 0.63, 2.8),
    ("4G", 900, 1.36, 0.70, 0.56, 2.5),
    ("4G", 1800, 1.01, 0.52, 0.41, 1.8),
    ("4G", 2100, 0.93, 0.48, 0.38, 1.7),
    ("5G", 700, 1.96, 1.00, 0.80, 3.6),
    ("5G", 2550, 1.94, 0.99, 0.79, 3.5),
    ("5G", 3750, 1.67, 0.86, 0.69, 3.0),
    ("5G", 3850, 1.67, 0.86, 0.69, 3.0),
]


def _reach(technology: str, mhz: int | None = None, level: str = "good", **given: float) -> list[float]:
    cell = Cell("viettel", "a", Technology(technology), band=mhz, **given)  # type: ignore[arg-type]
    reach: list[float] = ranges_km([cell], shipped(level))[0].tolist()
    return reach


def _printed(value: float, digits: int) -> object:
    """Within 1 %, or within the half of the last printed digit."""
    return pytest.approx(value, rel=0.01, abs=0.5 * 10**-digits)


@pytest.mark.parametrize(("technology", "mhz", "land", "town", "mountain", "basic"), TABLE)
def test_the_table(technology: str, mhz: int, land: float, town: float, mountain: float, basic: float) -> None:
    reach = _reach(technology, mhz)
    assert reach[OPEN] == pytest.approx(land, rel=0.01)
    assert [reach[TOWN], reach[MOUNTAIN]] == [_printed(town, 2), _printed(mountain, 2)]
    assert _reach(technology, mhz, "basic")[OPEN] == _printed(min(basic, 5.0), 1)


def test_lte_1800_gives_what_the_province_plans_with() -> None:
    assert np.round(_reach("4G", 1800, height=35.0), 2).tolist() == [1.01, 0.52, 0.41]


@pytest.mark.parametrize(
    ("height", "constant", "slope"), [(25, 123.2, 39.1), (30, 121.2, 38.8), (42, 117.6, 38.4), (50, 115.7, 38.2)]
)
def test_higher_masts_reach_farther_as_worked_out(height: float, constant: float, slope: float) -> None:
    spare = 30 + 105 - 10.25 - 20 * np.log10(1.8)
    assert _reach("4G", 1800, height=height)[OPEN] == pytest.approx(10 ** ((spare - constant) / slope), rel=0.01)


def test_what_nobody_said_is_taken_as_the_default() -> None:
    assert _reach("4G") == _reach("4G", 1800, height=35.0)
    assert _reach("4G", 3) == _reach("4G", 1800), "a band's number is no frequency"
    assert _reach("4G", 2600) == _reach("4G", 2100), "the nearest known band"
    assert _reach("4G", 1800, height=float("nan")) == _reach("4G", 1800)


def test_without_a_declared_default_the_shortest_reach_is_taken() -> None:
    model = shipped()
    bare = replace(model, carriers=tuple(replace(carrier, default=False) for carrier in model.carriers))
    reach = ranges_km([Cell("viettel", "a", Technology.G4)], bare)[0]
    assert reach[OPEN] == _reach("4G", 2100)[OPEN]


def test_a_technology_without_carriers_reaches_nobody_knows_how_far() -> None:
    bare = replace(shipped(), carriers=())
    assert np.isnan(ranges_km([Cell("viettel", "a", Technology.G4)], bare)).all()


@given(st.sampled_from([row[:2] for row in TABLE]), st.floats(0.1, 1000), st.sampled_from(["good", "basic"]))
def test_no_range_leaves_the_model(carrier: tuple[str, int], height: float, level: str) -> None:
    reach = _reach(*carrier, level=level, height=height)
    assert all(0 < one <= 5 for one in reach)
    assert reach[MOUNTAIN] <= reach[OPEN]
