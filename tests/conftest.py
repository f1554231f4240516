"""What every test may use."""

from __future__ import annotations

import asyncio
import faulthandler
import os
import shutil
from collections.abc import Callable, Generator, Iterator
from pathlib import Path

import pytest
import uvloop
from blockbuster import BlockBuster, blockbuster_ctx

# Folders whose tests talk over sockets to servers that they start.
WITH_PEERS = frozenset({"demo", "exporters", "feeds", "probes", "sources", "traps"})
TEARDOWN = 60.0  # seconds; the limit of a test itself is its own, and pytest-timeout's
_STDERR = pytest.StashKey[int]()


def pytest_asyncio_loop_factories() -> dict[str, Callable[[], asyncio.AbstractEventLoop]]:
    """Tests run on the loop that the service runs on."""
    return {"uvloop": uvloop.new_event_loop}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What needs a real program of another project, or servers of our own, says so: the unit part goes without."""
    for item in items:
        if item.path.parent.name in WITH_PEERS:
            item.add_marker("peers")
        if "real" in getattr(item, "fixturenames", ()):
            item.add_marker("real")


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_teardown(item: pytest.Item) -> Generator[None, object, object]:
    """Whatever waits for ever ends the run, and says where it stands: a test that failed has no other limit."""
    faulthandler.dump_traceback_later(TEARDOWN, exit=True, file=item.config.stash[_STDERR])
    try:
        return (yield)
    finally:
        faulthandler.cancel_dump_traceback_later()


def pytest_configure(config: pytest.Config) -> None:
    """A failure is shown when it happens: a run that is ended from outside has said what failed."""
    config.stash[_STDERR] = os.dup(2)  # what is printed is not caught yet
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(_AtOnce(config))


class _AtOnce:
    def __init__(self, config: pytest.Config) -> None:
        self._config = config

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            terminal: pytest.TerminalReporter | None = self._config.pluginmanager.get_plugin("terminalreporter")
            if terminal is not None:
                terminal.write_line(f"\n{report.nodeid} failed in its {report.when}:\n{report.longreprtext}")


@pytest.fixture(autouse=True)
def blockbuster() -> Iterator[BlockBuster]:
    """A blocking call on the event loop from our own modules fails the test."""
    with blockbuster_ctx(scanned_modules=["collector", "exporters"]) as detector:
        yield detector


@pytest.fixture(scope="session")
def real() -> Callable[[str], str]:
    """Path of a real program; without it the test is skipped, or fails where CI demands it."""
    # Debian keeps each version of PostgreSQL apart.
    versions = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))
    places = [os.environ.get("PATH", ""), "/usr/sbin", "/sbin", *map(str, versions[-1:])]

    def find(program: str) -> str:
        path = shutil.which(program, path=":".join(places))
        if path is None and os.environ.get("CI") == "true":
            pytest.fail(f"{program} is not installed; CI needs it")
        if path is None:
            pytest.skip(f"{program} is not installed")
        return path

    return find
