"""Answers of devices to numbers and texts."""

from __future__ import annotations

import math
import struct
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.devices import values
from collector.devices.values import Raw

ANSWERS = st.one_of(st.integers(), st.floats(), st.text(), st.binary(max_size=30))


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (5, 5),
        (-5, -5),
        (2**64 - 1, 2**64 - 1),
        (True, 1),
        (2.5, 2.5),
        (b"12.5", 12.5),
        (b" -3 \0", -3),
        (b"1e3", 1000),
        (b"\x9f\x78\x04\x42\xf6\xe9\x79", struct.unpack(">f", b"\x42\xf6\xe9\x79")[0]),
        (b"\x9f\x79\x08" + struct.pack(">d", 0.1), 0.1),
    ],
)
def test_numbers_come_as_integers_opaque_or_text(raw: Raw, expected: float) -> None:
    assert values.number(raw) == expected


@pytest.mark.parametrize(
    "raw",
    [
        *(b"", b"up", b"nan", b"inf", b"1_000", "١٢".encode(), b"0x10"),
        *("1.2.3.4", math.nan, math.inf, b"\x9f\x78\x04\x7f\xc0\x00\x00", b"\x9f\x78\x04\x42\xf6"),
    ],
)
def test_what_is_no_finite_number_is_refused(raw: Raw) -> None:
    with pytest.raises(ValueError, match=r"number|could not convert"):
        values.number(raw)


def test_texts_lose_the_padding_of_devices_and_keep_what_is_no_utf8_visible() -> None:
    assert values.text("Trạm Trà Bồng".encode() + b"\0\0 ") == "Trạm Trà Bồng"
    assert values.text(b"\xff\x00ab") == "\N{REPLACEMENT CHARACTER}\0ab"
    assert (values.text(7), values.text("1.3.6.1")) == ("7", "1.3.6.1")


def test_octets_as_hexadecimal_mac_and_addresses() -> None:
    assert values.hexadecimal(b"\xff\x34") == "0xff34"
    assert values.mac(bytes(range(6))) == "00:01:02:03:04:05"
    assert values.ip("10.0.0.1") == "10.0.0.1"
    assert values.ip(bytes([192, 0, 0, 8])) == "192.0.0.8"
    assert values.ip(bytes([192, 0, 0, 8, 0, 0, 0, 5])) == "192.0.0.8"
    assert values.ip(b"\xfe\x80" + bytes(13) + b"\x01") == "fe80::1"
    assert values.ip(b"\xfe\x80" + bytes(13) + b"\x01" + bytes(4)) == "fe80::1"
    assert values.oid("1.3.6.1.4.1") == "1.3.6.1.4.1"


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (bytes.fromhex("07c8051a0d1e0f05"), 706887015.5),
        (bytes.fromhex("07c8051a0d1e0f05") + b"+\x07\x00", 706887015.5 - 7 * 3600),
        (bytes.fromhex("07c8051a0d1e0f05") + b"-\x04\x1e", 706887015.5 + 4.5 * 3600),
        (bytes.fromhex("07e00c1f173b3c00"), 1483228799),
    ],
)
def test_date_and_time_with_and_without_zone_and_with_a_leap_second(raw: bytes, expected: float) -> None:
    assert values.date_and_time(raw) == expected


def test_dates_in_text_and_from_ntp_and_raw_floats() -> None:
    assert values.date_text("%Y-%m-%d %H:%M:%S")(b"1970-01-02 00:00:10") == 86410
    assert values.date_text("%d/%m/%Y %z")(b"01/01/1970 +0700") == -7 * 3600
    assert values.ntp(bytes.fromhex("83aa7e8080000000")) == 0.5
    assert values.float32(struct.pack(">f", 1.5)) == 1.5
    assert values.float64(struct.pack(">d", 0.1)) == 0.1


def test_bits_are_numbered_from_the_highest_of_the_first_octet() -> None:
    assert values.bits(b"\x80\x01") == {0, 15}
    assert values.bits(b"") == frozenset()


READERS = [*values.NUMBERS.values(), values.date_text("%Y"), *values.TEXTS.values(), values.bits]


@pytest.mark.parametrize("read", READERS)
@given(raw=ANSWERS)
def test_no_answer_raises_anything_but_value_error(read: Callable[[Raw], object], raw: Raw) -> None:
    try:
        result = read(raw)
    except ValueError:
        return
    assert not isinstance(result, float) or math.isfinite(result)
