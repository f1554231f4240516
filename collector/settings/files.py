"""The files of configuration directories."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from collector.settings.document import Document, read
from collector.settings.faults import Fault
from collector.settings.outlines import Outlines, read_outlines

INVENTORY = ("inventory.d", "targets.d")
DEVICES = "devices.d"
FEEDS = "feeds.d"
PLAN = "plan.yaml"
OBSERVATIONS = "observations.d"


@dataclass(slots=True)
class Files:
    """The documents of all directories, by what they are for; of inventory and plan a list per directory."""

    monitor: list[Document] = field(default_factory=list)
    inventory: list[list[Document]] = field(default_factory=list)
    devices: list[Document] = field(default_factory=list)
    feeds: list[Document] = field(default_factory=list)
    outlines: list[Outlines] = field(default_factory=list)
    plan: list[list[Document]] = field(default_factory=list)
    observations: list[list[Document]] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    warnings: list[Fault] = field(default_factory=list)

    def __iter__(self) -> Iterator[Document]:
        yield from self.monitor
        for documents in (*self.inventory, *self.plan, *self.observations):
            yield from documents
        yield from self.devices
        yield from self.feeds

    def digest(self) -> str:
        """Changes with the name or any byte of any file."""
        digest = hashlib.sha256()
        for document in self:
            digest.update(document.source.shown.encode() + b"\0" + document.digest)
        for outlines in self.outlines:
            digest.update(outlines.shown.encode() + b"\0" + outlines.digest)
        return digest.hexdigest()


def read_all(directories: Sequence[Path], known: Mapping[Path, Document], outlines: Mapping[Path, Outlines]) -> Files:
    """Every file of `directories`; what is known and whose bytes are the same is not parsed again."""
    files = Files()
    for directory in directories:
        if directory.is_dir():
            _Reader(directory, directory if len(directories) == 1 else None, known, outlines).read(files)
        else:
            files.faults.append(Fault(str(directory), 1, 1, "", "no such directory"))
    for document in files:
        files.faults += document.faults
        files.warnings += document.warnings
    files.faults += [fault for one in files.outlines for fault in one.faults]
    return files


@dataclass(frozen=True, slots=True)
class _Reader:
    """Reads one directory. Messages name files relative to `base`.

    Of one directory the name would only repeat itself; of several it says whose monitor.yaml is meant.
    """

    directory: Path
    base: Path | None
    known: Mapping[Path, Document]
    outlines: Mapping[Path, Outlines]

    def read(self, files: Files) -> None:
        files.monitor += [self._document(path) for path in self._named("monitor.yaml")]
        files.inventory.append([self._document(path) for part in INVENTORY for path in self._named(f"{part}/*.yaml")])
        files.devices += [self._document(path) for path in self._named(f"{DEVICES}/*.yaml")]
        files.feeds += [self._document(path) for path in self._named(f"{FEEDS}/*.yaml")]
        files.outlines += [
            read_outlines(path, self._shown(path), self.outlines.get(path))
            for path in self._named(f"{INVENTORY[0]}/*.geojson")
        ]
        files.plan.append([self._document(path) for path in self._named(PLAN)])
        files.observations.append([self._document(path) for path in self._named(f"{OBSERVATIONS}/*.yaml")])
        folders = (*INVENTORY, DEVICES, FEEDS, OBSERVATIONS)
        for path in [path for part in folders for path in self._named(f"{part}/*.yml")]:
            files.warnings.append(Fault(self._shown(path), 1, 1, "", "not read: only *.yaml files are"))

    def _named(self, pattern: str) -> list[Path]:
        # Names that begin with a dot are what editors write beside the file they have open.
        return sorted(path for path in self.directory.glob(pattern) if not path.name.startswith("."))

    def _document(self, path: Path) -> Document:
        return read(path, self._shown(path), self.known.get(path))

    def _shown(self, path: Path) -> str:
        return str(path if self.base is None else path.relative_to(self.base))
