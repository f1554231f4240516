"""What coverage is counted over: communes, villages, zones, operators and how far their cells reach."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Literal, TypeVar

from pydantic import Field, model_validator

from collector.measures import fault
from collector.mobile import Operators
from collector.places import (
    MOST_OPERATORS,
    Carrier,
    Commune,
    Environment,
    Operator,
    Places,
    Propagation,
    RangeModel,
    TechnologyRule,
    Terrain,
    Village,
    Zone,
)
from collector.records import Technology
from collector.settings.credentials import Credentials
from collector.settings.faults import Fault
from collector.settings.gather import PLACES, Gathered
from collector.settings.inventory import Id
from collector.settings.moments import Day
from collector.settings.monitor import Section
from collector.settings.outlines import Outlines, strangers
from collector.settings.source import Node
from collector.settings.systems import missing
from collector.settings.validation import checked

if TYPE_CHECKING:  # loaded only where there are polygons: it takes memory
    from shapely.geometry.base import BaseGeometry

M = TypeVar("M", bound=Section)
Latitude = Annotated[float, Field(ge=-90, le=90)]
Longitude = Annotated[float, Field(ge=-180, le=180)]
Ring = tuple[tuple[Longitude, Latitude], ...]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Finite = Annotated[float, Field(allow_inf_nan=False)]
# Reads as the ids of other entries do, but names what 3GPP calls it: 4G.
Generation = Technology


class CommuneKeys(Section):
    """A commune, ward or special zone: the lowest unit of administration."""

    id: Id = Field(description="Its code in the national list of administrative units.")
    name: str = Field(min_length=1, description="Name.")
    kind: Literal["phuong", "xa", "dac-khu"] = Field(description="Ward, commune, or special zone.")
    lat: Latitude = Field(description="Latitude of its centre, degrees WGS 84.")
    lon: Longitude = Field(description="Longitude of its centre.")
    area_km2: Positive | None = Field(None, description="Area, square kilometres.")
    territory: str = Field("", description="Former province that it belonged to.")
    environment: Environment | None = Field(
        None, description="What lies between a mast and people: default `town` for a ward, else `open`."
    )
    note: str | None = Field(None, description="For readers of the file.")


class VillageKeys(Section):
    """A village or residential group."""

    id: Id = Field(description="Stable for ever.")
    name: str = Field(min_length=1, description="Name.")
    commune: str | None = Field(None, description="Id of its commune; without: the one whose centre is nearest.")
    lat: Latitude = Field(description="Latitude, degrees WGS 84.")
    lon: Longitude = Field(description="Longitude.")
    population: int | None = Field(None, ge=0, description="Inhabitants, where they are known.")
    official: Generation | None = Field(
        None, description="Best technology at which the official figure calls it covered."
    )
    note: str | None = Field(None, description="For readers of the file.")


class ZoneKeys(Section):
    """An industrial park, a cluster, a station, a port: a point, or a polygon."""

    id: Id = Field(description="Stable for ever.")
    name_vi: str = Field(min_length=1, description="Vietnamese name.")
    name_en: str = Field(min_length=1, description="English name.")
    category: Id = Field(description="What it is, such as industrial-park; its zones are counted together.")
    lat: Latitude = Field(description="Latitude of its middle, degrees WGS 84.")
    lon: Longitude = Field(description="Longitude of its middle.")
    polygon: Ring | None = Field(
        None, min_length=3, description="Its outline as [longitude, latitude]: covered when 95 % of it is served."
    )
    note: str | None = Field(None, description="For readers of the file.")


class OperatorKeys(Section):
    """What tells a mobile operator in feeds."""

    id: Id = Field(description="Id of its system.")
    plmn: tuple[str, ...] = Field((), description="Its network codes, such as 452-04.")
    aliases: tuple[str, ...] = Field((), description="Other names that feeds call it by.")
    roams_on: tuple[str, ...] = Field((), description="Ids of operators whose networks its subscribers use, too.")
    note: str | None = Field(None, description="For readers of the file.")


class TechnologyKeys(Section):
    """When a technology counts."""

    id: Generation = Field(description="2G, 3G, 4G or 5G.")
    valid_from: Day | None = Field(None, description="First day that it counts.")
    valid_to: Day | None = Field(None, description="First day that it does not count any more.")
    note: str | None = Field(None, description="For readers of the file.")


class CarrierKeys(Section):
    """What a technology sends in a band, and what a terminal needs."""

    technology: Generation = Field(description="2G, 3G, 4G or 5G.")
    mhz: Positive = Field(description="Frequency, MHz.")
    eirp_dbm: Finite = Field(description="Power sent, dBm EIRP of the reference signal.")
    good_dbm: Finite = Field(description="Signal that a good service needs outdoors, dBm.")
    basic_dbm: Finite = Field(description="Signal that a basic service needs outdoors, dBm.")
    default: bool = Field(False, description="Taken for cells whose band nobody said.")


class TerrainKeys(Section):
    """How an environment is reckoned."""

    environment: Environment = Field(description="open, town or mountain.")
    model: Propagation = Field(description="Path loss model of 3GPP TR 38.901: rma or uma.")
    extra_loss_db: Finite = Field(0.0, description="What is lost beside the model, dB.")


class RangesKeys(Section):
    """How far a cell reaches where its operator does not say (3GPP TR 38.901 table 7.4.1-1)."""

    carriers: tuple[CarrierKeys, ...] = Field(min_length=1, description="Technologies and bands.")
    terrains: tuple[TerrainKeys, ...] = Field(min_length=1, description="Environments.")
    level: Literal["good", "basic"] = Field("good", description="Which of the two thresholds counts.")
    edge_z: Finite = Field(description="Normal quantile of the share of places that are served at the edge.")
    sigma_db: Positive = Field(description="Shadow fading, dB.")
    mast_height: Positive = Field(description="Height of masts of which nobody said, metres.")
    terminal_height: Positive = Field(description="Height of terminals, metres.")
    street_width: Positive = Field(description="Width of streets, metres.")
    building_height: Positive = Field(description="Height of buildings, metres.")
    cap_km: Positive = Field(description="Where the model ends, kilometres.")

    @model_validator(mode="after")
    def _whole(self) -> RangesKeys:
        lacking = [each.value for each in Environment if each not in {one.environment for one in self.terrains}]
        if lacking:
            raise fault(f"`terrains` lacks {', '.join(lacking)}")
        return self


LISTS: Mapping[str, type[Section]] = dict(
    zip(PLACES, (CommuneKeys, VillageKeys, ZoneKeys, OperatorKeys, TechnologyKeys), strict=True)
)


def places(
    gathered: Gathered, outlines: Sequence[Outlines], credentials: Credentials, faults: list[Fault], *, whole: bool
) -> Places | None:
    """The places; None where none are configured. What is wrong is added to `faults`.

    Without `whole` some files could not be read, and a name may stand in one of them.
    """
    reader = _Reader(gathered, credentials, faults)
    ranges = reader.ranges()
    shapes = {code: shape for one in outlines for code, shape in one.shapes.items()}
    communes = [_commune(keys, shapes.get(keys.id)) for keys, _ in reader.all("commune", CommuneKeys)]
    villages = [_village(keys, synthetic) for keys, synthetic in reader.all("village", VillageKeys)]
    zones = [reader.zone(keys, synthetic) for keys, synthetic in reader.all("zone", ZoneKeys)]
    operators = [
        Operator(keys.id, keys.plmn, keys.aliases, keys.roams_on) for keys, _ in reader.all("operator", OperatorKeys)
    ]
    rules = [
        TechnologyRule(keys.id, keys.valid_from, keys.valid_to) for keys, _ in reader.all("technology", TechnologyKeys)
    ]
    if whole:
        faults += [*_references(gathered), *strangers(outlines, gathered.places["commune"])]
    faults += _ambiguous(gathered, operators)
    territory = reader.territory(whole=whole)
    if ranges is None:
        return None
    return Places(tuple(communes), tuple(villages), tuple(zones), tuple(operators), tuple(rules), ranges, territory)


class _Reader:
    def __init__(self, gathered: Gathered, credentials: Credentials, faults: list[Fault]) -> None:
        self._gathered = gathered
        self._credentials = credentials
        self._faults = faults

    def all(self, what: str, model: type[M]) -> Iterator[tuple[M, bool]]:
        """The valid entries of a list, and whether each is synthetic."""
        for name, node in self._gathered.nameless:
            if name == what:
                self._checked(model, node)
        for written in self._gathered.places[what].values():
            keys = self._checked(model, written.node)
            if keys is not None:
                yield keys, written.synthetic

    def ranges(self) -> RangeModel | None:
        """How far cells reach; None where nothing says it."""
        node = self._gathered.sections.get("ranges")
        keys = self._checked(RangesKeys, node) if node is not None else None
        if keys is None:
            return None
        plain = {name: getattr(keys, name) for name in RangesKeys.model_fields}
        plain["carriers"] = tuple(Carrier(**dict(each)) for each in keys.carriers)
        plain["terrains"] = tuple(Terrain(**dict(each)) for each in keys.terrains)
        return RangeModel(**plain)

    def zone(self, keys: ZoneKeys, synthetic: bool) -> Zone:
        """A zone; without outline where its own encloses nothing."""
        geometry = None
        if keys.polygon is not None:
            from collector.features.geometry import Geometries  # noqa: PLC0415  loaded only where there are polygons

            try:
                geometry = Geometries().polygon({"type": "Polygon", "coordinates": [[list(at) for at in keys.polygon]]})
            except ValueError as error:
                place = self._gathered.places["zone"][keys.id].node.children["polygon"]
                self._faults.append(place.fault(str(error)))
        return Zone(keys.id, keys.name_vi, keys.name_en, keys.category, keys.lat, keys.lon, geometry, synthetic)

    def territory(self, *, whole: bool) -> str:
        """Whose communes make the figures; empty: all."""
        node = self._gathered.sections.get("territory")
        if node is None or node.value is None:
            return ""
        if not isinstance(node.value, str):
            self._faults.append(node.fault("expected text"))
            return ""
        if whole:
            communes = self._gathered.places["commune"].values()
            known = {name: each for each in communes if (name := each.node.text("territory"))}
            self._faults += missing(node, "territory", known)
        return node.value

    def _checked(self, model: type[M], node: Node) -> M | None:
        keys, wrong = checked(model, self._credentials.children(node), node)
        self._faults += wrong
        return keys


def _commune(keys: CommuneKeys, shape: BaseGeometry | None) -> Commune:
    given = (keys.id, keys.name, keys.kind, keys.lat, keys.lon)
    return Commune(*given, keys.area_km2, keys.territory, keys.environment, shape)


def _village(keys: VillageKeys, synthetic: bool) -> Village:
    return Village(
        keys.id, keys.name, keys.commune or "", keys.lat, keys.lon, keys.population, synthetic, keys.official
    )


def _references(gathered: Gathered) -> Iterator[Fault]:
    written = gathered.places
    for village in written["village"].values():
        place = village.node.get("commune")
        if place is not None:
            yield from missing(place, "commune", written["commune"])
    mobile = [name for name, one in gathered.systems.items() if one.node.text("category") == "mobile-operator"]
    for operator in written["operator"].values():
        yield from missing(operator.node.children["id"], "mobile operator", dict.fromkeys(mobile))
        roams = operator.node.get("roams_on")
        for place in roams.items if roams is not None else ():
            yield from missing(place, "operator", written["operator"])


def _ambiguous(gathered: Gathered, operators: list[Operator]) -> Iterator[Fault]:
    """What would leave open which operator a name in a feed stands for."""
    for number, operator in enumerate(operators):
        node = gathered.places["operator"][operator.id].node
        if number == MOST_OPERATORS:
            yield node.fault(f"at most {MOST_OPERATORS} operators are counted")
        try:
            Operators(operators[: number + 1])
        except ValueError as error:
            yield node.fault(str(error))
            return
