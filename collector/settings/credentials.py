"""Secrets from the environment and from files, looked up anew at every load."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from collector.fields import Secret
from collector.settings.faults import Fault
from collector.settings.source import Node, SecretRef

MAX_BYTES = 64 * 1024
_OTHERS = stat.S_IRGRP | stat.S_IROTH


class Unavailable(Exception):
    """A secret that is not where it should be; the text says why and shows nothing of it."""


class Credentials:
    """Resolves secrets for one load; what is wrong with them gathers in `faults` and `warnings`."""

    def __init__(self) -> None:
        self.faults: list[Fault] = []
        self.warnings: list[Fault] = []
        self.files: set[Path] = set()
        self._found: dict[tuple[SecretRef, Path], Secret] = {}

    def plain(self, node: Node) -> object:
        """What `node` holds as plain data: mappings, lists, scalars and Secret."""
        value = node.value
        if isinstance(value, dict):
            return {name: self.plain(child) for name, child in value.items()}
        if isinstance(value, list):
            return [self.plain(child) for child in value]
        return self._secret(value, node) if isinstance(value, SecretRef) else value

    def children(self, node: Node) -> dict[str, object]:
        """The entries of a mapping as plain data."""
        return {name: self.plain(child) for name, child in node.children.items()}

    def _secret(self, reference: SecretRef, node: Node) -> Secret:
        folder = node.file.path.parent
        found = self._found.get((reference, folder))
        if found is None:
            try:
                value = self._looked_up(reference, node, folder)
            except Unavailable as error:
                self.faults.append(node.fault(str(error)))
                return Secret("unavailable", reference.source)
            found = self._found[reference, folder] = Secret(value, reference.source)
        return found

    def _looked_up(self, reference: SecretRef, node: Node, folder: Path) -> str:
        if not reference.name:
            raise Unavailable(f"!{reference.store} needs a {'name' if reference.store == 'env' else 'path'}")
        if "\0" in reference.name:
            raise Unavailable("a NUL character in the name of a secret")
        return (
            _from_environment(reference.name)
            if reference.store == "env"
            else self._from_file(reference.name, node, folder)
        )

    def _from_file(self, name: str, node: Node, folder: Path) -> str:
        path = folder / name
        self.files.add(path)
        try:
            status = path.stat()
            if not stat.S_ISREG(status.st_mode):
                raise Unavailable(f"secret file {name} is not a regular file")
            content = _read(path)
        except OSError as error:
            raise Unavailable(f"secret file {name} cannot be read: {error.strerror}") from None
        if status.st_mode & _OTHERS and not _handed_over(path):
            self.warnings.append(node.fault(f"secret file {name} is readable for others: chmod 600"))
        return _text(content, name)


def _read(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(MAX_BYTES + 1)


def _text(content: bytes, name: str) -> str:
    if len(content) > MAX_BYTES:
        raise Unavailable(f"secret file {name} is longer than {MAX_BYTES // 1024} KiB")
    try:
        text = content.decode()
    except UnicodeDecodeError:
        raise Unavailable(f"secret file {name} is not UTF-8 text") from None
    text = text.removesuffix("\n").removesuffix("\r")
    if not text:
        raise Unavailable(f"secret file {name} is empty")
    return text


def _from_environment(name: str) -> str:
    value = os.environ.get(name)
    if value is None:
        raise Unavailable(f"environment variable {name} is not set")
    if not value:
        raise Unavailable(f"environment variable {name} is empty")
    if not value.isprintable() and any("\ud800" <= char <= "\udfff" for char in value):
        raise Unavailable(f"environment variable {name} is not UTF-8 text")
    return value


def _handed_over(path: Path) -> bool:
    # systemd grants access to its credentials by ACL, whose mask the group bits show (systemd.exec, LoadCredential=).
    folder = os.environ.get("CREDENTIALS_DIRECTORY")
    return folder is not None and path.is_relative_to(folder)
