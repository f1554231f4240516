"""Targets from their layers: defaults of monitor.yaml, defaults of the file, and the target itself."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel

from collector.model import Kind, Spec, Target
from collector.settings.credentials import Credentials
from collector.settings.faults import Fault, unknown
from collector.settings.inventory import TargetKeys
from collector.settings.literals import WRITTEN_OUT, literals
from collector.settings.source import Node, merged
from collector.settings.validation import checked, may_hold_secrets

COMMON = frozenset(TargetKeys.model_fields)
DEFAULTABLE = ("interval", "timeout", "confirm", "recover", "role", "labels")
# Community strings of SNMP v1 and v2c cross the network readable (RFC 3584, section 9).
_READABLE = frozenset({"1", "2c"})


class Defaults:
    """What every target of a file starts from, by kind."""

    def __init__(self, node: Node | None) -> None:
        self._node = node
        self._by_kind: dict[str, Node | None] = {}

    def of(self, kind: str) -> Node | None:
        """A mapping of common keys and of the kind's; None when nothing is set."""
        if kind not in self._by_kind:
            self._by_kind[kind] = self._flat(kind)
        return self._by_kind[kind]

    def _flat(self, kind: str) -> Node | None:
        node = self._node
        if node is None:
            return None
        common = {name: child for name, child in node.children.items() if name in DEFAULTABLE}
        section = node.get(kind)
        own = section.children if section is not None else {}
        return node.replaced({**common, **own})


@dataclass(frozen=True, slots=True)
class Entry:
    """A target as it is written. `system` is that of the list it stands in; None in a file's own list."""

    node: Node
    defaults: Defaults
    nested: bool
    system: str | None
    synthetic: bool

    def resolved(self) -> Node:
        """All its settings that are written somewhere, each with its own place."""
        kind = self.node.text("kind")
        return merged(self.defaults.of(kind) if kind else None, self.node) or self.node


@dataclass(frozen=True, slots=True)
class Resolved:
    """A target, and what it was made from."""

    target: Target
    entry: Entry
    plain: Mapping[str, object]


