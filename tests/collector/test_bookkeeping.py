"""Account is kept second by second, whatever one of them brings."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from collector import bookkeeping
from collector.bookkeeping import Bookkeeping
from collector.journal import Change
from collector.model import Labels, Sample
from collector.settings import Config, load
from tests.configuring import with_base

pytestmark = pytest.mark.slow


class Nowhere:
    """A sink that keeps nothing."""

    def put(self, owner: str, labels: Labels, samples: Iterable[Sample]) -> None: ...

    def drop(self, owner: str) -> None: ...


async def configured(directory: Path, retention: str = "40d") -> Config:
    text = f"journal: {{path: {directory / 'journal.sqlite'}, retention: {retention}, event_retention: 3d}}"
    return await asyncio.to_thread(lambda: load([with_base(directory / "config", monitor=text)]))


@asynccontextmanager
async def kept(directory: Path) -> AsyncIterator[Bookkeeping]:
    config = await configured(directory)
    books = await Bookkeeping.open(Nowhere(), config.monitor.journal)
    books.apply(config, {})
    books.start()
    try:
        yield books
    finally:
        await books.close()


async def test_a_fault_of_one_second_is_not_the_last_of_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bookkeeping, "ADVANCE_EVERY", 0.05)
    seconds = 0

    def stumble() -> list[Change]:
        nonlocal seconds
        seconds += 1
        raise RuntimeError("a bug")

    async with kept(tmp_path) as books:
        with monkeypatch.context() as here:
            here.setattr(books.standing, "advance", stumble)
            await asyncio.sleep(0.5)
        assert seconds > 2
        before = books.journal.saved_at
        async with asyncio.timeout(5):
            while books.journal.saved_at == before:
                await asyncio.sleep(0.05)


async def test_the_journal_is_let_go_although_the_last_second_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with kept(tmp_path) as books:
        monkeypatch.setattr(books.standing, "saved", lambda: 1 / 0)
    async with kept(tmp_path) as again:
        assert again.journal.trouble == ""


async def test_a_reload_changes_how_long_things_are_kept(tmp_path: Path) -> None:
    async with kept(tmp_path) as books:
        books.apply(await configured(tmp_path, retention="50d"), {})
        assert books.journal._writer.keeping.retention == 50 * 86400
