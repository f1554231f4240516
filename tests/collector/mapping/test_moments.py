"""Times as tables write them."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from collector.mapping.moments import Moments
from collector.mapping.rowmap import TimeFormat

HANOI = timezone(timedelta(hours=7))
EIGHT = datetime(2026, 11, 23, 8, 0, tzinfo=HANOI).timestamp()


def moments(*formats: str, zone: str = "Asia/Ho_Chi_Minh") -> Moments:
    """Reads times in these layouts."""
    return Moments(TimeFormat(formats=formats, zone=zone))


@pytest.mark.parametrize(
    ("formats", "value"),
    [
        (("iso",), "2026-11-23T08:00:00"),
        (("iso",), "2026-11-23 08:00"),
        (("iso",), "2026-11-23T01:00:00Z"),
        (("iso",), "2026-11-23T02:00:00+0100"),
        (("iso",), "2026-11-23T02:00:00.000+01:00"),
        (("%d/%m/%Y %H:%M",), "23/11/2026 08:00"),
        (("%d/%m/%Y", "%d/%m/%Y %H:%M:%S"), "23/11/2026 08:00:00"),
        (("%d/%m/%Y %H:%M %z",), "23/11/2026 03:00 +0200"),
        (("unix",), "1795395600"),
        (("unix",), 1795395600),
        (("unix-ms",), 1795395600000),
        (("excel",), 46349.333333333336),
        (("excel",), "46349,3333333333"),
        (("iso", "excel"), 46349.333333333336),
        (("iso",), datetime.fromisoformat("2026-11-23T08:00")),
        (("iso",), datetime(2026, 11, 23, 1, 0, tzinfo=UTC)),
    ],
)
def test_instants(formats: tuple[str, ...], value: object) -> None:
    assert moments(*formats).instant(value) == pytest.approx(EIGHT, abs=0.001)


def test_a_day_alone_begins_and_ends_at_midnight_of_the_zone() -> None:
    reader = moments("%d/%m/%Y", "iso", "excel")
    begun = datetime(2026, 11, 23, tzinfo=HANOI).timestamp()
    for value in ("23/11/2026", "2026-11-23", date(2026, 11, 23), 46349, "20261123"):
        assert reader.instant(value) == begun
        assert reader.end(value) == begun + 86_400
        assert reader.day(value) == date(2026, 11, 23)


def test_a_day_of_the_zone_is_not_that_of_greenwich() -> None:
    assert moments("iso").day("2026-11-23T20:00:00Z") == date(2026, 11, 24)


@pytest.mark.parametrize(
    ("formats", "value"),
    [
        (("iso",), "soon"),
        (("iso",), "23/11/2026"),
        (("iso",), "46349"),
        (("iso",), 1795395600),
        (("unix",), "1e9"),
        (("unix",), "-5"),
        (("unix",), "99999999999999"),
        (("unix",), True),
        (("excel",), "12"),
        (("excel",), "200000"),
        (("%d/%m/%Y",), "31/02/2026"),
        (("iso",), "1969-12-31"),
        (("iso",), "9999-12-31T23:59:59-12:00"),
        (("iso",), ["2026-11-23"]),
    ],
)
def test_what_is_no_time(formats: tuple[str, ...], value: object) -> None:
    with pytest.raises(ValueError, match=r"is no time|not within 1970 to 2199"):
        moments(*formats).instant(value)


@pytest.mark.parametrize("layout", ["dd/mm/yyyy", "%d/%m", "%Q", "%", ""])
def test_a_layout_that_reads_no_day_is_refused(layout: str) -> None:
    with pytest.raises(ValidationError, match="bad format"):
        moments(layout)


def test_an_unknown_zone_is_refused_with_the_nearest() -> None:
    with pytest.raises(ValidationError, match="did you mean 'Asia/Ho_Chi_Minh'"):
        moments("iso", zone="Asia/Ho_Chi_Min")


@given(st.datetimes(datetime.fromisoformat("1990-01-01"), datetime.fromisoformat("2100-01-01")))
@settings(deadline=None)
def test_a_time_that_was_written_is_read(moment: datetime) -> None:
    moment = moment.replace(microsecond=0)
    layout = "%d/%m/%Y %H:%M:%S"
    expected = moment.replace(tzinfo=HANOI).timestamp()
    assert moments(layout).instant(moment.strftime(layout)) == expected
    assert moments("iso").instant(moment.isoformat()) == expected


@given(st.one_of(st.text(max_size=30), st.floats(), st.integers()))
@settings(deadline=None)
def test_any_value_is_a_time_or_refused(value: object) -> None:
    with suppress(ValueError):
        assert 0 <= moments("iso", "unix", "excel", "%d/%m/%Y").end(value) < 7_258_118_400
