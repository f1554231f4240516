"""Owners and systems: each checked by itself, then what they say of each other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from collector.model import Dependency, Objective, Owner, System
from collector.settings.credentials import Credentials
from collector.settings.faults import Fault, unknown
from collector.settings.gather import Gathered, Written
from collector.settings.inventory import Group, OwnerKeys, SystemKeys
from collector.settings.monitor import Section
from collector.settings.source import Node
from collector.settings.validation import checked

M = TypeVar("M", bound=Section)
_MODELS: Mapping[str, type[Section]] = {"owner": OwnerKeys, "system": SystemKeys}


@dataclass(slots=True)
class Registered:
    """The valid owners and systems, in the order of the files, and what is wrong with the others."""

    owners: dict[str, Owner] = field(default_factory=dict)
    systems: dict[str, System] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)


def register(gathered: Gathered, credentials: Credentials, *, whole: bool) -> Registered:
    """Check owners and systems; without `whole` some files could not be read, and a name may stand in one of them."""
    found = Registered()
    for what, node in gathered.nameless:
        if what in _MODELS:
            _checked(_MODELS[what], node, credentials, found.faults)
    for name, written in gathered.owners.items():
        owner = _checked(OwnerKeys, written.node, credentials, found.faults)
        if owner is not None:
            found.owners[name] = Owner(owner.id, owner.name_vi, owner.name_en)
    for name, written in gathered.systems.items():
        keys = _checked(SystemKeys, written.node, credentials, found.faults)
        if keys is not None:
            found.systems[name] = _system(keys, written.synthetic)
    if whole:
        found.faults += _references(gathered)
    found.faults += _circles(gathered.systems, centres_of(gathered))
    return found


def _checked(model: type[M], node: Node, credentials: Credentials, faults: list[Fault]) -> M | None:
    keys, wrong = checked(model, credentials.children(node), node, known=("targets",) if model is SystemKeys else ())
    faults += wrong
    return keys


def _system(keys: SystemKeys, synthetic: bool) -> System:
    return System(
        id=keys.id,
        name_vi=keys.name_vi,
        name_en=keys.name_en,
        category=keys.category,
        owner=keys.owner,
        hosting=keys.hosting,
        tier=keys.tier,
        source_section=keys.source_section,
        part_of=keys.part_of,
        synthetic=synthetic,
        depends_on=_dependencies(keys),
        objective=Objective(keys.objective) if keys.objective is not None else None,
    )


def _dependencies(keys: SystemKeys) -> tuple[Dependency, ...]:
    groups = [_group(item) for item in keys.depends_on]
    if keys.hosting is not None and not any(keys.hosting in group.systems for group in groups):
        groups.append(Dependency((keys.hosting,)))
    return tuple(groups)


def _group(item: str | Group) -> Dependency:
    if isinstance(item, str):
        return Dependency((item,))
    return Dependency(item.any, any=True) if item.any is not None else Dependency(item.all or ())


def _references(gathered: Gathered) -> Iterator[Fault]:
    centres = centres_of(gathered)
    others = gathered.systems.keys() - centres.keys()
    for written in gathered.systems.values():
        node = written.node
        yield from _named(node, "owner", "owner", gathered.owners)
        yield from _named(node, "part_of", "system", gathered.systems)
        for place in _depended(node):
            yield from missing(place, "system", gathered.systems)
        hosting = node.text("hosting")
        if hosting in others:
            yield node.children["hosting"].fault(f"system '{hosting}' is no data-centre, and cannot host")
        else:
            yield from _named(node, "hosting", "data centre", centres)


def centres_of(gathered: Gathered) -> Mapping[str, Written]:
    """The systems that are data centres."""
    return {name: one for name, one in gathered.systems.items() if one.node.text("category") == "data-centre"}


def _named(node: Node, key: str, what: str, known: Mapping[str, object]) -> Iterator[Fault]:
    place = node.get(key)
    if place is not None:
        yield from missing(place, what, known)


def missing(place: Node, what: str, known: Mapping[str, object]) -> Iterator[Fault]:
    """The fault of a name at `place` that is not known; none where something else than text stands."""
    if isinstance(place.value, str) and place.value not in known:
        yield place.fault(unknown(what, place.value, known))


def _depended(node: Node) -> Iterator[Node]:
    """Where a system names those that it depends on, hosting apart."""
    listed = node.get("depends_on")
    for item in listed.items if listed is not None else ():
        yield item
        for group in item.children.values():
            yield from group.items


def _circles(systems: Mapping[str, Written], centres: Mapping[str, Written]) -> Iterator[Fault]:
    """One fault for each circle, at the member that comes first."""
    hosts = {name: one.node.children["hosting"] for name, one in systems.items() if one.node.text("hosting") in centres}
    parts = {name: _by_name(one.node.get("part_of")) for name, one in systems.items()}
    needs = {name: _by_name(*_depended(one.node), hosts.get(name)) for name, one in systems.items()}
    for ways, what in ((parts, "part_of goes"), (needs, "dependencies go")):
        for circle in circles({name: list(places) for name, places in ways.items()}):
            place = ways[circle[0]][circle[1]]
            yield place.fault(f"{what} in a circle: {' -> '.join(circle)}")


def _by_name(*places: Node | None) -> dict[str, Node]:
    found: dict[str, Node] = {}
    for place in places:
        if place is not None and isinstance(place.value, str):
            found.setdefault(place.value, place)
    return found


def circles(ways: Mapping[str, Sequence[str]]) -> Iterator[list[str]]:
    """Every circle that one comes upon when walking all ways once, as names of which the first is also the last."""
    done: set[str] = set()
    for start in ways:
        walk = {start: iter(ways[start])} if start not in done else {}
        while walk:
            here = next(reversed(walk))
            step = next(walk[here], None)
            if step is None:
                del walk[here]
                done.add(here)
            elif step in walk:
                names = list(walk)
                yield [*names[names.index(step) :], step]
            elif step in ways and step not in done:
                walk[step] = iter(ways[step])
