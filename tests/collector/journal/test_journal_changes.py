"""Which state held when, from changes that may have been written late, twice, or by a clock that was set back."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st

from collector.journal import Change, reading_ledger
from collector.model import SystemState
from tests.collector.journal.ledgers import START, put

UP, DOWN, UNKNOWN = SystemState.UP, SystemState.DOWN, SystemState.UNKNOWN

moments = st.integers(0, 30)
written = st.lists(st.tuples(moments, st.sampled_from(SystemState)), max_size=12)


def at(changes: list[tuple[int, SystemState]], moment: float) -> SystemState | None:
    """The state at a moment: of all that hold from then or before, the one written last."""
    before = [state for begins, state in changes if begins <= moment]
    return before[-1] if before else None


@settings(max_examples=40, deadline=None)
@given(written, moments, moments)
def test_what_was_written_last_holds(changes: list[tuple[int, SystemState]], one: int, other: int) -> None:
    since, until = min(one, other), max(one, other) + 1
    rows = [Change("portal", START + begins, None, state, str(i), "poll") for i, (begins, state) in enumerate(changes)]
    with TemporaryDirectory() as directory:
        path = put(Path(directory) / "journal.sqlite", rows)
        with reading_ledger(path) as ledger:
            found = ledger.changes("portal", START + since, START + until)
    assert [change.at for change in found] == sorted({change.at for change in found})
    assert [change for change in found if change.at <= START + since] == found[:1] or found[0].at > START + since
    for half in range(2 * since, 2 * until):
        moment = half / 2
        states = [change.new for change in found if change.at <= START + moment]
        assert (states[-1] if states else None) == at(changes, moment)


def test_a_clock_set_back_does_not_bring_an_old_state_back(tmp_path: Path) -> None:
    """Down at ten; the clock goes back an hour; up at a quarter to ten: it is up, also at ten by that clock."""
    ten = START + 36000
    changes = [
        Change("portal", START, None, UP, "", "poll"),
        Change("portal", ten, UP, DOWN, "", "poll"),
        Change("portal", ten - 900, DOWN, UP, "", "poll"),
    ]
    path = put(tmp_path / "journal.sqlite", changes)
    with reading_ledger(path) as ledger:
        assert [one.new for one in ledger.changes("portal", START, ten + 60)] == [UP, UP]
        (now,) = ledger.changes("portal", ten + 30, ten + 60)
        assert (now.at, now.new) == (ten - 900, UP)


def test_since_when_a_system_is_known(tmp_path: Path) -> None:
    """By its first change, or by its counters, whichever is earlier."""
    changes = [Change("old", START + 50, None, UP, "", "poll"), Change("new", START + 50, None, UP, "", "poll")]
    path = put(tmp_path / "journal.sqlite", changes, (), {"old": START, "new": START + 60, "silent": START + 70})
    with reading_ledger(path) as ledger:
        assert ledger.known() == {"old": START, "new": START + 50, "silent": START + 70}
