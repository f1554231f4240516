"""One YAML file to nodes: strict where YAML is lenient, bounded where it is not."""

from __future__ import annotations

import codecs
import hashlib
import stat
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from collector.settings import syntax
from collector.settings.faults import Fault, quoted
from collector.settings.scalars import resolve
from collector.settings.source import Node, Position, Scalar, SecretRef, SourceFile

MAX_BYTES = 32 * 1024 * 1024
MAX_ALIASES = 100
MAX_COPIED = 100_000  # nodes that aliases add to a document
MAX_DEPTH = 50
_TEXT_TAG = "tag:yaml.org,2002:str"
_STORES = {"!env": "env", "!file": "file"}


@dataclass(frozen=True, slots=True)
class Document:
    """A file as it was read. `root` is None when it is empty, or broken: then `faults` says how."""

    source: SourceFile
    digest: bytes
    root: Node | None
    faults: tuple[Fault, ...]
    warnings: tuple[Fault, ...] = ()


class Broken(Exception):
    """Nothing after this point of the file can be read."""

    def __init__(self, at: Position, message: str) -> None:
        self.at = at
        self.message = message
        super().__init__(message)


def read(path: Path, shown: str, known: Document | None = None) -> Document:
    """The document in `path`; `known` itself when the bytes are the same as its own. Raises nothing."""
    source = SourceFile(path, shown)
    try:
        if not stat.S_ISREG(path.stat().st_mode):  # a pipe would hold us for ever
            return Document(source, b"", None, (Fault(shown, 1, 1, "", "not a regular file"),))
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except OSError as error:
        return Document(source, b"", None, (Fault(shown, 1, 1, "", f"cannot be read: {error.strerror}"),))
    digest = hashlib.sha256(content).digest()
    if known is not None and known.digest == digest and known.source == source:
        return known
    return parse(content, source, digest)


def parse(content: bytes, source: SourceFile, digest: bytes = b"") -> Document:
    """The document in `content`. Raises nothing: what is wrong is in its faults."""
    faults: list[Fault] = []
    root, warnings = None, []
    try:
        text = _decoded(content)
        root = _Composer(text, source, faults).compose()
        if text and not text.endswith(("\n", "\r")):
            line, column = text.count("\n") + 1, len(text) - text.rfind("\n")
            warnings.append(Fault(source.shown, line, column, "", "no newline at the end: is the file whole?"))
    except Broken as broken:
        root = None
        faults.append(Fault(source.shown, *broken.at, "", broken.message))
    return Document(source, digest, root, tuple(faults), tuple(warnings))


def _decoded(content: bytes) -> str:
    if len(content) > MAX_BYTES:
        raise Broken((1, 1), f"more than {MAX_BYTES // 1024**2} MiB: no configuration is that long")
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise Broken((1, 1), "UTF-16 text: save the file as UTF-8")
    content = content.removeprefix(codecs.BOM_UTF8)
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        before = content[: error.start].decode()
        at = before.count("\n") + 1, len(before) - before.rfind("\n")
        raise Broken(at, f"not UTF-8 (byte 0x{content[error.start]:02x}): save the file as UTF-8") from None


def _position(event: Any) -> Position:
    mark = event.start_mark
    return mark.line + 1, mark.column + 1


def _shown(tag: str) -> str:
    return quoted(tag.replace("tag:yaml.org,2002:", "!!"))


