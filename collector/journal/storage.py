"""One batch to one transaction, and what a restart needs back.

Many rows go into one statement: between two statements the thread must get the interpreter back from a loop that may
be busy, which costs up to 5 ms each time.
"""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any

from collector.journal.intake import Batch
from collector.journal.records import Change, Saved
from collector.journal.schema import TABLES, TIMES, transaction
from collector.model import SystemState

ROWS_AT_ONCE = 250
Row = Sequence[Any]


def write(connection: sqlite3.Connection, batch: Batch) -> int:
    """Write a batch, whole or not at all. Returns how many changes the tables refused (impossible times).

    Raises sqlite3.Error.
    """
    with transaction(connection):
        changes = [*_markers(batch), *batch.changes]
        rows = ((one.system, one.at, one.old, one.new, one.reason, one.source) for one in changes)
        kept = insert(connection, "changes", TABLES["changes"].columns[1:], rows)
        _write_events(connection, batch)
        if batch.saved is not None:
            _write_counters(connection, batch.saved)
            _write_totals(connection, batch.saved)
        for started, ended in batch.heartbeats.items():
            _beat(connection, started, ended)
        for (day, indicator, bound), (weighted, seconds) in batch.daily.items():
            connection.execute(
                "INSERT INTO daily VALUES (?, ?, ?, ?, ?) ON CONFLICT DO UPDATE "
                "SET weighted = weighted + excluded.weighted, seconds = seconds + excluded.seconds",
                (day, indicator, bound, weighted, seconds),
            )
    return len(changes) - kept


def insert(
    connection: sqlite3.Connection, table: str, columns: Sequence[str], rows: Iterable[Row], then: str = ""
) -> int:
    """Insert rows, but those that the table's conditions refuse. Returns how many it took. Raises sqlite3.Error."""
    taken, waiting = 0, iter(rows)
    place = f"({', '.join('?' * len(columns))})"
    while chunk := list(islice(waiting, ROWS_AT_ONCE)):
        places = ", ".join([place] * len(chunk))
        # S608: names are ours, values are bound.
        statement = f"INSERT OR IGNORE INTO {table} ({', '.join(columns)}) VALUES {places} {then}"  # noqa: S608
        taken += connection.execute(statement, [value for row in chunk for value in row]).rowcount
    return taken


def read_saved(connection: sqlite3.Connection) -> Saved:
    """Counters and states as they were last saved. Raises sqlite3.Error."""
    seconds, states, settled, first = {}, {}, {}, {}
    for system, state, until, known, *spent in connection.execute(
        f"SELECT {', '.join(TABLES['counters'].columns)} FROM counters"  # noqa: S608  our own names
    ):
        seconds[system] = dict(zip(SystemState, spent, strict=True))
        states[system], settled[system], first[system] = SystemState(state), until, known
    totals = {(name, label): value for name, label, value in connection.execute("SELECT * FROM totals")}
    return Saved(seconds, states, settled, first, totals)


def last_heartbeat(connection: sqlite3.Connection) -> float:
    """Unix seconds of the last save; 0 when there is none. Raises sqlite3.Error."""
    (ended,) = connection.execute("SELECT max(ended) FROM heartbeats").fetchone()
    return float(ended or 0.0)


def _markers(batch: Batch) -> Iterator[Change]:
    """What says that changes are missing, so that the time they told of is unknown and not what was before."""
    for system, lost in batch.lost.items():
        reason = f"{lost.count} changes were lost: the journal could not be written for too long"
        yield Change(system, lost.at, lost.old, SystemState.UNKNOWN, reason, "journal")


def _write_events(connection: sqlite3.Connection, batch: Batch) -> None:
    rows: list[Row] = [(one.at, one.kind, one.subject, one.text) for one in batch.events]
    if batch.lost_events:
        at = batch.events[0].at if batch.events else max(batch.heartbeats.values(), default=TIMES[0])
        rows.insert(0, (at, "journal", "", f"{batch.lost_events} earlier events were lost"))
    insert(connection, "events", TABLES["events"].columns[1:], rows)


def _write_counters(connection: sqlite3.Connection, saved: Saved) -> None:
    columns = TABLES["counters"].columns
    # Who is known since when never moves forward, even if the service began without having read the file.
    then = "ON CONFLICT (system) DO UPDATE SET first_known = min(first_known, excluded.first_known), " + ", ".join(
        f"{column} = excluded.{column}" for column in columns if column not in {"system", "first_known"}
    )
    insert(connection, "counters", columns, _counter_rows(saved), then)


def _counter_rows(saved: Saved) -> Iterator[Row]:
    for system, seconds in saved.seconds.items():
        until, first, state = saved.settled_until[system], saved.first_known[system], saved.states[system]
        spent = [seconds.get(one, 0.0) for one in SystemState]
        if _sound(until) and _sound(first) and all(0 <= one < TIMES[1] for one in spent):
            yield (system, state, until, first, *spent)


def _write_totals(connection: sqlite3.Connection, saved: Saved) -> None:
    rows = [(*key, value) for key, value in saved.totals.items() if 0 <= value < math.inf]
    # A counter never falls, even if the service began without having read the file.
    insert(
        connection,
        "totals",
        TABLES["totals"].columns,
        rows,
        "ON CONFLICT DO UPDATE SET value = max(value, excluded.value)",
    )


def _beat(connection: sqlite3.Connection, started: float, ended: float) -> None:
    if _sound(started) and _sound(ended):
        connection.execute(
            "INSERT INTO heartbeats VALUES (?, ?) ON CONFLICT DO UPDATE SET ended = excluded.ended", (started, ended)
        )


def _sound(moment: float) -> bool:
    return TIMES[0] <= moment <= TIMES[1]
