"""Objectives: how available systems are to be, on whose word, and which systems they are for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Annotated, Literal

from pydantic import Field

from collector.model import Basis, Objective, System
from collector.settings.credentials import Credentials
from collector.settings.faults import Fault
from collector.settings.gather import Gathered
from collector.settings.inventory import CATEGORIES, Id, Share
from collector.settings.monitor import Section
from collector.settings.source import Node
from collector.settings.systems import Registered, missing
from collector.settings.validation import checked

# What says it more closely comes first; each as faults call one of them.
SELECTORS = {"systems": "system", "tiers": "tier", "categories": "category"}
Tier = Annotated[int, Field(ge=1, le=4)]


class ObjectiveKeys(Section):
    """How available some systems are to be: of one its own counts, else what names it, its tier, its category."""

    id: Id = Field(description="Stable for ever: the indicator's in the plan. In a later directory it extends this.")
    share: Share = Field(description="Share of time that they are to be available: 0.999 or 99.9%.")
    recurring: Literal["monthly", "yearly"] = Field("monthly", description="How often it is due.")
    basis: Basis = Field(
        Basis.PROPOSED,
        description="On whose word: `law`, `plan`, `seed` (the report); `proposed` is ours, and never called official.",
    )
    act: str | None = Field(
        None, min_length=1, description="What sets it, such as `252/KH-UBND`; required unless it is `proposed`."
    )
    systems: tuple[str, ...] = Field((), description="Ids of systems that it is for.")
    tiers: tuple[Tier, ...] = Field((), description="Tiers that it is for.")
    categories: tuple[Literal[CATEGORIES], ...] = Field(  # type: ignore[valid-type]  # a closed list
        (), description="Categories that it is for."
    )
    note: str | None = Field(None, description="For readers of the file.")


def promise(found: Registered, gathered: Gathered, credentials: Credentials, *, whole: bool) -> None:
    """Give each system of `found` that has none of its own its objective; what is wrong is added to its faults.

    Without `whole` some files could not be read, and a name may stand in one of them.
    """
    for what, node in gathered.nameless:
        if what == "objective":
            found.faults += checked(ObjectiveKeys, credentials.children(node), node)[1]
    good: dict[str, ObjectiveKeys] = {}
    for name, written in gathered.objectives.items():
        keys, wrong = checked(ObjectiveKeys, credentials.children(written.node), written.node)
        wrong += _references(written.node, gathered) if whole else ()
        wrong += _together(keys, written.node) if keys is not None else ()
        found.faults += wrong
        if keys is not None:
            good[name] = keys
    found.faults += _rivals(good, gathered)
    for name, system in found.systems.items():
        best = _best(good, system)
        if system.objective is None and best is not None:
            found.systems[name] = replace(system, objective=_objective(best))


def _objective(keys: ObjectiveKeys) -> Objective:
    return Objective(keys.share, keys.recurring, keys.basis, keys.act or "", keys.id)


def _best(some: Mapping[str, ObjectiveKeys], system: System) -> ObjectiveKeys | None:
    own = {"systems": system.id, "tiers": system.tier, "categories": system.category}
    fitting = (keys for by in SELECTORS for keys in some.values() if own[by] in getattr(keys, by))
    return next(fitting, None)


def _references(node: Node, gathered: Gathered) -> Iterator[Fault]:
    listed = node.get("systems")
    for place in listed.items if listed is not None else ():
        yield from missing(place, "system", gathered.systems)


def _together(keys: ObjectiveKeys, node: Node) -> Iterator[Fault]:
    """What is wrong although each key by itself is right."""
    if not any(getattr(keys, by) for by in SELECTORS):
        yield node.fault(f"is for nothing: name some of {', '.join(SELECTORS)}")
    if keys.basis is not Basis.PROPOSED and keys.act is None:
        yield node.children["basis"].fault("only what is proposed needs no act: add act")


def _rivals(some: Mapping[str, ObjectiveKeys], gathered: Gathered) -> Iterator[Fault]:
    """Two objectives that say equally closely what they are for: nobody could tell which one holds."""
    taken: dict[tuple[str, object], str] = {}
    for name, keys in some.items():
        for by, what in SELECTORS.items():
            places = gathered.objectives[name].node.children.get(by)
            for at, value in enumerate(getattr(keys, by)):
                first = taken.setdefault((by, value), name)
                if first != name and places is not None:
                    yield places.items[at].fault(f"objective '{first}' is for {what} {value} already")
