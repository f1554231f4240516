"""The configuration overlay that points the shipped inventory at a running simulated province."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from collector.maintenance import DEFAULT_ZONE

# Databases are asked through libraries of the extra `sql`.
LACKING = tuple(name for name in ("asyncpg", "greenlet", "sqlalchemy") if find_spec(name) is None)
# Fixed parts of the demo's configuration, laid over the one that the user gives: what is invented, and how often it
# is polled.
_PARTS = ("overlay", "pace") if LACKING else ("overlay", "overlay-sql", "pace")
OVERLAYS = tuple(Path(__file__).parent / part for part in _PARTS)
PLANNED = Path("targets.d", "bao-tri.yaml")


class Work(NamedTuple):
    """Planned work on a system: from when (Unix seconds), and for how many seconds."""

    system: str
    starts: float
    lasts: float


def write_lab(directory: Path, ready: dict[str, Any], listen: str) -> Path:
    """Write monitor.yaml (as JSON, which is YAML) for what a Province said when it was ready. Blocks.

    Returns the overlay's directory, made below `directory`.
    """
    trust = {"ca_file": ready["ca_file"]}
    monitor = {
        "defaults": {
            "http": {"tls": trust},
            **{kind: {"tls_config": trust} for kind in ("tcp", "sql", "mqtt")},
            **{kind: {"source": {"tls": trust}} for kind in ready["feeds"]},
        },
        "resolver": {"servers": [ready["resolver"]]},
        "address_map": ready["address_map"],
        "web": {"listen": listen},
        "journal": {"path": str(directory / "journal.sqlite")},
        "traps": {"listen": ready["traps"], "engine_file": str(directory / "engine.json")},
    }
    lab = directory / "lab"
    lab.mkdir()
    (lab / PLANNED.parent).mkdir()
    _write(lab / "monitor.yaml", monitor)
    return lab


def announce(lab: Path, planned: Iterable[Work]) -> None:
    """Announce planned work in the overlay, instead of what was announced there before. Blocks.

    It is announced to begin with the second in which it does.
    """
    windows = [
        {
            "id": f"mo-phong-{work.system}",
            "reason_vi": "Bảo trì đêm (mô phỏng)",
            "reason_en": "Night maintenance (simulated)",
            "starts": datetime.fromtimestamp(int(work.starts), ZoneInfo(DEFAULT_ZONE)).strftime("%Y-%m-%d %H:%M:%S"),
            "duration": f"{work.lasts:g}s",
            "systems": [work.system],
        }
        for work in planned
    ]
    _write(lab / PLANNED, {"synthetic": True, "maintenance": windows})


def _write(path: Path, document: dict[str, Any]) -> None:
    # The service reads whenever a file changes: never half of one.
    draft = path.with_suffix(".draft")
    draft.write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n")
    draft.replace(path)