class _Composer:
    """Builds nodes from libyaml's events; no event is read ahead, so a bomb stops where it goes over the bounds."""

    def __init__(self, text: str, source: SourceFile, faults: list[Fault]) -> None:
        self._text = text
        self._source = source
        self._faults = faults
        self._anchors: dict[str, Node | None] = {}
        self._aliases = 0
        self._copied = 0
        self._next: Any = None

    def compose(self) -> Node | None:
        """The only document of the text; None when there is none. Raises Broken."""
        try:
            self._next = yaml.CSafeLoader(self._text).get_event
            return self._document()
        except yaml.reader.ReaderError as error:
            raise Broken(*syntax.unreadable(error, self._text)) from None
        except yaml.MarkedYAMLError as error:
            raise Broken(*syntax.explained(error, self._text)) from None

    def _document(self) -> Node | None:
        self._next()  # start of the stream
        if isinstance(self._next(), yaml.StreamEndEvent):
            return None
        root = self._node(self._next(), self._source, "", (1, 1), 0)
        self._next()  # end of the document
        more = self._next()
        if isinstance(more, yaml.DocumentStartEvent):
            raise Broken(_position(more), "a second document: a file holds one")
        return root

    def _node(self, event: Any, parent: Node | SourceFile, name: str | int, key: Position, depth: int) -> Node:
        shape = type(event)
        if shape is yaml.ScalarEvent:
            node = Node(self._scalar(event), _position(event), key, name, parent)
        elif shape is yaml.AliasEvent:
            return self._alias(event, parent, name, key)
        elif depth >= MAX_DEPTH:
            raise Broken(_position(event), f"nested deeper than {MAX_DEPTH} levels")
        else:
            return self._collection(event, Node(None, _position(event), key, name, parent), depth)
        if event.anchor is not None:
            self._anchors[event.anchor] = node
        return node

    def _collection(self, event: Any, node: Node, depth: int) -> Node:
        if event.anchor is not None:
            self._anchors[event.anchor] = None  # unfinished: an alias to it would hold itself
        if event.tag is not None:
            self._fault(node.at, f"unknown tag {_shown(event.tag)}: !env NAME and !file path are for secrets")
        if isinstance(event, yaml.MappingStartEvent):
            node.value = self._mapping(node, depth)
        else:
            node.value = self._sequence(node, depth)
        if event.anchor is not None:
            self._anchors[event.anchor] = node
        return node

    def _sequence(self, node: Node, depth: int) -> list[Node]:
        items: list[Node] = []
        while type(event := self._next()) is not yaml.SequenceEndEvent:
            items.append(self._node(event, node, len(items), _position(event), depth + 1))
        return items

    def _mapping(self, node: Node, depth: int) -> dict[str, Node]:
        children: dict[str, Node] = {}
        while type(event := self._next()) is not yaml.MappingEndEvent:
            at = _position(event)
            name = self._name(event, at)
            child = self._node(self._next(), node, name, at, depth + 1)
            first = children.setdefault(name, child)
            if first is not child:
                self._faults.append(
                    child.fault(f"duplicate key {quoted(name)}; first on line {first.key[0]}", key=True)
                )
        return children

    def _name(self, event: Any, at: Position) -> str:
        if not isinstance(event, yaml.ScalarEvent) or event.tag is not None:
            raise Broken(at, "a key must be plain text")
        if event.value == "<<" and event.implicit[0]:
            raise Broken(at, "merge keys (<<) are not part of YAML 1.2: use `defaults`")
        return sys.intern(event.value)

    def _scalar(self, event: Any) -> Scalar:
        tag, text = event.tag, event.value
        if tag is None:
            return resolve(text) if event.implicit[0] else str(text)
        if tag in _STORES:
            return SecretRef(_STORES[tag], text)
        if tag not in {_TEXT_TAG, "!"}:
            self._fault(_position(event), f"unknown tag {_shown(tag)}: !env NAME and !file path are for secrets")
        return str(text)

    def _alias(self, event: Any, parent: Node | SourceFile, name: str | int, key: Position) -> Node:
        at = _position(event)
        self._aliases += 1
        if self._aliases > MAX_ALIASES:
            raise Broken(at, f"more than {MAX_ALIASES} aliases")
        if event.anchor not in self._anchors:
            raise Broken(at, f"alias {quoted(event.anchor)} has no anchor before it")
        anchored = self._anchors[event.anchor]
        if anchored is None:
            raise Broken(at, f"alias {quoted(event.anchor)} stands inside its own anchor")
        return self._copy(anchored, parent, name, key, at)

    def _copy(self, node: Node, parent: Node | SourceFile, name: str | int, key: Position, at: Position) -> Node:
        self._copied += 1
        if self._copied > MAX_COPIED:
            raise Broken(at, f"aliases expand to more than {MAX_COPIED:,} values")
        copy = Node(node.value, node.at, key, name, parent)
        if isinstance(node.value, dict):
            copy.value = {name: self._copy(child, copy, name, child.key, at) for name, child in node.value.items()}
        elif isinstance(node.value, list):
            copy.value = [self._copy(child, copy, index, child.key, at) for index, child in enumerate(node.value)]
        return copy

    def _fault(self, at: Position, message: str) -> None:
        self._faults.append(Fault(self._source.shown, *at, "", message))
