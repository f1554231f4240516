"""What the service hands to the journal is there after it, from this process and from any other."""

from __future__ import annotations

import asyncio
import math
import os
import sqlite3
import threading
import time
from datetime import date
from pathlib import Path

import pytest

from collector.journal import (
    Change,
    Correction,
    Entry,
    Event,
    Journal,
    Ledger,
    LedgerError,
    Saved,
    Scope,
    correct,
    reading_ledger,
    start_maintenance,
    stop_maintenance,
    surviving,
)
from collector.journal.opening import open_file
from collector.model import SystemState
from tests.collector.journal.ledgers import START, read, saved_at, until_saved

UP, DOWN, UNKNOWN = SystemState.UP, SystemState.DOWN, SystemState.UNKNOWN


def changes_of_portal(ledger: Ledger) -> list[Change]:
    return ledger.changes("portal", 0, 1e10)


async def test_all_that_was_recorded_is_there_after_a_restart(tmp_path: Path) -> None:
    path = tmp_path / "var" / "journal.sqlite"
    now, today = time.time(), date.today()  # noqa: DTZ011  any day
    saved = Saved(
        {"portal": {UP: 3.5, DOWN: 1.25}, "mail": {UNKNOWN: 2.0}},
        {"portal": DOWN, "mail": UNKNOWN},
        {"portal": now - 1, "mail": now},
        {"portal": now - 10, "mail": now - 2},
        {("lost_total", "4G"): 7.5, ("lost_total", "5G"): 0.0},
    )
    journal = await Journal.open(path)
    assert journal.notes == (f"journal {path} begins",)
    assert (await journal.saved(), journal.saved_at) == (Saved(), 0.0)
    journal.change(Change("portal", now - 3, None, UP, "", "poll"))
    journal.change(Change("portal", now - 1, UP, DOWN, "timeout: no answer\x1b[2J", "poll"))
    journal.event(now, "restart", "", "begins")
    journal.add_daily(today, "coverage", "lower", 0.5, 60)
    journal.add_daily(today, "coverage", "lower", 0.8, 30)
    journal.save(saved, now)
    await journal.close()
    assert journal.saved_at >= now

    journal = await Journal.open(path)
    assert journal.notes == ()
    found = await journal.saved()
    assert found.seconds["portal"] == {**dict.fromkeys(SystemState, 0.0), UP: 3.5, DOWN: 1.25}
    assert (found.states, found.settled_until, found.first_known) == (
        saved.states,
        saved.settled_until,
        saved.first_known,
    )
    assert journal.saved_at == now
    journal.add_daily(today, "coverage", "lower", 0.2, 10)
    journal.save(saved, now + 5)
    await journal.close()
    changes = await read(path, lambda ledger: ledger.changes("portal", now - 2, now + 9))
    assert [(one.old, one.new, one.reason) for one in changes] == [
        (None, UP, ""),
        (UP, DOWN, "timeout: no answer\N{REPLACEMENT CHARACTER}[2J"),
    ]
    assert await read(path, lambda ledger: ledger.events(0, now + 9)) == [Event(now, "restart", "", "begins")]
    (day,) = await read(path, lambda ledger: ledger.daily("coverage", today, today))
    assert day.mean == pytest.approx((30 + 24 + 2) / 100)
    assert day.seconds == 100
    assert await read(path, lambda ledger: ledger.known()) == saved.first_known


