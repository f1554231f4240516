"""The plan: indicators of plan.yaml and the dated lines of observations.d, each checked by itself, then together."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import TypeVar

from collector.model import Basis
from collector.plan import Demand, Goal, Indicator, Observation, Plan, Reference, Reported, Revision, Unit, day_of
from collector.settings.document import Document
from collector.settings.faults import Fault, unknown
from collector.settings.monitor import Section
from collector.settings.plan_keys import (
    DemandKeys,
    GoalKeys,
    IndicatorKeys,
    ObservationKeys,
    ObservedKeys,
    ReferenceKeys,
    ReportedKeys,
)
from collector.settings.plan_sources import source_of
from collector.settings.source import Node, merged
from collector.settings.validation import checked

PLAN_LISTS: Mapping[str, type[Section]] = {
    "indicators": IndicatorKeys,
    "references": ReferenceKeys,
    "reported": ReportedKeys,
}
OBSERVATIONS = "observations"
K = TypeVar("K", bound=Section)


@dataclass(frozen=True, slots=True)
class Known:
    """Names of the inventory that an indicator may refer to; empty where not all files could be read."""

    targets: Collection[str] = ()
    systems: Collection[str] = ()
    objectives: Collection[str] = ()


@dataclass(slots=True)
class Planned:
    """The plan, as far as it is without fault, and what is wrong with the rest."""

    plan: Plan = field(default_factory=Plan)
    faults: list[Fault] = field(default_factory=list)
    warnings: list[Fault] = field(default_factory=list)


def plan_of(
    plans: Sequence[Iterable[Document]], observations: Sequence[Iterable[Document]], known: Known | None
) -> Planned:
    """The plan of all directories, later ones extending earlier ones; without `known`, names are not looked up."""
    found = Planned()
    reader = _Reader(found, known)
    for documents in plans:
        reader.gather([one for one in documents if one.root is not None])
    # What stands in a file that cannot be read must not be called unknown in another.
    if not any(one.faults for documents in plans for one in documents):
        for documents in observations:
            reader.observe([one for one in documents if one.root is not None])
    found.plan = reader.plan()
    return found


class _Reader:
    """Nodes of all directories by id, then models, then the plan."""

    def __init__(self, found: Planned, known: Known | None) -> None:
        self._found, self._known, self._today = found, known, day_of(time.time())
        self._nodes: dict[str, dict[str, Node]] = {name: {} for name in PLAN_LISTS}
        self._lines: dict[tuple[str, str], Node] = {}

    def gather(self, documents: Iterable[Document]) -> None:
        """Take over the plan of one directory."""
        here: dict[tuple[str, str], Node] = {}
        for document in documents:
            for name, node in self._entries(document, tuple(PLAN_LISTS)):
                key = node.text("id") or " ".join(node.text(part) or node.place for part in ("entry", "metric"))
                first = here.setdefault((name, key), node)
                if first is not node:
                    self._found.faults.append(node.fault(f"duplicate '{key}'; first at {first.place}"))
                else:
                    self._nodes[name][key] = merged(self._nodes[name].get(key), node) or node

    def observe(self, documents: Iterable[Document]) -> None:
        """Take over the dated lines of one directory: of the same indicator and day, the later directory's holds."""
        here: dict[tuple[str, str], Node] = {}
        for document in documents:
            for _, node in self._entries(document, (OBSERVATIONS,)):
                key = node.text("indicator") or node.place, node.text("date") or node.place
                first = here.setdefault(key, node)
                if first is not node:
                    self._found.faults.append(node.fault(f"the same indicator and date as at {first.place}"))
                self._lines[key] = node

    def _entries(self, document: Document, lists: tuple[str, ...]) -> Iterator[tuple[str, Node]]:
        root = document.root
        if root is None or root.value is None:
            return
        if not isinstance(root.value, dict):
            self._found.faults.append(root.fault(f"expected a mapping with {', '.join(lists)}"))
        for name, child in root.children.items():
            if name not in lists:
                self._found.faults.append(child.fault(unknown("key", name, lists), key=True))
                continue
            if child.value is not None and not isinstance(child.value, list):
                self._found.faults.append(child.fault("expected a list: begin each entry with '-'"))
            for item in child.items:
                if isinstance(item.value, dict):
                    yield name, item
                else:
                    self._found.faults.append(item.fault("expected a mapping"))

    def plan(self) -> Plan:
        """What is without fault."""
        references = [one for _, one in self._models("references", ReferenceKeys)]
        indicators = {keys.id: self._indicator(keys, node) for node, keys in self._models("indicators", IndicatorKeys)}
        for node in self._lines.values():
            self._line(node, indicators)
        reported = []
        for node, one in self._models("reported", ReportedKeys):
            if one.indicator is not None:
                self._named(node.children["indicator"], "indicator", self._nodes["indicators"])
            reported.append(Reported(one.entry, one.metric, one.indicator or "", one.reason or ""))
        return Plan(
            tuple(indicators.values()),
            tuple(Reference(one.id, one.name_vi, one.name_en) for one in references),
            tuple(reported),
        )

    def _models(self, name: str, model: type[K]) -> list[tuple[Node, K]]:
        found = []
        for node in self._nodes[name].values():
            keys = self._checked(model, node)
            if keys is not None:
                found.append((node, keys))
        return found

    def _checked(self, model: type[K], node: Node) -> K | None:
        keys, wrong = checked(model, {name: _plain(child) for name, child in node.children.items()}, node)
        self._found.faults += wrong
        return keys

    def _indicator(self, keys: IndicatorKeys, node: Node) -> Indicator:
        faults = self._found.faults
        source, wrong = source_of(keys, node)
        faults += wrong
        if self._known is not None:
            for place, what in _references(node):
                self._named(place, what, getattr(self._known, f"{what}s"))
        goals = [_goal(one) for one in keys.targets]
        faults += _goals_together(keys, goals, node)
        observations = []
        for one, place in zip(keys.observed, _items(node, "observed"), strict=False):
            faults += self._observed(one, keys.unit, keys.valid_to, place)
            observations.append(_observation(one))
        days = [one.day for one in observations]
        if days != sorted(set(days)):
            faults.append(node.children["observed"].fault("observations stand by date, oldest first, one a day"))
        return Indicator(
            id=keys.id,
            name_vi=keys.name_vi,
            name_en=keys.name_en,
            unit=keys.unit,
            source=source,
            goals=tuple(goals),
            observations=tuple(observations),
            valid_to=keys.valid_to,
            note=keys.note or "",
        )

    def _line(self, node: Node, indicators: dict[str, Indicator]) -> None:
        keys = self._checked(ObservationKeys, node)
        if keys is None:
            return
        place = node.children["indicator"]
        one = indicators.get(keys.indicator)
        if one is None:
            self._named(place, "indicator", self._nodes["indicators"])
            return
        self._found.faults += self._observed(keys, one.unit, one.valid_to, node)
        if any(keys.date == other.day for other in one.observations):
            self._found.faults.append(node.fault(f"plan.yaml has a value of {keys.date} already: change it there"))
        found = sorted((*one.observations, _observation(keys)), key=lambda other: other.day)
        indicators[one.id] = replace(one, observations=tuple(found))

    def _observed(self, keys: ObservedKeys, unit: Unit, valid_to: date | None, node: Node) -> Iterator[Fault]:
        yield from _amount_fits(keys.amount, unit, node)
        if valid_to is not None and keys.date > valid_to:
            yield node.children["date"].fault(f"the indicator is history since {valid_to}")
        if keys.date > self._today:
            self._found.warnings.append(node.children["date"].fault("lies in the future: it counts from that day on"))

    def _named(self, place: Node, what: str, known: Collection[str]) -> None:
        if isinstance(place.value, str) and place.value not in known:
            self._found.faults.append(place.fault(unknown(what, place.value, known)))


