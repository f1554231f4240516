"""Where people are and who serves them: communes, villages, zones, operators, technologies. Plain data, no I/O.

Coordinates are degrees WGS 84; geometries are longitude, latitude.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import TYPE_CHECKING

from collector.records import Technology

if TYPE_CHECKING:  # loaded only where there are polygons: it takes memory
    from shapely.geometry.base import BaseGeometry

# A bit for each of four technologies of each operator makes 64.
MOST_OPERATORS = 16


class Environment(StrEnum):
    """What lies between a mast and who it serves."""

    OPEN = "open"
    TOWN = "town"
    MOUNTAIN = "mountain"


class Propagation(StrEnum):
    """Path loss models of 3GPP TR 38.901 table 7.4.1-1, without line of sight."""

    RMA = "rma"
    UMA = "uma"


@dataclass(frozen=True, slots=True)
class Commune:
    """The lowest unit of administration; `kind` is phuong, xa or dac-khu. `territory` is the former province."""

    code: str
    name: str
    kind: str
    lat: float
    lon: float
    area_km2: float | None = None
    territory: str = ""
    environment: Environment | None = None
    geometry: BaseGeometry | None = None

    @property
    def surroundings(self) -> Environment:
        """The declared environment; else town for a phuong and open land for all others."""
        return self.environment or (Environment.TOWN if self.kind == "phuong" else Environment.OPEN)


@dataclass(frozen=True, slots=True)
class Village:
    """A village or residential group. `commune` is a code, '' where its place is to tell.

    `official` is the best technology at which the official figure calls it covered, None where it says nothing.
    """

    id: str
    name: str
    commune: str
    lat: float
    lon: float
    population: int | None = None
    synthetic: bool = False
    official: Technology | None = None


@dataclass(frozen=True, slots=True)
class Zone:
    """An industrial park, a station, a port: a point, or the polygon that is given."""

    id: str
    name_vi: str
    name_en: str
    category: str
    lat: float
    lon: float
    geometry: BaseGeometry | None = None
    synthetic: bool = False


@dataclass(frozen=True, slots=True)
class Operator:
    """A mobile operator: its network codes (`452-02`), other names, and the operators whose networks it uses, too."""

    id: str
    plmn: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    roams_on: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TechnologyRule:
    """When a technology counts: from the first day on, until the day before `valid_to` (Asia/Ho_Chi_Minh)."""

    technology: Technology
    valid_from: date | None = None
    valid_to: date | None = None

    def holds(self, day: date) -> bool:
        """Whether it counts on a day."""
        begun = self.valid_from is None or self.valid_from <= day
        return begun and (self.valid_to is None or day < self.valid_to)


@dataclass(frozen=True, slots=True)
class Carrier:
    """What a technology sends in a band (MHz) and what a terminal needs: dBm of the same reference signal.

    `default`: taken for cells whose band nobody said.
    """

    technology: Technology
    mhz: float
    eirp_dbm: float
    good_dbm: float
    basic_dbm: float
    default: bool = False


@dataclass(frozen=True, slots=True)
class Terrain:
    """How an environment is reckoned: the model and what is lost beside it (dB)."""

    environment: Environment
    model: Propagation
    extra_loss_db: float = 0.0


@dataclass(frozen=True, slots=True)
class RangeModel:
    """All that turns a cell into a range. Lengths are metres unless the name says otherwise.

    `edge_z` is the normal quantile of the share of places served at the edge; `level` is `good` or `basic`.
    """

    carriers: tuple[Carrier, ...]
    terrains: tuple[Terrain, ...]
    edge_z: float
    sigma_db: float
    mast_height: float
    terminal_height: float
    street_width: float
    building_height: float
    cap_km: float
    level: str = "good"


@dataclass(frozen=True, slots=True)
class Places:
    """The inventory that coverage is counted over. `territory`: only its communes' villages make province figures."""

    communes: tuple[Commune, ...]
    villages: tuple[Village, ...]
    zones: tuple[Zone, ...]
    operators: tuple[Operator, ...]
    technologies: tuple[TechnologyRule, ...]
    ranges: RangeModel
    territory: str = ""
