"""The service's side of the journal: everything is handed to a thread, nothing waits for the disk."""

from __future__ import annotations

import asyncio
import math
import sqlite3
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import TypeVar

import structlog

from collector.journal import reading
from collector.journal.intake import Intake
from collector.journal.records import Change, Daily, Entry, Event, Keeping, LedgerError, Saved, plain
from collector.journal.storage import read_saved
from collector.journal.writer import Writer

# A disk that does not answer must not keep the service from starting, or from ending.
OPEN_LIMIT = 20.0
CLOSE_LIMIT = 5.0
# What is asked again and again is rather answered with what was last read than late.
ENTRIES_LIMIT = 1.0

T = TypeVar("T")
log = structlog.get_logger(__name__)


class Journal:
    """Remembers what must survive a restart. Made by `open`; every method belongs to the event loop.

    What `change`, `event` and `add_daily` take is written, in one transaction, with the `save` that follows: what the
    file holds is always the state of one moment. A kill loses what came after the last save, and the heartbeats show
    that time as unobserved.
    """

    def __init__(self, intake: Intake, writer: Writer) -> None:
        self._intake = intake
        self._writer = writer
        self._entries: list[Entry] = []
        self.notes: tuple[str, ...] = ()

    @classmethod
    async def open(cls, path: Path, keeping: Keeping = Keeping()) -> Journal:  # noqa: B008  frozen
        """Open or make the journal at `path`. Never raises: what was wrong, and what was done, is in `notes`.

        While the file cannot be written, everything is kept in memory, bounded, and written when it can be.
        """
        intake = Intake()
        journal = cls(intake, Writer(path, intake, keeping))
        try:
            notes = await _answer(journal._writer.start(), OPEN_LIMIT)
            journal.notes = tuple(notes)
        except TimeoutError:
            journal.notes = (
                f"journal {path} has not answered for {OPEN_LIMIT:g} s; going on without it until it does",
            )
        return journal

    @property
    def saved_at(self) -> float:
        """Unix seconds of the last transaction that reached the disk; 0 when there never was one."""
        return self._writer.saved_at

    @property
    def kept(self) -> Saved | None:
        """What a kill cannot take any more: the last save that reached the disk. None while nothing can be written."""
        return self._writer.kept if not self._writer.trouble else None

    @property
    def trouble(self) -> str:
        """Why nothing can be written now; empty while all is well."""
        return self._writer.trouble

    @property
    def lost(self) -> int:
        """Changes that could not be kept since the service began; their time stands as unknown."""
        return self._writer.lost

    def keep(self, keeping: Keeping) -> None:
        """From now on, this is how long what is kept."""
        self._writer.keeping = keeping

    async def saved(self) -> Saved:
        """What the last save held; empty when there is none, or when it cannot be read."""
        return await self._ask(read_saved, Saved(), OPEN_LIMIT)

    def change(self, change: Change) -> None:
        """Record that a system changed state."""
        clean = plain(change.reason)
        self._intake.change(change if clean == change.reason else replace(change, reason=clean))

    def event(self, at: float, kind: str, subject: str, text: str) -> None:
        """Record that something happened at `at` (Unix seconds); of very many at once the newest stay."""
        self._intake.event(Event(at, plain(kind), plain(subject), plain(text)))

    def add_daily(self, day: date, indicator: str, bound: str, value: float, seconds: float) -> None:
        """Let `value` have held for `seconds` of `day`. Raises ValueError when either is not a finite number."""
        if not (math.isfinite(value) and math.isfinite(seconds) and seconds > 0):
            raise ValueError(f"{indicator} {bound}: {value} for {seconds} s cannot be added to a day")
        self._intake.daily((day.isoformat(), plain(indicator), plain(bound)), value * seconds, seconds)

    def save(self, saved: Saved, now: float) -> None:
        """Write `saved`, all that was recorded before, and that the service was at work until `now` (Unix seconds).

        To be called every 5 s: saves more than 10 s apart leave the time between them unobserved. Nothing that
        `saved` holds may be changed afterwards.
        """
        self._intake.save(saved, now)

    async def maintenance(self, since: float = 0.0) -> list[Entry]:
        """Planned work entered by command that has not ended before `since`.

        What was last read, while the file cannot be read or does not answer within a second.
        """
        self._entries = await self._ask(reading.maintenance, self._entries, ENTRIES_LIMIT)
        return [entry for entry in self._entries if entry.ends is None or entry.ends > since]

    async def days(self, since: date, until: date) -> list[Daily]:
        """Means of all indicators from one day to another, both included; none when they cannot be read."""
        return await self._ask(
            lambda connection: reading.days(connection, since.isoformat(), until.isoformat()), [], OPEN_LIMIT
        )

    async def close(self, limit: float = CLOSE_LIMIT) -> None:
        """Write what is left and let the file go; gives up after `limit` seconds, and says what was not written."""
        ended = await asyncio.to_thread(self._writer.end, limit)
        if not ended or self._writer.trouble:
            log.error("journal was not written to the end", why=self._writer.trouble or f"no answer for {limit:g} s")

    async def _ask(self, question: Callable[[sqlite3.Connection], T], otherwise: T, limit: float) -> T:
        try:
            return await _answer(self._writer.ask(question), limit)
        except (LedgerError, TimeoutError):
            return otherwise


async def _answer(future: Future[T], limit: float) -> T:
    async with asyncio.timeout(limit):
        return await asyncio.wrap_future(future)
