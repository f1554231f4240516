"""Keeps account of how systems stand: advances them each second, and lets the journal remember it over restarts."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace

import structlog

from collector.journal import Change, Entry, Journal, Keeping, Saved
from collector.maintenance import Planner
from collector.model import Metric, Sample, Sink
from collector.runner import where
from collector.settings import Config
from collector.settings.monitor import JournalSettings
from collector.standing import Standing
from collector.state import Record

JOURNAL_SAVED = Metric(
    "hatang_journal_saved_timestamp_seconds", "Unix time of the last save that reached the disk; 0: none did."
)
ADVANCE_EVERY = 1.0
# At most so much is lost by a kill, and shows as unobserved.
SAVE_EVERY = 5
Totals = Callable[[], Mapping[tuple[str, str], float]]
"""Counters of others that must survive a restart, as of now: see `Saved`."""

log = structlog.get_logger(__name__)


class Bookkeeping:
    """The standing of all systems, and the journal that it is written into. `saved` is what it held at the start."""

    def __init__(self, sink: Sink, journal: Journal, saved: Saved, entries: list[Entry]) -> None:
        self.standing = Standing(sink, saved)
        self.saved = saved
        self._sink = sink
        self.journal = journal
        self._entries = entries
        self._config: Config | None = None
        self._totals: Totals = dict
        self._task: asyncio.Task[None] | None = None

    @classmethod
    async def open(cls, sink: Sink, settings: JournalSettings) -> Bookkeeping:
        """Open the journal, whatever its file is like: what was wrong with it is logged."""
        journal = await Journal.open(settings.path, _keeping(settings))
        for note in journal.notes:
            log.warning("journal", note=note)
        return cls(sink, journal, await journal.saved(), await journal.maintenance())

    def apply(self, config: Config, records: Mapping[str, Record]) -> None:
        """Take over a new configuration."""
        self._config = config
        self.journal.keep(_keeping(config.monitor.journal))
        self._write(self.standing.apply(config.systems, records, self._planner(config)))

    def start(self, totals: Totals = dict) -> None:
        """Begin to keep account, of `totals` too; from now on every second is somewhere, also after a kill."""
        self._totals = totals
        self._advance(save=True)
        self._task = asyncio.create_task(self._keep())

    def note(self, kind: str, subject: str, text: str) -> None:
        """Write down that something happened now."""
        self.journal.event(time.time(), kind, subject, text)

    def publish(self) -> None:
        """Bring the sink up to date; called before each scrape."""
        self.standing.publish(self.journal.kept)
        self._sink.put("journal", (), [Sample(JOURNAL_SAVED, (), self.journal.saved_at)])

    async def close(self) -> None:
        """Settle what is certain, save it and let the journal go."""
        if self._task is not None:
            self._task.cancel()
        with _told():
            self._advance(save=True)
        await self.journal.close()

    async def _keep(self) -> None:
        second = 0
        while True:
            await asyncio.sleep(ADVANCE_EVERY)
            second += 1
            with _told():
                self._advance(save=second % SAVE_EVERY == 0)
                if second % SAVE_EVERY == 0:
                    await self._read_entries()

    def _advance(self, save: bool) -> None:
        self._write(self.standing.advance())
        if save:
            self.journal.save(replace(self.standing.saved(), totals=self._totals()), time.time())

    async def _read_entries(self) -> None:
        entries = await self.journal.maintenance()
        if entries != self._entries and self._config is not None:
            self._entries = entries
            self.standing.plan(self._planner(self._config))

    def _planner(self, config: Config) -> Planner:
        return Planner(config.maintenance, config.systems, config.targets, self._entries)

    def _write(self, changes: list[Change]) -> None:
        for change in changes:
            log.info("system changed", system=change.system, state=change.new.value, reason=change.reason)
            self.journal.change(change)


@contextmanager
def _told() -> Iterator[None]:
    """A fault of one second must not be the last of all."""
    try:
        yield
    except Exception as error:  # noqa: BLE001
        log.error("systems were not judged", error=f"{type(error).__name__}: {error}", where=where(error))


def _keeping(settings: JournalSettings) -> Keeping:
    return Keeping(settings.retention, settings.event_retention, settings.compaction)
