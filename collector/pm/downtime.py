"""Downtime of cells, made of the counters of one or more performance files."""

from __future__ import annotations

from collections.abc import Iterable
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


_Key = tuple[str, float, float]
"""Key of a cell, and begin and length of a period."""
_Column = dict[_Key, float | None]


class Downtimes:
    """Collects what files say. `operator` is whose cells they are."""

    def __init__(self, counters: Counters, names: CellName, operator: str, limits: Limits) -> None:
        self._counters = counters
        self._names = names
        self._operator = operator
        self._limits = limits
        # Seconds by counter, not by cell: so many small objects would keep the garbage collector, and the loop, busy.
        self._columns: dict[str, _Column] = {}
        self._suspect: dict[_Key, bool] = {}
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
        unplanned, planned = self._sums(planned=False), self._sums(planned=True)
        return Batch(
            Dataset.DOWNTIME,
            Sense.POSITIVE,
            tuple(
                Downtime(self._operator, *key, unplanned.get(key), planned.get(key), suspect)
                for key, suspect in self._suspect.items()
            ),
            as_of=max((begin + period for _, begin, period in self._suspect), default=None),
            rows=self._rows,
            unreadable=self._unreadable,
            faults=tuple(self._faults),
            complete=self._complete,
            raw=tuple(raw),
        )

    def _sums(self, planned: bool) -> _Column:
        """Seconds by cell and period; None when a counter is blank: then nobody knows."""
        sums: _Column = {}
        for name, column in self._columns.items():
            if self._planned(name) is planned:
                for key, value in column.items():
                    before = sums.get(key, 0.0)
                    sums[key] = None if before is None or value is None else before + value
        return sums

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
        place = (key, begin, period)
        self._suspect[place] = self._suspect.get(place, False) or row.suspect
        for name, value in seconds.items():
            self._add(name, place, value)

    def _add(self, counter: str, place: _Key, value: float | None) -> None:
        """The same counter may come several times: what is blank yields; of two numbers, the worse is suspect."""
        column = self._columns.setdefault(counter, {})
        known = column.get(place)
        if known is None or value is None:
            column[place] = value if known is None else known
        elif known != value:
            column[place] = max(known, value)
            self._suspect[place] = True

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
