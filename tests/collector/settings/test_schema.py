"""config/schema.json is what the code says, and says what the code checks."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from collector import registry
from collector.settings import schema
from collector.settings.document import parse
from collector.settings.source import Node, SecretRef, SourceFile
from collector.settings.targets import COMMON

ROOT = Path(__file__).parents[3]
FILE = ROOT / "config" / "schema.json"
SCHEMA = schema()
# The whole, and the parts that are for other files.
VALIDATORS = {
    part: Draft202012Validator({"$ref": f"#/$defs/{part}", "$defs": SCHEMA["$defs"]} if part else SCHEMA)
    for part in ("", "monitor", "device", "plan", "observations", "map")
}
DIRECTORIES = [ROOT / "config", *(ROOT / "collector" / "demo" / name for name in ("overlay", "overlay-sql", "pace"))]
SHIPPED = sorted(path for directory in DIRECTORIES for path in directory.rglob("*.yaml"))


def parts(part: Any) -> Iterator[dict[str, Any]]:
    """Every mapping of a schema."""
    if isinstance(part, dict):
        yield part
    for inner in part.values() if isinstance(part, dict) else part if isinstance(part, list) else ():
        yield from parts(inner)


def test_the_file_is_current() -> None:
    text = json.dumps(SCHEMA, ensure_ascii=False, indent=2) + "\n"
    if os.environ.get("HATANG_GOLDEN") == "1":
        FILE.write_text(text)
    assert FILE.read_text() == text, "run `hatang schema > config/schema.json`"


def test_every_reference_leads_somewhere() -> None:
    references = {part["$ref"] for part in parts(SCHEMA) if isinstance(part.get("$ref"), str)}
    assert references
    assert references <= {f"#/$defs/{name}" for name in SCHEMA["$defs"]}


@pytest.mark.parametrize("kind", sorted(registry.BY_NAME))
def test_each_kind_has_its_branch(kind: str) -> None:
    """Chosen by `kind`, with every key that the kind takes and no other, each described."""
    spec = registry.BY_NAME[kind].spec
    fields = {info.alias or name for name, info in spec.model_fields.items()}
    assert fields.isdisjoint(COMMON), "a kind cannot have a setting named as one that all targets have"
    branches = [
        branch for branch in SCHEMA["$defs"]["target"]["allOf"] if branch["if"]["properties"]["kind"]["const"] == kind
    ]
    assert [branch["then"] for branch in branches] == [{"$ref": f"#/$defs/kind-{kind}"}]
    branch = SCHEMA["$defs"][f"kind-{kind}"]
    assert set(branch["properties"]) == fields | COMMON
    assert branch["additionalProperties"] is False
    assert all(branch["properties"][field].get("description") for field in fields)
    assert set(SCHEMA["$defs"]["defaults"]["properties"][kind]["properties"]) == fields


def test_common_keys_are_described() -> None:
    properties = SCHEMA["$defs"]["target"]["properties"]
    assert set(properties) == COMMON
    assert all(part["description"] for part in properties.values())
    assert properties["kind"]["enum"] == sorted(registry.BY_NAME)
    assert SCHEMA["$defs"]["nested-target"]["properties"] == {"system": False}
    assert SCHEMA["$defs"]["free-target"]["required"] == ["system"]


def plain(node: Node) -> Any:
    """What an editor sees, which reads YAML 1.2 and takes a tagged secret for text."""
    value = node.value
    if isinstance(value, dict):
        return {name: plain(child) for name, child in value.items()}
    if isinstance(value, list):
        return [plain(child) for child in value]
    return value.name if isinstance(value, SecretRef) else value


def complaints(path: Path, content: bytes | None = None) -> list[str]:
    """What an editor says of the file."""
    document = parse(content if content is not None else path.read_bytes(), SourceFile(path, path.name))
    assert not document.faults
    root = plain(document.root) if document.root is not None else None
    folders = {"devices.d": "device", "observations.d": "observations", "feeds.d": "map"}
    part = {"monitor.yaml": "monitor", "plan.yaml": "plan"}.get(path.name, folders.get(path.parent.name, ""))
    return [error.message for error in VALIDATORS[part].iter_errors(root)]


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: f"{path.parent.parent.name}-{path.parent.name}-{path.stem}")
def test_shipped_files_fit(path: Path) -> None:
    assert complaints(path) == []


@pytest.mark.parametrize(
    "text",
    [
        "system: []",
        "systems: [{id: a, depends_on: portal}]",
        "systems: [{id: a, depends_on: [{anny: [portal]}]}]",
        "systems: [{id: a, objective: 99.9}]",
        "systems: [{id: a, category: programme}]",
        "objectives: [{id: a, share: 99.9}]",
        "objectives: [{id: a, basis: official}]",
        "objectives: [{id: a, categories: [programme]}]",
        "systems: [{id: A, tier: 1}]",
        "systems: [{id: a, targets: [{id: b, kind: http, urll: x}]}]",
        "systems: [{id: a, targets: [{id: b, kind: http, url: x, confirm: 0}]}]",
        "targets: [{id: b, kind: http, url: x}]",
        "maintenance: [{id: a, starts: 2026-11-23}]",
        "maintenance: [{id: a, reasons: x}]",
        "maintenance: [{id: a, labels: {a-b: c}}]",
    ],
)
def test_what_the_service_refuses_is_underlined(text: str) -> None:
    assert complaints(Path("targets.d/a.yaml"), text.encode())


def test_what_the_service_takes_is_not() -> None:
    text = """\
systems:
  - id: a
    depends_on: [b, {all: [c]}, {any: [d, e]}]
    objective: 99.9%
    targets:
      - {id: t, kind: tcp, host: h, port: 1, confirm: 5, recover: 1, tls: true}
objectives:
  - {id: o, share: 99.9%, recurring: yearly, basis: plan, act: 1/KH, systems: [a], tiers: [1], categories: [app]}
maintenance:
  - {id: w, reason: r, starts: "2026-11-23T22:00", duration: 6h, rrule: FREQ=DAILY, until: 2026-12-31, systems: [a]}
  - {id: v, reason_vi: r, reason_en: r, starts: 2026-11-23 22:00, ends: 2026-11-24 02:00, zone: UTC, labels: {r: a}}
"""
    assert complaints(Path("targets.d/a.yaml"), text.encode()) == []
