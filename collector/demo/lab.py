"""The configuration overlay that points the shipped inventory at a running simulated province."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

# Fixed parts of the demo's configuration, laid over the one that the user gives: what is invented, and how often it
# is polled.
OVERLAYS = (Path(__file__).parent / "overlay", Path(__file__).parent / "pace")


def write_lab(directory: Path, ready: dict[str, Any], listen: str) -> Path:
    """Write monitor.yaml (as JSON, which is YAML) for what a Province said when it was ready. Blocks.

    Returns the overlay's directory, made below `directory`.
    """
    trust = {"ca_file": ready["ca_file"]}
    monitor = {
        "defaults": {"http": {"tls": trust}, "tcp": {"tls_config": trust}},
        "resolver": {"servers": [ready["resolver"]]},
        "address_map": ready["address_map"],
        "web": {"listen": listen},
    }
    lab = directory / "lab"
    lab.mkdir()
    (lab / "monitor.yaml").write_text(json.dumps(monitor, indent=1) + "\n")
    return lab
