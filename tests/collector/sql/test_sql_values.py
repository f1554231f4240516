"""Cells of an answer as numbers, labels and JSON."""

from __future__ import annotations

import json
import math
from contextlib import suppress
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.sql.queries import Query
from collector.sql.readings import Answer, read
from collector.sql.values import label, number, plain

HANOI = ZoneInfo("Asia/Ho_Chi_Minh")
CELLS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.decimals()
    | st.text()
    | st.binary()
    | st.datetimes(timezones=st.none() | st.just(UTC))
    | st.dates()
    | st.times()
    | st.timedeltas()
    | st.uuids()
    | st.lists(st.integers())
)


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        (3, 3),
        (True, 1),
        (1.5, 1.5),
        (Decimal("2.50"), 2.5),
        ("12", 12),
        (" 1e3 ", 1000),
        (b"7", 7),
        (datetime(2026, 11, 1, tzinfo=UTC), 1793491200),
        (datetime(2026, 11, 1, 7, tzinfo=timezone(timedelta(hours=7))), 1793491200),
        (datetime(2026, 11, 1, 7), 1793491200),  # noqa: DTZ001
        (date(2026, 11, 1), 1793466000),
        (time(1, 0, 1, 500_000), 3601.5),
        (timedelta(days=1, seconds=1), 86401),
        (timedelta(seconds=-5), -5),
    ],
)
def test_numbers(cell: Any, expected: float) -> None:
    assert number(cell, HANOI) == expected


@pytest.mark.parametrize(
    "cell", [None, "", "high", "1_0", "٣", "nan", float("inf"), Decimal("NaN"), 10**400, b"\xff", [1], UUID(int=1)]
)
def test_what_is_no_finite_number(cell: Any) -> None:
    with pytest.raises(ValueError, match=r".+"):
        number(cell, HANOI)


@pytest.mark.parametrize(("cell", "scale", "expected"), [(3, 0.1, [0.3]), (1e308, 1000, []), (-1e308, 1000, [])])
def test_a_number_is_scaled_exactly_and_never_to_infinity(cell: float, scale: float, expected: list[float]) -> None:
    column = {"column": "level", "name": "db_level", "help": "h", "scale": scale}
    query = Query.model_validate({"sql": "SELECT level", "metrics": [column]})
    readings = read(query, Answer(("level",), ((cell,),), False), HANOI)
    assert [value for _, value, _ in readings.values] == expected
    assert readings.unreadable == 1 - len(expected)


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        (None, ""),
        (True, "true"),
        (5, "5"),
        (Decimal("1.50"), "1.50"),
        ("sông Vệ", "sông Vệ"),
        (b"\xe1\xbb\x87\xff", "ệ\N{REPLACEMENT CHARACTER}"),
        (datetime(2026, 11, 1, 7), "2026-11-01T07:00:00"),  # noqa: DTZ001
        (date(2026, 11, 1), "2026-11-01"),
        (timedelta(hours=1), "1:00:00"),
    ],
)
def test_labels(cell: Any, expected: str) -> None:
    assert label(cell) == expected


@given(CELLS)
def test_every_cell_is_a_number_or_none_at_all(cell: Any) -> None:
    with suppress(ValueError):
        assert math.isfinite(number(cell, HANOI))
    assert isinstance(label(cell), str)
    json.dumps(plain(cell, HANOI), allow_nan=False)
