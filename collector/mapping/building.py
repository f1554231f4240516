"""From the values of a row's fields to a record of a dataset. Raises ValueError for values that make none."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from collector.mapping.columns import CellKey
from collector.mobile import Identity, Numbering, identity
from collector.records import (
    Area,
    Cell,
    CellState,
    Dataset,
    Downtime,
    IndicatorValue,
    Outage,
    Record,
    Technology,
)

Values = Mapping[str, Any]


def key_of(values: Values, key: CellKey | None) -> Identity:
    """The cell that the values name: by its identity, else by its site, technology, band and direction."""
    technology: Technology | None = values.get("technology")
    if "cell" not in values or key is None:
        return Identity(_composed(values.get("site"), technology, values))
    if technology is None and key.numbering is not Numbering.TEXT:
        return identity(*_implied(key), values["cell"], values.get("area"), key.gnb_length)
    found = identity(key.numbering, technology or Technology.G4, values["cell"], values.get("area"), key.gnb_length)
    return Identity(_composed(found.key, technology, values)) if key.per_technology else found


def _implied(key: CellKey) -> tuple[Numbering, Technology]:
    technologies = {
        Numbering.ECI: Technology.G4,
        Numbering.NCI: Technology.G5,
        Numbering.UCID: Technology.G3,
    }
    if key.numbering not in technologies:
        raise ValueError("technology: blank")
    return key.numbering, technologies[key.numbering]


def _composed(name: str | None, technology: Technology | None, values: Values) -> str:
    azimuth = values.get("azimuth")
    parts = (technology, values.get("band"), None if azimuth is None else f"{azimuth:g}")
    return "/".join((name, *(str(part) for part in parts if part is not None))) if name else ""


def _state(values: Values, state: CellState | None) -> CellState | None:
    return CellState.PLANNED if values.get("planned") and state is CellState.DOWN else state


def _cell(values: Values, operator: str, key: str) -> Cell:
    _require(values, "technology")
    if not key:
        raise ValueError("cell: blank")
    take = values.get
    return Cell(
        operator=operator,
        key=key,
        technology=values["technology"],
        site=take("site", ""),
        name=take("name") or "",
        lat=take("lat"),
        lon=take("lon"),
        band=take("band"),
        height=take("height"),
        azimuth=take("azimuth"),
        villages=take("villages", ()),
        state=_state(values, take("state")),
        since=take("since"),
        until=take("until"),
        reason=take("reason") or "",
        observed_at=take("observed_at"),
    )


def _outage(values: Values, operator: str, key: str) -> Outage:
    take = values.get
    name = key if "cell" in values else ""
    if not name and not take("site") and take("lat") is None:
        raise ValueError("no cell, site or position")
    return Outage(
        operator=operator,
        cell=name,
        site=take("site", ""),
        lat=take("lat"),
        lon=take("lon"),
        technology=take("technology"),
        state=_state(values, take("state", CellState.DOWN)) or CellState.UNKNOWN,
        since=take("since"),
        until=take("until"),
        reason=take("reason") or "",
        observed_at=take("observed_at"),
    )


def _downtime(values: Values, operator: str, key: str) -> Downtime:
    _require(values, "begin", "period")
    if not key:
        raise ValueError("cell: blank")
    unplanned, planned = values.get("unplanned"), values.get("planned")
    if max(unplanned or 0, planned or 0) > values["period"]:
        raise ValueError("more seconds out of service than the period has")
    suspect = bool(values.get("suspect"))
    return Downtime(operator, key, values["begin"], values["period"], unplanned, planned, suspect)


def _area(values: Values, operator: str, _: str) -> Area:
    _require(values, "technology", "geometry")
    return Area(operator, values["technology"], values["geometry"], values.get("observed_at"))


def _indicator(values: Values, _: str, __: str) -> IndicatorValue:
    _require(values, "indicator", "day", "value")
    return IndicatorValue(values["indicator"], values["day"], values["value"])


def _require(values: Values, *names: str) -> None:
    for name in names:
        if values.get(name) is None:
            raise ValueError(f"{name}: blank")


BUILDERS: Mapping[Dataset, Callable[[Values, str, str], Record]] = {
    Dataset.CELLS: _cell,
    Dataset.OUTAGES: _outage,
    Dataset.DOWNTIME: _downtime,
    Dataset.AREAS: _area,
    Dataset.INDICATORS: _indicator,
}
