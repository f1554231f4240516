"""Owners and systems: each checked by itself, then what they say of each other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from collector.model import Owner, System
from collector.settings.credentials import Credentials
from collector.settings.faults import Fault, unknown
from collector.settings.gather import Gathered, Written
from collector.settings.inventory import OwnerKeys, SystemKeys
from collector.settings.source import Node
from collector.settings.validation import checked

M = TypeVar("M", OwnerKeys, SystemKeys)


@dataclass(slots=True)
class Registered:
    """The valid owners and systems, in the order of the files, and what is wrong with the others."""

    owners: dict[str, Owner] = field(default_factory=dict)
    systems: dict[str, System] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)


def register(gathered: Gathered, credentials: Credentials, *, whole: bool) -> Registered:
    """Check owners and systems; without `whole` some files could not be read, and a name may stand in one of them."""
    found = Registered()
    for node in gathered.nameless:
        model = OwnerKeys if "owners" in node.path.split("[")[0] else SystemKeys
        found.faults += checked(model, credentials.children(node), node)[1]
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
    found.faults += _circles(gathered.systems)
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
    )


def _references(gathered: Gathered) -> Iterator[Fault]:
    centres = [name for name, one in gathered.systems.items() if one.node.text("category") == "data-centre"]
    for written in gathered.systems.values():
        node = written.node
        yield from _named(node, "owner", "owner", gathered.owners)
        yield from _named(node, "part_of", "system", gathered.systems)
        hosting = node.text("hosting")
        if hosting in gathered.systems and hosting not in centres:
            yield node.children["hosting"].fault(f"system '{hosting}' is no data-centre, and cannot host")
        else:
            yield from _named(node, "hosting", "data centre", dict.fromkeys(centres))


def _named(node: Node, key: str, what: str, known: Mapping[str, object]) -> Iterator[Fault]:
    name = node.text(key)
    if name is not None and name not in known:
        yield node.children[key].fault(unknown(what, name, known))


def _circles(systems: Mapping[str, Written]) -> Iterator[Fault]:
    """One fault for each circle of `part_of`, at the member that comes first."""
    done: set[str] = set()
    for start in systems:
        way: list[str] = []
        name: str | None = start
        while name is not None and name in systems and name not in done and name not in way:
            way.append(name)
            name = systems[name].node.text("part_of")
        if name is not None and name in way:
            circle = way[way.index(name) :]
            place = systems[circle[0]].node.children["part_of"]
            yield place.fault(f"part_of goes in a circle: {' -> '.join((*circle, circle[0]))}")
        done.update(way)
