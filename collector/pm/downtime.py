"""Downtime of cells, made of the counters of one or more performance files."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache

from collector.measures import number
from collector.pm.counters import CellName, Counters
from collector.pm.document import Limits, read
from collector.pm.measurements import Measured, Measurements
from collector.pm.times import duration, moment
from collector.records import Batch, Dataset, Downtime, Sense

MAX_FAULTS = 20
# Elements count a period by their own clocks: one may say a second more than there was.
_SPARE = 1.0


@dataclass(slots=True)
class _Cell:
    """Seconds of one cell in one period, by counter."""

    seconds: dict[str, float | None] = field(default_factory=dict)
    suspect: bool = False

    def add(self, counter: str, value: float | None) -> None:
        """The same counter may come several times: what is blank yields; of two numbers, the worse is suspect."""
        known = self.seconds.get(counter)
        if known is None or value is None:
            self.seconds[counter] = value if known is None else known
        elif known != value:
            self.seconds[counter] = max(known, value)
            self.suspect = True


class Downtimes:
    """Collects what files say. `operator` is whose cells they are."""

    def __init__(self, counters: Counters, names: CellName, operator: str, limits: Limits) -> None:
        self._counters = counters
        self._names = names
        self._operator = operator
        self._limits = limits
        self._cells: dict[tuple[str, float, float], _Cell] = {}
        self._rows = self._unreadable = 0
        self._faults: list[str] = []
        self._complete = True
        self._planned = lru_cache(maxsize=10_000)(counters.is_planned)

    def read(self, content: bytes) -> None:
        """Add what a file says. Raises ValueError for what is no performance file."""
        listener = Measurements(lambda name: self._planned(name) is not None, self._take)
        read(content, listener, self._limits)
        self._complete = self._complete and listener.complete

    def batch(self, raw: Iterable[tuple[str, bytes]]) -> Batch:
        """All that was read."""
        keys = sorted(self._cells)
        as_of = max((begin + period for _, begin, period in keys), default=None)
        return Batch(
            Dataset.DOWNTIME,
            Sense.POSITIVE,
            tuple(self._record(*key) for key in keys),
            as_of=as_of,
            rows=self._rows,
            unreadable=self._unreadable,
            faults=tuple(self._faults),
            complete=self._complete,
            raw=tuple(raw),
        )

    def _record(self, cell: str, begin: float, period: float) -> Downtime:
        known = self._cells[cell, begin, period]
        unplanned, planned = (self._sum(known.seconds, wanted) for wanted in (False, True))
        return Downtime(self._operator, cell, begin, period, unplanned, planned, known.suspect)

    def _sum(self, seconds: dict[str, float | None], planned: bool) -> float | None:
        """None without a counter, and when one is blank: then nobody knows."""
        total, parts = 0.0, [value for name, value in seconds.items() if self._planned(name) is planned]
        for part in parts:
            if part is None:
                return None
            total += part
        return total if parts else None

    def _take(self, row: Measured) -> None:
        self._rows += 1
        try:
            if row.fault:
                raise ValueError(row.fault)
            period = duration(row.duration)
            begin = moment(row.end) - period
            key = self._names.of(row.object)
            seconds = {name: self._seconds(name, text, period) for name, text in row.values.items()}
        except ValueError as error:
            self._unreadable += 1
            if len(self._faults) < MAX_FAULTS:
                self._faults.append(f"row {self._rows}: {error}")
            return
        cell = self._cells.setdefault((key, begin, period), _Cell())
        cell.suspect = cell.suspect or row.suspect
        for name, value in seconds.items():
            cell.add(name, value)

    def _seconds(self, name: str, text: str | None, period: float) -> float | None:
        if text is None:
            return None
        try:
            seconds = number(text) * self._counters.scale
        except ValueError:
            raise ValueError(f"{name}: {text[:40]!r} is no number") from None
        if not 0 <= seconds <= period + _SPARE:
            raise ValueError(f"{name}: {seconds:g} s in a period of {period:g} s")
        return min(seconds, period)
