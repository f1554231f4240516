"""Positions: degrees however they are written, and Vietnamese coordinates."""

from __future__ import annotations

import pytest

from collector.mapping.numbers import Numbers
from collector.mapping.position import Degrees, to_wgs84, transformer
from collector.mapping.rowmap import NumberFormat

LATITUDE = Degrees(Numbers(NumberFormat(decimal=",")), "latitude")
LONGITUDE = Degrees(Numbers(NumberFormat(decimal=",")), "longitude")


@pytest.mark.parametrize(
    ("text", "degrees"),
    [
        ("15,1213", 15.1213),
        ("15°07'12\"", 15.12),
        ("15°07'12\"N", 15.12),
        ("15° 07′ 12,0″ B", 15.12),
        ("N 15 ° 7' 12''", 15.12),
        ("15:07:12", 15.12),
        ("15°7,2", 15.12),
        ("15°7,2'", 15.12),
        ("15°30'S", -15.5),
        ("15d30m", 15.5),
    ],
)
def test_latitudes(text: str, degrees: float) -> None:
    assert LATITUDE(text) == pytest.approx(degrees)


def test_longitudes() -> None:
    assert LONGITUDE("108°48'E") == pytest.approx(108.8)
    assert LONGITUDE("108°48'00\" Đ") == pytest.approx(108.8)
    assert LONGITUDE("12°30'W") == pytest.approx(-12.5)


@pytest.mark.parametrize(
    "text", ["91", "-90,1", "15°60'", "15°07'60\"", "15°7,2'5\"", "15°07'E", "N15°07'S", "abc", "15.12"]
)
def test_what_is_no_latitude(text: str) -> None:
    with pytest.raises(ValueError, match=r"is not within -90 to 90|is no angle|is no number"):
        LATITUDE(text)


def test_vn_2000_is_about_225_metres_from_wgs_84() -> None:
    """EPSG:5898 is VN-2000 / TM-3 108-00, EPSG:4756 its degrees: the datum shift must be applied, not left out."""
    ((lon, lat),) = to_wgs84(5898, [(588000.0, 1671000.0)])
    assert [lon, lat] == pytest.approx([108.820503, 15.107544], abs=1e-5)
    ((shifted_lon, shifted_lat),) = to_wgs84(4756, [(lon, lat)])
    metres = ((shifted_lon - lon) * 107_000) ** 2 + ((shifted_lat - lat) * 110_600) ** 2
    assert metres**0.5 == pytest.approx(225, abs=25)


def test_other_systems_by_their_number() -> None:
    ((lon, lat),) = to_wgs84(2154, [(652381.0, 6862047.0)])  # Lambert-93: Paris
    assert [lon, lat] == pytest.approx([2.3516, 48.857], abs=0.01)
    assert to_wgs84(9216, [(500000.0, 1600000.0)])[0][0] == pytest.approx(107.5, abs=0.01)


def test_a_number_that_epsg_has_not() -> None:
    with pytest.raises(ValueError, match="EPSG:32767 is no coordinate system"):
        transformer(32767)


def test_no_points() -> None:
    assert to_wgs84(5898, []) == []
