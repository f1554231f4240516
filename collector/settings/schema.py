"""JSON Schema of the YAML files, so that editors complete and check them.

A line `# yaml-language-server: $schema=../schema.json` at the top of a file, or a mapping in the editor's settings,
binds it. The settings of a kind are chosen by `kind`, with if/then. Nothing that defaults or an earlier directory may
supply is required: `hatang check` knows better.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from collector import registry
from collector.devices import DeviceProfile
from collector.mapping.rowmap import RowMap
from collector.settings.inventory import ID_PATTERN, LABEL_PATTERN, OwnerKeys, SystemKeys, TargetKeys
from collector.settings.maintenance import MaintenanceKeys
from collector.settings.monitor import Monitor
from collector.settings.objectives import ObjectiveKeys
from collector.settings.places import LISTS as PLACE_LISTS
from collector.settings.places import RangesKeys
from collector.settings.plan import PLAN_LISTS
from collector.settings.plan_keys import ObservationKeys
from collector.settings.targets import COMMON, DEFAULTABLE

DRAFT = "https://json-schema.org/draft/2020-12/schema"
_REF = "#/$defs/"
Json = dict[str, Any]
# The lists of an inventory file, and what each entry of them may say; a target has the settings of its kind besides.
LISTS: Mapping[str, type[BaseModel]] = {
    "targets": TargetKeys,
    "owners": OwnerKeys,
    "systems": SystemKeys,
    "objectives": ObjectiveKeys,
    "maintenance": MaintenanceKeys,
}
_MODELS: tuple[type[BaseModel], ...] = (*LISTS.values(), Monitor, DeviceProfile)
_OF_THE_PLAN: tuple[type[BaseModel], ...] = (*PLAN_LISTS.values(), ObservationKeys)
_OF_COVERAGE: tuple[type[BaseModel], ...] = (*PLACE_LISTS.values(), RangesKeys, RowMap)
_PLACES: Mapping[str, str] = {
    "communes": "Communes, wards and special zones.",
    "villages": "Villages and residential groups, which coverage is counted over.",
    "zones": "Industrial parks, stations, ports and other places that a plan names.",
    "operators": "What tells mobile operators in feeds.",
    "technologies": "When mobile technologies count.",
}


def schema() -> Json:
    """JSON Schema (draft 2020-12) of the files in targets.d and inventory.d.

    `$defs/monitor` is that of monitor.yaml, `$defs/device` that of the files in devices.d, `$defs/plan` that of
    plan.yaml, `$defs/observations` that of the files in observations.d, `$defs/map` that of those in feeds.d.
    """
    definitions, models = _generated()
    target, owner, system, objective, window, monitor, device = (models[model] for model in _MODELS)
    kinds = {kind.name: models[kind.spec] for kind in registry.KINDS}
    target["properties"]["kind"] = {"description": "How the target is checked.", "enum": sorted(kinds)}
    for labelled in (target, window):
        labelled["properties"]["labels"]["propertyNames"] = {"pattern": LABEL_PATTERN}
    for keyed in (target, owner, system, objective, window):
        keyed["properties"]["id"] |= {"pattern": ID_PATTERN, "maxLength": 100}
    system["properties"]["targets"] = _list({"$ref": f"{_REF}nested-target"}, "What is checked to know its state.")
    monitor["properties"]["defaults"] = {"$ref": f"{_REF}defaults"}
    definitions |= {f"kind-{name}": _kind(spec) for name, spec in kinds.items()}
    definitions |= {
        "device": _unnamed(device),
        "owner": owner | {"required": ["id"]},
        "system": system | {"required": ["id"]},
        "objective": objective | {"required": ["id"]},
        "window": window | {"required": ["id"]},
        "target": _target(target, sorted(kinds)),
        "nested-target": {"$ref": f"{_REF}target", "properties": {"system": False}},
        "free-target": {"$ref": f"{_REF}target", "required": ["system"]},
        "defaults": _defaults(target, kinds),
        "monitor": _nullable(monitor | {"description": "monitor.yaml: what holds for the whole service."}),
        **_plan(*(models[model] for model in _OF_THE_PLAN)),
        **{name: models[model] | {"required": ["id"]} for name, model in PLACE_LISTS.items()},
        "ranges": _nullable(models[RangesKeys]),
        "map": _unnamed(models[RowMap]),
    }
    return {"$schema": DRAFT, **_file(), "$defs": dict(sorted(definitions.items()))}


def _generated() -> tuple[Json, dict[type[BaseModel], Json]]:
    """What models refer to, and each model's own schema, without titles."""
    wanted = [*_MODELS, *_OF_THE_PLAN, *_OF_COVERAGE]
    wanted += dict.fromkeys(kind.spec for kind in registry.KINDS)
    places, whole = models_json_schema([(model, "validation") for model in wanted], ref_template=_REF + "{model}")
    definitions = _untitled(whole.get("$defs", {}))
    own = {model: places[model, "validation"]["$ref"].removeprefix(_REF) for model in wanted}
    return definitions, {model: definitions.pop(name) for model, name in own.items()}


