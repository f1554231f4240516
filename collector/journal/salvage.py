"""Damaged files: put aside, never deleted at once, and read for what they still hold."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from collector.journal.schema import GROWING, TABLES, connect
from collector.journal.storage import Row, insert

# Of each kind; the oldest goes, so that a disk that damages at each start is not filled.
ASIDE_KEPT = 3
BACKUP = ".backup"


def set_aside(path: Path, why: str, now: float) -> Path:
    """Rename a journal with its write-ahead log to `NAME.<why>-<UTC time>`. Returns the new path. Raises OSError."""
    stamp = datetime.fromtimestamp(now, UTC).strftime("%Y%m%dT%H%M%S.%fZ")
    aside = path.with_name(f"{path.name}.{why}-{stamp}")
    log, index = beside(path, "-wal"), beside(path, "-shm")
    # The log first: a journal that is renamed without it would find a stranger's log beside its successor.
    if log.exists():
        log.rename(beside(aside, "-wal"))
    index.unlink(missing_ok=True)
    if path.exists():
        path.rename(aside)
    for old in _aside(path, why)[:-ASIDE_KEPT]:
        beside(old, "-wal").unlink(missing_ok=True)
        old.unlink()
    return aside


def fill(target: sqlite3.Connection, path: Path) -> dict[Path, int]:
    """Fill a new journal at `path` from the daily copy and from what was put aside since, within a transaction.

    Rows that never change are taken from the copy first, which was sound; figures that grow, from the newest file.
    Returns how many rows each file gave. Raises sqlite3.Error for a fault of `target` only.
    """
    copy = beside(path, BACKUP)
    made = copy.stat().st_mtime if copy.is_file() else 0.0
    aside = [one for one in (*_aside(path, "corrupt")[-1:], *_aside(path, "newer")[-1:]) if one.stat().st_mtime > made]
    aside.sort(key=lambda one: one.stat().st_mtime, reverse=True)
    growing = [name for name in TABLES if name in GROWING]
    lasting = [name for name in TABLES if name not in GROWING]
    counts: Counter[Path] = Counter()
    for source, tables in [(copy, lasting), *((one, list(TABLES)) for one in aside), (copy, growing)]:
        if source.is_file():
            counts[source] += _take(target, source, tables)
    return counts


def copy_rows(source: sqlite3.Connection, target: sqlite3.Connection, tables: Iterable[str] = TABLES) -> int:
    """Copy every row that can be read and is not in `target`. Returns how many. Raises sqlite3.Error for `target`."""
    return sum(insert(target, table, TABLES[table].columns, _readable(source, table)) for table in tables)


def beside(path: Path, suffix: str) -> Path:
    """A path with something added to its name."""
    return path.with_name(path.name + suffix)


def _take(target: sqlite3.Connection, source: Path, tables: Iterable[str]) -> int:
    for mode in ("ro", "ro&immutable=1"):
        try:
            reader = connect(source, mode)
            # Lets a file be read that is shorter than its header says.
            reader.execute("PRAGMA writable_schema=ON")
            reader.execute("SELECT count(*) FROM sqlite_master").fetchone()
        except sqlite3.Error:
            continue
        with closing(reader):
            copied = copy_rows(reader, target, tables)
        _tidy(source)
        return copied
    return 0


def _readable(source: sqlite3.Connection, table: str) -> Iterator[Row]:
    """Rows from the first up to the first page that cannot be read, then from the last down to it."""
    form = TABLES[table]
    for direction in ("ASC", "DESC"):
        order = ", ".join(f"{column} {direction}" for column in form.key)
        try:
            yield from source.execute(f"SELECT {', '.join(form.columns)} FROM {table} ORDER BY {order}")  # noqa: S608
        except sqlite3.Error:
            continue
        return


def _tidy(source: Path) -> None:
    """Remove what reading left beside a file."""
    beside(source, "-shm").unlink(missing_ok=True)
    log = beside(source, "-wal")
    if log.exists() and log.stat().st_size == 0:
        log.unlink()


def _aside(path: Path, why: str) -> list[Path]:
    found = path.parent.glob(f"{path.name}.{why}-*")
    return sorted(one for one in found if not one.name.endswith(("-wal", "-shm")))
