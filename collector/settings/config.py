"""A configuration that was checked whole: what the service runs on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from collector.devices import DeviceProfile
from collector.maintenance import Window
from collector.mapping.rowmap import RowMap
from collector.model import Owner, System, Target
from collector.places import Places
from collector.plan import Plan
from collector.settings.document import Document
from collector.settings.faults import Fault
from collector.settings.monitor import Monitor
from collector.settings.origin import Origin, origins
from collector.settings.outlines import Outlines
from collector.settings.targets import Resolved


@dataclass(frozen=True, slots=True)
class Config:
    """Everything resolved.

    `places` are what coverage is counted over, if it is; `maps` say how rows of feeds are read. `files` are the
    directories and secret files to watch; `hash` changes with any byte of any YAML file.
    """

    monitor: Monitor
    owners: Mapping[str, Owner]
    systems: Mapping[str, System]
    targets: Mapping[str, Target]
    maintenance: tuple[Window, ...]
    places: Places | None
    devices: Mapping[str, DeviceProfile]
    maps: Mapping[str, RowMap]
    plan: Plan
    warnings: tuple[Fault, ...]
    files: tuple[Path, ...]
    hash: str
    # What the next load needs not do again.
    documents: Mapping[Path, Document] = field(repr=False, compare=False)
    outlines: Mapping[Path, Outlines] = field(repr=False, compare=False)
    resolved: Mapping[str, Resolved] = field(repr=False, compare=False)

    def origin(self, target_id: str) -> dict[str, Origin]:
        """Each setting of a target by its path: its value, masked, and `file:line` or `default`. Raises KeyError."""
        one = self.resolved[target_id]
        return origins(one.target, one.entry)
