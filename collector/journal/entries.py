"""What people enter by command, beside the service that is running. Nothing is overwritten; all is signed and dated."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

from collector.journal import reading
from collector.journal.records import Correction, Entry, LedgerError, plain
from collector.journal.schema import APPLICATION_ID, TABLES, TIMES, VERSION, connect, transaction


def start_maintenance(path: Path, entry: Entry) -> Entry:
    """Announce planned work; the journal numbers it. Raises LedgerError."""
    with _writing(path) as connection:
        return _entry(connection, _add(connection, "maintenance", entry))


def stop_maintenance(path: Path, number: int, who: str, now: float) -> Entry:
    """End planned work now. Raises LedgerError, also when there is none of this number or it is over."""
    with _writing(path) as connection:
        entry = _entry(connection, number)
        if entry.ends is not None and entry.ends <= now:
            raise LedgerError(f"maintenance {number} is over already")
        connection.execute("INSERT INTO stops VALUES (?, ?, ?)", (number, now, plain(who)))
        return _entry(connection, number)


def correct(path: Path, correction: Correction) -> Correction:
    """State what a system's state was; what was measured stays. The journal numbers it. Raises LedgerError."""
    with _writing(path) as connection:
        return replace(correction, id=_add(connection, "corrections", correction))


def _add(connection: sqlite3.Connection, table: str, record: Entry | Correction) -> int:
    if not TIMES[0] <= record.starts <= TIMES[1] or (record.ends is not None and not record.starts < record.ends):
        raise LedgerError("the end must come after the beginning")
    columns = TABLES[table].columns[1:]
    values = [
        plain(value) if isinstance(value, str) else value for value in (getattr(record, name) for name in columns)
    ]
    places = ", ".join("?" * len(columns))
    statement = f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({places})"  # noqa: S608  our own names
    return connection.execute(statement, values).lastrowid or 0


def _entry(connection: sqlite3.Connection, number: int) -> Entry:
    for entry in reading.maintenance(connection):
        if entry.id == number:
            return entry
    raise LedgerError(f"there is no maintenance {number}; `hatang maintenance list` shows what there is")


@contextmanager
def _writing(path: Path) -> Iterator[sqlite3.Connection]:
    if not path.is_file():
        raise LedgerError(f"there is no journal at {path}; `hatang run` makes it (journal.path in monitor.yaml)")
    try:
        with closing(connect(path)) as connection:
            (application,) = connection.execute("PRAGMA application_id").fetchone()
            (version,) = connection.execute("PRAGMA user_version").fetchone()
            if (application, version) != (APPLICATION_ID, VERSION):
                raise LedgerError(f"{path} is no journal of this version; start this service once")
            connection.execute("PRAGMA synchronous=FULL")
            with transaction(connection):
                yield connection
    except sqlite3.Error as error:
        raise LedgerError(f"journal {path} cannot be written: {error}") from None
