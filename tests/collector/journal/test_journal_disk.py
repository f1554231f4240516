"""A disk that is full, slow or held by another: the loop goes on, nothing is lost in silence, it recovers alone."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from collector.journal import Change, Entry, Journal, Saved, Scope, intake, start_maintenance
from collector.model import SystemState
from tests.collector.journal.ledgers import START, put, read, saved_at, until_saved

pytestmark = pytest.mark.slow

UP, DOWN, UNKNOWN = SystemState.UP, SystemState.DOWN, SystemState.UNKNOWN
ROOT = Path(__file__).parents[3]


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 1 MiB."""
    place = tmp_path / "disk"
    place.mkdir()
    if (
        os.getuid() != 0
        or subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", place], check=False).returncode
    ):
        pytest.skip("needs root, to mount a small disk")
    yield place
    subprocess.run(["umount", "--lazy", place], check=True)


async def fill_up(place: Path) -> Path:
    """Take all the room there is."""
    ballast = place / "ballast"

    def write() -> None:
        with ballast.open("wb", buffering=0) as file:
            for size in (65536, 4096, 512, 1):
                try:
                    while True:
                        file.write(b"x" * size)
                except OSError:
                    continue

    await asyncio.to_thread(write)
    return ballast


async def test_a_full_disk_stops_nothing_but_the_saving(small_disk: Path) -> None:
    path = small_disk / "journal.sqlite"
    journal = await Journal.open(path)
    journal.save(saved_at(START), START)
    await until_saved(journal)
    ballast = await fill_up(small_disk)
    before = journal.saved_at
    worst = 0.0
    for number in range(1, 41):
        for one in range(50):
            journal.change(Change(f"system-{one}", START + number, UP, DOWN, "x" * 200, "poll"))
        journal.save(saved_at(START + number), START + number)
        begins = time.perf_counter()
        await asyncio.sleep(0.02)
        worst = max(worst, time.perf_counter() - begins)
    assert "database or disk is full" in journal.trouble
    assert journal.saved_at == before
    assert worst < 0.5
    # Read by another process meanwhile, it is as it was.
    assert (await read(path, lambda ledger: ledger.saved())).settled_until == {"portal": START}
    ballast.unlink()
    await until_saved(journal, before, within=15)
    assert (journal.trouble, journal.lost) == ("", 0)
    await journal.close()
    counts = await read(path, lambda ledger: [len(ledger.changes(f"system-{one}", 0, 1e10)) for one in range(50)])
    assert counts == [40] * 50
    # The service was at work all the time, and the heartbeats say so.
    assert await read(path, lambda ledger: ledger.observed(0, 1e10)) == [(START, START + 40)]


async def test_it_starts_on_a_full_disk_with_what_was_saved(small_disk: Path) -> None:
    path = small_disk / "journal.sqlite"
    await asyncio.to_thread(put, path, [], [(START, START + 60)], {"portal": START})
    ballast = await fill_up(small_disk)
    journal = await Journal.open(path)
    assert (await journal.saved()).settled_until == {"portal": START + 60}
    journal.save(saved_at(START + 99), START + 99)
    await asyncio.sleep(0.3)
    assert journal.trouble != ""
    ballast.unlink()
    await until_saved(journal, START + 60, within=15)
    await journal.close()
    assert (await read(path, lambda ledger: ledger.saved())).settled_until == {"portal": START + 99}


async def test_it_begins_when_there_is_room(small_disk: Path) -> None:
    path = small_disk / "journal.sqlite"
    ballast = await fill_up(small_disk)
    journal = await Journal.open(path)
    assert "cannot be written" in journal.notes[0]
    assert await journal.saved() == Saved()
    journal.change(Change("portal", START, None, UP, "", "poll"))
    journal.save(saved_at(START + 99), START + 99)
    await asyncio.sleep(0.1)
    ballast.unlink()
    await until_saved(journal, within=15)
    await journal.close()
    assert len(await read(path, lambda ledger: ledger.changes("portal", 0, 1e10))) == 1


