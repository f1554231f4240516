"""Finding the header of a table by the names of the columns that a map needs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from collector.mapping import RowMap
from collector.mapping.words import folded, shown, text
from collector.model import ProbeFailed, Reason
from collector.nearest import nearest

_MOST_NAMED = 3


@dataclass(frozen=True, slots=True)
class Heading:
    """Where the columns of a table stand.

    `places` are those that the map reads, by the map's own name; `width` counts all, `least` those up to the last that
    has a name.
    """

    places: Mapping[str, int]
    least: int
    width: int
    names: tuple[str, ...] = ()

    def fits(self, values: Sequence[object], *, ragged: bool) -> bool:
        """Whether so many values can be a row; a `ragged` one may lack, or have more of, blank ones at its end."""
        if len(values) == self.width:
            return True
        return ragged and len(values) >= self.least and not any(values[self.width :])

    def row(self, values: Sequence[object]) -> dict[str, object]:
        """The values of a row that the map reads."""
        return {name: values[place] for name, place in self.places.items()}


class Wanted:
    """The columns that a map reads, and which of them a header must have."""

    def __init__(self, plan: RowMap) -> None:
        self._names = plan.names
        self._groups = tuple(
            dict.fromkeys(
                group
                for column in plan.columns
                if not column.optional
                for group in ([(name,) for name in column.join] if column.join else [column.column])
                if group
            )
        )

    def missing(self, names: Sequence[str]) -> list[tuple[str, ...]]:
        """What a header of these names lacks: for each column of the map, the names that it may have."""
        there = set(names)
        return [group for group in self._groups if not any(folded(name) in there for name in group)]

    def heading(self, names: Sequence[str]) -> Heading:
        """The heading of folded `names`. Raises ProbeFailed when a column that is read is there twice."""
        places = {}
        for name in self._names:
            word = folded(name)
            if names.count(word) > 1:
                raise ProbeFailed(Reason.UNEXPECTED, f"column {shown(name)} is there twice")
            if word in names:
                places[name] = names.index(word)
        named = [place for place, word in enumerate(names, 1) if word]
        return Heading(places, max(named, default=0), len(names), tuple(names))

    def complaint(self, names: Sequence[str], number: int) -> str:
        """What to say of the line that is most like the header."""
        lacks = self.missing(names)
        first = lacks[0][0]
        more = f" and {len(lacks) - _MOST_NAMED} more" if len(lacks) > _MOST_NAMED else ""
        words = ", ".join(shown(group[0]) for group in lacks[:_MOST_NAMED])
        if len(lacks) == len(self._groups):
            return f"no header: no line has column {words}{more}"
        return f"no header: line {number} has no column {words}{more}{nearest(folded(first), names)}"


def joined(rows: Sequence[Sequence[object]]) -> list[str]:
    """Folded names of the columns of a header of several rows: what is above several columns is of all of them."""
    width = max((len(row) for row in rows), default=0)
    parts: list[list[str]] = [[] for _ in range(width)]
    for level, row in enumerate(rows):
        above = ""
        for place in range(width):
            word = folded(text(row[place], 1000)) if place < len(row) and row[place] is not None else ""
            is_last = level == len(rows) - 1
            above = word or ("" if is_last else above)
            parts[place].append(word if is_last else above)
    return [" ".join(word for word in column if word) for column in parts]


def found(
    wanted: Wanted, candidates: Iterable[tuple[int, Sequence[Sequence[object]]]], most: int
) -> tuple[int, Heading]:
    """Place and heading of the first candidate that has every column that must be there. Raises ProbeFailed.

    One of more than `most` columns is none: what it holds is not looked at.
    """
    best: tuple[int, int, list[str]] | None = None
    widest = 0
    for number, rows in candidates:
        if (width := max(map(len, rows), default=0)) > most:
            widest = max(widest, width)
            continue
        names = joined(rows)
        lacks = len(wanted.missing(names))
        if not lacks:
            return number, wanted.heading(names)
        if best is None or lacks < best[0]:
            best = (lacks, number, names)
    if widest:
        raise ProbeFailed(Reason.TOO_LARGE, f"{widest} columns, at most {most} are read")
    if best is None:
        raise ProbeFailed(Reason.UNEXPECTED, "the table is empty")
    raise ProbeFailed(Reason.UNEXPECTED, wanted.complaint(best[2], best[1]))
