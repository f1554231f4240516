"""All cells as columns, each with the bit that says whose it is and of which technology."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from collector.coverage.sphere import Floats, Indices, vectors
from collector.places import MOST_OPERATORS, Operator
from collector.records import Cell, Technology

Bits = NDArray[np.uint64]
Flags = NDArray[np.bool_]

TECHNOLOGIES = tuple(Technology)
# Every operator has a bit for each technology, the oldest first: 64 of them.
GROUPS = MOST_OPERATORS * len(TECHNOLOGIES)
NOBODY = -1
_PLACE = {technology: place for place, technology in enumerate(TECHNOLOGIES)}


@dataclass(frozen=True, slots=True)
class Stock:
    """`group` of a cell is 4 x operator + technology, or NOBODY where the operator is unknown. NaN: nobody said."""

    cells: Sequence[Cell]
    group: Indices
    lat: Floats
    lon: Floats
    azimuth: Floats

    @property
    def operator(self) -> Indices:
        """Which of the operators each cell is of; NOBODY where it is unknown."""
        return self.group // len(TECHNOLOGIES)

    @property
    def technology(self) -> Indices:
        """Which of TECHNOLOGIES each cell is; meaningless where the operator is unknown."""
        return self.group % len(TECHNOLOGIES)

    @property
    def placed(self) -> Flags:
        """Whether it is known where the cell is."""
        return np.isfinite(self.lat)

    def bits(self) -> Bits:
        """The bit of each cell's group; none where the operator is unknown."""
        shift = np.maximum(self.group, 0).astype(np.uint64)
        return np.where(self.group >= 0, np.uint64(1) << shift, np.uint64(0))

    def vectors(self) -> Floats:
        """Unit vectors of the positions."""
        return vectors(self.lat, self.lon)


def stock(cells: Sequence[Cell], operators: Sequence[Operator]) -> Stock:
    """The columns of `cells`. Raises ValueError when there are more operators than bits for them."""
    if len(operators) > MOST_OPERATORS:
        raise ValueError(f"{len(operators)} operators; at most {MOST_OPERATORS} can be told apart")
    number = {operator.id: place * len(TECHNOLOGIES) for place, operator in enumerate(operators)}
    far_off = -GROUPS
    group = [number.get(cell.operator, far_off) + _PLACE[cell.technology] for cell in cells]
    lat, lon = _column(cell.lat for cell in cells), _column(cell.lon for cell in cells)
    with np.errstate(invalid="ignore"):
        there = (np.abs(lat) <= 90) & (np.abs(lon) <= 180)
    azimuth = _column(cell.azimuth for cell in cells)
    azimuth[~np.isfinite(azimuth)] = np.nan
    return Stock(
        cells,
        np.maximum(np.array(group, np.intp), NOBODY),
        np.where(there, lat, np.nan),
        np.where(there, lon, np.nan),
        azimuth,
    )


def _column(values: Iterable[float | None]) -> Floats:
    return np.array([np.nan if value is None else value for value in values], np.float64)


def at_least(technology: Technology, counting: Iterable[Technology]) -> np.uint64:
    """The bits, of all operators, of the technologies that count and satisfy a demand for `technology`."""
    able = sum(1 << _PLACE[one] for one in counting if one.rank >= technology.rank)
    return np.uint64(sum(able << place for place in range(0, GROUPS, len(TECHNOLOGIES))))


def of_operators(numbers: Iterable[int]) -> np.uint64:
    """The bits of all technologies of some operators."""
    every = (1 << len(TECHNOLOGIES)) - 1
    return np.uint64(sum(every << number * len(TECHNOLOGIES) for number in set(numbers)))
