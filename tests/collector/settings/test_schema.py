"""config/schema.json is what the code says, and says what the code checks."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from collector import registry
from collector.settings import schema
from collector.settings.targets import COMMON

FILE = Path(__file__).parents[3] / "config" / "schema.json"
SCHEMA = schema()


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
