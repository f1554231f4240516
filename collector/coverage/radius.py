"""How far a cell reaches: 3GPP TR 38.901 V16.1.0 table 7.4.1-1 without line of sight, solved for the distance.

Path loss (dB) is L(d) = C(h) + n(h)·log10(d_km) + 20·log10(f_GHz). The distance is taken along the ground, which
differs from the slant one by less than 0.5 % from 400 m on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import log10

import numpy as np
from numpy.typing import NDArray

from collector.places import Carrier, Environment, Propagation, RangeModel
from collector.records import Cell, Technology

ENVIRONMENTS = tuple(Environment)
Floats = NDArray[np.float64]

# RMa holds for masts of 10 to 150 m, UMa for one of 25 m.
_LOWEST_MAST, _HIGHEST_MAST = 10.0, 150.0
# A band that is off every known one by more than this factor is a number of a band, or a slip.
_BAND_SLACK = 1.5


def ranges_km(cells: Sequence[Cell], model: RangeModel) -> Floats:
    """Kilometres that each cell reaches in each of ENVIRONMENTS: len(cells) x 3. Not a number: nobody said how far."""
    row_of = _rows(cells, model)
    heights = np.array([cell.height or model.mast_height for cell in cells], np.float64)
    heights = np.where(np.isfinite(heights), heights, model.mast_height)
    reach = np.full((len(cells), len(ENVIRONMENTS)), np.nan)
    known = row_of >= 0
    if known.any():
        budgets = np.array([budget_db(carrier, model) for carrier in model.carriers])
        spare = budgets[row_of[known]]
        for column, environment in enumerate(ENVIRONMENTS):
            reach[known, column] = _reach(spare, heights[known], environment, model)
    return reach


def budget_db(carrier: Carrier, model: RangeModel) -> float:
    """The path loss that a terminal at the edge stands, without the part that the frequency takes (dB)."""
    threshold = carrier.good_dbm if model.level == "good" else carrier.basic_dbm
    return carrier.eirp_dbm - threshold - model.edge_z * model.sigma_db - 20 * log10(carrier.mhz / 1000)


def _reach(spare: Floats, heights: Floats, environment: Environment, model: RangeModel) -> Floats:
    terrain = next((one for one in model.terrains if one.environment is environment), None)
    if terrain is None:
        return np.full(len(spare), np.nan)
    constant, slope = _uma(model) if terrain.model is Propagation.UMA else _rma(heights, model)
    reach: Floats = 10 ** ((spare - terrain.extra_loss_db - constant) / slope)
    return np.minimum(reach, model.cap_km)


def _rma(heights: Floats, model: RangeModel) -> tuple[Floats, Floats]:
    """C and n of the rural model."""
    mast = np.clip(heights, _LOWEST_MAST, _HIGHEST_MAST)
    house = model.building_height
    constant = 161.04 - 7.1 * log10(model.street_width) + 7.5 * log10(house)
    constant -= 3.2 * log10(11.75 * model.terminal_height) ** 2 - 4.97
    return constant - (24.37 - 3.7 * (house / mast) ** 2) * np.log10(mast), 43.42 - 3.1 * np.log10(mast)


def _uma(model: RangeModel) -> tuple[float, float]:
    """C and n of the urban model, whose mast is 25 m high."""
    return 13.54 + 3 * 39.08 - 0.6 * (model.terminal_height - 1.5), 39.08


def _rows(cells: Sequence[Cell], model: RangeModel) -> NDArray[np.intp]:
    """Which carrier of the model each cell is; -1 where its technology has none."""
    carriers = {technology: _carriers_of(technology, model) for technology in Technology}
    found: dict[tuple[Technology, float | None], int] = {}
    rows = np.empty(len(cells), np.intp)
    for position, cell in enumerate(cells):
        asked = (cell.technology, cell.band)
        if asked not in found:
            found[asked] = _nearest(cell.band, carriers[cell.technology])
        rows[position] = found[asked]
    return rows


def _carriers_of(technology: Technology, model: RangeModel) -> Mapping[int, Carrier]:
    """Those of a technology, the default first: the declared one, else that of the shortest reach."""
    own = [(row, carrier) for row, carrier in enumerate(model.carriers) if carrier.technology is technology]
    return dict(sorted(own, key=lambda pair: (not pair[1].default, budget_db(pair[1], model))))


def _nearest(band: float | None, carriers: Mapping[int, Carrier]) -> int:
    if not carriers:
        return -1
    if band is not None and band > 0:
        row = min(carriers, key=lambda row: abs(log10(carriers[row].mhz / band)))
        if 1 / _BAND_SLACK <= carriers[row].mhz / band <= _BAND_SLACK:
            return row
    return next(iter(carriers))
