"""States through time leave no gap and no overlap, whatever the journal holds."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.journal import Change, Correction
from collector.model import SystemState
from collector.reports.pieces import Piece, clipped, figures, outages, pieces
from collector.reports.records import OUT

STATES = st.sampled_from(SystemState)
MOMENTS = st.integers(0, 60)
SPANS = st.tuples(MOMENTS, MOMENTS).map(sorted).filter(lambda pair: pair[0] < pair[1])
CHANGES = st.dictionaries(MOMENTS, STATES, max_size=12)


@st.composite
def runs(draw: st.DrawFn) -> list[tuple[float, float]]:
    """Times at work: in order, apart from each other."""
    edges = sorted(draw(st.lists(MOMENTS, unique=True, max_size=10)))
    return [(float(begins), float(ends)) for begins, ends in zip(edges[::2], edges[1::2], strict=False)]


CORRECTIONS = st.lists(st.tuples(SPANS, STATES), max_size=4)


def expected(
    changes: dict[int, SystemState],
    observed: list[tuple[float, float]],
    corrections: list[tuple[list[int], SystemState]],
    moment: float,
) -> SystemState:
    """Naively, for one moment."""
    for (starts, ends), state in reversed(corrections):
        if starts <= moment < ends:
            return state
    if not any(begins <= moment < ends for begins, ends in observed):
        return SystemState.UNKNOWN
    before = [when for when in changes if when <= moment]
    return changes[max(before)] if before else SystemState.UNKNOWN


@given(CHANGES, runs(), CORRECTIONS, SPANS)
def test_every_second_has_one_state(
    changes: dict[int, SystemState],
    observed: list[tuple[float, float]],
    corrections: list[tuple[list[int], SystemState]],
    window: list[int],
) -> None:
    """Seconds over all states equal the window; each half second has the state that a naive look gives it."""
    begins, ends = map(float, window)
    rows = [Change("portal", float(at), None, changes[at], str(at), "poll") for at in sorted(changes)]
    said = [
        Correction(number, "portal", float(starts), float(until), state, "", "", 0.0)
        for number, ((starts, until), state) in enumerate(corrections)
    ]
    found = pieces(rows, observed, said, begins, ends)
    assert (found[0].begins, found[-1].ends) == (begins, ends)
    assert all(one.ends == other.begins for one, other in pairwise(found))
    assert all(one.seconds > 0 for one in found)
    counted = figures(found, begins, ends)
    assert counted.window == ends - begins
    for half in range(int(2 * begins), int(2 * ends)):
        (state,) = [one.state for one in found if one.begins <= half / 2 < one.ends]
        assert state is expected(changes, observed, corrections, half / 2)
    for share in (counted.users, counted.owner, counted.observed):
        assert share is None or 0 <= share <= 1
    if counted.users is not None and counted.owner is not None:
        assert counted.users <= counted.owner


@given(CHANGES, runs(), SPANS, SPANS)
def test_outages_hold_exactly_the_seconds_that_are_out(
    changes: dict[int, SystemState], observed: list[tuple[float, float]], first: list[int], second: list[int]
) -> None:
    """Whatever lies around the window; and none begins after it ends, or lasts if something else is known after it."""
    begins, ends = map(float, first)
    since, until = float(min(first[0], second[0])), float(max(first[1], second[1]))
    rows = [Change("portal", float(at), None, changes[at], str(at), "poll") for at in sorted(changes)]
    some = pieces(rows, observed, (), since, until)
    found = outages(some, begins, ends, until)
    counted = figures(some, begins, ends)
    for state in OUT:
        assert sum(one.seconds for one in found if one.state is state) == pytest.approx(counted.seconds[state])
    for outage in found:
        assert outage.begins < ends
        assert outage.ends is None or outage.ends > begins
        after = [one for one in some if outage.ends is not None and one.begins >= outage.ends]
        if outage.ends is None:
            assert some[-1].state in {outage.state, SystemState.UNKNOWN}
        else:
            known = [one.state for one in after if one.state is not SystemState.UNKNOWN]
            assert outage.ends < until or known == []
            assert not known or known[0] is not outage.state


def test_a_part_of_the_pieces() -> None:
    some = [Piece(0, 10, SystemState.UP, "", "poll"), Piece(10, 20, SystemState.DOWN, "", "poll")]
    assert [(one.begins, one.ends) for one in clipped(some, 5, 12)] == [(5, 10), (10, 12)]
    assert clipped(some, 20, 30) == []
    assert figures(some, 5, 12).seconds[SystemState.UP] == 5
