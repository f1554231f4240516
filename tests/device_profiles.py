"""Device profiles for tests: written in the test, or those that are shipped."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from collector.devices import DeviceProfile

SHIPPED = Path(__file__).parent.parent / "config" / "devices.d"


def profile(text: str, name: str = "device") -> DeviceProfile:
    """The profile that a file with this YAML would be."""
    return DeviceProfile.model_validate({"title": "t", **yaml.safe_load(text), "name": name})


def shipped(name: str) -> DeviceProfile:
    """A profile of `config/devices.d`."""
    return profile((SHIPPED / f"{name}.yaml").read_text(), name)


def context(*profiles: DeviceProfile) -> dict[str, Any]:
    """The validation context in which targets may name these profiles."""
    return {"devices": {each.name: each for each in profiles}}
