"""What the tables say, as records. Every function raises sqlite3.Error when they cannot be read."""

from __future__ import annotations

import sqlite3

from collector.journal.records import Change, Correction, Daily, Entry, Event, Scope
from collector.model import SystemState

Interval = tuple[float, float]


def changes(connection: sqlite3.Connection, system: str, since: float, until: float) -> list[Change]:
    """The changes of a system in the order of time: the one in force at `since`, then those before `until`.

    Of two that contradict each other, the one that was written later holds: it may tell of a time that lies back, and
    a clock may have been set back in between.
    """
    (base,) = connection.execute(
        "SELECT max(seq) FROM changes WHERE system = ? AND at <= ?", (system, since)
    ).fetchone()
    effective: list[Change] = []
    for at, old, new, reason, source in connection.execute(
        "SELECT at, old, new, reason, source FROM changes WHERE system = ? AND seq >= ? AND at < ? ORDER BY seq",
        (system, base or 0, until),
    ):
        while effective and effective[-1].at >= at:
            effective.pop()
        effective.append(Change(system, at, SystemState(old) if old else None, SystemState(new), reason, source))
    return effective


def observed(connection: sqlite3.Connection, since: float, until: float) -> list[Interval]:
    """When the service was at work between `since` and `until`: apart from each other, in order."""
    merged: list[Interval] = []
    for started, ended in connection.execute(
        "SELECT max(started, :since), min(ended, :until) FROM heartbeats "
        "WHERE ended > :since AND started < :until ORDER BY started",
        {"since": since, "until": until},
    ):
        if merged and started <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(ended, merged[-1][1]))
        else:
            merged.append((started, ended))
    return merged


def maintenance(connection: sqlite3.Connection) -> list[Entry]:
    """All planned work that was entered by command, by the time of entry; stopped work ends where it was stopped."""
    return [
        Entry(number, Scope(scope), subject, starts, _end(starts, ends, stopped), reason, who, entered)
        for number, scope, subject, starts, ends, reason, who, entered, stopped in connection.execute(
            "SELECT id, scope, subject, starts, ends, reason, maintenance.who, entered_at, stopped_at "
            "FROM maintenance LEFT JOIN stops ON entry = id ORDER BY id"
        )
    ]


def corrections(connection: sqlite3.Connection, system: str, since: float, until: float) -> list[Correction]:
    """Corrections of a system that touch the time from `since` to `until`, by the time of entry."""
    rows = connection.execute(
        "SELECT id, system, starts, ends, state, reason, who, entered_at FROM corrections "
        "WHERE system = ? AND ends > ? AND starts < ? ORDER BY id",
        (system, since, until),
    )
    return [
        Correction(number, name, starts, ends, SystemState(state), reason, who, entered)
        for number, name, starts, ends, state, reason, who, entered in rows
    ]


def events(connection: sqlite3.Connection, since: float, until: float, kind: str | None = None) -> list[Event]:
    """What happened from `since` to `until`, in order; of one kind, or of all."""
    rows = connection.execute(
        "SELECT at, kind, subject, text FROM events "
        "WHERE at >= :since AND at < :until AND (:kind IS NULL OR kind = :kind) ORDER BY at, seq",
        {"since": since, "until": until, "kind": kind},
    )
    return [Event(*row) for row in rows]


def daily(connection: sqlite3.Connection, indicator: str, since: str, until: str) -> list[Daily]:
    """Means of an indicator from day `since` to day `until`, both included (YYYY-MM-DD), by day and bound."""
    rows = connection.execute(
        "SELECT day, indicator, bound, weighted / seconds, seconds FROM daily "
        "WHERE indicator = ? AND day BETWEEN ? AND ? ORDER BY day, bound",
        (indicator, since, until),
    )
    return [Daily(*row) for row in rows]


def days(connection: sqlite3.Connection, since: str, until: str) -> list[Daily]:
    """Means of all indicators from day `since` to day `until`, both included (YYYY-MM-DD), by day."""
    rows = connection.execute(
        "SELECT day, indicator, bound, weighted / seconds, seconds FROM daily WHERE day BETWEEN ? AND ? ORDER BY day",
        (since, until),
    )
    return [Daily(*row) for row in rows]


def first_changes(connection: sqlite3.Connection) -> dict[str, float]:
    """By system, the earliest time that any of its changes tells of."""
    return dict(connection.execute("SELECT system, min(at) FROM changes GROUP BY system").fetchall())


def _end(starts: float, ends: float | None, stopped: float | None) -> float | None:
    known = [one for one in (ends, stopped) if one is not None]
    return max(starts, min(known)) if known else None
