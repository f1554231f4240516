"""From a value of a table to a value of a record, field by field."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, TypeAlias

from collector.mapping.moments import Moments
from collector.mapping.numbers import Numbers
from collector.mapping.position import Degrees
from collector.mapping.rowmap import RowMap
from collector.mapping.words import Booleans, States, Technologies, Words, code, codes, shown, text
from collector.records import CellState, Dataset

# Takes a value that is not blank; raises ValueError, which says what is wrong with it.
Converter: TypeAlias = Callable[[Any], Any]
_MOST_MHZ, _HIGHEST_METRES = 100_000, 1_000
_ACCESSORY: Mapping[str, Any] = {
    **dict.fromkeys(("name", "band", "height", "azimuth", "planned", "since", "until", "reason", "observed_at")),
    "state": CellState.UNKNOWN,
}
# What a row may say in words that nobody understands, and still be the row that it is: field -> what is taken then.
# An outage that names its cell or site stays one, whatever else is wrong: leaving it out would say that all is well.
TOLERATED: Mapping[Dataset, Mapping[str, Any]] = {
    Dataset.CELLS: _ACCESSORY,
    Dataset.OUTAGES: {**_ACCESSORY, **dict.fromkeys(("technology", "lat", "lon", "x", "y"))},
    Dataset.DOWNTIME: {"suspect": True},
    Dataset.AREAS: {"observed_at": None},
    Dataset.INDICATORS: {},
}


def converters(plan: RowMap) -> Mapping[str, Converter]:
    """How each field is read."""
    numbers, moments, booleans = Numbers(plan.numbers), Moments(plan.times), Booleans(plan.booleans)
    planned = _bounded(numbers.number, 0, None) if plan.dataset is Dataset.DOWNTIME else booleans.find
    number, seconds = numbers.number, _bounded(numbers.number, 0, None)
    return {
        **dict.fromkeys(("site",), code),
        **dict.fromkeys(("name", "reason"), text),
        **dict.fromkeys(("x", "y"), number),
        **dict.fromkeys(("since", "observed_at", "begin"), moments.instant),
        **dict.fromkeys(("period", "unplanned"), seconds),
        "technology": Technologies(plan.technologies).of,
        "lat": Degrees(numbers, "latitude"),
        "lon": Degrees(numbers, "longitude"),
        "band": partial(_band, Words(plan.bands), numbers),
        "height": _bounded(number, 0, _HIGHEST_METRES),
        "azimuth": _bounded(number, 0, 360),
        "villages": codes,
        "state": States(plan.states).find,
        "planned": planned,
        "until": moments.end,
        "suspect": booleans.find,
        "indicator": Words(plan.indicators).find if plan.indicators else code,
        "day": moments.day,
        "value": numbers.share,
    }


def _bounded(read: Callable[[Any], float], least: float, most: float | None) -> Converter:
    def bounded(value: Any) -> float:
        found = read(value)
        if found < least or (most is not None and found > most):
            raise ValueError(
                f"{shown(value)} is not within {least:g} to {most:g}" if most else f"{shown(value)} is negative"
            )
        return found

    return bounded


def _band(bands: Words[int], numbers: Numbers, value: Any) -> int:
    try:
        return bands.find(value)
    except ValueError:
        found = numbers.number(value)
    if not 0 < found <= _MOST_MHZ:
        raise ValueError(f"{shown(value)} MHz is no band")
    return round(found)


def scaled(convert: Converter, factor: float) -> Converter:
    """`convert`, its number times `factor`."""
    return lambda value: convert(value) * factor
