"""What live values of indicators rest on: how they were made, how old that is, and how much of it is known."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

from collector.derive.plan_figures import fitting
from collector.model import System, SystemState, Target
from collector.plan import Figure, Footing, Indicator, Measured, Plan, Statement, Value, meant
from collector.records import Technology

if TYPE_CHECKING:  # loaded with the first places and feeds only: it takes memory
    from collector.coverage.figures import Figures, Level


class Known(NamedTuple):
    """What there is to rest on. `started`: Unix time of the run, by target, whose values are in force.

    `statements` are by indicator and feed. `simulated`: a feed of stations is.
    """

    targets: tuple[Target, ...]
    started: Mapping[str, float]
    systems: Mapping[str, System]
    states: Mapping[str, SystemState]
    statements: Mapping[tuple[str, str], Statement]
    coverage: Figures | None
    simulated: bool


def footings(plan: Plan, values: Mapping[str, Value], known: Known) -> dict[str, Footing]:
    """What each live value rests on, by indicator."""
    found = {one.id: _footing(one, known) for one in plan.indicators if one.id in values}
    return {name: footing for name, footing in found.items() if footing is not None}


def _footing(indicator: Indicator, known: Known) -> Footing | None:
    source = indicator.source
    if isinstance(source, Figure):
        return _of_figure(source, known)
    if isinstance(source, Measured):
        return _of_targets([target for target in known.targets if meant(source, target)], known.started)
    one = known.statements.get((indicator.id, source.feed)) if source is not None else None
    return Footing(one.as_of, float(one.fresh), one.synthetic) if one is not None else None


def _of_figure(figure: Figure, known: Known) -> Footing:
    if figure.view == "systems":
        return _of_systems(fitting(known.systems, figure), known)
    if known.coverage is None:
        return Footing()
    return _of_coverage(figure, known.coverage, known.simulated)


def _of_systems(names: list[str], known: Known) -> Footing:
    chosen = frozenset(names)
    some = [target for target in known.targets if target.system in chosen]
    states = [known.states.get(name, SystemState.UNKNOWN) for name in names]
    share = sum(state is not SystemState.UNKNOWN for state in states) / len(states) if states else None
    simulated = any(known.systems[name].synthetic for name in names)
    of_targets = _of_targets(some, known.started)
    return Footing(of_targets.oldest, share, simulated or of_targets.synthetic)


def _of_targets(some: list[Target], started: Mapping[str, float]) -> Footing:
    moments = [started[target.id] for target in some if target.id in started]
    share = len(moments) / len(some) if some else None
    return Footing(min(moments, default=None), share, any(target.synthetic for target in some))


def _of_coverage(figure: Figure, coverage: Figures, simulated: bool) -> Footing:
    simulated = simulated or _simulated(figure, coverage)
    if not figure.technology:
        words = [level.freshness.oldest for level in coverage.levels.values() if level.freshness.oldest is not None]
        return Footing(min(words, default=None), None, simulated)
    level = coverage.levels.get(Technology(figure.technology))
    if level is None:
        return Footing(synthetic=simulated)
    return Footing(level.freshness.oldest, level.freshness.share, simulated, _made(figure, level))


def _made(figure: Figure, level: Level) -> dict[str, int]:
    if figure.name not in {"villages", "population"}:
        return {}
    return {source.name.lower(): count for source, count in level.made.items()}


def _simulated(figure: Figure, coverage: Figures) -> bool:
    places = coverage.links.places
    if figure.name == "zones":
        return any(zone.synthetic for zone in places.zones if zone.category == figure.category)
    return figure.name in {"villages", "population"} and any(village.synthetic for village in places.villages)
