"""Files of a local folder: which are taken, which are left alone, and folders that somebody else writes into."""

from __future__ import annotations

import asyncio
import gzip
import os
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from collector.model import ProbeFailed
from collector.sources import folder as module
from collector.sources.fetched import Fetched
from collector.sources.spec import FolderSource
from tests.peers import leaving_nothing
from tests.sourcing import source, sourcing

CSV = b"site,lat,lon\nQN1,15.1,108.8\n"


def put(path: Path, content: bytes = CSV, age: float = 60.0) -> Path:
    """A file that was changed `age` seconds ago."""
    path.write_bytes(content)
    changed = time.time() - age
    os.utime(path, (changed, changed))
    return path


async def look(here: Path, **settings: Any) -> tuple[Fetched, ...]:
    """What a new source finds."""
    async with sourcing() as at, leaving_nothing():
        return await at.fetch(source(folder=str(here), **settings))


async def failure(here: Path, **settings: Any) -> tuple[str, str]:
    """Why a new source finds nothing."""
    async with sourcing() as at:
        return await at.failure(source(folder=str(here), **settings))


async def test_the_newest_file_is_taken(tmp_path: Path) -> None:
    put(tmp_path / "z.csv", b"old", age=600)
    put(tmp_path / "a.csv", b"new", age=60)
    put(tmp_path / "b.txt", b"other", age=10)
    (document,) = await look(tmp_path, pattern="*.csv")
    assert (document.name, document.content, document.media_type, document.charset) == ("a.csv", b"new", "", "")
    assert document.modified == document.arrived == pytest.approx(time.time() - 60, abs=5)


async def test_all_files_are_taken_by_name(tmp_path: Path) -> None:
    for number, name in enumerate(["c.csv", "a.csv", "b.csv.gz"]):
        put(tmp_path / name, gzip.compress(name.encode()), age=100 - number)
    documents = await look(tmp_path, pattern="*.csv*", take="all")
    assert [(document.name, document.content) for document in documents] == [
        ("a.csv", b"a.csv"), ("b.csv.gz", b"b.csv.gz"), ("c.csv", b"c.csv"),
    ]  # fmt: skip


@pytest.mark.parametrize("name", ["x.csv.part", "x.csv.PART", "x.tmp", ".x.csv", "x.txt"])
async def test_names_that_are_left_alone(tmp_path: Path, name: str) -> None:
    put(tmp_path / name)
    pattern = "*.csv*" if name.endswith(".txt") else "*"
    assert await failure(tmp_path, pattern=pattern) == ("unexpected", f"no file is called {pattern}")


async def test_a_file_that_is_being_written_is_left_alone(tmp_path: Path) -> None:
    put(tmp_path / "new.csv", b"half", age=0)
    assert (await failure(tmp_path))[1] == "no file that is called * is complete, and new enough"
    put(tmp_path / "old.csv", age=600)
    assert [document.name for document in await look(tmp_path)] == ["old.csv"]
    assert [document.name for document in await look(tmp_path, take="all")] == ["old.csv"]
    assert [document.name for document in await look(tmp_path, settle="1ms")] == ["new.csv"]


async def test_while_the_only_file_is_written_again_nothing_changes(tmp_path: Path) -> None:
    cells = put(tmp_path / "cells.csv")
    async with sourcing() as at:
        feed = source(folder=str(tmp_path), settle="300ms")
        first = await at.fetch(feed)
        cells.write_bytes(b"half")
        assert await at.fetch(feed) is first
        await asyncio.sleep(0.35)
        (document,) = await at.fetch(feed)
        assert document.content == b"half"


async def test_a_file_from_the_future_is_taken_when_it_no_longer_changes(tmp_path: Path) -> None:
    cells = put(tmp_path / "cells.csv", age=-3600)
    async with sourcing() as at:
        feed = source(folder=str(tmp_path), settle="300ms")
        assert (await at.failure(feed))[0] == "unexpected"
        put(cells, b"longer than before, and also of the future", age=-3600)
        await asyncio.sleep(0.35)
        assert (await at.failure(feed))[0] == "unexpected"
        await asyncio.sleep(0.35)
        (document,) = await at.fetch(feed)
        assert document.arrived == pytest.approx(time.time(), abs=5)


async def test_what_did_not_change_is_the_same_object_and_not_read(tmp_path: Path) -> None:
    first_file = put(tmp_path / "a.csv", b"1")
    async with sourcing() as at:
        newest, every = source(folder=str(tmp_path)), source(folder=str(tmp_path), take="all")
        first, all_first = await at.fetch(newest), await at.fetch(every)
        status = first_file.stat()
        first_file.write_bytes(b"2")  # as nobody could tell
        os.utime(first_file, ns=(status.st_atime_ns, status.st_mtime_ns))
        assert await at.fetch(newest) is first
        put(tmp_path / "b.csv", b"3", age=30)
        second, all_second = await at.fetch(newest), await at.fetch(every)
    assert second[0].content == b"3"
    assert all_second[0] is all_first[0]
    assert [document.content for document in all_second] == [b"1", b"3"]


async def test_only_files_of_late(tmp_path: Path) -> None:
    put(tmp_path / "a.csv", age=4000)
    put(tmp_path / "b.csv", age=1000)
    assert [document.name for document in await look(tmp_path, take="all", within="1h")] == ["b.csv"]
    assert (await failure(tmp_path, within="5m"))[0] == "unexpected"


