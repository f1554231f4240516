"""Directories to a Config, with every fault of every file at once."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from collector import registry
from collector.settings.config import Config
from collector.settings.credentials import Credentials
from collector.settings.document import Document, read
from collector.settings.faults import Fault, SettingsError
from collector.settings.gather import Gathered, gather
from collector.settings.monitor import Monitor
from collector.settings.profiles import read_profiles
from collector.settings.source import Node, merged
from collector.settings.systems import register
from collector.settings.targets import Resolved, Workshop, readable_community
from collector.settings.validation import checked

INVENTORY = ("inventory.d", "targets.d")


@dataclass(slots=True)
class _Files:
    """The documents of all directories, by what they are for; one list of inventory files per directory."""

    monitor: list[Document] = field(default_factory=list)
    inventory: list[list[Document]] = field(default_factory=list)
    devices: list[Document] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    warnings: list[Fault] = field(default_factory=list)

    def __iter__(self) -> Iterator[Document]:
        yield from self.monitor
        for documents in self.inventory:
            yield from documents
        yield from self.devices


def load(directories: Sequence[Path], previous: Config | None = None) -> Config:
    """The configuration in `directories`, later ones laid over earlier ones.

    Reads files and compiles patterns: not for the event loop. What did not change since `previous` is taken from
    it, so that equal targets are the same objects. Raises SettingsError with every fault.
    """
    files = _read(directories, previous)
    credentials = Credentials()
    monitor = _monitor_node(files)
    defaults = monitor.get("defaults") if monitor is not None else None
    if defaults is not None and defaults.value is None:
        defaults = None
    gathered = gather(files.inventory, defaults)
    whole = not any(document.faults for documents in files.inventory for document in documents)
    found = register(gathered, credentials, whole=whole)
    service, wrong = _monitor(monitor, credentials)
    known, before = (previous.documents, previous.devices) if previous is not None else ({}, {})
    profiles = read_profiles(files.devices, credentials, known, before)
    workshop = Workshop(
        kinds=registry.BY_NAME,
        context={"devices": profiles.valid},
        credentials=credentials,
        systems=frozenset(gathered.systems) if whole else None,
        previous=previous.resolved if previous is not None else {},
        same_profiles=profiles.valid == before,
    )
    for node in ([defaults] if defaults is not None else []) + gathered.defaults:
        workshop.check_defaults(node)
    resolved = _resolved(workshop, gathered)
    faults = [*files.faults, *gathered.faults, *found.faults, *wrong, *profiles.faults, *credentials.faults]
    faults += profiles.complaints(workshop.faults)
    if faults or service is None:
        raise SettingsError(faults)
    workshop.warnings.update(files.warnings, credentials.warnings, readable_community(resolved.values()))
    return Config(
        monitor=service,
        owners=found.owners,
        systems=found.systems,
        targets={name: one.target for name, one in resolved.items()},
        devices=profiles.valid,
        warnings=tuple(sorted(workshop.warnings)),
        files=(*directories, *sorted(credentials.files)),
        hash=_digest(files),
        documents={document.source.path: document for document in files},
        resolved=resolved,
    )


def _digest(files: _Files) -> str:
    digest = hashlib.sha256()
    for document in files:
        digest.update(document.source.shown.encode() + b"\0" + document.digest)
    return digest.hexdigest()


def _read(directories: Sequence[Path], previous: Config | None) -> _Files:
    files = _Files()
    known = previous.documents if previous is not None else {}

    def document(path: Path, directory: Path) -> Document:
        inside = path.relative_to(directory)
        # One directory: its name would only repeat itself. Several: whose monitor.yaml is it?
        shown = str(inside if len(directories) == 1 else path)
        return read(path, shown, known.get(path))

    for directory in directories:
        if not directory.is_dir():
            files.faults.append(Fault(str(directory), 1, 1, "", "no such directory"))
            continue
        files.monitor += [document(path, directory) for path in [directory / "monitor.yaml"] if path.exists()]
        files.inventory.append([document(path, directory) for part in INVENTORY for path in _yaml(directory / part)])
        files.devices += [document(path, directory) for path in _yaml(directory / "devices.d")]
    for each in files:
        files.faults += each.faults
        files.warnings += each.warnings
    return files


def _yaml(folder: Path) -> list[Path]:
    # Names that begin with a dot are what editors write beside the file they have open.
    return sorted(path for path in folder.glob("*.yaml") if not path.name.startswith("."))


def _monitor_node(files: _Files) -> Node | None:
    node: Node | None = None
    for document in files.monitor:
        if document.root is not None and document.root.value is not None:
            node = merged(node, document.root)
    return node


def _monitor(node: Node | None, credentials: Credentials) -> tuple[Monitor | None, list[Fault]]:
    if node is None:
        return Monitor(), []
    if not isinstance(node.value, dict):
        return None, [node.fault("expected a mapping")]
    # A section without content is as good as none.
    plain = {
        name: credentials.plain(child)
        for name, child in node.value.items()
        if name != "defaults" and not (child.value is None and name in Monitor.model_fields)
    }
    return checked(Monitor, plain, node, known=("defaults",))


def _resolved(workshop: Workshop, gathered: Gathered) -> dict[str, Resolved]:
    made = (workshop.make(entry) for entry in gathered.entries)
    return {one.target.id: one for one in made if one is not None}
