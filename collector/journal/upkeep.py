"""What keeps the file small and a copy of it at hand. The only place where rows of the past go."""

from __future__ import annotations

import os
import shutil
import sqlite3
from contextlib import closing, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from collector.journal.records import Keeping
from collector.journal.salvage import BACKUP, beside
from collector.journal.schema import connect, transaction, unlocked

# So many rows go in one transaction, so that a save in between waits for no more than that.
ROWS_AT_ONCE = 5000
PAGES_AT_ONCE = 1000
# A copy is made only where this many times its size is free: it must never be what fills the disk.
ROOM = 3

# Of each system, the change that was in force when the retention begins stays: it tells the state from there on.
_CHANGES = """
    WITH base AS MATERIALIZED (SELECT system, max(seq) AS seq FROM changes WHERE at <= :horizon GROUP BY system)
    SELECT changes.seq FROM changes JOIN base ON base.system = changes.system
    WHERE changes.at <= :horizon AND changes.seq < base.seq LIMIT :rows
"""


def due(connection: sqlite3.Connection, keeping: Keeping, now: float) -> bool:
    """Whether so much time has passed since the last one. Raises sqlite3.Error."""
    row = connection.execute("SELECT value FROM meta WHERE key = 'kept_at'").fetchone()
    return row is None or not isinstance(row[0], float) or not 0 <= now - row[0] < keeping.every


def forget(connection: sqlite3.Connection, keeping: Keeping, now: float) -> bool:
    """Delete some of what is older than its retention. Returns whether there is more. Raises sqlite3.Error."""
    horizon, events = now - keeping.retention, now - keeping.events
    day = (datetime.fromtimestamp(horizon, UTC) - timedelta(days=1)).date().isoformat()
    gone = 0
    with transaction(connection):
        with unlocked(connection, "changes"):
            gone += _delete(connection, "changes", "seq", _CHANGES, horizon=horizon)
        gone += _delete(connection, "events", "seq", "SELECT seq FROM events WHERE at < :at LIMIT :rows", at=events)
        with unlocked(connection, "maintenance"), unlocked(connection, "stops"):
            ended = "SELECT id FROM maintenance WHERE ends < :at LIMIT :rows"
            _delete(connection, "stops", "entry", ended, at=horizon)
            gone += _delete(connection, "maintenance", "id", ended, at=horizon)
            stopped = "SELECT entry FROM stops WHERE stopped_at < :at LIMIT :rows"
            _delete(connection, "maintenance", "id", stopped, at=horizon)
            gone += _delete(connection, "stops", "entry", stopped, at=horizon)
        with unlocked(connection, "corrections"):
            old = "SELECT id FROM corrections WHERE ends < :at LIMIT :rows"
            gone += _delete(connection, "corrections", "id", old, at=horizon)
        connection.execute("DELETE FROM heartbeats WHERE ended < ?", (horizon,))
        connection.execute("DELETE FROM counters WHERE settled_until < ?", (horizon,))
        connection.execute("DELETE FROM daily WHERE day < ?", (day,))
    # As a script: `execute` takes but the first of its steps, which frees a single page.
    connection.executescript(f"PRAGMA incremental_vacuum({PAGES_AT_ONCE})")
    return gone >= ROWS_AT_ONCE


def done(connection: sqlite3.Connection, now: float) -> None:
    """Remember that it was done. Raises sqlite3.Error."""
    connection.execute("INSERT OR REPLACE INTO meta VALUES ('kept_at', ?)", (now,))


def back_up(path: Path) -> str:
    """Write a copy beside the journal, for the day on which it is damaged. Returns why not, or nothing.

    Reads a snapshot: the writer does not wait. The old copy stays until the new one is complete.
    """
    copy, making = beside(path, BACKUP), beside(path, BACKUP + ".new")
    try:
        if shutil.disk_usage(path.parent).free < ROOM * path.stat().st_size:
            return "not enough room for a copy"
        making.unlink(missing_ok=True)
        with closing(connect(path, "ro")) as connection:
            connection.execute("VACUUM INTO ?", (str(making),))
        with making.open("rb") as written:
            os.fsync(written.fileno())
        making.replace(copy)
    except (OSError, sqlite3.Error) as error:
        with suppress(OSError):
            making.unlink(missing_ok=True)
        return str(error)
    return ""


def _delete(connection: sqlite3.Connection, table: str, key: str, which: str, **values: float) -> int:
    statement = f"DELETE FROM {table} WHERE {key} IN ({which})"  # noqa: S608  our own words
    return connection.execute(statement, {**values, "rows": ROWS_AT_ONCE}).rowcount
