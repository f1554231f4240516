"""What is believed of a feed, and what is not."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from shapely import box

from collector.intake.guards import Box, Guard, Rules, refusal, within
from collector.records import Area, Batch, Cell, CellState, Dataset, Outage, Sense, Technology

NOW = 1_800_000_000.0
RULES = Rules(frozenset({"op-viettel"}), Box(14.0, 16.0, 107.0, 110.0), oldest=2700.0, min_ratio=0.5)


def cell(number: int, **more: object) -> Cell:
    record = Cell("op-viettel", f"4G-{number}-1", Technology.G4, lat=15.0 + number * 1e-3, lon=108.5, state=None)
    return replace(record, **more)  # type: ignore[arg-type]


def listed(*cells: Cell, as_of: float | None = NOW - 60, **more: object) -> Batch:
    batch = Batch(Dataset.CELLS, Sense.POSITIVE, cells, as_of, rows=len(cells))
    return replace(batch, **more)  # type: ignore[arg-type]


def outages(*some: Outage, as_of: float | None = NOW - 60, **more: object) -> Batch:
    batch = Batch(Dataset.OUTAGES, Sense.NEGATIVE, some, as_of, rows=len(some))
    return replace(batch, **more)  # type: ignore[arg-type]


TEN = tuple(cell(number) for number in range(10))
GOOD = listed(*TEN)


@pytest.mark.parametrize(
    ("batch", "guard"),
    [
        (GOOD, None),
        (listed(*TEN, complete=False), Guard.INCOMPLETE),
        (listed(*TEN, rows=20, unreadable=10, faults=("row 3: lat: 'x' is no number",)), Guard.UNREADABLE),
        (listed(*TEN, rows=200, unreadable=10), None),
        (listed(), Guard.EMPTY),
        (listed(*TEN, as_of=NOW - 2701), Guard.AGE),
        (listed(*TEN, as_of=NOW - 61), Guard.AGE),  # older than what came before
        (listed(*TEN, as_of=None, arrived=NOW - 2701), Guard.AGE),
        (listed(*TEN, as_of=None, arrived=NOW - 2699), None),
        (listed(*TEN, arrived=NOW - 2701), None),
        (listed(*TEN, as_of=NOW + 601), Guard.FUTURE),
        (listed(*TEN[1:], cell(0, observed_at=NOW + 86400)), Guard.FUTURE),
        (listed(*TEN, *TEN), Guard.DUPLICATES),
        (listed(*TEN[1:], cell(0, operator="op-ai-do")), Guard.OPERATOR),
        (listed(*TEN[1:], cell(0, lat=108.5, lon=15.0)), Guard.PLACE),
        (listed(*TEN[1:], cell(0, lat=float("nan"))), Guard.PLACE),
        (listed(*TEN[:4]), Guard.ROWS),
        (listed(*TEN[:5]), None),
        (listed(*(cell(number) for number in range(21))), Guard.ROWS),
        (listed(*(replace(one, lat=(one.lat or 0) + 0.05) for one in TEN)), Guard.MOVED),
        (listed(*(replace(one, lat=(one.lat or 0) + 0.005) for one in TEN)), None),
    ],
)
def test_a_list_of_everything(batch: Batch, guard: Guard | None) -> None:
    found = refusal(batch, RULES, GOOD, NOW)
    assert (found.guard if found else None) is guard


@pytest.mark.parametrize(
    ("batch", "guard"),
    [
        (outages(), None),  # a repaired storm
        (outages(as_of=None), Guard.EMPTY),
        (outages(complete=False), Guard.INCOMPLETE),
        (outages(Outage("op-viettel", cell="4G-1-1"), as_of=None), None),
        (outages(Outage("op-viettel", cell="4G-1-1"), rows=2, unreadable=1), Guard.UNREADABLE),
    ],
)
def test_a_list_of_what_is_down(batch: Batch, guard: Guard | None) -> None:
    before = outages(*(Outage("op-viettel", cell=f"4G-{number}-1") for number in range(60)), as_of=NOW - 960)
    found = refusal(batch, RULES, before, NOW)
    assert (found.guard if found else None) is guard


def test_an_area_beyond_the_province_is_refused() -> None:
    inside, world = box(108, 15, 108.5, 15.5), box(-180, -90, 180, 90)
    areas = tuple(Area("op-viettel", Technology.G5, shape) for shape in (inside, world))
    batch = Batch(Dataset.AREAS, Sense.POSITIVE, areas, NOW, rows=2)
    found = refusal(batch, RULES, None, NOW)
    assert found is not None
    assert found.guard is Guard.PLACE
    assert refusal(replace(batch, records=areas[:1]), RULES, None, NOW) is None


def test_it_says_in_words_what_is_wrong() -> None:
    found = refusal(listed(*TEN[:3]), RULES, GOOD, NOW)
    assert found is not None
    assert found.detail == "3 rows after 10: fewer than 50%"


def test_the_few_that_lie_elsewhere_are_left_out() -> None:
    many = tuple(cell(number) for number in range(99))
    batch = listed(*many, cell(99, lat=0.0, lon=0.0))
    assert refusal(batch, RULES, None, NOW) is None
    assert within(batch, RULES.box) == many


@given(
    st.lists(
        st.builds(
            Cell,
            st.sampled_from(["op-viettel", "?"]),
            st.text(max_size=3),
            st.sampled_from(Technology),
            lat=st.none() | st.floats(),
            lon=st.none() | st.floats(),
            state=st.none() | st.sampled_from(CellState),
            observed_at=st.none() | st.floats(),
        ),
        max_size=12,
    ),
    st.none() | st.floats(allow_nan=False),
    st.integers(0, 20),
)
def test_what_is_accepted_is_inside_known_and_of_its_time(cells: list[Cell], as_of: float | None, bad: int) -> None:
    batch = listed(*cells, as_of=as_of, rows=len(cells) + bad, unreadable=bad)
    if refusal(batch, RULES, None, NOW) is not None:
        return
    records = within(batch, RULES.box)
    assert records
    assert {record.operator for record in records if isinstance(record, Cell)} == {"op-viettel"}
    assert as_of is None or NOW - RULES.oldest <= as_of <= NOW + 600