async def test_changes_that_do_not_fit_are_counted_and_their_time_is_unknown(
    small_disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(intake, "CHANGES_KEPT", 100)
    path = small_disk / "journal.sqlite"
    journal = await Journal.open(path)
    ballast = await fill_up(small_disk)
    for number in range(250):
        states = (UP, DOWN) if number % 2 else (DOWN, UP)
        journal.change(Change("portal", START + number, *states, str(number), "poll"))
        if number % 40 == 0:
            journal.save(saved_at(START + number), START + number)
            await asyncio.sleep(0.05)
    journal.save(saved_at(START + 250), START + 250)
    ballast.unlink()
    await until_saved(journal, within=15)
    await journal.close()
    assert journal.lost == 150
    first, *rest = await read(path, lambda ledger: ledger.changes("portal", 0, 1e10))
    assert (first.at, first.old, first.new, first.source) == (START, DOWN, UNKNOWN, "journal")
    assert first.reason.startswith("150 changes were lost")
    assert [one.reason for one in rest] == [str(number) for number in range(150, 250)]


async def test_of_too_many_events_the_newest_stay_and_the_others_are_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(intake, "EVENTS_KEPT", 10)
    path = tmp_path / "journal.sqlite"
    journal = await Journal.open(path)
    for number in range(25):
        journal.event(START + number, "trap", "router", str(number))
    await journal.close()
    events = await read(path, lambda ledger: ledger.events(0, 1e10))
    assert [one.text for one in events if one.kind == "trap"] == [str(number) for number in range(15, 25)]
    assert [one.text for one in events if one.kind == "journal"] == ["15 earlier events were lost"]
    assert await read(path, lambda ledger: ledger.events(0, 1e10, "trap")) == [
        one for one in events if one.kind == "trap"
    ]


HOLDER = """
import sqlite3, sys, time
other = sqlite3.connect(sys.argv[1], isolation_level=None)
other.execute("BEGIN " + sys.argv[2])
print("held", flush=True)
time.sleep(float(sys.argv[3]))
"""


@asynccontextmanager
async def held(path: Path, how: str, seconds: float) -> AsyncIterator[None]:
    """Another process has the file to itself for so long."""
    words = (sys.executable, "-c", HOLDER, str(path), how, str(seconds))
    holder = await asyncio.create_subprocess_exec(*words, stdout=subprocess.PIPE)
    assert holder.stdout is not None
    await holder.stdout.readline()
    yield
    assert await holder.wait() == 0


async def test_another_that_writes_for_long_is_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    journal = await Journal.open(path)
    work = Entry(0, Scope.SYSTEM, "portal", START, None, "", "", START)
    known = [await asyncio.to_thread(start_maintenance, path, work)]
    assert await journal.maintenance() == known
    worst = 0.0
    async with held(path, "IMMEDIATE", 3):
        journal.save(saved_at(START), START)
        await asyncio.sleep(0.1)
        begins = time.perf_counter()
        # Work goes on being planned, and whoever asks every few seconds is not held up.
        assert await journal.maintenance() == known
        assert time.perf_counter() - begins < 2
        while not journal.saved_at:
            begins = time.perf_counter()
            await asyncio.sleep(0.01)
            worst = max(worst, time.perf_counter() - begins)
    assert worst < 0.5
    await journal.close()


async def test_a_file_that_does_not_answer_stops_neither_start_nor_stop(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("collector.journal.journal.OPEN_LIMIT", 0.3)
    path = await asyncio.to_thread(put, tmp_path / "journal.sqlite", [], [(START, START + 60)])
    old = sqlite3.connect(path)
    old.execute("PRAGMA journal_mode=DELETE")
    old.close()
    async with held(path, "EXCLUSIVE", 3):
        begins = time.monotonic()
        journal = await Journal.open(path)
        assert journal.notes == (f"journal {path} has not answered for 0.3 s; going on without it until it does",)
        assert await journal.saved() == Saved()
        await journal.close(0.3)
        assert time.monotonic() - begins < 2
        journal = await Journal.open(path)
        journal.save(saved_at(START + 99), START + 99)
    await until_saved(journal, START + 60, within=10)
    await journal.close()


SLOW_SYNC = """
unsigned int sleep(unsigned int seconds);
int fsync(int file) { (void)file; sleep(1); return 0; }
int fdatasync(int file) { (void)file; sleep(1); return 0; }
"""
ON_SLOW_DISK = """
import asyncio, sys, time, uvloop
from pathlib import Path
from collector.journal import Change, Journal, Saved
from collector.model import SystemState

async def main():
    begins = time.monotonic()
    journal = await Journal.open(Path(sys.argv[1]))
    print("open", time.monotonic() - begins)
    now, worst = time.time(), 0.0
    for number in range(100):
        for system in range(100):
            journal.change(Change(f"s{system}", now + number, SystemState.UP, SystemState.DOWN, "x", "poll"))
        journal.save(Saved(), now + number)
        before = time.perf_counter()
        await asyncio.sleep(0.02)
        worst = max(worst, time.perf_counter() - before)
    print("worst", worst)
    before = time.monotonic()
    await journal.close(15.0)
    print("close", time.monotonic() - before, "trouble", journal.trouble or "none", "lost", journal.lost)
uvloop.run(main())
"""


@pytest.mark.system
async def test_a_disk_that_takes_seconds_to_sync_never_holds_the_loop(
    tmp_path: Path, real: Callable[[str], str]
) -> None:
    source, shim = tmp_path / "slow.c", tmp_path / "slow.so"
    source.write_text(SLOW_SYNC)
    subprocess.run([real("cc"), "-shared", "-fPIC", "-nostdlib", "-o", shim, source], check=True)
    path = tmp_path / "journal.sqlite"
    await asyncio.to_thread(put, path)
    child = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        ON_SLOW_DISK,
        str(path),
        stdout=subprocess.PIPE,
        env={"PYTHONPATH": str(ROOT), "LD_PRELOAD": str(shim)},
    )
    said = (await child.communicate())[0].decode()
    assert child.returncode == 0
    words = said.split()
    assert float(words[words.index("worst") + 1]) < 0.5, said
    assert float(words[words.index("close") + 1]) > 1, said
    assert "trouble none lost 0" in said
    assert await read(path, lambda ledger: [len(ledger.changes(f"s{one}", 0, 1e10)) for one in (0, 99)]) == [100, 100]