def _plain(node: Node) -> object:
    if isinstance(node.value, dict):
        return {name: _plain(child) for name, child in node.value.items()}
    return [_plain(child) for child in node.value] if isinstance(node.value, list) else node.value


def _items(node: Node, name: str) -> list[Node]:
    listed = node.get(name)
    return listed.items if listed is not None else []


def _references(node: Node) -> Iterator[tuple[Node, str]]:
    """Where an indicator names something of the inventory, and what it should be."""
    for section, key, what in (
        ("figure", "objective", "objective"),
        ("figure", "part_of", "system"),
        ("metric", "target", "target"),
        ("metric", "system", "system"),
    ):
        part = node.get(section)
        place = part.get(key) if part is not None else None
        if place is not None:
            yield place, what
    feed = node.get("feed")
    if feed is not None and feed.value != "any":
        yield feed, "target"


def _amount_fits(value: float, unit: Unit, node: Node) -> Iterator[Fault]:
    place = node.get("value") or node
    if unit is Unit.RATIO and not 0 <= value <= 1:
        yield place.fault("a ratio lies between 0 and 1: write 0.8, 80% or 4/5")
    elif value < 0:
        yield place.fault("must be at least 0")
    elif unit is Unit.COUNT and value != round(value):
        yield place.fault("a count is a whole number: write 1780, without dot or comma")


def _observation(keys: ObservedKeys) -> Observation:
    return Observation(keys.date, keys.amount, keys.comparator, keys.source, keys.note or "")


def _demand(keys: DemandKeys) -> Demand:
    return Demand(keys.value, keys.comparator, keys.due, keys.recurring, keys.act or "", keys.basis, keys.confirmed)


def _goal(keys: GoalKeys) -> Goal:
    return Goal(_demand(keys), tuple(Revision(one.until, _demand(one)) for one in keys.revisions))


def _goals_together(keys: IndicatorKeys, goals: Sequence[Goal], node: Node) -> Iterator[Fault]:
    for one, place in zip(keys.targets, _items(node, "targets"), strict=False):
        for demand, where in ((one, place), *zip(one.revisions, _items(place, "revisions"), strict=False)):
            yield from _demand_holds(demand, keys.unit, where)
        untils = [revision.until for revision in one.revisions]
        if untils != sorted(set(untils)):
            yield place.children["revisions"].fault("revisions stand by `until`, oldest first")
    changes = {revision.until for goal in goals for revision in goal.revisions} | {date.max}
    for day in sorted(changes):
        labels = [goal.on(day).label for goal in goals]
        twice = next((place for place, label in enumerate(labels) if label in labels[:place]), None)
        if twice is not None:
            yield _items(node, "targets")[twice].fault(f"two targets are due '{labels[twice]}' at a time")
            return


def _demand_holds(keys: DemandKeys, unit: Unit, node: Node) -> Iterator[Fault]:
    yield from _amount_fits(keys.value, unit, node)
    if keys.due is not None and keys.recurring is not None:
        yield node.children["recurring"].fault("give one of due and recurring", key=True)
    if keys.basis is not Basis.PROPOSED and keys.act is None:
        yield node.children["basis"].fault("only what is proposed needs no act: add act")
