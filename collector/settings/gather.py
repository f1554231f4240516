"""What the files of all directories say together: owners, systems, planned work and target entries by id."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from collector.settings.document import Document
from collector.settings.faults import Fault, unknown
from collector.settings.source import Node, merged
from collector.settings.targets import Defaults, Entry

# Lists of what coverage is counted over, and what each entry is.
PLACES = {
    "communes": "commune",
    "villages": "village",
    "zones": "zone",
    "operators": "operator",
    "technologies": "technology",
}
# Mappings of which there is one in all.
SECTIONS = ("ranges", "territory")
TOP_LEVEL = (
    "synthetic",
    "defaults",
    "owners",
    "systems",
    "targets",
    "objectives",
    "maintenance",
    *PLACES,
    *SECTIONS,
)


@dataclass(slots=True)
class Written:
    """One entry of a list as its files give it; `node` is merged over the directories."""

    node: Node
    synthetic: bool


@dataclass(slots=True)
class Gathered:
    """Everything that is written, not yet checked but for ids and shape.

    `nameless` are entries without an id, each with what it should be: an `owner`, `system`, `objective`, `window`, ...
    """

    owners: dict[str, Written] = field(default_factory=dict)
    systems: dict[str, Written] = field(default_factory=dict)
    objectives: dict[str, Written] = field(default_factory=dict)
    windows: dict[str, Written] = field(default_factory=dict)
    places: dict[str, dict[str, Written]] = field(default_factory=lambda: {what: {} for what in PLACES.values()})
    sections: dict[str, Node] = field(default_factory=dict)
    entries: list[Entry] = field(default_factory=list)
    defaults: list[Node] = field(default_factory=list)
    nameless: list[tuple[str, Node]] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)


def gather(directories: Sequence[Iterable[Document]], defaults: Node | None) -> Gathered:
    """The inventory of `directories`, later ones extending earlier ones; `defaults` is monitor.yaml's."""
    gathered = Gathered()
    for documents in directories:
        here: dict[tuple[str, str], Node] = {}
        for document in documents:
            if document.root is not None:
                _File(gathered, document.root, here).read(defaults)
    _unique(gathered)
    return gathered


class _File:
    """Adds one file; `here` holds the ids that its directory has already given."""

    def __init__(self, gathered: Gathered, root: Node, here: dict[tuple[str, str], Node]) -> None:
        self._gathered = gathered
        self._root = root
        self._here = here
        self._synthetic = False
        self._defaults = Defaults(None)

    def read(self, defaults: Node | None) -> None:
        root, gathered = self._root, self._gathered
        if root.value is not None and not isinstance(root.value, dict):
            self._fault(root, f"expected a mapping with {', '.join(TOP_LEVEL)}")
        for name, child in root.children.items():
            if name not in TOP_LEVEL:
                gathered.faults.append(child.fault(unknown("key", name, TOP_LEVEL), key=True))
        self._synthetic = self._flag(root.get("synthetic"))
        own = root.get("defaults")
        if own is not None and own.value is not None:
            gathered.defaults.append(own)
            defaults = merged(defaults, own)
        self._defaults = Defaults(defaults)
        self._lists()
        for node in self._mappings(root.get("systems")):
            self._system(node)
        for node in self._mappings(root.get("targets")):
            gathered.entries.append(Entry(node, self._defaults, False, None, self._synthetic))

    def _lists(self) -> None:
        root, gathered = self._root, self._gathered
        plain = {
            "owners": ("owner", gathered.owners),
            "objectives": ("objective", gathered.objectives),
            "maintenance": ("window", gathered.windows),
            **{name: (what, gathered.places[what]) for name, what in PLACES.items()},
        }
        for name, (what, known) in plain.items():
            for node in self._mappings(root.get(name)):
                self._add(what, known, node)
        for name in SECTIONS:
            section = merged(gathered.sections.get(name), root.get(name))
            if section is not None:
                gathered.sections[name] = section

    def _flag(self, node: Node | None) -> bool:
        if node is not None and not isinstance(node.value, bool):
            self._fault(node, "expected true or false")
        return node is not None and node.value is True

    def _mappings(self, node: Node | None) -> Iterable[Node]:
        if node is None or node.value is None:
            return
        if not isinstance(node.value, list):
            self._fault(node, "expected a list: begin each entry with '-'")
        for item in node.items:
            if isinstance(item.value, dict):
                yield item
            else:
                self._fault(item, "expected a mapping")

    def _system(self, node: Node) -> None:
        for target in self._mappings(node.get("targets")):
            self._gathered.entries.append(Entry(target, self._defaults, True, node.text("id"), self._synthetic))
        own = {name: child for name, child in node.children.items() if name != "targets"}
        self._add("system", self._gathered.systems, node.replaced(own))

    def _add(self, what: str, known: dict[str, Written], node: Node) -> None:
        name = node.text("id")
        if name is None:
            self._gathered.nameless.append((what, node))
            return
        first = self._here.setdefault((what, name), node)
        if first is not node:
            _duplicate(self._gathered, node, first)
        elif name in known:
            known[name].node = merged(known[name].node, node) or node
        else:
            known[name] = Written(node, self._synthetic)

    def _fault(self, node: Node, message: str) -> None:
        self._gathered.faults.append(node.fault(message))


def _duplicate(gathered: Gathered, node: Node, first: Node) -> None:
    name, before = node.children["id"], first.children["id"]
    gathered.faults.append(name.fault(f"duplicate id '{name.value}'; first at {before.place}:{before.at[1]}"))


def _unique(gathered: Gathered) -> None:
    seen: dict[str, Node] = {}
    for entry in gathered.entries:
        name = entry.node.text("id")
        if name is not None and (first := seen.setdefault(name, entry.node)) is not entry.node:
            _duplicate(gathered, entry.node, first)
