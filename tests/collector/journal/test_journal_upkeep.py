"""What is older than its retention goes, what is in force stays, the space comes back, and a copy is made."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from collector.journal import (
    Change,
    Correction,
    Entry,
    Journal,
    Keeping,
    Scope,
    correct,
    reading_ledger,
    start_maintenance,
    stop_maintenance,
    upkeep,
    writer,
)
from collector.journal.upkeep import back_up, forget
from collector.model import SystemState
from tests.collector.journal.ledgers import START, opened, put, read, saved_at, until_saved

UP, DOWN = SystemState.UP, SystemState.DOWN
DAY = 86400.0


def keep(path: Path, keeping: Keeping, now: float) -> int:
    """Forget until nothing is left to forget; returns in how many steps."""
    found = opened(path)
    assert found.connection is not None
    steps = 1
    while forget(found.connection, keeping, now):
        steps += 1
    found.close()
    return steps


def test_the_change_in_force_at_the_horizon_stays(tmp_path: Path) -> None:
    """What came before is gone, and yet the state from the horizon on is known."""
    alternating = [Change("mail", START + DAY * i, UP, (UP, DOWN)[i % 2], str(i), "poll") for i in range(30)]
    steady = Change("portal", START, None, UP, "ever since", "poll")
    path = put(tmp_path / "journal.sqlite", [steady, *alternating], [(START, START + 30 * DAY)])
    with reading_ledger(path) as ledger:
        before = ledger.changes("mail", START + 20.5 * DAY, 1e10)
    keep(path, Keeping(retention=10 * DAY), START + 30.5 * DAY)
    with reading_ledger(path) as ledger:
        assert ledger.changes("portal", START + 21 * DAY, 1e10) == [steady]
        assert ledger.changes("mail", START + 20.5 * DAY, 1e10) == before
        assert [one.reason for one in ledger.changes("mail", 0, 1e10)] == [str(i) for i in range(20, 30)]


def test_everything_else_goes_by_its_own_age(tmp_path: Path) -> None:
    path = put(tmp_path / "journal.sqlite", [], [(START, START + 60), (START + 9 * DAY, START + 10 * DAY)])
    put(path, [], [], {"removed": START})
    put(path, [], [(START + 9 * DAY, START + 10 * DAY)], {"portal": START})
    for starts, ends in ((0, 1), (9, 10), (0, None)):
        until = None if ends is None else START + ends * DAY
        start_maintenance(path, Entry(0, Scope.SYSTEM, "portal", START + starts * DAY, until, "", "", START))
    start_maintenance(path, Entry(0, Scope.SYSTEM, "mail", START, None, "", "", START))
    stop_maintenance(path, 4, "", START + DAY)
    for age in (0, 9):
        correct(path, Correction(0, "portal", START + age * DAY, START + age * DAY + 60, UP, "", "", START))
    found = opened(path)
    assert found.connection is not None
    for at in (START, START + 5 * DAY, START + 9 * DAY):
        found.connection.execute("INSERT INTO events (at, kind, subject, text) VALUES (?, 'trap', '', '')", (at,))
    days = [datetime.fromtimestamp(START + age * DAY, UTC).date() for age in (3, 8)]
    for day in days:
        found.connection.execute("INSERT INTO daily VALUES (?, 'i', 'lower', 1, 1)", (day.isoformat(),))
    found.close()
    keep(path, Keeping(retention=5 * DAY, events=2 * DAY), START + 10 * DAY)
    with reading_ledger(path) as ledger:
        assert ledger.observed(0, 1e10) == [(START + 9 * DAY, START + 10 * DAY)]
        assert set(ledger.saved().states) == {"portal"}
        assert [one.id for one in ledger.maintenance()] == [2, 3]
        assert [one.id for one in ledger.corrections("portal", 0, 1e10)] == [2]
        assert [one.at for one in ledger.events(0, 1e10)] == [START + 9 * DAY]
        assert [one.day for one in ledger.daily("i", *days)] == [days[1].isoformat()]


def test_much_goes_in_steps_and_the_file_shrinks(tmp_path: Path) -> None:
    """A save between two steps waits for no more than one of them."""
    changes = [Change("mail", START + i, UP, (UP, DOWN)[i % 2], "x" * 100, "poll") for i in range(12_000)]
    path = put(tmp_path / "journal.sqlite", changes, [(START, START + 12_000)])
    size = path.stat().st_size
    begins = time.perf_counter()
    steps = keep(path, Keeping(retention=DAY), START + 2 * DAY)
    assert (time.perf_counter() - begins) / steps < 0.5
    assert steps == 3
    assert path.stat().st_size < size / 5
    after = sqlite3.connect(path)
    with pytest.raises(sqlite3.IntegrityError, match="stays as it is"):
        after.execute("DELETE FROM changes")
    after.close()


async def test_the_service_keeps_house_by_itself(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    now = time.time()
    old = Change("portal", now - 9 * DAY, None, DOWN, "", "poll")
    recent = Change("portal", now - 3 * DAY, DOWN, UP, "", "poll")
    await asyncio.to_thread(put, path, [old, recent])
    journal = await Journal.open(path, Keeping(retention=2 * DAY))
    copy = tmp_path / "journal.sqlite.backup"
    async with asyncio.timeout(5):
        while not copy.exists():
            await asyncio.sleep(0.05)
    assert await read(path, lambda ledger: ledger.changes("portal", 0, 1e10)) == [recent]
    assert await read(copy, lambda ledger: ledger.changes("portal", 0, 1e10)) == [recent]
    await journal.close()
    # Done for today.
    made = copy.stat().st_mtime_ns
    journal = await Journal.open(path, Keeping(retention=2 * DAY))
    journal.save(saved_at(now), now)
    await until_saved(journal, now)
    await journal.close()
    assert copy.stat().st_mtime_ns == made


async def test_a_reload_changes_how_long_things_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer, "RETRY_AT_MOST", 0.0)
    monkeypatch.setattr(writer, "RETRY", 0.1)
    path, now = tmp_path / "journal.sqlite", time.time()
    changes = [Change("portal", now - age * DAY, None, UP, f"{age}", "poll") for age in (9, 8, 1)]
    await asyncio.to_thread(put, path, changes)
    journal = await Journal.open(path, Keeping(every=0.0))
    await asyncio.sleep(0.5)
    assert await read(path, lambda ledger: ledger.changes("portal", 0, 1e10)) == changes
    journal.keep(Keeping(retention=2 * DAY, every=0.0))
    async with asyncio.timeout(5):
        while len(await read(path, lambda ledger: ledger.changes("portal", 0, 1e10))) != 2:
            await asyncio.sleep(0.05)
    await journal.close()


def test_upkeep_is_due_once_a_period_whatever_clock_and_disk_did(tmp_path: Path) -> None:
    found = opened(tmp_path / "journal.sqlite")
    connection, keeping = found.connection, Keeping(every=DAY)
    assert connection is not None
    assert upkeep.due(connection, keeping, START)
    upkeep.done(connection, START)
    assert not upkeep.due(connection, keeping, START + DAY - 1)
    assert upkeep.due(connection, keeping, START + DAY)
    # A clock that was ahead when it was done last, or a damaged value, must not put it off for ever.
    assert upkeep.due(connection, keeping, START - 60)
    connection.execute("UPDATE meta SET value = 'x' WHERE key = 'kept_at'")
    assert upkeep.due(connection, keeping, START + 1)
    found.close()


def test_a_copy_is_made_only_where_there_is_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = put(tmp_path / "journal.sqlite", [Change("portal", START, None, UP, "", "poll")])
    assert back_up(path) == ""
    before = (tmp_path / "journal.sqlite.backup").read_bytes()
    monkeypatch.setattr(upkeep, "ROOM", 1e12)
    assert back_up(path) == "not enough room for a copy"
    monkeypatch.undo()
    with path.open("r+b") as file:
        file.seek(8192)
        file.write(bytes(100_000))
    assert back_up(path) != ""
    assert (tmp_path / "journal.sqlite.backup").read_bytes() == before
    assert sorted(one.name for one in tmp_path.iterdir() if "new" in one.name) == []
