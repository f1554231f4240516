"""What feeds say, after translation: cells, outages, downtime, declared areas and indicators. Plain data, no I/O.

One record a row, whatever the format. Times are Unix seconds, coordinates degrees WGS 84, bands MHz, heights metres.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:  # loaded only where there are polygons: it takes memory
    from shapely.geometry.base import BaseGeometry


class Technology(StrEnum):
    """Generations, in the order of what they can do: one satisfies a demand for those before it."""

    G2 = "2G"
    G3 = "3G"
    G4 = "4G"
    G5 = "5G"

    @property
    def rank(self) -> int:
        """2 to 5."""
        return int(self.value[0])


class CellState(StrEnum):
    """What a cell does. Only an active one serves; a sleeping one saves energy and is no outage by itself."""

    ACTIVE = "active"
    DOWN = "down"
    PLANNED = "planned"
    SLEEPING = "sleeping"
    UNKNOWN = "unknown"


class Sense(StrEnum):
    """What a feed lists: everything with its state, or only what does not work."""

    POSITIVE = "positive"
    NEGATIVE = "negative"


class Dataset(StrEnum):
    """What the rows of a feed are."""

    CELLS = "cells"
    OUTAGES = "outages"
    DOWNTIME = "downtime"
    AREAS = "areas"
    INDICATORS = "indicators"


@dataclass(frozen=True, slots=True)
class Cell:
    """One radio cell. `key` names it among its operator's, whatever its tracking area; `site` is a declared code.

    `villages` are ids of those that the operator declares as served. `state` is None where the feed says none.
    """

    operator: str
    key: str
    technology: Technology
    site: str = ""
    name: str = ""
    lat: float | None = None
    lon: float | None = None
    band: int | None = None
    height: float | None = None
    azimuth: float | None = None
    villages: tuple[str, ...] = ()
    state: CellState | None = None
    since: float | None = None
    until: float | None = None
    reason: str = ""
    observed_at: float | None = None


@dataclass(frozen=True, slots=True)
class Outage:
    """Something that does not work: a cell, all cells of a site, or those at a position (of a technology, if given)."""

    operator: str
    cell: str = ""
    site: str = ""
    lat: float | None = None
    lon: float | None = None
    technology: Technology | None = None
    state: CellState = CellState.DOWN
    since: float | None = None
    until: float | None = None
    reason: str = ""
    observed_at: float | None = None


@dataclass(frozen=True, slots=True)
class Downtime:
    """Seconds that a cell was out during the `period` seconds from `begin`; None where the counter was blank."""

    operator: str
    cell: str
    begin: float
    period: float
    unplanned: float | None
    planned: float | None
    suspect: bool = False


@dataclass(frozen=True, slots=True)
class Area:
    """A polygon that an operator declares as covered at a technology: longitude, latitude."""

    operator: str
    technology: Technology
    geometry: BaseGeometry
    observed_at: float | None = None


@dataclass(frozen=True, slots=True)
class IndicatorValue:
    """What somebody states of an indicator of the plan for a day."""

    indicator: str
    day: date
    value: float


# Documents as they came, by name.
Documents: TypeAlias = tuple[tuple[str, bytes], ...]
Record: TypeAlias = Cell | Outage | Downtime | Area | IndicatorValue


@dataclass(frozen=True, slots=True)
class Batch:
    """What one run of a feed read.

    `as_of` is the time of the data (Unix seconds) as the feed itself says it, None when it does not; `arrived` is when
    the last of its files came to where they are read, None for what is made or sent when we ask; `rows` counts
    what was there, with the rows that could not be read, of which `faults` says the first few; `complete` is
    whether the form shows that the end is there; `raw` are the documents by name, to be kept aside if refused.
    """

    dataset: Dataset
    sense: Sense
    records: tuple[Record, ...]
    as_of: float | None = None
    rows: int = 0
    unreadable: int = 0
    faults: tuple[str, ...] = ()
    complete: bool = True
    raw: Documents = field(default=(), repr=False)
    arrived: float | None = None

    @property
    def dated(self) -> float | None:
        """What its age is told by: the time of its data, else that of its arrival."""
        return self.arrived if self.as_of is None else self.as_of
