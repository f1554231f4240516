"""Where each setting of a target comes from, and values as people may see them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from enum import Enum
from typing import Any, NamedTuple

import yaml
from pydantic import BaseModel

from collector.devices import DeviceProfile
from collector.fields import MASK, JmesPath, Regex, Secret
from collector.mapping import RowMap
from collector.model import Dependency, Objective, System, Target
from collector.plan import Demand, Figure, Goal, Measured, Observation, Revision, Stated
from collector.settings.document import Document
from collector.settings.source import Node, merged
from collector.settings.targets import Entry
from collector.settings.validation import field_keys

_NAMES = ("id", "name_vi", "name_en", "category", "owner")
_SYSTEM_KEYS = (*_NAMES, "hosting", "depends_on", "part_of", "tier", "source_section")

# Of files of their own.
_BY_NAME = (DeviceProfile, RowMap)
_PARTS = (Dependency, Objective, Demand, Figure, Goal, Measured, Observation, Revision, Stated)


class Origin(NamedTuple):
    """A value as YAML in one line, secrets masked, and `file:line`, or `default` when no file gives it."""

    value: str
    where: str


def visible(value: Any) -> Any:
    """`value` as plain data for YAML or JSON: secrets masked by their type, profiles and maps by their name."""
    if isinstance(value, _BY_NAME):
        return value.name
    if isinstance(value, BaseModel):
        return {key: visible(getattr(value, name)) for key, name in field_keys(type(value)).items()}
    if isinstance(value, _PARTS):
        return {name: visible(getattr(value, name)) for name in value.__dataclass_fields__}
    if isinstance(value, Mapping):
        return {str(visible(key)): visible(item) for key, item in value.items()}
    if isinstance(value, (tuple, list, set, frozenset)) and type(value).__str__ is object.__str__:
        return [visible(item) for item in value]
    return _scalar(value)


def _scalar(value: Any) -> bool | float | str | None:
    if isinstance(value, Secret):
        return MASK
    if isinstance(value, (Regex, JmesPath)):
        return value.text
    if isinstance(value, Enum):
        return str(value.value)
    return value if value is None or isinstance(value, (bool, int, float, str)) else str(value)


def keys_of(target: Target) -> dict[str, Any]:
    """The common keys of a target with their values in force."""
    return {
        "id": target.id,
        "system": target.system,
        "kind": target.kind,
        "interval": target.interval,
        "timeout": target.timeout,
        "confirm": target.confirm,
        "recover": target.recover,
        "role": "required" if target.required else "supporting",
        "labels": dict(target.labels),
    }


def origins(target: Target, entry: Entry) -> dict[str, Origin]:
    """Each setting of `target` by its path, common keys first."""
    node = entry.resolved()
    found: dict[str, Origin] = {}
    for name, value in keys_of(target).items():
        found.update(_settings(name, value, node.get(name)))
    if entry.nested and isinstance(entry.node.parent, Node) and isinstance(entry.node.parent.parent, Node):
        found["system"] = Origin(target.system, entry.node.parent.parent.place)
    for key, name in field_keys(type(target.spec)).items():
        found.update(_settings(key, getattr(target.spec, name), node.get(key)))
    return found


def system_origins(system: System, documents: Iterable[Document]) -> dict[str, Origin]:
    """Each setting of a system by its path; what nobody says of it is left out."""
    said = [one.root for one in documents if one.root is not None]
    node = _entry(said, "systems", system.id)
    found: dict[str, Origin] = {}
    for name in _SYSTEM_KEYS:
        own = node.get(name) if node is not None else None
        if own is not None:
            found.update(_settings(name, getattr(system, name, None), own))
    objective = system.objective
    if objective is not None and objective.indicator:
        entry = _entry(said, "objectives", objective.indicator)
        found["objective"] = Origin(f"{objective.ratio:g} ({objective.indicator})", entry.place if entry else "")
    elif objective is not None and node is not None:
        found["objective"] = Origin(f"{objective.ratio:g}", node.children["objective"].place)
    return found


def _entry(documents: Iterable[Node], what: str, name: str) -> Node | None:
    """What all files say of one of these, each laid over those before it."""
    found: Node | None = None
    for root in documents:
        listed = root.get(what)
        for item in listed.items if listed is not None else ():
            found = merged(found, item) if item.text("id") == name else found
    return found


def _settings(path: str, value: Any, node: Node | None) -> Iterator[tuple[str, Origin]]:
    parts = _parts(value)
    if node is not None and parts and isinstance(node.value, dict):
        for key, part in parts.items():
            yield from _settings(f"{path}.{key}", part, node.get(key))
    else:
        yield path, Origin(_line(value, node), node.place if node is not None else "default")


def _parts(value: Any) -> dict[str, Any]:
    if isinstance(value, BaseModel) and not isinstance(value, _BY_NAME):
        return {key: getattr(value, name) for key, name in field_keys(type(value)).items()}
    return {str(key): item for key, item in value.items()} if isinstance(value, Mapping) else {}


def _line(value: Any, node: Node | None) -> str:
    text = _flow(visible(value))
    # As it is written (30s rather than 30.0), unless that is a secret, or something made from one.
    return _flow(node.value) if node is not None and isinstance(node.value, str) and MASK not in text else text


def _flow(value: Any) -> str:
    text: str = yaml.dump(
        value, Dumper=yaml.CSafeDumper, default_flow_style=True, sort_keys=False, allow_unicode=True, width=10_000
    )
    return text.removesuffix("\n").removesuffix("\n...").strip()
