"""Changes, observed time and corrections to one gapless sequence of states."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby, pairwise

from collector.journal import Change, Correction, Interval
from collector.model import SystemState
from collector.reports.records import OUT, Figures, Outage, Work

NOT_OBSERVED = "not observed"
NO_RESULT = "no result yet"


@dataclass(frozen=True, slots=True)
class Piece:
    """A state that held from `begins` to `ends`, why, who says so, and whether the service was at work."""

    begins: float
    ends: float
    state: SystemState
    reason: str
    source: str
    observed: bool = True
    correction: int | None = None

    @property
    def seconds(self) -> float:
        """How long."""
        return self.ends - self.begins


def pieces(
    changes: Sequence[Change],
    observed: Sequence[Interval],
    corrections: Sequence[Correction],
    begins: float,
    ends: float,
) -> list[Piece]:
    """What held when, from `begins` to `ends` without a gap.

    `changes` and `observed` are in order. A state holds until the next change, but only through observed time; the
    rest is unknown. What was corrected last wins, over unobserved time too.
    """
    cuts = {begins, ends}
    cuts.update(change.at for change in changes)
    cuts.update(moment for interval in observed for moment in interval)
    cuts.update(moment for one in corrections for moment in (one.starts, one.ends))
    moments = sorted(moment for moment in cuts if begins <= moment <= ends)
    told = [change.at for change in changes]
    starts = [interval[0] for interval in observed]
    found: list[Piece] = []
    for start, end in pairwise(moments):
        at = bisect_right(told, start) - 1
        seen = bisect_right(starts, start) - 1
        there = seen >= 0 and start < observed[seen][1]
        corrected = [one for one in corrections if one.starts <= start < one.ends]
        piece = _piece(start, end, changes[at] if at >= 0 else None, there, corrected[-1] if corrected else None)
        _append(found, piece)
    return found


def figures(some: Iterable[Piece], begins: float, ends: float) -> Figures:
    """Time in each state between two moments."""
    seconds = dict.fromkeys(SystemState, 0.0)
    for piece in clipped(some, begins, ends):
        seconds[piece.state] += piece.seconds
    return Figures(seconds)


def clipped(some: Iterable[Piece], begins: float, ends: float) -> list[Piece]:
    """The part between two moments."""
    inside = (replace(one, begins=max(one.begins, begins), ends=min(one.ends, ends)) for one in some)
    return [one for one in inside if one.begins < one.ends]


def outages(some: Sequence[Piece], begins: float, ends: float, now: float) -> list[Outage]:
    """The outages that touch the time between two moments, each whole if `some` reaches far enough."""
    found = []
    for spell, end in _spells(some, now):
        seconds = sum(one.seconds for one in clipped(spell, begins, ends))
        if spell[0].state in OUT and seconds > 0:
            found.append(Outage(spell[0].begins, end, seconds, spell[0].state, spell[0].reason, spell[0].source))
    return found


def works(some: Sequence[Piece], now: float) -> list[Work]:
    """When the state was maintenance."""
    return [
        Work(spell[0].begins, end, spell[0].reason)
        for spell, end in _spells(some, now)
        if spell[0].state is SystemState.MAINTENANCE
    ]


def reaches_out(some: Sequence[Piece], *, back: bool) -> bool:
    """Whether what is out at the first end, or the last, may have been so beyond it."""
    ordered = some if back else reversed(some)
    state = next((piece.state for piece in ordered if piece.state is not SystemState.UNKNOWN), None)
    return state in OUT


def _spells(some: Sequence[Piece], now: float) -> Iterator[tuple[list[Piece], float | None]]:
    """Neighbours of one state that is not unknown; unknown time between two such does not part them.

    With each, when it ended: None when it is the last that is known, now.
    """
    known = [piece for piece in some if piece.state is not SystemState.UNKNOWN]
    for _, neighbours in groupby(known, key=lambda piece: piece.state):
        spell = list(neighbours)
        lasts = spell[-1] is known[-1] and some[-1].ends >= now
        yield spell, None if lasts else spell[-1].ends


def _piece(begins: float, ends: float, change: Change | None, seen: bool, corrected: Correction | None) -> Piece:
    if corrected is not None:
        return Piece(begins, ends, corrected.state, corrected.reason, "correction", seen, corrected.id)
    if not seen:
        return Piece(begins, ends, SystemState.UNKNOWN, NOT_OBSERVED, "", observed=False)
    if change is None:
        return Piece(begins, ends, SystemState.UNKNOWN, NO_RESULT, "")
    return Piece(begins, ends, change.new, change.reason, change.source)


def _append(found: list[Piece], piece: Piece) -> None:
    """Add a piece, or lengthen the last one if only a cut parts them."""
    if found and replace(found[-1], begins=piece.begins, ends=piece.ends) == piece:
        found[-1] = replace(found[-1], ends=piece.ends)
    else:
        found.append(piece)
