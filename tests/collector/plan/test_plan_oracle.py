"""The arithmetic of the plan equals an oracle in fractions, whatever the values, days and demands."""

from __future__ import annotations

from datetime import date, timedelta
from fractions import Fraction

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from collector.plan import Comparator, Day, Demand, Goal, Indicator, Observation, Plan, Status, Unit, Value, compute
from collector.plan.days import DAY, begins
from collector.plan.pace import slope
from tests.collector.plan import oracle
from tests.collector.plan.planning import FIGURE, judged


def close(exact: Fraction) -> object:
    """Equal but for the rounding of binary fractions."""
    return pytest.approx(float(exact), rel=1e-9, abs=1e-12)


TODAY = date(2026, 11, 23)
fractions = st.integers(0, 256).map(lambda number: Fraction(number, 256))
pairs = st.tuples(fractions, fractions).map(lambda pair: (min(pair), max(pair)))
earlier = st.integers(1, 260).map(lambda ago: TODAY - timedelta(ago))


@st.composite
def cases(draw: st.DrawFn) -> oracle.Case:
    """Cases of which today is known."""
    means = draw(st.dictionaries(earlier, pairs, max_size=12))
    return oracle.Case(
        today=TODAY,
        moment=draw(st.integers(0, 1439).map(lambda minute: Fraction(minute, 1440))),
        demanded=draw(fractions),
        falling=draw(st.booleans()),
        due=TODAY + timedelta(draw(st.integers(-400, 2000))),
        means={**dict(sorted(means.items())), TODAY: draw(pairs)},
        observed=draw(
            st.dictionaries(earlier | st.integers(-3, 0).map(lambda d: TODAY - timedelta(d)), fractions, max_size=4)
        ),
    )


@given(case=cases())
def test_equals_the_oracle(case: oracle.Case) -> None:
    expected = oracle.said(case)
    assume(not expected.near)
    demand = Demand(float(case.demanded), Comparator.LE if case.falling else Comparator.GE, case.due)
    one = Indicator(
        "one",
        "Một",
        "One",
        Unit.RATIO,
        FIGURE,
        (Goal(demand),),
        tuple(Observation(day, float(value)) for day, value in sorted(case.observed.items())),
    )
    days = tuple(Day(day, float(low), float(high), DAY) for day, (low, high) in case.means.items())
    now = begins(TODAY) + float(case.moment) * DAY
    # Known exactly at this moment: what is judged are the means.
    (found,) = compute(Plan((one,)), {"one": Value.exactly(0.5)}, {"one": days}, now)
    (judgement,) = found.judgements
    assert judgement.status is not None
    assert judgement.status.value == expected.status
    assert [judgement.gap_lower, judgement.gap_upper] == [close(gap) for gap in expected.gaps]
    assert (judgement.required is None) == (expected.required is None)
    if expected.required is not None:
        assert judgement.required == close(expected.required)
    assert (found.pace is None) == (expected.paces is None)
    if found.pace is not None and expected.paces is not None:
        assert (found.pace.lower, found.pace.upper) == tuple(close(pace) for pace in expected.paces)


@given(points=st.dictionaries(st.integers(735_000, 740_000), fractions, min_size=2, max_size=40))
def test_the_slope_is_the_least_squares(points: dict[int, Fraction]) -> None:
    exact = oracle._line(list(points.items()))
    assert slope([(day, float(value)) for day, value in points.items()]) == close(exact)


@given(value=pairs, other=pairs, demanded=fractions)
def test_knowing_less_never_decides_more(
    value: tuple[Fraction, Fraction], other: tuple[Fraction, Fraction], demanded: Fraction
) -> None:
    """Wider bounds leave the status, or make it unknown."""
    one = Indicator(
        "one", "", "", Unit.RATIO, FIGURE, (Goal(Demand(float(demanded), Comparator.GE, date(2025, 12, 31))),)
    )
    narrow = Value(float(value[0]), float(value[1]))
    wide = Value(float(min(value[0], other[0])), float(max(value[1], other[1])))
    before, after = (judged(one, known, (), "2026-11-23").status for known in (narrow, wide))
    assert after in {before, Status.UNKNOWN}