@dataclass(slots=True)
class Workshop:
    """Makes the targets of one load; `systems` are the ids that may be named, or None: not all could be read."""

    kinds: Mapping[str, Kind[Any, Any]]
    context: Mapping[str, object]
    credentials: Credentials
    systems: frozenset[str] | None
    previous: Mapping[str, Resolved] = field(default_factory=dict)
    same_profiles: bool = False
    faults: list[Fault] = field(default_factory=list)
    of_defaults: list[Fault] = field(default_factory=list)
    warnings: set[Fault] = field(default_factory=set)

    def check_defaults(self, node: Node) -> None:
        """Find what is wrong in a `defaults` mapping, whether a target uses it or not."""
        if not isinstance(node.value, dict):
            self.of_defaults.append(node.fault("expected a mapping"))
            return
        common = {name: child for name, child in node.value.items() if name in DEFAULTABLE}
        self._check_part(TargetKeys, node.replaced(common))
        for name, child in node.value.items():
            kind = self.kinds.get(name)
            if kind is not None and isinstance(child.value, dict):
                self._check_part(kind.spec, child)
            elif kind is not None and child.value is not None:
                self.of_defaults.append(child.fault("expected a mapping of settings of this kind"))
            elif kind is None and name not in common:
                message = unknown("key", name, (*DEFAULTABLE, *self.kinds))
                self.of_defaults.append(child.fault(message, key=True))

    def _check_part(self, model: type[BaseModel], node: Node) -> None:
        plain = self.credentials.children(node)
        self.of_defaults += checked(model, plain, node, context=self.context, partial=True)[1]

    def make(self, entry: Entry) -> Resolved | None:
        """The target of `entry`; None when it has faults, which are then in `faults`."""
        node = entry.resolved()
        plain = self.credentials.children(node)
        before = self.previous.get(entry.node.text("id") or "")
        if before is not None and before.entry.node is entry.node and self._unchanged(before, entry, plain):
            target = before.target
        else:
            made = self._validated(entry, node, plain)
            if made is None:
                return None
            target = before.target if before is not None and before.target == made else made
        self._warn(target, entry, node)
        return Resolved(target, entry, plain)

    def _unchanged(self, before: Resolved, entry: Entry, plain: Mapping[str, object]) -> bool:
        return (
            self.same_profiles  # they are resolved into the targets
            and before.plain == plain
            and before.target.system in (entry.system, plain.get("system"))
            and before.target.synthetic == entry.synthetic
            and self._known_system(entry, before.target.system)
        )

    def _known_system(self, entry: Entry, system: str) -> bool:
        return entry.nested or self.systems is None or system in self.systems

    def _validated(self, entry: Entry, node: Node, plain: Mapping[str, object]) -> Target | None:
        kind = self._kind(node)
        common = {name: value for name, value in plain.items() if name in COMMON}
        rest = {name: value for name, value in plain.items() if name not in COMMON}
        keys, faults = checked(TargetKeys, common, node)
        if kind is not None:
            spec, more = checked(kind.spec, rest, node, known=COMMON, context=self.context)
            faults += more
        faults += self._place(entry, node)
        if keys is not None:
            faults += _too_slow(keys, entry.node, node)
        if faults or keys is None or kind is None or spec is None:
            told = {fault.place for fault in self.of_defaults}
            self.faults += (fault for fault in faults if fault.place not in told)
            return None
        return _target(keys, kind.name, spec, entry)

    def _kind(self, node: Node) -> Kind[Any, Any] | None:
        written = node.get("kind")
        name = node.text("kind")
        if written is None or name is None:
            return None
        if name not in self.kinds:
            self.faults.append(written.fault(unknown("kind", name, self.kinds)))
        return self.kinds.get(name)

    def _place(self, entry: Entry, node: Node) -> Iterator[Fault]:
        system = node.get("system")
        if entry.nested and system is not None:
            yield system.fault("not here: the target stands below its system", key=True)
        elif not entry.nested and system is None:
            yield node.fault("missing key 'system'")
        elif system is not None and isinstance(system.value, str) and not self._known_system(entry, system.value):
            yield system.fault(unknown("system", system.value, self.systems or ()))

    def _warn(self, target: Target, entry: Entry, node: Node) -> None:
        if not may_hold_secrets(type(target.spec)):
            return
        for place in literals(target.spec, node):
            # What is invented has no secrets.
            if not entry.synthetic or place.file is not entry.node.file:
                self.warnings.add(place.fault(WRITTEN_OUT))


def _target(keys: TargetKeys, kind: str, spec: Spec, entry: Entry) -> Target:
    return Target(
        id=keys.id,
        system=entry.system or keys.system or "",
        kind=kind,
        spec=spec,
        interval=keys.interval,
        timeout=keys.timeout,
        required=keys.role == "required",
        labels=tuple(sorted(keys.labels.items())),
        synthetic=entry.synthetic,
        confirm=keys.confirm,
        recover=keys.recover,
    )


def _too_slow(keys: TargetKeys, own: Node, node: Node) -> Iterator[Fault]:
    if keys.timeout < keys.interval:
        return
    timeout, interval = node.get("timeout"), node.get("interval")
    # Whichever of the two the target itself says is the one to change.
    place = own.get("timeout") or own.get("interval") or timeout or interval or node
    yield place.fault(
        f"timeout {keys.timeout:g}s{_from(timeout)} must be shorter than interval {keys.interval:g}s{_from(interval)}"
    )


def _from(node: Node | None) -> str:
    return f" ({node.place})" if node is not None else " (default)"


def readable_community(resolved: Iterable[Resolved]) -> Iterator[Fault]:
    """One warning per file whose targets speak SNMP v1 or v2c, unless the file is synthetic."""
    by_file: dict[str, list[Resolved]] = {}
    for one in resolved:
        if not one.target.synthetic and _readable(one.target):
            by_file.setdefault(one.entry.node.file.shown, []).append(one)
    for file, some in by_file.items():
        line, column = some[0].entry.node.at
        count = f"{len(some)} target{'s' if len(some) > 1 else ''}"
        message = f"SNMP v1 or v2c on {count}: the network can read the community; prefer version 3"
        yield Fault(file, line, column, "", message)


def _readable(target: Target) -> bool:
    return target.kind == "snmp" and str(getattr(target.spec, "version", "")) in _READABLE
