"""What performance files hold, in both of their dialects and in both forms of each.

TS 32.435 (`measCollecFile`) and TS 28.532 (`measDataFile`) differ in the names of a few elements; in both, counters
stand one by one (`measType`, `r`, joined by `p`) or as lists with blanks between (`measTypes`, `measResults`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

ROOTS = ("measCollecFile", "measDataFile")
_ELEMENTS = frozenset({"managedElement", "measEntity"})
_ENVELOPES = frozenset({"measCollec", "measData"})
_NIL = frozenset({"", "nil", "null"})
_TRUE = frozenset({"true", "1"})


@dataclass(frozen=True, slots=True)
class Measured:
    """The wanted counters of one object over one period, as they are written; None where nothing is.

    `object` is its distinguished name, with that of the network element that it is part of; `end` and `duration` are
    those of the period. `fault` says what is wrong with the row as a whole, '' if nothing.
    """

    object: str
    end: str
    duration: str
    values: dict[str, str | None]
    suspect: bool = False
    fault: str = ""


@dataclass(slots=True)
class _Block:
    """A measInfo: `names` of its counters in order, and those that are wanted by their `p`."""

    end: str = ""
    duration: str = ""
    names: list[str] = field(default_factory=list)
    wanted: dict[str, str] = field(default_factory=dict)

    def add(self, name: str, p: str, wanted: bool) -> None:
        self.names.append(name)
        if wanted:
            self.wanted[p or str(len(self.names))] = name


@dataclass(slots=True)
class _Row:
    """A measValue."""

    object: str
    results: list[str] | None = None
    values: dict[str, str | None] = field(default_factory=dict)
    suspect: bool = False


class Measurements:
    """Listens to one file.

    `take` gets each row of those blocks that have counters which `wants` says yes to. `complete` is whether the footer
    was heard.
    """

    def __init__(self, wants: Callable[[str], bool], take: Callable[[Measured], None]) -> None:
        self._wants = wants
        self._take = take
        self._parents: list[str] = []
        self._prefix = self._scope = self._p = ""
        self._block = _Block()
        self._row: _Row | None = None
        self.complete = False

    def start(self, name: str, attributes: dict[str, str]) -> bool:
        """An element begins. Raises ValueError when it is the root of another kind of document."""
        if not self._parents and name not in ROOTS:
            raise ValueError(f"the root is {ascii(name[:40])[1:-1]}, not {' or '.join(ROOTS)}")
        self._parents.append(name)
        match name:
            case "r" | "measType":
                self._p = attributes.get("p", "")
                return name == "measType" or self._p in self._block.wanted
            case "measTypes" | "measResults" | "suspect":
                return True
            case "measValue":
                self._row = _Row(_joined(self._prefix, self._scope, attributes.get("measObjLdn", "")))
            case "measInfo":
                self._block = _Block()
            case "granPeriod":
                self._block.end, self._block.duration = attributes.get("endTime", ""), attributes.get("duration", "")
            case _:
                self._around(name, attributes)
        return False

    def _around(self, name: str, attributes: dict[str, str]) -> None:
        """What stands around the blocks: header, network elements, footer."""
        if name == "fileHeader":
            self._prefix = attributes.get("dnPrefix", "")
        elif name in _ELEMENTS:
            self._scope = attributes.get("localDn", "")
        elif name in _ENVELOPES and self._parents[-2:-1] == ["fileFooter"]:
            self.complete = True

    def end(self, name: str, text: str | None) -> None:
        """An element ends."""
        self._parents.pop()
        if name == "measValue":
            self._finish()
        elif text is not None and self._row is None:
            self._name(name, text)
        elif text is not None and self._row is not None:
            self._value(self._row, name, text)

    def _name(self, element: str, text: str) -> None:
        if element == "measType":
            self._block.add(text.strip(), self._p, self._wants(text.strip()))
        elif element == "measTypes":
            for name in text.split():
                self._block.add(name, "", self._wants(name))

    def _value(self, row: _Row, element: str, text: str) -> None:
        if element == "r":
            row.values[self._block.wanted[self._p]] = _written(text)
        elif element == "measResults":
            row.results = text.split()
        elif element == "suspect":
            row.suspect = text.strip().lower() in _TRUE

    def _finish(self) -> None:
        block, row, self._row = self._block, self._row, None
        if row is None or not block.wanted:
            return
        found, fault = row.values, ""
        if row.results is not None and len(row.results) != len(block.names):
            fault = f"{len(row.results)} results for {len(block.names)} counters"
        elif row.results is not None:
            pairs = zip(block.names, row.results, strict=True)
            found = {name: _written(result) for name, result in pairs if self._wants(name)}
        values = {name: found.get(name) for name in block.wanted.values()}
        self._take(Measured(row.object, block.end, block.duration, values, row.suspect, fault))


def _written(text: str) -> str | None:
    """A result; None for one that is blank, or of which every part is."""
    return None if all(part.strip().lower() in _NIL for part in text.split(",")) else text.strip()


def _joined(*parts: str) -> str:
    return ",".join(part for part in parts if part)
