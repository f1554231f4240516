"""Directories to a Config, with every fault of every file at once."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from collector import registry
from collector.devices import DeviceProfile
from collector.maintenance import prepare
from collector.mapping.rowmap import RowMap
from collector.places import Operator, Places
from collector.settings.config import Config
from collector.settings.credentials import Credentials
from collector.settings.faults import Fault, SettingsError, unknown
from collector.settings.files import Files, read_all
from collector.settings.gather import Gathered, gather
from collector.settings.literals import written_out
from collector.settings.maintenance import idle, planned
from collector.settings.monitor import Monitor
from collector.settings.objectives import promise
from collector.settings.places import places
from collector.settings.plan import Known, plan_of
from collector.settings.profiles import Sort, read_profiles
from collector.settings.source import Node, merged
from collector.settings.systems import register
from collector.settings.targets import Resolved, Workshop, readable_community
from collector.settings.validation import checked

DEVICES = Sort(DeviceProfile, "profile", "title, scalars, tables", "profiles")
MAPS = Sort(RowMap, "map", "dataset, fields", "map")


def load(directories: Sequence[Path], previous: Config | None = None) -> Config:
    """The configuration in `directories`, later ones laid over earlier ones.

    Reads files and compiles patterns: not for the event loop. What did not change since `previous` is taken from
    it, so that equal targets are the same objects. Raises SettingsError with every fault.
    """
    known = previous.documents if previous is not None else {}
    files = read_all(directories, known, previous.outlines if previous is not None else {})
    credentials = Credentials()
    monitor = _monitor_node(files)
    defaults = _given(monitor.get("defaults")) if monitor is not None else None
    gathered = gather(files.inventory, defaults)
    # What stands in a file that cannot be read must not be called unknown in another.
    whole = not any(one.root is None and one.faults for documents in files.inventory for one in documents)
    found = register(gathered, credentials, whole=whole)
    promise(found, gathered, credentials, whole=whole)
    where = places(gathered, files.outlines, credentials, found.faults, whole=whole)
    windows = planned(gathered, credentials, found.faults, whole=whole)
    service, wrong = _monitor(monitor, credentials)
    profiles = read_profiles(DEVICES, files.devices, credentials, known, previous.devices if previous else {})
    maps = read_profiles(MAPS, files.feeds, credentials, known, previous.maps if previous else {})
    workshop = Workshop(
        kinds=registry.BY_NAME,
        context={"devices": profiles.valid, "maps": maps.valid, "operators": _operators(where)},
        credentials=credentials,
        systems=frozenset(gathered.systems) if whole else None,
        previous=previous.resolved if previous is not None else {},
        same_profiles=previous is not None
        and (profiles.valid, maps.valid, _operators(where))
        == (previous.devices, previous.maps, _operators(previous.places)),
    )
    resolved = _resolved(workshop, gathered, defaults)
    faults = [*files.faults, *gathered.faults, *found.faults, *wrong, *profiles.faults, *maps.faults]
    faults += [*credentials.faults, *maps.complaints(profiles.complaints(workshop.of_defaults + workshop.faults))]
    plan = plan_of(files.plan, files.observations, _known(gathered) if whole else None)
    faults += plan.faults
    if whole and monitor is not None:
        faults += _uplink(monitor, {entry.node.text("id") for entry in gathered.entries})
    if faults or service is None:
        raise SettingsError(faults)
    targets = {name: one.target for name, one in resolved.items()}
    workshop.warnings.update(plan.warnings, files.warnings, credentials.warnings, readable_community(resolved.values()))
    if monitor is not None:
        workshop.warnings.update(written_out(service, monitor))
    workshop.warnings.update(idle(windows, gathered, found.systems, targets))
    prepare(windows, time.time())
    return Config(
        monitor=service,
        owners=found.owners,
        systems=found.systems,
        targets=targets,
        maintenance=windows,
        places=where,
        maps=maps.valid,
        devices=profiles.valid,
        plan=plan.plan,
        warnings=tuple(sorted(workshop.warnings)),
        files=(*directories, *sorted(credentials.files)),
        hash=files.digest(),
        documents={document.source.path: document for document in files},
        outlines={one.path: one for one in files.outlines},
        resolved=resolved,
    )


def _known(gathered: Gathered) -> Known:
    targets = {name for entry in gathered.entries if (name := entry.node.text("id")) is not None}
    return Known(targets, gathered.systems.keys(), gathered.objectives.keys())


def _monitor_node(files: Files) -> Node | None:
    node: Node | None = None
    for document in files.monitor:
        root = document.root
        if root is not None and isinstance(root.value, dict):
            node = merged(node, root)
        elif root is not None and root.value is not None:
            files.faults.append(root.fault("expected a mapping"))
    return node


def _monitor(node: Node | None, credentials: Credentials) -> tuple[Monitor | None, list[Fault]]:
    if node is None:
        return Monitor(), []
    # A section without content is as good as none.
    plain = {
        name: credentials.plain(child)
        for name, child in node.children.items()
        if name != "defaults" and not (child.value is None and name in Monitor.model_fields)
    }
    return checked(Monitor, plain, node, known=("defaults",))


def _uplink(monitor: Node, targets: Iterable[str | None]) -> Iterator[Fault]:
    known = [name for name in targets if name is not None]
    observer = monitor.get("observer")
    listed = observer.get("uplink") if observer is not None else None
    for node in listed.items if listed is not None and isinstance(listed.value, list) else ():
        if isinstance(node.value, str) and node.value not in known:
            yield node.fault(unknown("target", node.value, known))


def _given(node: Node | None) -> Node | None:
    return node if node is not None and node.value is not None else None


def _operators(where: Places | None) -> tuple[Operator, ...]:
    """Those whose rows feeds may hold."""
    return where.operators if where is not None else ()


def _resolved(workshop: Workshop, gathered: Gathered, defaults: Node | None) -> dict[str, Resolved]:
    for node in ([defaults] if defaults is not None else []) + gathered.defaults:
        workshop.check_defaults(node)
    made = (workshop.make(entry) for entry in gathered.entries)
    return {one.target.id: one for one in made if one is not None}
