"""A change of a file is noticed, also when what its name stands for was exchanged before."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import watchfiles

from collector import watching
from collector.watching import changes

pytestmark = pytest.mark.slow
OFTEN = 0.1


class Watcher:
    """Counts the changes that were noticed."""

    def __init__(self, *files: Path) -> None:
        self.files = files
        self.noticed = 0
        self.stopping = asyncio.Event()

    async def run(self) -> None:
        async for _ in changes(lambda: self.files, self.stopping, OFTEN):
            self.noticed += 1

    async def after(self, act: Callable[[], object]) -> bool:
        """Whether something is noticed after `act`."""
        await asyncio.sleep(8 * OFTEN)  # so that nothing of before counts
        before = self.noticed
        await asyncio.to_thread(act)
        for _ in range(50):
            await asyncio.sleep(0.05)
            if self.noticed > before:
                return True
        return False


@asynccontextmanager
async def watched(*files: Path) -> AsyncIterator[Watcher]:
    watcher = Watcher(*files)
    task = asyncio.create_task(watcher.run())
    try:
        yield watcher
    finally:
        watcher.stopping.set()
        async with asyncio.timeout(2):
            await task


def rotate(secret: Path, content: str) -> None:
    fresh = secret.with_name("fresh")
    fresh.write_text(content)
    fresh.replace(secret)


@pytest.fixture
def config(tmp_path: Path) -> Path:
    (tmp_path / "config" / "targets.d").mkdir(parents=True)
    (tmp_path / "config" / "monitor.yaml").write_text("")
    return tmp_path / "config"


async def test_every_rotation_of_a_secret_is_noticed(config: Path, tmp_path: Path) -> None:
    """Whoever exchanges a file renames another to its name: the kernel goes on watching the one that is gone."""
    secret = tmp_path / "secrets" / "token"
    secret.parent.mkdir()
    secret.write_text("first")
    async with watched(config, secret) as watcher:
        for content in ("second", "third", "fourth"):
            assert await watcher.after(partial(rotate, secret, content)), content
        assert await watcher.after(secret.unlink)
        assert await watcher.after(lambda: secret.write_text("back"))
        assert await watcher.after(lambda: secret.write_text("and again"))


async def test_a_directory_that_is_replaced_is_still_watched(config: Path, tmp_path: Path) -> None:
    """A release is put in place by a link that then leads elsewhere."""
    release = tmp_path / "release"
    shutil.copytree(config, release)
    link = tmp_path / "link"
    link.symlink_to(config)

    def switch() -> None:
        fresh = tmp_path / "fresh"
        fresh.symlink_to(release)
        fresh.replace(link)

    async with watched(link) as watcher:
        assert await watcher.after(lambda: (link / "targets.d" / "a.yaml").write_text("targets: []"))
        assert await watcher.after(switch)
        assert await watcher.after(lambda: (link / "targets.d" / "b.yaml").write_text("targets: []"))
        assert await watcher.after(lambda: shutil.rmtree(release))
        assert await watcher.after(lambda: (release / "targets.d").mkdir(parents=True))
        assert await watcher.after(lambda: (link / "targets.d" / "c.yaml").write_text("targets: []"))


async def test_other_files_are_none_of_our_business(config: Path) -> None:
    async with watched(config) as watcher:
        assert not await watcher.after(lambda: (config / "notes.txt").write_text("nothing"))


async def test_files_are_looked_at_where_they_cannot_be_watched(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine allows a user so many watches, over all of its processes."""

    async def without_room(*files: Path, force_polling: bool | None, **settings: Any) -> AsyncIterator[object]:
        if not force_polling:
            raise OSError("OS file watch limit reached.")
        async for changed in watchfiles.awatch(*files, force_polling=True, **settings):
            yield changed

    monkeypatch.setattr(watching, "awatch", without_room)
    async with watched(config) as watcher:
        assert await watcher.after(lambda: (config / "monitor.yaml").write_text("limits:"))
        assert await watcher.after(lambda: (config / "targets.d" / "a.yaml").write_text("targets: []"))
