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
# Not where something is: columns that were shifted would make an outage of nothing out of a real one.
TOLERATED: Mapping[Dataset, Mapping[str, Any]] = {
    Dataset.CELLS: _ACCESSORY,
    Dataset.OUTAGES: _ACCESSORY,
    Dataset.DOWNTIME: {"suspect": True},
    Dataset.AREAS: {"observed_at": None},
    Dataset.INDICATORS: {},
}


def converters(plan: RowMap) -> Mapping[str, Callable[[float], Converter]]:
    """How each field is read, given the factor to its unit (1 for all that are no numbers)."""
    numbers, moments, booleans = Numbers(plan.numbers), Moments(plan.times), Booleans(plan.booleans)
    plain = _plain(plan, moments, booleans)
    seconds = _scalable(numbers.number, partial(_within, 0, None))
    scalable: dict[str, Callable[[float], Converter]] = {
        **dict.fromkeys(("x", "y"), _scalable(numbers.number)),
        **dict.fromkeys(("period", "unplanned"), seconds),
        **({"planned": seconds} if plan.dataset is Dataset.DOWNTIME else {}),
        "lat": _degrees(Degrees(numbers, "latitude")),
        "lon": _degrees(Degrees(numbers, "longitude")),
        "band": partial(partial, _band, Words(plan.bands), numbers),
        "height": _scalable(numbers.number, partial(_within, 0, _HIGHEST_METRES)),
        "azimuth": _scalable(numbers.number, partial(_within, 0, 360)),
        "value": _scalable(numbers.share),
    }
    return {**{name: partial(_unscaled, convert) for name, convert in plain.items()}, **scalable}


def _plain(plan: RowMap, moments: Moments, booleans: Booleans) -> dict[str, Converter]:
    return {
        "site": code,
        **dict.fromkeys(("name", "reason"), text),
        **dict.fromkeys(("since", "observed_at", "begin"), moments.instant),
        **dict.fromkeys(("planned", "suspect"), booleans.find),
        "technology": Technologies(plan.technologies).of,
        "villages": codes,
        "state": States(plan.states).find,
        "until": moments.end,
        "indicator": Words(plan.indicators).find if plan.indicators else code,
        "day": moments.day,
    }


def _unscaled(convert: Converter, _: float) -> Converter:
    return convert


def _scalable(read: Converter, check: Callable[[float, Any], float] | None = None) -> Callable[[float], Converter]:
    def converter(factor: float) -> Converter:
        if check is None:
            return read if factor == 1 else lambda value: read(value) * factor
        return lambda value: check(read(value) * factor, value)

    return converter


def _degrees(degrees: Degrees) -> Callable[[float], Converter]:
    return _scalable(degrees.parsed, degrees.within)


def _within(least: float, most: float | None, found: float, value: Any) -> float:
    if found < least or (most is not None and found > most):
        raise ValueError(
            f"{shown(value)} is not within {least:g} to {most:g}" if most else f"{shown(value)} is negative"
        )
    return found


def _band(bands: Words[int], numbers: Numbers, factor: float, value: Any) -> int:
    try:
        return bands.find(value)
    except ValueError:
        found = numbers.number(value) * factor
    if not 0 < found <= _MOST_MHZ:
        raise ValueError(f"{shown(value)} MHz is no band")
    return round(found)
