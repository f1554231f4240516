"""What state a system is in, from its targets, from what it depends on, and from planned work."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from graphlib import TopologicalSorter

from collector.model import Dependency, System, SystemState, Verdict


class Support(StrEnum):
    """How what a system depends on carries it."""

    CARRIES = "carries"
    PLANNED = "planned"
    BROKEN = "broken"


_SUPPORT = {
    SystemState.DOWN: Support.BROKEN,
    SystemState.UNREACHABLE: Support.BROKEN,
    SystemState.MAINTENANCE: Support.PLANNED,
}
WORSE = (Support.CARRIES, Support.PLANNED, Support.BROKEN)


def support_of(state: SystemState) -> Support:
    """What a system in this state is to those that depend on it. An unknown one takes the blame for nothing."""
    return _SUPPORT.get(state, Support.CARRIES)


def supported(groups: Iterable[Dependency], parents: Mapping[str, Support]) -> Support:
    """What all groups together give: each must carry; of an any-group one healthy parent is enough."""
    worst = 0
    for group in groups:
        ranks = [WORSE.index(parents[name]) for name in group.systems]
        worst = max(worst, min(ranks) if group.any else max(ranks))
    return WORSE[worst]


def own_state(required: Sequence[Verdict], supporting: Sequence[Verdict]) -> SystemState:
    """The state that a system's own targets give it. A system without required targets lives by its supporting ones."""
    if Verdict.DOWN in required:
        return SystemState.DOWN
    if all(verdict is Verdict.UNKNOWN for verdict in required or supporting):
        return SystemState.UNKNOWN
    return SystemState.DEGRADED if Verdict.DOWN in supporting else SystemState.UP


def judged(own: SystemState, support: Support, maintenance: bool) -> SystemState:
    """The state of a system: an outage that what it depends on explains is not its own."""
    if maintenance:
        return SystemState.MAINTENANCE
    if own is not SystemState.DOWN or support is Support.CARRIES:
        return own
    return SystemState.UNREACHABLE if support is Support.BROKEN else SystemState.MAINTENANCE


def in_order(systems: Mapping[str, System]) -> list[str]:
    """Ids of all systems, each after those that it depends on. Raises graphlib.CycleError."""
    return list(TopologicalSorter({name: parents_of(system) for name, system in systems.items()}).static_order())


def dependents(systems: Mapping[str, System]) -> dict[str, list[str]]:
    """By system, those that depend on it, if any do: directly first, then those that do so through others."""
    direct: dict[str, list[str]] = {}
    for name, system in systems.items():
        for parent in dict.fromkeys(parents_of(system)):
            direct.setdefault(parent, []).append(name)
    return {name: _beyond(direct, name) for name in direct}


def _beyond(ways: Mapping[str, Sequence[str]], start: str) -> list[str]:
    found, waiting = {start: None}, [start]
    for one in waiting:
        new = [name for name in ways.get(one, ()) if name not in found]
        found |= dict.fromkeys(new)
        waiting += new
    return waiting[1:]


def parents_of(system: System) -> list[str]:
    """Ids of all systems that `system` depends on directly."""
    return [name for group in system.depends_on for name in group.systems]