@pytest.mark.parametrize("take", ["newest", "all"])
async def test_files_that_are_no_longer_of_late_are_let_go(tmp_path: Path, take: str) -> None:
    """A folder into which nobody writes any more is a failure, also to who has read its files."""
    cells = put(tmp_path / "cells.csv", age=0.1)
    async with sourcing() as at:
        feed = source(folder=str(tmp_path), settle="1ms", within="1s", take=take)
        first = await at.fetch(feed)
        assert await at.fetch(feed) is first
        await asyncio.sleep(1)
        assert (await at.failure(feed))[0] == "unexpected"
        put(cells, age=-3600)  # it is being written again, for all that we can tell
        assert (await at.failure(feed))[0] == "unexpected"


async def test_an_empty_folder_is_the_feeds_fault_and_a_missing_one_ours(tmp_path: Path) -> None:
    assert await failure(tmp_path) == ("unexpected", "no file is called *")
    with pytest.raises(FileNotFoundError):
        await look(tmp_path / "missing")


async def test_links_folders_and_pipes_are_no_files(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    secret = put(tmp_path / "secret")
    (tmp_path / "in" / "link.csv").symlink_to(secret)
    (tmp_path / "in" / "folder.csv").mkdir()
    os.mkfifo(tmp_path / "in" / "pipe.csv")
    assert (await failure(tmp_path / "in"))[1] == "no file is called *"


@pytest.mark.parametrize("becomes", ["link", "pipe", "nothing", "another file"])
def test_a_file_that_becomes_something_else_meanwhile_is_not_read(tmp_path: Path, becomes: str) -> None:
    cells = put(tmp_path / "cells.csv")
    feed = FolderSource(folder=tmp_path)
    (entry,) = module.entries(feed)
    cells.unlink()
    if becomes == "link":
        cells.symlink_to(put(tmp_path / "secret"))
    elif becomes == "pipe":
        os.mkfifo(cells)
    elif becomes == "another file":
        put(cells, b"x")
    assert module.read(feed, entry) is None


async def test_a_file_that_changes_while_it_is_read_is_not_taken(tmp_path: Path) -> None:
    """A writer that never waits: what is taken is always one whole state."""
    cells, stop = put(tmp_path / "cells.csv", b"a" * 100_000), threading.Event()

    def write() -> None:
        letter = 0
        while not stop.is_set():
            letter = (letter + 1) % 26
            with cells.open("r+b", buffering=0) as file:
                for part in range(10):
                    file.seek(part * 10_000)
                    file.write(bytes([97 + letter]) * 10_000)
            time.sleep(0.005)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        feed = FolderSource(folder=tmp_path)
        for _ in range(200):
            for entry in await asyncio.to_thread(module.entries, feed):
                content = await asyncio.to_thread(module.read, feed, entry)
                if content is not None and time.time() - entry.stamp.modified > 0.1:
                    assert len(set(content)) == 1
    finally:
        stop.set()
        await asyncio.to_thread(writer.join)


async def test_limits(tmp_path: Path) -> None:
    put(tmp_path / "a.csv", bytes(100))
    put(tmp_path / "b.csv", bytes(100))
    assert len(await look(tmp_path, take="all", max_size=100, max_total_size=200, max_documents=2)) == 2
    for settings, detail in (
        ({"max_size": 99}, "a file is larger than 99 bytes"),
        ({"max_total_size": 199}, "the files are larger than 199 bytes"),
        ({"max_documents": 1}, "more than 1 files"),
    ):
        assert await failure(tmp_path, take="all", **settings) == ("too_large", detail)
    put(tmp_path / "c.csv", gzip.compress(bytes(300 * 1024**2)), age=10)
    assert (await failure(tmp_path))[0] == "too_large"


async def test_a_web_page_is_no_document(tmp_path: Path) -> None:
    put(tmp_path / "cells.csv", b"<!doctype html><title>404</title>")
    assert await failure(tmp_path) == ("unexpected", "a web page (HTML) came instead of a document")
    with pytest.raises(ProbeFailed) as caught:
        await look(tmp_path)
    assert caught.value.documents == (("cells.csv", b"<!doctype html><title>404</title>"),)


async def test_a_crowded_folder_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(5):
        put(tmp_path / f"{number}.csv")
    monkeypatch.setattr(module, "MOST_ENTRIES", 5)
    assert await look(tmp_path)
    put(tmp_path / "6.txt")
    assert (await failure(tmp_path))[0] == "too_large"


async def test_names_that_are_no_text(tmp_path: Path) -> None:
    put(Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff\x1b[31m.csv")))
    (document,) = await look(tmp_path, pattern="*.csv")
    assert document.name == "\ufffd_[31m.csv"
    assert document.content == CSV


async def test_a_folder_that_hangs_holds_one_thread(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file system that does not answer: the runs end in time, and other folders are read on."""
    put(tmp_path / "cells.csv")
    go, entries = threading.Event(), module.entries

    def hang(feed: FolderSource) -> Any:
        if feed.pattern == "hangs":
            go.wait(10)
        return entries(feed)

    monkeypatch.setattr(module, "entries", hang)
    async with sourcing() as at:
        bad, good = source(folder=str(tmp_path), pattern="hangs"), source(folder=str(tmp_path))
        with pytest.raises(TimeoutError):
            await at.fetch(bad, timeout=0.1)
        for _ in range(10):
            with pytest.raises(OSError, match="an earlier look into the folder has not ended"):
                await at.fetch(bad, timeout=0.1)
            assert await at.fetch(good, timeout=0.5)
        go.set()
        await asyncio.sleep(0.05)
        with pytest.raises(ProbeFailed):
            await at.fetch(bad, timeout=0.5)
