"""The figures of other views that indicators of the plan are measured by."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from collector.model import System, SystemState
from collector.plan import NOTHING_KNOWN, Figure, Plan, Value
from collector.records import Technology

if TYPE_CHECKING:  # loaded with the first places and feeds only: it takes memory
    from collector.coverage.figures import Bounds, Figures, Level

# What users can work with, and what they cannot; planned work is neither, the rest is unknown.
_AVAILABLE = frozenset({SystemState.UP, SystemState.DEGRADED})
_UNAVAILABLE = frozenset({SystemState.DOWN, SystemState.UNREACHABLE})


def of_coverage(figures: Figures) -> dict[Figure, Value]:
    """Shares of villages, people and zones at each technology; base stations and positions. Of nothing, no share."""
    found: dict[Figure, Value] = {}
    for technology, level in figures.levels.items():
        found |= {figure: value for figure, value in _shares(figures, technology, level) if value is not None}
    return found | _stations(figures)


def _shares(figures: Figures, technology: Technology, level: Level) -> Iterator[tuple[Figure, Value | None]]:
    at = technology.value
    yield Figure("coverage", "villages", at), _value(level.covered, figures.villages)
    if level.inhabitants is not None and figures.inhabitants is not None:
        yield Figure("coverage", "population", at), _value(level.inhabitants, figures.inhabitants)
    for category, covered in level.zones.items():
        yield Figure("coverage", "zones", at, category), _value(covered, figures.zones.get(category, 0))


def _value(bounds: Bounds, whole: float) -> Value | None:
    shares = bounds.ratio(whole)
    return Value(float(shares.lower), float(shares.upper)) if shares is not None else None


def _stations(figures: Figures) -> dict[Figure, Value]:
    """A base station is an operator's equipment of one technology at one position, however many cells it has."""
    import numpy as np  # noqa: PLC0415  see above

    from collector.coverage.stock import GROUPS, TECHNOLOGIES  # noqa: PLC0415  see above

    stock, sites = figures.links.stock, figures.links.sites.of_cell
    known = stock.group >= 0
    stations = np.unique(sites[known] * GROUPS + stock.group[known])
    if not len(stations):
        return {}
    by_technology = np.bincount(stations % len(TECHNOLOGIES), minlength=len(TECHNOLOGIES))
    operators = np.bincount(figures.links.presence.site)
    positions = int(np.count_nonzero(operators))
    found = {Figure("coverage", "base-stations"): len(stations), Figure("coverage", "positions"): positions}
    found |= {
        Figure("coverage", "base-stations", technology.value): int(count)
        for technology, count in zip(TECHNOLOGIES, by_technology, strict=True)
    }
    shared = {Figure("coverage", "shared-positions"): np.count_nonzero(operators > 1) / positions}
    return {figure: Value.exactly(float(count)) for figure, count in {**found, **shared}.items()}


def of_systems(plan: Plan, systems: Mapping[str, System], states: Mapping[str, SystemState]) -> dict[Figure, Value]:
    """The figures of systems that the plan asks for; what no system fits is left out."""
    asked = {one.source for one in plan.indicators if isinstance(one.source, Figure) and one.source.view == "systems"}
    found = {}
    for figure in asked:
        some = fitting(systems, figure)
        if some:
            known = (states.get(name, SystemState.UNKNOWN) for name in some)
            found[figure] = Value.exactly(float(len(some))) if figure.name == "count" else _available(known)
    return found


def fitting(systems: Mapping[str, System], figure: Figure) -> list[str]:
    """Ids of the systems that a figure is about."""
    return [name for name, system in systems.items() if _fits(system, figure)]


def _fits(system: System, figure: Figure) -> bool:
    objective = system.objective.indicator if system.objective is not None else ""
    return (
        figure.category in {"", system.category}
        and figure.objective in {"", objective}
        and figure.part_of in {"", system.part_of or ""}
    )


def _available(states: Iterable[SystemState]) -> Value:
    """The share of those without planned work that users can work with."""
    counted = [state for state in states if state is not SystemState.MAINTENANCE]
    if not counted:
        return NOTHING_KNOWN
    well = sum(state in _AVAILABLE for state in counted)
    ill = sum(state in _UNAVAILABLE for state in counted)
    return Value(well / len(counted), (len(counted) - ill) / len(counted))
