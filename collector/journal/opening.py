"""Open the file, whatever state it is in. It never raises; what it did stands in the notes."""

from __future__ import annotations

import fcntl
import os
import sqlite3
import stat
import time
from contextlib import closing, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path

from collector.journal.salvage import beside, fill, set_aside
from collector.journal.schema import APPLICATION_ID, VERSION, connect, prepare, transaction, upgrade

# A large file is checked as far as one gets in this time: the service is to start.
CHECK_LIMIT = 3.0
_LOCK = ".lock"
_DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


class Find(StrEnum):
    """What a file turned out to be."""

    BLANK = "blank"
    GOOD = "good"
    OLDER = "older"
    NEWER = "newer"
    DAMAGED = "corrupt"
    FOREIGN = "foreign"


@dataclass(slots=True)
class Opened:
    """A connection to write with, or to read with only, or none; and what had to be done for it."""

    connection: sqlite3.Connection | None = None
    writable: bool = False
    notes: list[str] = field(default_factory=list)
    # Which file it is, so that a deleted or exchanged one is noticed.
    identity: tuple[int, int] = (0, 0)
    lock: int = -1

    def close(self) -> None:
        """Close the connection and let others write."""
        if self.connection is not None:
            with suppress(sqlite3.Error):
                self.connection.close()
            self.connection = None
        if self.lock >= 0:
            os.close(self.lock)
            self.lock = -1


def open_file(path: Path, damage: str = "") -> Opened:
    """Open the journal for writing, after repair if need be; else for reading; else not at all.

    `damage` is what an earlier connection stumbled over, where a check would perhaps not get that far.
    """
    lock = -1
    try:
        path.parent.mkdir(mode=0o750, parents=True, exist_ok=True)
        lock = _only_writer(path)
        opened = _open_for_writing(path, damage)
    except BlockingIOError:
        return _open_for_reading(path, f"{_holder(path)} writes it: each service needs a journal.path of its own")
    except (OSError, sqlite3.Error) as error:
        if lock >= 0:
            os.close(lock)
        return _open_for_reading(path, (isinstance(error, OSError) and error.strerror) or str(error))
    if opened.writable:
        opened.lock = lock
    else:
        os.close(lock)
    return opened


def is_damage(error: sqlite3.Error) -> bool:
    """Whether the file itself is at fault."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF in _DAMAGED


def identity(path: Path) -> tuple[int, int]:
    """Device and inode of the file at `path`. Raises OSError."""
    found = path.stat()
    return found.st_dev, found.st_ino


def _only_writer(path: Path) -> int:
    """A lock that lasts until it is closed or the process ends. Raises BlockingIOError when another holds it."""
    lock = os.open(beside(path, _LOCK), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(lock)
        raise
    with suppress(OSError):  # on a full disk too it is a lock
        os.truncate(lock, 0)
        os.write(lock, str(os.getpid()).encode())
    return lock


def _holder(path: Path) -> str:
    with suppress(OSError, ValueError):
        return f"another process ({int(beside(path, _LOCK).read_text())})"
    return "another process"


def _open_for_writing(path: Path, damage: str) -> Opened:
    found, why = (Find.DAMAGED, f"damaged ({damage})") if damage else _inspect(path)
    notes = []
    if found is Find.FOREIGN:
        return Opened(notes=[f"journal {path} is not used: {why}; nothing is saved"])
    if found in {Find.DAMAGED, Find.NEWER}:
        aside = set_aside(path, found, time.time())
        notes.append(f"journal {path} was {why}; kept as {aside.name}")
    elif why:
        notes.append(f"journal {path}: {why}")
    connection = connect(path, "rwc")
    try:
        prepare(connection)
        notes += _make_current(connection, path, found)
        # Fails at once where the file may only be read.
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("ROLLBACK")
        return Opened(connection, True, notes, identity(path))
    except BaseException:
        connection.close()
        raise


def _make_current(connection: sqlite3.Connection, path: Path, found: Find) -> list[str]:
    if found is Find.GOOD:
        return []
    notes = []
    with transaction(connection):
        version = connection.execute("PRAGMA user_version").fetchone()[0] if found is Find.OLDER else 0
        upgrade(connection, version)
        if found is Find.OLDER:
            return [f"journal {path} brought from schema {version} to {VERSION}"]
        for source, rows in fill(connection, path).items():
            made = datetime.fromtimestamp(source.stat().st_mtime, UTC)
            notes.append(f"journal {path}: {rows} rows taken from {source.name} of {made:%Y-%m-%d %H:%M:%S} UTC")
    return notes or [f"journal {path} begins"]


def _inspect(path: Path) -> tuple[Find, str]:
    """What is at `path`, and why it is not simply good. Raises OSError or sqlite3.Error when that cannot be told."""
    try:
        about = path.stat()
    except FileNotFoundError:
        return (Find.DAMAGED, "missing, with a log beside it") if _has_log(path) else (Find.BLANK, "")
    if not stat.S_ISREG(about.st_mode):
        return Find.FOREIGN, "it is not a file"
    if about.st_size == 0:
        return (Find.DAMAGED, "empty, with a log beside it") if _has_log(path) else (Find.BLANK, "the file was empty")
    try:
        with closing(connect(path)) as connection:
            found, why = _recognise(connection)
            fault = _fault(connection) if found in {Find.GOOD, Find.OLDER} else ""
            return (Find.DAMAGED, f"damaged ({fault})") if fault else (found, why)
    except sqlite3.Error as error:
        if is_damage(error):
            return Find.DAMAGED, f"damaged ({error})"
        raise


def _recognise(connection: sqlite3.Connection) -> tuple[Find, str]:
    tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if not tables and application in {0, APPLICATION_ID}:
        return Find.BLANK, ""
    if not {"changes", "counters", "heartbeats"} <= tables:
        return Find.FOREIGN, "it is a database of something else"
    if application != APPLICATION_ID or version < 1:
        return Find.DAMAGED, "damaged (its header)"
    if version > VERSION:
        return Find.NEWER, f"written by a newer version (schema {version}, this is {VERSION})"
    return (Find.GOOD if version == VERSION else Find.OLDER), ""


def _fault(connection: sqlite3.Connection) -> str:
    ends = time.monotonic() + CHECK_LIMIT
    connection.set_progress_handler(lambda: time.monotonic() > ends, 100_000)
    try:
        (fault,) = connection.execute("PRAGMA integrity_check(1)").fetchone()
        return "" if fault == "ok" else " ".join(fault.split())
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode != sqlite3.SQLITE_INTERRUPT:
            raise
        return ""
    finally:
        connection.set_progress_handler(None, 0)


def _has_log(path: Path) -> bool:
    log = beside(path, "-wal")
    return log.exists() and log.stat().st_size > 0


def _open_for_reading(path: Path, why: str) -> Opened:
    """What can still be read, though nothing can be written."""
    note = f"journal {path} cannot be written ({why}); trying again"
    for mode in ("ro", "ro&immutable=1"):
        try:
            connection = connect(path, mode)
            found, _ = _recognise(connection)
            if found in {Find.GOOD, Find.OLDER}:
                return Opened(connection, False, [note], identity(path))
            connection.close()
        except (OSError, sqlite3.Error):
            continue
    return Opened(None, False, [note])
