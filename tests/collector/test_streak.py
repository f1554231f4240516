"""One target's runs: what is confirmed, and from when it is credited."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.model import Outcome, Verdict
from collector.streak import Segment, Streak

LETTERS = {"o": Outcome.OK, "f": Outcome.FAIL, "e": Outcome.ERROR}
SHOWN = {Verdict.UP: "U", Verdict.DOWN: "D", Verdict.UNKNOWN: "?"}


def credited(history: str) -> str:
    """The verdict of each second of a history with a run at the end of each; `.` where it is not settled."""
    streak = Streak(0.0)
    for second, letter in enumerate(history, start=1):
        streak.take(second, LETTERS[letter])
    seconds = "".join(SHOWN[segment.verdict] * round(segment.ends - segment.begins) for segment in streak.segments)
    assert len(seconds) == streak.settled
    return seconds.ljust(len(history), ".")


@pytest.mark.parametrize(
    ("history", "verdicts"),
    [
        ("ooo", "?UU"),  # nothing is credited before the first result
        ("oof", "?UU"),  # a first failure settles what lies before it
        ("ooff", "?UU."),
        ("oofff", "?UUDD"),  # confirmed: down from the first failure
        ("ooffo", "?UUUU"),  # not confirmed: up
        ("offfo", "?UDDD"),
        ("offfoo", "?UDDDU"),  # up again from the first of two good runs
        ("offfofo", "?UDDDDD"),  # a single good run ends no outage
        ("fff", "?DD"),
        ("fo", "?U"),
        ("oeo", "???"),  # an error settles nothing
        ("ooeoo", "?U??U"),
        ("offeo", "?U???"),
        ("ofofofof", "?UUUUUUU"),  # flapping below the threshold changes nothing
    ],
)
def test_each_second_is_credited_once_it_is_certain(history: str, verdicts: str) -> None:
    assert credited(history) == verdicts


def test_a_target_that_falls_silent_is_unknown_from_its_last_result() -> None:
    streak = Streak(0.0)
    for second in (1, 2):
        streak.take(second, Outcome.OK)
    streak.lapse(10)
    assert streak.verdict is Verdict.UNKNOWN
    assert streak.segments[-1][:3] == (2, 10, Verdict.UNKNOWN)


def test_a_seldom_run_target_is_credited_meanwhile_but_not_into_a_doubt() -> None:
    streak = Streak(0.0)
    streak.take(1, Outcome.OK)
    streak.carry_on(50)
    assert streak.settled == 50
    streak.take(60, Outcome.FAIL)
    streak.carry_on(70)
    assert streak.settled == 60


@given(st.text("ofe", max_size=60))
def test_segments_are_contiguous_and_final(history: str) -> None:
    streak = Streak(0.0)
    seen: list[Segment] = []
    for second, letter in enumerate(history, start=1):
        streak.take(second, LETTERS[letter])
        assert streak.segments[: len(seen)] == seen
        seen = list(streak.segments)
        assert streak.firm <= streak.settled <= second
    for earlier, later in itertools.pairwise(seen):
        assert earlier.ends == later.begins
        assert later.doubt <= later.begins


@given(st.text("ofe", max_size=40))
def test_two_good_runs_always_end_an_outage(history: str) -> None:
    streak = Streak(0.0)
    for second, letter in enumerate(history + "oo", start=1):
        streak.take(second, LETTERS[letter])
    assert streak.verdict is Verdict.UP
