"""Files that are each one thing that targets name: device profiles in devices.d, maps of feeds in feeds.d."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Generic, TypeVar

from pydantic import BaseModel

from collector.settings.credentials import Credentials
from collector.settings.document import Document
from collector.settings.faults import Fault, quoted
from collector.settings.source import Node
from collector.settings.validation import checked

M = TypeVar("M", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Sort(Generic[M]):
    """A sort of such files: its model, what one is called, its first keys, and the setting of targets that names it."""

    model: type[M]
    what: str
    keys: str
    setting: str


@dataclass(slots=True)
class Profiles(Generic[M]):
    """The valid ones by name; `broken` are the names of those that are there, but have faults."""

    sort: Sort[M]
    valid: dict[str, M] = field(default_factory=dict)
    broken: set[str] = field(default_factory=set)
    faults: list[Fault] = field(default_factory=list)

    def complaints(self, faults: Iterable[Fault]) -> list[Fault]:
        """`faults` of targets without those that only repeat that a file is broken."""
        if not self.broken:
            return list(faults)
        echoes, setting = tuple(quoted(name) for name in self.broken), f".{self.sort.setting}"
        return [fault for fault in faults if not (setting in fault.path and any(e in fault.message for e in echoes))]


def read_profiles(
    sort: Sort[M],
    documents: Iterable[Document],
    credentials: Credentials,
    known: Mapping[Path, Document],
    before: Mapping[str, M],
) -> Profiles[M]:
    """Those of all directories; a later one replaces an earlier one of the same name.

    A document that is the same object as in `known` gives the same object as `before` it did.
    """
    profiles = Profiles(sort)
    for document in documents:
        name = document.source.path.stem
        profiles.valid.pop(name, None)
        if known.get(document.source.path) is document and name in before:
            profiles.valid[name] = before[name]
            continue
        profile = None if document.faults else _profile(sort, name, document, credentials, profiles.faults)
        if profile is None:
            profiles.broken.add(name)
        else:
            profiles.broken.discard(name)
            profiles.valid[name] = profile
    return profiles


def _profile(sort: Sort[M], name: str, document: Document, credentials: Credentials, faults: list[Fault]) -> M | None:
    node = document.root or Node({}, (1, 1), (1, 1), "", document.source)
    if not isinstance(node.value, dict):
        faults.append(node.fault(f"expected a mapping with {sort.keys}"))
        return None
    written = node.get("name")
    if written is not None and written.value != name:
        faults.append(written.fault(f"a {sort.what} is named by its file: {quoted(name)}"))
    profile, wrong = checked(sort.model, {**credentials.children(node), "name": name}, node)
    faults += wrong
    return profile
