"""The journal's thread: the only one that touches the file while the service runs."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import structlog

from collector.journal import upkeep
from collector.journal.intake import Batch, Intake, Question
from collector.journal.opening import Opened, identity, is_damage, open_file
from collector.journal.records import Keeping, LedgerError, Saved
from collector.journal.salvage import copy_rows
from collector.journal.schema import transaction
from collector.journal.storage import last_heartbeat, write

RETRY = 2.0
RETRY_AT_MOST = 60.0

log = structlog.get_logger(__name__)


class Writer:
    """Writes what the intake holds, and tries for ever when it cannot. `saved_at` moves only when it could.

    `keeping` may be exchanged at any time.
    """

    def __init__(self, path: Path, intake: Intake, keeping: Keeping) -> None:
        self._path = path
        self._intake = intake
        self._opened = Opened()
        self._retry_at = 0.0
        self._pause = RETRY
        self._upkeep_at = 0.0
        self._copying: threading.Thread | None = None
        self._started: Future[list[str]] = Future()
        # So that nobody who gives up waiting can cancel it.
        self._started.set_running_or_notify_cancel()
        self._thread = threading.Thread(target=self._work, name="journal", daemon=True)
        self.keeping = keeping
        self.kept: Saved | None = None
        self.saved_at = 0.0
        self.trouble = ""
        self.lost = 0

    def start(self) -> Future[list[str]]:
        """Begin; the answer is what opening had to say."""
        self._thread.start()
        return self._started

    def ask(self, ask: Callable[[sqlite3.Connection], Any]) -> Future[Any]:
        """Have something read in the thread. The answer raises LedgerError when there is nothing to read from."""
        answer: Future[Any] = Future()
        self._intake.ask(Question(ask, answer))
        return answer

    def end(self, limit: float) -> bool:
        """Wait for the thread to write what is left. Returns whether it came to an end within `limit` seconds."""
        self._intake.close()
        self._thread.join(limit)
        return not self._thread.is_alive()

    def _work(self) -> None:
        self._open()
        self._started.set_result(self._opened.notes)
        over = False
        while not over:
            patience = max(0.0, self._retry_at - time.monotonic()) if self.trouble else RETRY
            work = self._intake.take(patience, hold=bool(self.trouble) and patience > 0)
            over = work.closing
            for question in work.questions:
                self._answer(question)
            if work.batch is not None:
                self._write(work.batch)
            elif self.trouble and time.monotonic() >= self._retry_at and self._usable():
                self._recover()
            if not over:
                self._keep()
        if self._copying is not None:
            self._copying.join()
        self._opened.close()

    def _open(self, damage: str = "") -> bool:
        self._opened.close()
        self._opened = open_file(self._path, damage)
        if self._opened.connection is not None and not self.saved_at:
            with suppress(sqlite3.Error):
                self.saved_at = last_heartbeat(self._opened.connection)
        if not self._opened.writable:
            self._fail(self._opened.notes[-1])
        return self._opened.writable

    def _usable(self) -> bool:
        if not self._opened.writable:
            return self._open()
        with suppress(FileNotFoundError):
            if identity(self._path) == self._opened.identity:
                return True
        return self._follow()

    def _follow(self) -> bool:
        """The file was deleted or exchanged under us. A deleted one comes back with all that it held."""
        log.warning("journal was deleted or exchanged while in use; opening it anew", path=str(self._path))
        held, gone = self._opened.connection, not self._path.exists()
        self._opened.connection = None
        if not self._open() or held is None or self._opened.connection is None:
            # What was deleted lives as long as the connection to it.
            self._opened = Opened(held, held is not None)
            return False
        with closing(held):
            if gone:
                with transaction(self._opened.connection):
                    copy_rows(held, self._opened.connection)
        return True

    def _write(self, batch: Batch) -> None:
        try:
            if not self._usable() or self._opened.connection is None:
                self._intake.put_back(batch)
                return
            refused = write(self._opened.connection, batch)
        except Exception as error:  # noqa: BLE001  a bug of ours must not end the thread either
            self._intake.put_back(batch)
            self._stumble(error)
            return
        self.kept = batch.saved or self.kept
        self.saved_at = time.time()
        self._account(refused, batch)
        self._recover()

    def _account(self, refused: int, batch: Batch) -> None:
        if refused:
            log.error("journal refused changes with impossible times", count=refused)
        if batch.lost:
            log.error("changes were lost; their time counts as unknown", count=batch.lost_changes())
        self.lost += refused + batch.lost_changes()

    def _stumble(self, error: Exception) -> None:
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        if isinstance(error, sqlite3.Error) and is_damage(error):
            self._open(damage=str(error))
            self._fail(f"journal {self._path} was damaged while in use: {'; '.join(self._opened.notes)}")
            return
        self._fail(f"journal {self._path} cannot be written ({error}); trying again")
        if code not in {sqlite3.SQLITE_FULL, sqlite3.SQLITE_BUSY}:
            # A connection that met another fault may not recover with the disk.
            self._opened.close()
            self._opened = Opened()

    def _fail(self, what: str) -> None:
        if what != self.trouble:
            log.error(what, waiting=self._intake.waiting())
        self.trouble = what
        self._retry_at = time.monotonic() + self._pause
        self._pause = min(2 * self._pause, RETRY_AT_MOST)

    def _recover(self) -> None:
        self._pause = RETRY
        if self.trouble:
            log.info("journal is written again", path=str(self._path), notes=self._opened.notes)
        self.trouble = ""

    def _answer(self, question: Question) -> None:
        if not question.answer.set_running_or_notify_cancel():
            return
        try:
            if self._opened.connection is None:
                raise LedgerError(self.trouble or "the journal is closed")
            question.answer.set_result(question.ask(self._opened.connection))
        except Exception as error:  # noqa: BLE001  for whoever asked
            question.answer.set_exception(LedgerError(str(error)))

    def _keep(self) -> None:
        """Let go of what is old, some of it between two saves; then copy what is left."""
        connection, now = self._opened.connection, time.time()
        if connection is None or not self._opened.writable or self.trouble or time.monotonic() < self._upkeep_at:
            return
        try:
            if not upkeep.due(connection, self.keeping, now):
                self._upkeep_at = time.monotonic() + RETRY_AT_MOST
            elif not upkeep.forget(connection, self.keeping, now):
                upkeep.done(connection, now)
                self._copying = threading.Thread(target=self._copy, name="journal copy", daemon=True)
                self._copying.start()
        except sqlite3.Error as error:
            self._upkeep_at = time.monotonic() + RETRY_AT_MOST
            log.warning("journal was not compacted; trying again", error=str(error))

    def _copy(self) -> None:
        fault = upkeep.back_up(self._path)
        if fault:
            log.warning("no copy of the journal was made; the last one stays", error=fault)
