"""Numbers of the plan as people read them."""

from __future__ import annotations

import pytest

from collector.plan import Unit
from collector.reports.plan_words import Language, Speech

ENGLISH, VIETNAMESE = Speech(Language.EN), Speech(Language.VI)


@pytest.mark.parametrize(
    ("gaps", "unit", "said"),
    [
        ((0.6, 0.4), Unit.RATIO, "40 – 60 points"),
        ((3.0, 5.0), Unit.NUMBER, "3 – 5"),  # of what must fall, the upper bound lacks more
        ((None, 5.0), Unit.TERABYTE, "5 TB"),
        ((0.2, 0.2), Unit.RATIO, "20 points"),
        ((0.0004, 0.0), Unit.RATIO, "0 – <0.1 points"),
        ((None, None), Unit.RATIO, "–"),
    ],
)
def test_a_gap_goes_from_less_to_more(gaps: tuple[float | None, float | None], unit: Unit, said: str) -> None:
    assert ENGLISH.gap(gaps, unit) == said


def test_shares_are_floored_and_written_as_each_language_has_it() -> None:
    assert ENGLISH.number(0.99999, Unit.RATIO) == "99.99"
    assert VIETNAMESE.number(0.29, Unit.RATIO) == "29"
    assert VIETNAMESE.number(1780, Unit.COUNT) == "1.780"
