"""What every cell does now, as columns in the order of the cells."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from collector.coverage.sphere import Floats
from collector.coverage.stock import Flags
from collector.records import CellState

Codes = NDArray[np.int8]

# Ordered, so that the greatest of an operator's cells on a site is what its site does: one active cell keeps it up,
# and what is not known stands above what is out.
STATES = (CellState.SLEEPING, CellState.PLANNED, CellState.DOWN, CellState.UNKNOWN, CellState.ACTIVE)
CODE = {state: code for code, state in enumerate(STATES)}


class Known(Protocol):
    """What is known of a cell: its state, and when that was seen (Unix seconds)."""

    @property
    def state(self) -> CellState | None:
        """None: nothing is known."""

    @property
    def observed_at(self) -> float | None:
        """None: nobody said when."""


@dataclass(frozen=True, slots=True)
class States:
    """A code of STATES for each cell, and when it was seen: NaN where nobody said."""

    codes: Codes
    observed: Floats

    def are(self, *states: CellState) -> Flags:
        """Which cells are in one of these states."""
        wanted = np.zeros(len(STATES), np.bool_)
        wanted[[CODE[state] for state in states]] = True
        return wanted[self.codes]

    def without(self, cells: Flags) -> States:
        """The same, had these cells failed."""
        return States(np.where(cells, np.int8(CODE[CellState.DOWN]), self.codes), self.observed)


def states(known: Sequence[Known]) -> States:
    """The columns of what is known of each cell."""
    unknown = CODE[CellState.UNKNOWN]
    codes = [unknown if one.state is None else CODE[one.state] for one in known]
    observed = [np.nan if one.observed_at is None else one.observed_at for one in known]
    return States(np.array(codes, np.int8), np.array(observed, np.float64))
