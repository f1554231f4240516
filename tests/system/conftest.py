"""Demos that several modules judge are played at the same time: each takes minutes, and hardly any of the processor."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture(scope="session")
def plays(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Any]:
    """What `play(directory)` of each module of this folder whose tests are to run returned, by its name."""
    items = (item for item in request.session.items if item.path.parent == Path(__file__).parent)
    modules = {item.module for item in items if isinstance(item, pytest.Function)}
    playing: dict[str, Callable[[Any], Awaitable[Any]]] = {
        module.__name__: module.play for module in modules if hasattr(module, "play")
    }

    async def together() -> list[Any]:
        runs = [play(tmp_path_factory.mktemp(name)) for name, play in playing.items()]
        return await asyncio.gather(*runs, return_exceptions=True)

    results = dict(zip(playing, asyncio.run(together()), strict=True))

    def result_of(name: str) -> Any:
        if isinstance(results[name], BaseException):
            raise results[name]
        return results[name]

    return result_of
