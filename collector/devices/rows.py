"""Rows of a table: the index in an OID to its parts, and to the labels of a row."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from collector.devices.objects import IndexPart, Label, RowFilter
from collector.devices.readings import named
from collector.devices.values import Raw, text

Arcs = tuple[int, ...]
# A part's text, and how many numbers of the OID it took.
_Decode = Callable[[Arcs], tuple[str, int]]
_INET_LENGTHS = {1: 4, 2: 16, 3: 8, 4: 20}
# Column OID -> index of a row, as the OID has it ("4.1") -> raw answer.
Cells = Mapping[str, Mapping[str, Raw]]


@dataclass(frozen=True, slots=True)
class Part:
    """One part of one row's index: as text, and as the OID has it."""

    text: str
    key: str


class Index:
    """Takes indexes apart."""

    def __init__(self, parts: tuple[IndexPart, ...]) -> None:
        self.names = tuple(part.name for part in parts)
        self._decoders = tuple(map(_decoder, parts))
        self._single = len(parts) == 1 and parts[0].type == "integer" and parts[0].enum is None

    def decode(self, key: str) -> tuple[Part, ...]:
        """Parts of the index `key`. Raises ValueError when it does not fit."""
        if self._single:
            if not key.isdigit():
                raise ValueError("more than one number")
            return (Part(key, key),)
        arcs, parts = tuple(map(int, key.split("."))), []
        for decode in self._decoders:
            words, taken = decode(arcs)
            if not 0 < taken <= len(arcs):
                raise ValueError("an index that is cut short")
            parts.append(Part(words, ".".join(map(str, arcs[:taken]))))
            arcs = arcs[taken:]
        if arcs:
            raise ValueError("an index that is too long")
        return tuple(parts)


def _decoder(part: IndexPart) -> _Decode:
    if part.type == "integer":
        return _integer(part.enum)
    if part.type == "inet":
        return _inet_rest if part.implied else _inet
    fixed = {"mac": 6, "ipv4": 4, "ipv6": 16}.get(part.type, part.length)
    render = {"string": _string, "hex": _hex, "mac": _mac, "ipv4": _ip, "ipv6": _ip, "oid": _dotted}[part.type]
    if part.implied:
        return lambda arcs: (render(arcs), len(arcs))
    if fixed is not None:
        return lambda arcs: (render(_exactly(arcs, fixed)), fixed)
    return lambda arcs: (render(_exactly(arcs[1:], arcs[0] if arcs else 0)), arcs[0] + 1 if arcs else 0)


def _exactly(arcs: Arcs, length: int) -> Arcs:
    if len(arcs) < length:
        raise ValueError("an index that is cut short")
    return arcs[:length]


def _integer(enum: Mapping[str, str] | None) -> _Decode:
    names = enum or {}
    return lambda arcs: (names.get(str(arcs[0]), str(arcs[0])) if arcs else "", 1)


def _inet(arcs: Arcs) -> tuple[str, int]:
    octets = _exactly(arcs[2:], arcs[1] if len(arcs) > 1 else 1)
    return _address(arcs[0], octets), len(octets) + 2


def _inet_rest(arcs: Arcs) -> tuple[str, int]:
    length = _INET_LENGTHS.get(arcs[0], len(arcs) - 1) if arcs else 0
    return _address(arcs[0] if arcs else 0, _exactly(arcs[1:], length)), length + 1


def _address(kind: int, octets: Arcs) -> str:
    if kind == 16:
        return _string(octets)
    if kind in _INET_LENGTHS and len(octets) == _INET_LENGTHS[kind]:
        return _ip(octets[:4] if kind in {1, 3} else octets[:16])
    return _hex(octets)


def _string(arcs: Arcs) -> str:
    return text(bytes(arcs))


def _hex(arcs: Arcs) -> str:
    return f"0x{bytes(arcs).hex()}"


def _mac(arcs: Arcs) -> str:
    return bytes(arcs).hex(":")


def _ip(arcs: Arcs) -> str:
    return str(ipaddress.ip_address(bytes(arcs)))


def _dotted(arcs: Arcs) -> str:
    return ".".join(map(str, arcs))


def judge(row: RowFilter) -> Callable[[str], bool]:
    """Whether a text meets the condition."""
    wanted, unwanted = frozenset(map(str, row.values)), frozenset(map(str, row.not_values))
    matches, not_matches = row.matches, row.not_matches

    def passes(words: str) -> bool:
        return (
            (not wanted or words in wanted)
            and words not in unwanted
            and (matches is None or matches.search(words) is not None)
            and (not_matches is None or not_matches.search(words) is None)
        )

    return passes


def judge_raw(row: RowFilter) -> Callable[[Raw], bool]:
    """Whether a column's answer meets the condition."""
    passes = judge(row)
    return lambda raw: passes(text(raw))


class RowLabel:
    """One label of the rows of a table."""

    def __init__(self, label: Label, index: Index) -> None:
        self.name = label.name
        self.source = label.oid
        self.via = label.via
        self.fallbacks = tuple(oid for oid in label.otherwise if oid != "index")
        self.by_parts = tuple(map(index.names.index, label.index)) if label.index else None
        self._place = index.names.index(label.index[0] if label.index else label.name) if label.oid is None else 0
        self._last_resort = "index" in label.otherwise
        self._read = named(label.syntax, label.enum)

    @property
    def own_index(self) -> bool:
        """Whether the column has the table's own index."""
        return self.source is not None and self.via is None and self.by_parts is None

    def value(self, key: str, parts: tuple[Part, ...], cells: Cells) -> str:
        """The label of the row `key`; empty when the device gives none."""
        if self.source is None:
            return parts[self._place].text
        found = self._found(self.source, self._lookup(key, parts, cells), cells)
        for column in self.fallbacks:
            found = found or self._found(column, key, cells)
        return found or (key if self._last_resort else "")

    def _lookup(self, key: str, parts: tuple[Part, ...], cells: Cells) -> str:
        if self.via is not None:
            return text(cells.get(self.via, {}).get(key, ""))
        return key if self.by_parts is None else ".".join(parts[place].key for place in self.by_parts)

    def _found(self, column: str, key: str, cells: Cells) -> str:
        raw = cells.get(column, {}).get(key)
        if raw is None:
            return ""
        try:
            return self._read(raw)
        except ValueError:
            return ""
