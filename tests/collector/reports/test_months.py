"""Months by the clock on the wall, in seconds that really passed."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from collector.reports import Month

HOURS = 3600.0


@pytest.mark.parametrize(
    ("month", "zone", "begins", "hours"),
    [
        ("2026-11", "Asia/Ho_Chi_Minh", "2026-10-31 17:00", 30 * 24),
        ("2026-12", "Asia/Ho_Chi_Minh", "2026-11-30 17:00", 31 * 24),
        ("2028-02", "Asia/Ho_Chi_Minh", "2028-01-31 17:00", 29 * 24),
        ("2026-03", "Europe/Berlin", "2026-02-28 23:00", 31 * 24 - 1),
        ("2026-10", "Europe/Berlin", "2026-09-30 22:00", 31 * 24 + 1),
        # Midnight of 1 November 2015 came twice in Havana.
        ("2015-11", "America/Havana", "2015-11-01 04:00", 30 * 24 + 1),
        # Samoa left out 30 December 2011.
        ("2011-12", "Pacific/Apia", "2011-12-01 10:00", 30 * 24),
    ],
)
def test_when_a_month_begins_and_how_long_it_is(month: str, zone: str, begins: str, hours: float) -> None:
    found = Month.parse(month, ZoneInfo(zone))
    assert found.begins == datetime.fromisoformat(begins).replace(tzinfo=UTC).timestamp()
    assert found.ends - found.begins == hours * HOURS
    assert Month.of(found.begins, found.zone) == found
    assert Month.of(found.ends - 1, found.zone) == found
    assert Month.of(found.ends, found.zone) != found
    assert str(found) == month


@pytest.mark.parametrize("text", ["2026-13", "2026-00", "2026-1", "11/2026", "0001-01", "2026-11-01", ""])
def test_what_is_no_month(text: str) -> None:
    with pytest.raises(ValueError, match="is not a month such as 2026-11"):
        Month.parse(text, ZoneInfo("Asia/Ho_Chi_Minh"))