def _untitled(part: Any, *, names: bool = False) -> Any:
    """Without generated titles; with `names`, `part` is a mapping whose keys are names, and `title` may be one."""
    if isinstance(part, list):
        return [_untitled(item) for item in part]
    if not isinstance(part, dict):
        return part
    return {
        key: _untitled(item, names=not names and key in {"properties", "$defs"})
        for key, item in part.items()
        if names or key != "title"
    }


def _list(items: Json, description: str) -> Json:
    return {"type": ["array", "null"], "items": items, "description": description}


def _unnamed(named: Json) -> Json:
    """What is named by its file."""
    return named | {"required": [name for name in named["required"] if name != "name"]}


def _nullable(mapping: Json) -> Json:
    return mapping | {"type": ["object", "null"]}


def _plan(indicator: Json, reference: Json, reported: Json, observation: Json) -> Json:
    for keyed in (indicator, reference):
        keyed["properties"]["id"] |= {"pattern": ID_PATTERN, "maxLength": 100}
    lists = {
        "indicators": _list(indicator | {"required": ["id"]}, "What is to be reached, and what is known of it."),
        "references": _list(reference | {"required": ["id"]}, "Reports that observations come from."),
        "reported": _list(reported, "Figures of the province's report: the indicator of each, or why there is none."),
    }
    lines = {"observations": _list(observation, "What was seen since, a dated line each.")}
    return {
        "plan": _nullable(_mapping("plan.yaml: what is to be reached, by when, on whose word.", lists)),
        "observations": _nullable(_mapping("observations.d: values that somebody reports.", lines)),
    }


def _mapping(description: str, properties: Json) -> Json:
    return {"description": description, "properties": properties, "additionalProperties": False}


def _kind(spec: Json) -> Json:
    properties: Json = {**dict.fromkeys(sorted(COMMON), True), **spec.get("properties", {})}
    return {"type": "object", "properties": properties, "additionalProperties": False}


def _target(common: Json, kinds: list[str]) -> Json:
    return {
        "type": "object",
        "description": "One thing that is checked at an interval.",
        "properties": common["properties"],
        "required": ["id", "kind"],
        "allOf": [
            {
                "if": {"properties": {"kind": {"const": kind}}, "required": ["kind"]},
                "then": {"$ref": f"{_REF}kind-{kind}"},
            }
            for kind in kinds
        ],
    }


def _defaults(common: Json, kinds: dict[str, Json]) -> Json:
    sections: Json = {
        name: {
            "type": ["object", "null"],
            "description": f"For every target of kind {name}.",
            "properties": spec.get("properties", {}),
            "additionalProperties": False,
        }
        for name, spec in kinds.items()
    }
    return {
        "type": ["object", "null"],
        "description": "What targets start from; a target's own settings win.",
        "properties": {**{name: common["properties"][name] for name in DEFAULTABLE}, **sections},
        "additionalProperties": False,
    }


def _file() -> Json:
    return {
        "title": "hatang: targets.d and inventory.d",
        "description": "Owners, systems, their targets and objectives, planned work. Secrets: !env NAME or !file path.",
        "type": ["object", "null"],
        "properties": {
            "synthetic": {"type": "boolean", "description": "Whether everything that this file defines is invented."},
            "defaults": {"$ref": f"{_REF}defaults"},
            "owners": _list({"$ref": f"{_REF}owner"}, "Bodies that answer for systems."),
            "systems": _list({"$ref": f"{_REF}system"}, "What people depend on, each with its targets."),
            "targets": _list({"$ref": f"{_REF}free-target"}, "Targets of systems that are defined elsewhere."),
            "objectives": _list({"$ref": f"{_REF}objective"}, "How available systems are to be, and on whose word."),
            "maintenance": _list({"$ref": f"{_REF}window"}, "Planned work, once or again and again."),
            **{name: _list({"$ref": f"{_REF}{name}"}, words) for name, words in _PLACES.items()},
            "ranges": {"$ref": f"{_REF}ranges"},
            "territory": {"type": "string", "description": "Former province whose communes make the figures."},
        },
        "additionalProperties": False,
    }