async def test_a_restart_is_a_gap_in_what_was_observed(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    for begins, saves in ((START, 4), (START + 24, 3)):
        journal = await Journal.open(path)
        for number in range(saves):
            journal.save(saved_at(begins + 5 * number), begins + 5 * number)
        await journal.close()
    for since, until, observed in (
        (0, 1e10, [(START, START + 15), (START + 24, START + 34)]),
        (START + 10, START + 26, [(START + 10, START + 15), (START + 24, START + 26)]),
        (START + 16, START + 20, []),
    ):
        assert await read(path, lambda ledger: ledger.observed(since, until)) == observed  # noqa: B023  awaited here


@pytest.mark.parametrize(
    ("saves", "observed"),
    [
        ([0, 5, 15, 25.5, 30], [(0, 15), (25.5, 30)]),  # a gap of more than ten seconds
        ([0, 5, 3605, 3610, 15, 20], [(0, 5), (15, 20), (3605, 3610)]),  # the clock an hour forward, and back
        ([100, 105, 50, 55, 104, 108], [(50, 55), (100, 108)]),  # back: the same time twice counts once
    ],
)
async def test_observed_time_survives_what_clocks_do(
    tmp_path: Path, saves: list[float], observed: list[tuple[float, float]]
) -> None:
    path = tmp_path / "journal.sqlite"
    journal = await Journal.open(path)
    for moment in saves:
        journal.save(Saved(), START + moment)
    await journal.close()
    found = await read(path, lambda ledger: ledger.observed(0, 1e10))
    assert [(begins - START, ends - START) for begins, ends in found] == observed


async def test_nothing_is_visible_before_the_save_that_it_belongs_to(tmp_path: Path) -> None:
    """What the file holds is of one moment: a change never stands there without the counters that know of it."""
    path = tmp_path / "journal.sqlite"
    journal = await Journal.open(path)
    journal.change(Change("portal", START, None, UP, "", "poll"))
    journal.save(saved_at(START), START)
    journal.change(Change("portal", START + 1, UP, DOWN, "", "poll"))
    await until_saved(journal)
    assert [one.new for one in await read(path, changes_of_portal)] == [UP]
    await journal.close()
    assert [one.new for one in await read(path, changes_of_portal)] == [UP, DOWN]


async def test_planned_work_is_entered_beside_the_running_service(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    now = time.time()
    with pytest.raises(LedgerError, match="there is no journal at"):
        await asyncio.to_thread(start_maintenance, path, Entry(0, Scope.SYSTEM, "portal", now, None, "", "", now))
    journal = await Journal.open(path)

    def enter(scope: Scope, subject: str, starts: float, ends: float | None) -> Entry:
        return start_maintenance(path, Entry(0, scope, subject, starts, ends, "disk", "an", now))

    night = await asyncio.to_thread(enter, Scope.CENTRE, "ttdl-tinh", now + 60, now + 120)
    late = await asyncio.to_thread(enter, Scope.OWNER, "so-khcn", now - 60, None)
    assert (night.id, night.late, night.applies_from) == (1, False, now + 60)
    assert (late.id, late.late, late.applies_from) == (2, True, now)
    assert await journal.maintenance() == [night, late]
    stopped = await asyncio.to_thread(stop_maintenance, path, 2, "binh", now + 30)
    assert stopped.ends == now + 30
    assert await journal.maintenance(now + 40) == [night]
    for number, fault in ((2, "over already"), (7, "there is no maintenance 7")):
        with pytest.raises(LedgerError, match=fault):
            await asyncio.to_thread(stop_maintenance, path, number, "binh", now + 40)
    # Stopped before it began: it never was.
    cancelled = await asyncio.to_thread(stop_maintenance, path, 1, "binh", now + 40)
    assert (cancelled.starts, cancelled.ends) == (now + 60, now + 60)
    with pytest.raises(LedgerError, match="the end must come after"):
        await asyncio.to_thread(enter, Scope.SYSTEM, "portal", now, now - 1)
    await journal.close()


async def test_a_correction_stands_beside_what_was_measured(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    await (await Journal.open(path)).close()
    wanted = Correction(0, "portal", START, START + 60, UP, "our error", "an", START + 99)
    given = await asyncio.to_thread(correct, path, wanted)
    assert given.id == 1
    with pytest.raises(LedgerError, match="the end must come after"):
        await asyncio.to_thread(correct, path, Correction(0, "portal", START, START, UP, "", "an", START))
    assert await read(path, lambda ledger: ledger.corrections("portal", START + 59, START + 70)) == [given]
    assert await read(path, lambda ledger: ledger.corrections("portal", START + 60, START + 70)) == []
    assert await read(path, lambda ledger: ledger.corrections("mail", 0, 1e10)) == []


@pytest.mark.parametrize("table", ["changes", "maintenance", "stops", "corrections"])
@pytest.mark.parametrize("action", ["DELETE FROM {0}", "UPDATE {0} SET rowid = rowid + 1"])
async def test_what_is_written_stays(tmp_path: Path, table: str, action: str) -> None:
    """Whoever opens the file with other tools cannot change the past by accident either."""
    path = tmp_path / "journal.sqlite"
    journal = await Journal.open(path)
    journal.change(Change("portal", START, None, UP, "", "poll"))
    await journal.close()
    work = Entry(0, Scope.SYSTEM, "portal", START, None, "", "an", START)
    entry = await asyncio.to_thread(start_maintenance, path, work)
    await asyncio.to_thread(stop_maintenance, path, entry.id, "an", START + 1)
    wrong = Correction(0, "portal", START, START + 60, UP, "our error", "an", START + 99)
    await asyncio.to_thread(correct, path, wrong)
    connection = sqlite3.connect(path)
    with pytest.raises(sqlite3.IntegrityError, match=f"what is written in {table} stays"):
        connection.execute(action.format(table))
    connection.close()


async def test_impossible_times_are_refused_and_counted(tmp_path: Path) -> None:
    """A clock that was never set must not put the past into disorder, and must not hold up what is sound."""
    path = tmp_path / "journal.sqlite"
    journal = await Journal.open(path)
    for moment in (60.0, float("nan"), float("inf"), START):
        journal.change(Change("portal", moment, None, UP, "", "poll"))
    journal.save(Saved({"portal": {UP: 1.0}}, {"portal": UP}, {"portal": 60.0}, {"portal": 60.0}), 60.0)
    await until_saved(journal)
    assert journal.lost == 3
    assert await journal.saved() == Saved()
    with pytest.raises(ValueError, match="cannot be added"):
        journal.add_daily(date(2026, 1, 1), "coverage", "lower", float("nan"), 1)
    await journal.close()
    assert [one.at for one in await read(path, changes_of_portal)] == [START]
    assert await read(path, lambda ledger: ledger.observed(0, 1e10)) == []


async def test_one_service_writes_and_the_next_takes_over(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    first = await Journal.open(path)
    first.save(saved_at(START), START)
    await until_saved(first)
    second = await Journal.open(path)
    said = f"another process ({os.getpid()}) writes it: each service needs a journal.path of its own"
    assert said in second.notes[0]
    assert (await second.saved()).states == {"portal": UP}
    second.save(saved_at(START + 60), START + 60)
    await first.close()
    await until_saved(second, START + 60, within=8)
    assert second.trouble == ""
    await second.close()
    assert (await read(path, lambda ledger: ledger.saved())).settled_until == {"portal": START + 60}


async def test_two_readings_do_not_wait_for_the_writer(tmp_path: Path) -> None:
    """A report sees one moment, however long it takes, and the service writes on meanwhile."""
    path = tmp_path / "journal.sqlite"
    journal = await Journal.open(path)

    async def wrote(number: int) -> None:
        before = journal.saved_at
        journal.change(Change("portal", START + number, UP, DOWN, str(number), "poll"))
        journal.save(saved_at(START + number), START + number)
        await until_saved(journal, before)

    await wrote(0)
    begun, go_on = threading.Event(), threading.Event()

    def twice(ledger: Ledger) -> tuple[list[Change], list[Change]]:
        early = changes_of_portal(ledger)
        begun.set()
        go_on.wait(timeout=10)  # a failure elsewhere must not leave a thread that waits for ever
        return early, changes_of_portal(ledger)

    report = asyncio.create_task(read(path, twice))
    await asyncio.to_thread(begun.wait)
    for number in range(1, 50):
        await wrote(number)
    assert len(await read(path, changes_of_portal)) == 50
    go_on.set()
    early, late = await report
    assert len(early) == 1
    assert late == early
    await journal.close()


def test_readers_say_what_they_cannot_read(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    for content, fault in ((None, "there is no journal at"), (b"x" * 5000, "cannot be read: file is not a database")):
        if content:
            path.write_bytes(content)
        with pytest.raises(LedgerError, match=fault), reading_ledger(path):
            pass
    path.unlink()
    other = sqlite3.connect(path)
    other.execute("CREATE TABLE t (a)")
    other.close()
    with pytest.raises(LedgerError, match="is not a journal of this version"), reading_ledger(path):
        pass
    with pytest.raises(LedgerError, match="is no journal of this version"):
        stop_maintenance(path, 1, "an", START)
    assert open_file(path).connection is None


async def test_a_total_never_falls(tmp_path: Path) -> None:
    """Not even when the service began without having read the file; and what is no number is not written."""
    path, now = tmp_path / "journal.sqlite", time.time()
    for at, expected in ((9.0, 9.0), (4.0, 9.0), (math.inf, 9.0), (math.nan, 9.0), (-1.0, 9.0), (11.0, 11.0)):
        journal = await Journal.open(path)
        journal.save(Saved(totals={("lost_total", "4G"): at}), now)
        await journal.close()
        assert (await read(path, Ledger.saved)).totals == {("lost_total", "4G"): expected}


def test_counters_show_what_is_kept_and_never_fall() -> None:
    live = {"a": 9.0, "b": 3.0}
    assert surviving(live, {"a": 5.0}, {}) == {"a": 5.0, "b": 0.0}
    assert surviving(live, {"a": 5.0}, {"a": 7.0, "b": 1.0}) == {"a": 7.0, "b": 1.0}
    assert surviving(live, {"a": 12.0}, {}) == {"a": 9.0, "b": 0.0}
    assert surviving(live, None, {}) == live
