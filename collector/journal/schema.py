"""The tables of the journal, the steps by which older files become current, and what may never change in them."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

from collector.model import SystemState

# "htng", in bytes 68 to 71 of the file (SQLite file format, section 1.3): tells our file from other SQLite files.
APPLICATION_ID = 0x68746E67
# Waiting for a command that writes at the same moment.
BUSY_LIMIT = 5.0

_STATES = ", ".join(f"'{state}'" for state in SystemState)
# 2001-09-09 to 2286-11-20: any other time is damage, or of a clock that was never set.
TIMES = (1e9, 1e10)
_TIME = f"REAL NOT NULL CHECK ({{0}} BETWEEN {TIMES[0]} AND {TIMES[1]})"
_STEPS: tuple[tuple[str, ...], ...] = (
    (
        "CREATE TABLE meta (key TEXT PRIMARY KEY, value) WITHOUT ROWID",
        f"""CREATE TABLE changes (
            seq INTEGER PRIMARY KEY AUTOINCREMENT,
            system TEXT NOT NULL CHECK (system <> ''),
            at {_TIME.format("at")},
            old TEXT CHECK (old IN ({_STATES})),
            new TEXT NOT NULL CHECK (new IN ({_STATES})),
            reason TEXT NOT NULL,
            source TEXT NOT NULL
        )""",
        "CREATE INDEX changes_of_system ON changes (system, at)",
        f"""CREATE TABLE counters (
            system TEXT PRIMARY KEY CHECK (system <> ''),
            state TEXT NOT NULL CHECK (state IN ({_STATES})),
            settled_until {_TIME.format("settled_until")},
            first_known {_TIME.format("first_known")},
            {", ".join(f"{state} REAL NOT NULL CHECK ({state} >= 0)" for state in SystemState)}
        ) WITHOUT ROWID""",
        f"""CREATE TABLE heartbeats (
            started {_TIME.format("started").replace("NOT NULL", "PRIMARY KEY NOT NULL")},
            ended {_TIME.format("ended")},
            CHECK (ended >= started)
        ) WITHOUT ROWID""",
        f"""CREATE TABLE events (
            seq INTEGER PRIMARY KEY AUTOINCREMENT,
            at {_TIME.format("at")},
            kind TEXT NOT NULL,
            subject TEXT NOT NULL,
            text TEXT NOT NULL
        )""",
        "CREATE INDEX events_by_time ON events (at)",
    ),
    (
        f"""CREATE TABLE maintenance (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            scope TEXT NOT NULL CHECK (scope IN ('system', 'centre', 'owner', 'label')),
            subject TEXT NOT NULL CHECK (subject <> ''),
            starts {_TIME.format("starts")},
            ends REAL CHECK (ends > starts),
            reason TEXT NOT NULL,
            who TEXT NOT NULL,
            entered_at {_TIME.format("entered_at")}
        )""",
        f"""CREATE TABLE stops (
            entry INTEGER PRIMARY KEY,
            stopped_at {_TIME.format("stopped_at")},
            who TEXT NOT NULL
        )""",
        f"""CREATE TABLE corrections (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            system TEXT NOT NULL CHECK (system <> ''),
            starts {_TIME.format("starts")},
            ends {_TIME.format("ends")},
            state TEXT NOT NULL CHECK (state IN ({_STATES})),
            reason TEXT NOT NULL,
            who TEXT NOT NULL,
            entered_at {_TIME.format("entered_at")},
            CHECK (ends > starts)
        )""",
    ),
    (
        """CREATE TABLE daily (
            day TEXT NOT NULL CHECK (day GLOB '[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]'),
            indicator TEXT NOT NULL CHECK (indicator <> ''),
            bound TEXT NOT NULL,
            weighted REAL NOT NULL,
            seconds REAL NOT NULL CHECK (seconds > 0),
            PRIMARY KEY (day, indicator, bound)
        ) WITHOUT ROWID""",
    ),
    (
        """CREATE TABLE totals (
            name TEXT NOT NULL CHECK (name <> ''),
            label TEXT NOT NULL,
            value REAL NOT NULL CHECK (value >= 0),
            PRIMARY KEY (name, label)
        ) WITHOUT ROWID""",
    ),
)
VERSION = len(_STEPS)


class TableForm(NamedTuple):
    """Columns in which a row is copied, and by which of them rows are told apart."""

    columns: tuple[str, ...]
    key: tuple[str, ...]


TABLES = {
    "changes": TableForm(("seq", "system", "at", "old", "new", "reason", "source"), ("seq",)),
    "counters": TableForm(("system", "state", "settled_until", "first_known", *SystemState), ("system",)),
    "heartbeats": TableForm(("started", "ended"), ("started",)),
    "events": TableForm(("seq", "at", "kind", "subject", "text"), ("seq",)),
    "maintenance": TableForm(("id", "scope", "subject", "starts", "ends", "reason", "who", "entered_at"), ("id",)),
    "stops": TableForm(("entry", "stopped_at", "who"), ("entry",)),
    "corrections": TableForm(("id", "system", "starts", "ends", "state", "reason", "who", "entered_at"), ("id",)),
    "daily": TableForm(("day", "indicator", "bound", "weighted", "seconds"), ("day", "indicator", "bound")),
    "totals": TableForm(("name", "label", "value"), ("name", "label")),
}
# Rows of the first grow. Those of the second are written once, and go only past their retention, by `unlocked`.
GROWING = ("counters", "heartbeats", "daily", "totals")
FINAL = ("changes", "maintenance", "stops", "corrections")


def connect(path: Path, mode: str = "rw") -> sqlite3.Connection:
    """A connection without implicit transactions; `mode` is rwc, rw, ro or `ro&immutable=1`. Raises sqlite3.Error."""
    connection = sqlite3.connect(
        f"file:{quote(str(path))}?mode={mode}",
        uri=True,
        timeout=BUSY_LIMIT,
        isolation_level=None,
        check_same_thread=False,
    )
    # A flipped bit in a text is no reason to give up the row.
    connection.text_factory = lambda raw: raw.decode(errors="replace")
    return connection


def prepare(connection: sqlite3.Connection) -> None:
    """How the file is written; before the first table of a new file, and at each opening. Raises sqlite3.Error.

    Readers do not wait for the writer (WAL). Each transaction is on the disk when it is over (FULL), so that a loss of
    power costs no more than a kill: at one transaction in five seconds and a thread of its own that is cheap.
    """
    for pragma in (
        "auto_vacuum=INCREMENTAL",
        "journal_mode=WAL",
        "synchronous=FULL",
        "journal_size_limit=8388608",
    ):
        connection.execute(f"PRAGMA {pragma}")


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """All or nothing. Raises sqlite3.Error."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def upgrade(connection: sqlite3.Connection, version: int) -> None:
    """Bring the tables of schema `version` (0: none) up to date; the caller holds the transaction."""
    for step in _STEPS[version:]:
        for statement in step:
            connection.execute(statement)
    if version == 0:
        connection.execute("INSERT INTO meta VALUES ('created_at', ?)", (time.time(),))
    for table in FINAL:
        _unlock(connection, table)
        _lock(connection, table)
    connection.execute(f"PRAGMA application_id={APPLICATION_ID}")
    connection.execute(f"PRAGMA user_version={VERSION}")


@contextmanager
def unlocked(connection: sqlite3.Connection, table: str) -> Iterator[None]:
    """Let rows of a table that is otherwise final be deleted, within the caller's transaction."""
    _unlock(connection, table)
    yield
    _lock(connection, table)


def _lock(connection: sqlite3.Connection, table: str) -> None:
    for action in ("UPDATE", "DELETE"):
        connection.execute(
            f"CREATE TRIGGER {table}_no_{action.lower()} BEFORE {action} ON {table} "
            f"BEGIN SELECT RAISE(ABORT, 'what is written in {table} stays as it is'); END"
        )


def _unlock(connection: sqlite3.Connection, table: str) -> None:
    for action in ("update", "delete"):
        connection.execute(f"DROP TRIGGER IF EXISTS {table}_no_{action}")
