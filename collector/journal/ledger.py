"""Read the journal from any process, while the service writes it or when there is none."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

from collector.journal import reading
from collector.journal.reading import Interval
from collector.journal.records import Change, Correction, Daily, Entry, Event, LedgerError, Saved
from collector.journal.schema import APPLICATION_ID, VERSION, connect
from collector.journal.storage import last_heartbeat, read_saved

_READ_ONLY = ("ro", "ro&immutable=1")


class Ledger:
    """One unchanging view of the journal: all that is asked of it is of the same moment. Made by `reading_ledger`.

    Every method raises LedgerError when the file turns out to be damaged.
    """

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        self._connection = connection
        self._path = path

    def known(self) -> dict[str, float]:
        """Since when each system is known (Unix seconds)."""
        with self._said():
            first = reading.first_changes(self._connection)
        for system, since in self.saved().first_known.items():
            first[system] = min(since, first.get(system, since))
        return first

    def saved(self) -> Saved:
        """Counters and states as they were last saved."""
        with self._said():
            return read_saved(self._connection)

    def last_heartbeat(self) -> float:
        """Unix seconds of the last save."""
        with self._said():
            return last_heartbeat(self._connection)

    def changes(self, system: str, since: float, until: float) -> list[Change]:
        """The change in force at `since`, then those before `until`; of contradicting ones, the last written."""
        with self._said():
            return reading.changes(self._connection, system, since, until)

    def observed(self, since: float, until: float) -> list[Interval]:
        """When the service was at work: disjoint, in order."""
        with self._said():
            return reading.observed(self._connection, since, until)

    def maintenance(self, since: float = 0.0) -> list[Entry]:
        """Planned work entered by command that has not ended before `since`, by the time of entry."""
        with self._said():
            entries = reading.maintenance(self._connection)
        return [entry for entry in entries if entry.ends is None or entry.ends > since]

    def corrections(self, system: str, since: float, until: float) -> list[Correction]:
        """Corrections that touch the time from `since` to `until`, by the time of entry."""
        with self._said():
            return reading.corrections(self._connection, system, since, until)

    def events(self, since: float, until: float, kind: str | None = None) -> list[Event]:
        """What happened from `since` to `until`, of one kind or of all."""
        with self._said():
            return reading.events(self._connection, since, until, kind)

    def daily(self, indicator: str, since: date, until: date) -> list[Daily]:
        """Daily means of an indicator, both days included."""
        with self._said():
            return reading.daily(self._connection, indicator, since.isoformat(), until.isoformat())

    def days(self, since: date, until: date) -> list[Daily]:
        """Daily means of all indicators, both days included."""
        with self._said():
            return reading.days(self._connection, since.isoformat(), until.isoformat())

    @contextmanager
    def _said(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, ValueError) as error:
            raise LedgerError(f"journal {self._path} cannot be read: {error}") from None


@contextmanager
def reading_ledger(path: Path) -> Iterator[Ledger]:
    """The journal at `path`, as it is now. Raises LedgerError when there is none, or none that can be read."""
    connection = _open(path)
    try:
        connection.execute("BEGIN")
        yield Ledger(connection, path)
    finally:
        connection.close()


def _open(path: Path) -> sqlite3.Connection:
    if not path.is_file():
        raise LedgerError(f"there is no journal at {path}; `hatang run` makes it (journal.path in monitor.yaml)")
    fault = ""
    # The second way is for a journal at rest in a directory where the reader may not write.
    for mode in _READ_ONLY:
        try:
            connection = connect(path, mode)
            (application,) = connection.execute("PRAGMA application_id").fetchone()
            (version,) = connection.execute("PRAGMA user_version").fetchone()
            connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
        except sqlite3.Error as error:
            fault = fault or str(error)
            continue
        if (application, version) == (APPLICATION_ID, VERSION):
            return connection
        connection.close()
        raise LedgerError(f"{path} is not a journal of this version (schema {VERSION}); start this service once")
    raise LedgerError(f"journal {path} cannot be read: {fault}")
