"""Whatever became of the file, the service starts, says what it did, and goes on with the newest data that is sound."""

from __future__ import annotations

import asyncio
import os
import random
import shutil
import sqlite3
import struct
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from collector.journal import Change, Journal, Saved, schema
from collector.journal.opening import open_file
from collector.journal.schema import VERSION, connect, prepare, transaction
from collector.journal.upkeep import back_up
from collector.model import SystemState
from tests.collector.journal.ledgers import START, put, read, saved_at, until_saved

UP, DOWN = SystemState.UP, SystemState.DOWN
ROOT = Path(__file__).parents[3]
CHANGES = 3000


def history(path: Path, changes: int = CHANGES) -> Path:
    """A journal of several hundred pages; its copy; and as much again that only the journal holds."""
    states = [Change("portal", START + i, UP, DOWN if i % 2 else UP, f"reason {i}", "poll") for i in range(changes)]
    put(path, states[: changes // 2], [(START, START + changes // 2)], {"portal": START})
    assert back_up(path) == ""
    return put(path, states[changes // 2 :], [(START, START + changes)], {"portal": START})


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Such a journal, to be copied and damaged."""
    return history(tmp_path_factory.mktemp("whole") / "journal.sqlite")


@pytest.fixture
def path(tmp_path: Path, whole: Path) -> Path:
    """A copy of it with its own copy beside it."""
    shutil.copytree(whole.parent, tmp_path, dirs_exist_ok=True)
    return tmp_path / whole.name


async def goes_on(path: Path, save: bool = True) -> tuple[tuple[str, ...], Saved, int]:
    """Start, read, record, stop: the notes, what was saved before, and how many changes are there then."""
    journal = await Journal.open(path)
    saved = await journal.saved()
    journal.change(Change("portal", START + 99_999, UP, DOWN, "after", "poll"))
    journal.save(saved_at(START + 99_999), START + 99_999)
    if save:
        await until_saved(journal, START + 99_998)
    await journal.close()
    changes = await read(path, lambda ledger: ledger.changes("portal", 0, 1e10)) if save else []
    assert not save or changes[-1].reason == "after"
    return journal.notes, saved, len(changes) - 1


def aside(path: Path) -> list[str]:
    """Names of the files that were put aside."""
    return sorted(one.name for one in path.parent.iterdir() if ".corrupt-" in one.name or ".newer-" in one.name)


def remove(path: Path) -> None:
    path.unlink()


def empty(path: Path) -> None:
    path.write_bytes(b"")


def truncate(path: Path) -> None:
    """At two thirds, as by a full disk or a copy that broke off."""
    size = path.stat().st_size
    with path.open("r+b") as file:
        file.truncate(size * 2 // 3)


def truncate_within_the_first_page(path: Path) -> None:
    with path.open("r+b") as file:
        file.truncate(1000)


def zero(path: Path) -> None:
    """Full of zeros, as some file systems leave a file after a loss of power."""
    path.write_bytes(bytes(path.stat().st_size))


def overwrite(path: Path) -> None:
    path.write_bytes(b"<html>No space left</html>" * 1000)


def break_a_page(path: Path) -> None:
    """One page in the middle."""
    size = path.stat().st_size
    with path.open("r+b") as file:
        file.seek(size // 2 // 4096 * 4096)
        file.write(random.Random(1).randbytes(4096))


def break_the_schema(path: Path) -> None:
    """The tables are there, but what they are called is not."""
    with path.open("r+b") as file:
        file.seek(100)
        file.write(bytes(3996))


@pytest.mark.parametrize(
    ("damage", "note", "kept", "changes"),
    [
        (remove, "rows taken from journal.sqlite.backup", False, (CHANGES // 2, CHANGES // 2)),
        (empty, "the file was empty", False, (CHANGES // 2, CHANGES // 2)),
        (truncate, "was damaged", True, (CHANGES // 2 + 100, CHANGES)),
        (truncate_within_the_first_page, "was damaged", True, (CHANGES // 2, CHANGES // 2)),
        (zero, "was damaged", True, (CHANGES // 2, CHANGES // 2)),
        (overwrite, "was damaged", True, (CHANGES // 2, CHANGES // 2)),
        (break_a_page, "was damaged", True, (CHANGES - 200, CHANGES)),
        (break_the_schema, "was damaged", True, (CHANGES // 2, CHANGES // 2)),
    ],
)
async def test_damage_is_repaired_from_what_is_sound(
    path: Path, damage: Callable[[Path], None], note: str, kept: bool, changes: tuple[int, int]
) -> None:
    damage(path)
    before = path.read_bytes() if kept else b""
    notes, saved, found = await goes_on(path)
    assert any(note in one for one in notes), notes
    assert changes[0] <= found <= changes[1], notes
    assert saved.states == {"portal": UP}
    assert saved.settled_until["portal"] >= START + CHANGES // 2
    assert bool(aside(path)) is kept
    if kept:
        assert (path.parent / aside(path)[0]).read_bytes() == before
    again, _, after = await goes_on(path)
    assert (again, after) == ((), found)


async def test_without_a_copy_it_begins_anew_and_keeps_the_rest_aside(path: Path) -> None:
    path.with_name("journal.sqlite.backup").unlink()
    zero(path)
    notes, saved, found = await goes_on(path)
    assert "was damaged" in notes[0]
    assert (saved, found) == (Saved(), 0)
    assert len(aside(path)) == 1


@pytest.mark.parametrize("seed", range(40))
async def test_any_flipped_bit_leaves_a_journal_that_works(path: Path, seed: int) -> None:
    """At most what stood on the damaged page is lost; SQLite has no checksums, so not every flip is seen."""
    chance = random.Random(seed)
    content = bytearray(path.read_bytes())
    # The first page decides most, so half of the flips go there.
    place = chance.randrange(4096 if seed % 2 else len(content))
    content[place] ^= 1 << chance.randrange(8)
    path.write_bytes(content)
    notes, _, _ = await goes_on(path, save=False)
    assert not any("is not used" in note for note in notes), (place, notes)
    after = sqlite3.connect(path)
    assert after.execute("SELECT count(*) FROM changes").fetchone()[0] > CHANGES // 2, (place, notes)
    after.close()


async def test_of_a_broken_log_what_came_before_the_break_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    journal = await Journal.open(path)
    for number in range(20):
        journal.change(Change("portal", START + number, UP, DOWN, "x" * 400, "poll"))
        before = journal.saved_at
        journal.save(saved_at(START + number), START + number)
        await until_saved(journal, before)
    # As a killed service leaves it.
    dead = tmp_path / "dead"
    dead.mkdir()
    for name in ("journal.sqlite", "journal.sqlite-wal"):
        shutil.copy(tmp_path / name, dead / name)
    await journal.close()
    log = dead / "journal.sqlite-wal"
    content = bytearray(log.read_bytes())
    content[len(content) // 2] ^= 1
    log.write_bytes(content)
    notes, _, found = await goes_on(dead / "journal.sqlite")
    assert notes == ()
    assert 3 < found < 20


async def test_an_older_schema_is_brought_up_to_date(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    steps = schema._STEPS

    def first_version() -> None:
        connection = connect(path, "rwc")
        prepare(connection)
        with transaction(connection):
            for statement in steps[0]:
                connection.execute(statement)
            connection.execute(f"PRAGMA application_id={schema.APPLICATION_ID}")
            connection.execute("PRAGMA user_version=1")
            connection.execute("INSERT INTO changes VALUES (1, 'portal', ?, NULL, 'up', 'before', 'poll')", (START,))
        connection.close()

    await asyncio.to_thread(first_version)
    notes, _, found = await goes_on(path)
    assert notes == (f"journal {path} brought from schema 1 to {VERSION}",)
    assert found == 1
    assert aside(path) == []
    assert (await goes_on(path))[0] == ()


async def test_of_a_newer_schema_what_is_known_is_taken_over(path: Path) -> None:
    """After a downgrade the service goes on, and the newer file stays as it is for the next upgrade."""
    newer = sqlite3.connect(path)
    newer.execute("ALTER TABLE changes ADD COLUMN severity TEXT")
    newer.execute("CREATE TABLE notifications (at REAL)")
    newer.execute(f"PRAGMA user_version={VERSION + 1}")
    newer.close()
    notes, saved, found = await goes_on(path)
    assert f"written by a newer version (schema {VERSION + 1}, this is {VERSION})" in notes[0]
    assert found == CHANGES
    assert saved.settled_until == {"portal": START + CHANGES}
    (kept,) = aside(path)
    other = sqlite3.connect(path.parent / kept)
    assert other.execute("SELECT count(severity), count(*) FROM changes").fetchone() == (0, CHANGES)
    other.close()


async def test_a_database_of_something_else_is_not_touched(tmp_path: Path) -> None:
    path = tmp_path / "grafana.db"
    other = sqlite3.connect(path)
    other.execute("CREATE TABLE dashboard (id)")
    other.commit()
    other.close()
    before = path.read_bytes()
    notes, saved, _ = await goes_on(path, save=False)
    assert "is not used: it is a database of something else; nothing is saved" in notes[0]
    assert saved == Saved()
    assert path.read_bytes() == before
    assert sorted(one.name for one in tmp_path.iterdir()) == ["grafana.db", "grafana.db.lock"]


async def test_a_directory_in_its_place_is_not_touched(tmp_path: Path) -> None:
    notes, _, _ = await goes_on(tmp_path, save=False)
    assert "is not used: it is not a file" in notes[0]


async def test_files_put_aside_do_not_fill_the_disk(path: Path) -> None:
    for _ in range(5):
        overwrite(path)
        await asyncio.to_thread(lambda: open_file(path).close())
    assert len(aside(path)) == 3


AS_NOBODY = """
import asyncio, os, sys, uvloop
from pathlib import Path
from collector.journal import Journal, Saved
os.setgroups([]), os.setgid(65534), os.setuid(65534)
async def main():
    journal = await Journal.open(Path(sys.argv[1]))
    saved = await journal.saved()
    journal.save(Saved(), 1793466000.0)
    await asyncio.sleep(0.2)
    print(journal.notes, len(saved.states), round(journal.saved_at))
    await journal.close(1.0)
uvloop.run(main())
"""


@pytest.mark.parametrize(
    ("directory", "file", "known"),
    [
        (0o755, 0o644, 1),  # a directory and a file that belong to another: read, but not written
        (0o755, 0o600, 0),  # not even read
        (0o700, 0o600, 0),  # nor found
        (0o777, 0o444, 1),
    ],
)
def test_a_journal_of_another_owner_is_read_if_it_may_be(whole: Path, directory: int, file: int, known: int) -> None:
    if os.getuid() != 0:
        pytest.skip("needs root, to be somebody else")
    # Not below the directory of pytest, which others may not enter.
    place = Path("/var/tmp") / f"hatang-test-{directory:o}-{file:o}"
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir()
    path = Path(shutil.copy(whole, place))
    before = path.read_bytes()
    path.chmod(file)
    place.chmod(directory)
    try:
        done = subprocess.run(
            [sys.executable, "-c", AS_NOBODY, str(path)],
            capture_output=True,
            text=True,
            check=False,
            env={"PYTHONPATH": str(ROOT)},
            cwd="/",
            timeout=15,
        )
        assert "cannot be written" in done.stdout, done.stderr
        moment = START + CHANGES if known else 0
        assert f") {known} {moment:.0f}\n" in done.stdout
        assert path.read_bytes() == before
        assert aside(path) == []
    finally:
        shutil.rmtree(place)


async def test_damage_while_in_use_is_repaired_too(path: Path) -> None:
    journal = await Journal.open(path)
    with path.open("r+b") as file:
        file.seek(40960)
        file.write(struct.pack(">I", 0xDEADBEEF) * 200_000)
    for number in range(400):
        journal.change(Change("portal", START + 50_000 + number, UP, DOWN, "x" * 400, "poll"))
    journal.save(saved_at(START + 50_400), START + 50_400)
    await until_saved(journal, START + 50_400, within=15)
    await journal.close()
    assert (journal.lost, journal.trouble) == (0, "")
    changes = await read(path, lambda ledger: ledger.changes("portal", 0, 1e10))
    assert len([one for one in changes if one.at >= START + 50_000]) == 400
    assert len(changes) >= CHANGES // 2 + 400


async def test_a_deleted_journal_comes_back_with_all_it_held(path: Path) -> None:
    path.with_name("journal.sqlite.backup").unlink()
    journal = await Journal.open(path)
    for name in ("journal.sqlite", "journal.sqlite-wal", "journal.sqlite-shm", "journal.sqlite.lock"):
        (path.parent / name).unlink(missing_ok=True)
    journal.change(Change("portal", START + 50_000, UP, DOWN, "after", "poll"))
    journal.save(saved_at(START + 50_000), START + 50_000)
    await until_saved(journal, START + 50_000)
    await journal.close()
    assert len(await read(path, lambda ledger: ledger.changes("portal", 0, 1e10))) == CHANGES + 1


async def test_a_journal_that_was_exchanged_is_followed(path: Path, tmp_path: Path) -> None:
    """Somebody puts another one in place: from the next save on it is the one that is written."""
    journal = await Journal.open(path)
    restored = Change("portal", START, None, UP, "restored", "poll")
    other = await asyncio.to_thread(put, tmp_path / "other.sqlite", [restored])
    for name in ("journal.sqlite-wal", "journal.sqlite-shm"):
        (path.parent / name).unlink(missing_ok=True)
    other.rename(path)
    journal.save(saved_at(START + 50_000), START + 50_000)
    await until_saved(journal, START + 50_000)
    await journal.close()
    changes = await read(path, lambda ledger: ledger.changes("portal", 0, 1e10))
    assert [one.reason for one in changes] == ["restored"]
