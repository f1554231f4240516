"""Systems as programs read them: how each stands and why, what it depends on, and who depends on it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from collector.derive.systems import Support, dependents, parents_of, support_of
from collector.model import System, SystemState
from collector.service import Service
from collector.state import Record
from exporters import answers


def choose(service: Service, query: Mapping[str, str]) -> list[str]:
    """Ids of the systems that the query's `system`, `state`, `owner`, `centre` and `category` select."""
    return [name for name, system in service.config.systems.items() if _fits(service, system, query)]


def _fits(service: Service, system: System, query: Mapping[str, str]) -> bool:
    own = {
        "system": system.id,
        "state": service.books.standing.state(system.id).value,
        "owner": system.owner,
        "centre": system.hosting or "",
        "category": system.category,
    }
    return all(own[key] == value for key, value in query.items() if key in own)


def described(service: Service, names: Iterable[str]) -> list[dict[str, Any]]:
    """Everything about these systems but their targets, of which the records are handed on; times are Unix seconds."""
    below = dependents(service.config.systems)
    by_system: dict[str, list[Record]] = {name: [] for name in names}
    for record in service.state.records.values():
        if record.target.system in by_system:
            by_system[record.target.system].append(record)
    return [_system(service, name, targets, below.get(name, [])) for name, targets in by_system.items()]


def written(found: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """What was described, as it is sent. Thousands of targets take long: for a thread."""
    return {"systems": [{**one, "targets": [answers.target(record) for record in one["targets"]]} for one in found]}


def _system(service: Service, name: str, targets: list[Record], below: list[str]) -> dict[str, Any]:
    system, standing = service.config.systems[name], service.books.standing
    stand, objective = standing.stand(name), system.objective
    groups = [{"any": group.any, "systems": _brief(service, group.systems)} for group in system.depends_on]
    return {
        "id": name,
        "name_vi": system.name_vi,
        "name_en": system.name_en,
        "category": system.category,
        "owner": system.owner,
        "centre": system.hosting,
        "synthetic": system.synthetic,
        "state": stand.state.value,
        "since": stand.since,
        "until": stand.until,
        "reason": stand.reason,
        "source": stand.source,
        "objective_ratio": objective.ratio if objective else None,
        "objective_basis": objective.basis.value if objective else None,
        "depends_on": groups,
        "caused_by": _brief(service, _roots(service, name)) if stand.state is SystemState.UNREACHABLE else [],
        "affects": _brief(service, below),
        "observer_impaired": service.observer.impaired(),
        "targets": targets,
    }


def _brief(service: Service, names: Iterable[str]) -> list[dict[str, Any]]:
    """Other systems: who they are and how they stand."""
    found = []
    for name in names:
        system, stand = service.config.systems[name], service.books.standing.stand(name)
        found.append(
            {
                "id": name,
                "name_vi": system.name_vi,
                "name_en": system.name_en,
                "owner": system.owner,
                "state": stand.state.value,
                "reason": stand.reason,
            }
        )
    return found


def _roots(service: Service, name: str) -> list[str]:
    """Of what `name` needs, what is broken by its own fault."""
    systems, state = service.config.systems, service.books.standing.state
    seen = [name]
    for one in seen:
        parents = parents_of(systems[one]) if state(one) is SystemState.UNREACHABLE else []
        seen += [parent for parent in parents if support_of(state(parent)) is Support.BROKEN and parent not in seen]
    return [one for one in seen[1:] if state(one) is not SystemState.UNREACHABLE]
