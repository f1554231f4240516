"""Numbers as tables write them."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collector.mapping.numbers import Numbers
from collector.mapping.rowmap import NumberFormat

PLAIN = Numbers(NumberFormat())
VIETNAMESE = Numbers(NumberFormat(decimal=",", thousands="."))
FRENCH = Numbers(NumberFormat(decimal=",", thousands=" "))


@pytest.mark.parametrize(
    ("notation", "text", "number"),
    [
        (PLAIN, "15.1213", 15.1213),
        (PLAIN, "-3", -3),
        (PLAIN, "1.5e3", 1500),
        (PLAIN, "\u22123.5", -3.5),
        (VIETNAMESE, "1.780", 1780),
        (VIETNAMESE, "1.671.000,25", 1671000.25),
        (VIETNAMESE, "1671000,25", 1671000.25),
        (VIETNAMESE, "108,82", 108.82),
        (FRENCH, "1\u202f234,5", 1234.5),
        (FRENCH, "1\u00a0234", 1234),
        (Numbers(NumberFormat(thousands="'")), "1\u2019234.5", 1234.5),
    ],
)
def test_numbers(notation: Numbers, text: str, number: float) -> None:
    assert notation.number(text) == number
    assert notation.number(number) == number


@pytest.mark.parametrize(
    ("notation", "text"),
    [
        (PLAIN, "15,12"),
        (PLAIN, "1_000"),
        (PLAIN, "0x1f"),
        (PLAIN, "inf"),
        (PLAIN, "1e999"),
        (PLAIN, "½"),
        (PLAIN, "1 2"),
        (PLAIN, "١٢"),  # digits, but not of ours
        (VIETNAMESE, "1.78"),
        (VIETNAMESE, "108.82"),
        (VIETNAMESE, "1.780.1"),
        (PLAIN, True),
        (PLAIN, float("inf")),
        (PLAIN, 10**400),
        (PLAIN, ["1"]),
    ],
)
def test_what_is_no_number(notation: Numbers, text: object) -> None:
    with pytest.raises(ValueError, match=r"is no number|is not finite"):
        notation.number(text)


@pytest.mark.parametrize(
    ("text", "share"),
    [
        ("½", 0.5),
        ("1\u20442", 0.5),  # what NFKC makes of it
        ("4/5", 0.8),
        ("2 / 15", 2 / 15),
        ("9∕10", 0.9),
        ("1 ½", 1.5),
        ("1 1/2", 1.5),
        ("80 %", 0.8),
        ("13,3%", 0.133),
        ("98,2\u00a0%", 0.982),
        ("0,75", 0.75),
        ("1.780", 1780),
    ],
)
def test_shares(text: str, share: float) -> None:
    assert VIETNAMESE.share(text) == pytest.approx(share)


@pytest.mark.parametrize("text", ["4/0", "%", "> 95 %", "1/2/3", "½½", "80 % 90 %"])
def test_what_is_no_share(text: str) -> None:
    with pytest.raises(ValueError, match=r"number|zero"):
        VIETNAMESE.share(text)


@given(st.integers(-(10**12), 10**12), st.integers(0, 999))
@settings(deadline=None)
def test_what_is_written_in_the_notation_is_read(whole: int, rest: int) -> None:
    text = f"{whole:,}".replace(",", ".") + f",{rest:03d}"
    expected = abs(whole) + rest / 1000
    assert VIETNAMESE.number(text) == pytest.approx(-expected if text.startswith("-") else expected)


@given(st.text(max_size=20))
@settings(deadline=None)
def test_any_text_is_a_finite_number_or_refused(text: str) -> None:
    with suppress(ValueError):
        assert abs(VIETNAMESE.share(text)) < float("inf")
