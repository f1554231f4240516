"""Plain scalars mean what the core schema of YAML 1.2 says, and nothing else."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.settings.scalars import resolve


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ("", None),
        ("~", None),
        ("null", None),
        ("true", True),
        ("False", False),
        ("0", 0),
        ("-17", -17),
        ("+3", 3),
        ("0o17", 15),
        ("0x1F", 31),
        ("1.5", 1.5),
        (".5", 0.5),
        ("1e3", 1000.0),
        ("-.inf", -math.inf),
    ],
)
def test_core_scalars(text: str, meaning: object) -> None:
    assert resolve(text) == meaning
    assert type(resolve(text)) is type(meaning)


@pytest.mark.parametrize(
    "text",
    # What YAML 1.1 turns into truth values, octal, sexagesimal numbers and dates.
    [
        *("no", "yes", "on", "off", "y", "n", "NO", "0123", "-0123", "12:30:45", "2026-11-23", "1_000", "0b11"),
        # What only looks like a number.
        *("1.2.3", "10.0.0.1", "1.3.6.1", "30s", "-", "+", ".", "e3", "1e", "0x", "0o8", "9" * 19, "9" * 5000, "nan"),
    ],
)
def test_stays_text(text: str) -> None:
    assert resolve(text) == text


def test_not_a_number() -> None:
    value = resolve(".nan")
    assert isinstance(value, float)
    assert math.isnan(value)


@given(st.integers(min_value=-(10**18) + 1, max_value=10**18 - 1))
def test_whole_numbers_are_read_back(number: int) -> None:
    assert resolve(str(number)) == number


@given(st.text())
def test_anything_means_something(text: str) -> None:
    value = resolve(text)
    assert value is None or isinstance(value, (bool, int, float, str))
    if isinstance(value, str):
        assert value == text
