"""What is known of each cell, from all feeds of its operator: what it is, and what it does now. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from operator import is_

from collector.intake.distance import metres
from collector.records import Area, Batch, Cell, CellState, Dataset, Downtime, Outage, Record

# A cell that was out for so much of a period is out; for less, it came back.
OUT_SHARE = 0.95
# An outage that names only a position is one of the cells within so many metres.
SAME_PLACE = 50.0
# Degrees of latitude, and of longitude anywhere between the tropics and 60 degrees, that are more than that.
_CELL_OF_GRID = 0.001
# Of states that are said of a cell at one time, the one that says most of how bad it is.
_GRAVITY = {
    state: gravity
    for gravity, state in enumerate(
        (CellState.ACTIVE, CellState.SLEEPING, CellState.PLANNED, CellState.UNKNOWN, CellState.DOWN)
    )
}


Key = tuple[str, str]
Lists = tuple[tuple[Record, ...], ...]


@dataclass(frozen=True, slots=True)
class Source:
    """A batch and how to take it: `as_of` in Unix seconds; what is not `fresh` says nothing of states any more."""

    batch: Batch
    as_of: float
    oldest: float
    fresh: bool
    operator: str = ""


@dataclass(frozen=True, slots=True)
class Known:
    """What a cell does: `since` and `until` as its operator says them, `observed_at` None while nothing is known."""

    state: CellState = CellState.UNKNOWN
    observed_at: float | None = None
    since: float | None = None
    until: float | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Network:
    """All cells, without what changes; what each does, in the same order; and the areas that operators declare.

    `cells` and `areas` are the same objects as long as nothing of them changed. `unmatched` counts outages that are
    of no cell that is known, by operator. `lists` are the records that the cells were made of.
    """

    cells: tuple[Cell, ...] = ()
    known: tuple[Known, ...] = ()
    areas: tuple[Area, ...] = ()
    unmatched: dict[str, int] = field(default_factory=dict)
    lists: Lists = field(default=(), repr=False)


UNKNOWN = Known()


def merged(sources: Sequence[Source], now: float, before: Network) -> Network:
    """What `sources` say together at `now`; `before` gives what did not change."""
    lists = _lists(sources)
    cells = before.cells if _same(lists, before.lists) else _cells(lists)
    states = _States(cells)
    for source in sources:
        states.take(source, now)
    areas = tuple(
        record for source in sources if source.batch.dataset is Dataset.AREAS for record in source.batch.records
    )
    return Network(
        before.cells if cells == before.cells else cells,
        tuple(states.known.get((cell.operator, cell.key), UNKNOWN) for cell in cells),
        before.areas if areas == before.areas else tuple(area for area in areas if isinstance(area, Area)),
        states.unmatched,
        lists,
    )


def _lists(sources: Iterable[Source]) -> Lists:
    """The records of all feeds of cells, the latest last."""
    by_age = sorted(sources, key=lambda source: source.as_of)
    return tuple(source.batch.records for source in by_age if source.batch.dataset is Dataset.CELLS)


def _same(lists: Lists, before: Lists) -> bool:
    """Whether they are the very objects: what was read again and is the same comes as them."""
    return len(lists) == len(before) and all(map(is_, lists, before))


def _cells(lists: Lists) -> tuple[Cell, ...]:
    """Each cell as the latest feed with its position has it, without its state."""
    found: dict[Key, Cell] = {}
    for records in lists:
        for record in records:
            if isinstance(record, Cell):
                key = record.operator, record.key
                if key not in found or record.lat is not None:
                    found[key] = record
    return tuple(_lasting(cell) for _, cell in sorted(found.items()))


def _lasting(cell: Cell) -> Cell:
    return replace(cell, state=None, since=None, until=None, reason="", observed_at=None)


class _States:
    """What each cell does, as the latest word on it has it."""

    def __init__(self, cells: Iterable[Cell]) -> None:
        self.known: dict[Key, Known] = {}
        self.unmatched: dict[str, int] = {}
        self._by_operator: dict[str, list[Cell]] = {}
        for cell in cells:
            self._by_operator.setdefault(cell.operator, []).append(cell)
        self._finders: dict[str, _Finder] = {}

    def take(self, source: Source, now: float) -> None:
        """Take in what a fresh source says of states."""
        if not source.fresh:
            return
        said = {Dataset.CELLS: _of_cells, Dataset.DOWNTIME: _of_downtime}.get(source.batch.dataset)
        if said is not None:
            self._note(said(source), source, now)
        elif source.batch.dataset is Dataset.OUTAGES:
            self._note(self._of_outages(source, now), source, now)

    def _note(self, said: Iterable[tuple[Key, Known]], source: Source, now: float) -> None:
        for key, known in said:
            moment = known.observed_at
            if moment is None or now - moment > source.oldest:
                continue
            before = self.known.get(key)
            if before is None or before.observed_at is None or before.observed_at <= moment:
                self.known[key] = known

    def _of_outages(self, source: Source, now: float) -> Iterator[tuple[Key, Known]]:
        """All cells of the operators that the list is of: those that it names, and the others, which are well."""
        out: dict[Key, Known] = {}
        operators = {source.operator} if source.operator else set()
        for record in source.batch.records:
            if not isinstance(record, Outage):
                continue
            operators.add(record.operator)
            affected = self._finder(record.operator).affected(record)
            if not affected:
                self.unmatched[record.operator] = self.unmatched.get(record.operator, 0) + 1
            if record.state is CellState.PLANNED and record.since is not None and record.since > now:
                continue  # work that is announced, and has not begun
            moment = record.observed_at or source.as_of
            known = Known(record.state, moment, record.since, record.until, record.reason)
            out.update({key: known for key in affected if key not in out or _weight(known) > _weight(out[key])})
        well = Known(CellState.ACTIVE, source.as_of)
        for operator in sorted(operators):
            for cell in self._by_operator.get(operator, ()):
                key = operator, cell.key
                yield key, out.get(key, well)

    def _finder(self, operator: str) -> _Finder:
        if operator not in self._finders:
            self._finders[operator] = _Finder(self._by_operator.get(operator, ()))
        return self._finders[operator]


class _Finder:
    """Finds the cells of one operator that an outage is of."""

    def __init__(self, cells: Iterable[Cell]) -> None:
        self._keys: dict[str, Cell] = {}
        self._sites: dict[str, list[Cell]] = {}
        self._grid: dict[tuple[int, int], list[Cell]] = {}
        for cell in cells:
            self._keys[cell.key] = cell
            if cell.site:
                self._sites.setdefault(cell.site, []).append(cell)
            if cell.lat is not None and cell.lon is not None:
                self._grid.setdefault(_square(cell.lat, cell.lon), []).append(cell)

    def affected(self, outage: Outage) -> list[Key]:
        """Keys of the cells; the closest that the outage says is what counts: cell, else site, else position."""
        if outage.cell:
            cells = [self._keys[outage.cell]] if outage.cell in self._keys else []
        elif outage.site:
            cells = self._sites.get(outage.site, [])
        else:
            cells = list(self._near(outage))
        wanted = outage.technology
        return [(cell.operator, cell.key) for cell in cells if wanted in (None, cell.technology)]

    def _near(self, outage: Outage) -> Iterator[Cell]:
        if outage.lat is None or outage.lon is None:
            return
        row, column = _square(outage.lat, outage.lon)
        for square in ((row + i, column + j) for i in (-1, 0, 1) for j in (-1, 0, 1)):
            for cell in self._grid.get(square, ()):
                if metres((outage.lat, outage.lon), (cell.lat or 0.0, cell.lon or 0.0)) <= SAME_PLACE:
                    yield cell


def _square(lat: float, lon: float) -> tuple[int, int]:
    return int(lat // _CELL_OF_GRID), int(lon // _CELL_OF_GRID)


def _weight(outage: Known) -> tuple[float, int]:
    """Of two outages of a cell the later counts, and of the same time the worse."""
    return outage.observed_at or 0.0, _GRAVITY[outage.state]


def _of_cells(source: Source) -> Iterator[tuple[Key, Known]]:
    for record in source.batch.records:
        if isinstance(record, Cell) and record.state is not None:
            moment = record.observed_at or source.as_of
            yield (
                (record.operator, record.key),
                Known(record.state, moment, record.since, record.until, record.reason),
            )


def _of_downtime(source: Source) -> Iterator[tuple[Key, Known]]:
    for record in source.batch.records:
        if isinstance(record, Downtime) and not record.suspect and record.unplanned is not None:
            planned = record.planned or 0.0
            end = record.begin + record.period
            if record.unplanned + planned < OUT_SHARE * record.period:
                state = CellState.ACTIVE
            else:
                state = CellState.PLANNED if planned > record.unplanned else CellState.DOWN
            yield (record.operator, record.cell), Known(state, end)
