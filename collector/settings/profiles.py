"""Device profiles: one file in devices.d each, named by the file."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from collector.devices import DeviceProfile
from collector.settings.credentials import Credentials
from collector.settings.document import Document
from collector.settings.faults import Fault, quoted
from collector.settings.source import Node
from collector.settings.validation import checked


@dataclass(slots=True)
class Profiles:
    """The valid profiles by name; `broken` are the names of those that are there, but have faults."""

    valid: dict[str, DeviceProfile] = field(default_factory=dict)
    broken: set[str] = field(default_factory=set)
    faults: list[Fault] = field(default_factory=list)

    def complaints(self, faults: Iterable[Fault]) -> list[Fault]:
        """`faults` of targets without those that only repeat that a profile is broken."""
        if not self.broken:
            return list(faults)
        echoes = tuple(quoted(name) for name in self.broken)
        return [
            fault for fault in faults if not (".profiles" in fault.path and any(e in fault.message for e in echoes))
        ]


def read_profiles(
    documents: Iterable[Document],
    credentials: Credentials,
    known: Mapping[Path, Document],
    before: Mapping[str, DeviceProfile],
) -> Profiles:
    """The profiles of all directories; a later one replaces an earlier one of the same name.

    A document that is the same object as in `known` gives the same object as `before` it did.
    """
    profiles = Profiles()
    for document in documents:
        name = document.source.path.stem
        profiles.valid.pop(name, None)
        if known.get(document.source.path) is document and name in before:
            profiles.valid[name] = before[name]
            continue
        profile = None if document.faults else _profile(name, document, credentials, profiles.faults)
        if profile is None:
            profiles.broken.add(name)
        else:
            profiles.broken.discard(name)
            profiles.valid[name] = profile
    return profiles


def _profile(name: str, document: Document, credentials: Credentials, faults: list[Fault]) -> DeviceProfile | None:
    node = document.root or Node({}, (1, 1), (1, 1), "", document.source)
    if not isinstance(node.value, dict):
        faults.append(node.fault("expected a mapping with title, scalars, tables"))
        return None
    written = node.get("name")
    if written is not None and written.value != name:
        faults.append(written.fault(f"a profile is named by its file: {quoted(name)}"))
    profile, wrong = checked(DeviceProfile, {**credentials.children(node), "name": name}, node)
    faults += wrong
    return profile
