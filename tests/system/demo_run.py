"""One run of `hatang demo`, with what it said and what Prometheus remembers of it."""

from __future__ import annotations

import asyncio
import json
import os
import re
import subprocess
import sys
import time
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp

from collector.demo.shows import Show
from tests.serving import PATIENCE
from tests.system.process import free_port

ROOT = Path(__file__).parents[2]
EVENT = re.compile(r"(begins|ends) ([a-z-]+):")
Samples = list[tuple[float, float]]
TIME_LIMIT = 5.0  # of one run
STAGE_LIMIT = 120.0  # until all is known, on a busy machine
MARGIN = 1.5  # rounding of Prometheus' steps, and the line that announces


def command(config: Path, *words: str) -> list[str]:
    """`hatang demo` on a configuration."""
    return [sys.executable, "-m", "collector", "demo", "--config", str(config), *words]


def environment() -> dict[str, str]:
    """So that the project is found, and lines are not broken."""
    return {**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "300"}


def listed(config: Path, *words: str) -> list[dict[str, Any]]:
    """`--list-faults --format json`."""
    done = subprocess.run(
        command(config, "--list-faults", "--format", "json", *words),
        capture_output=True,
        check=True,
        env=environment(),
        cwd=ROOT,
        timeout=60,
    )
    faults: list[dict[str, Any]] = json.loads(done.stdout)
    return faults


@dataclass(frozen=True, slots=True)
class Timing:
    """When a fault began and ended, and how long what it shows may take to be seen (all in Unix seconds)."""

    begins: float
    ends: float
    polled_within: float
    scraped_within: float

    @classmethod
    def of(cls, fault: dict[str, Any], events: Mapping[tuple[str, bool], float], scraped_within: float) -> Timing:
        """Of a fault as it is listed, and as it was announced."""
        name = fault["id"]
        return cls(events[name, True], events[name, False], fault["polled_within_seconds"], scraped_within)

    def shows_by(self, show: Mapping[str, Any]) -> float:
        """From then on until the end it must show."""
        return self.begins + self._seen_within + float(show["confirmed_seconds"])

    def gone_by(self, show: Mapping[str, Any]) -> float:
        """From then on it must not."""
        return self.ends + self._seen_within + float(show["recovered_seconds"])

    @property
    def _seen_within(self) -> float:
        return self.polled_within + TIME_LIMIT + self.scraped_within + MARGIN


def complaints(
    timing: Timing, show: Mapping[str, Any], values: Mapping[int, float], span: tuple[float, float]
) -> Iterator[str]:
    """Where what shows a fault does not, or does when it must not; `values` by Unix second."""
    listed_show = Show(show["query"], show["compare"], show["value"])
    for second in range(int(span[0]) + 1, int(span[1])):
        value = values.get(second)
        holds = value is not None and listed_show.holds(value)
        when = f"{second - timing.begins:.0f} s after it began {show['expression']} is {value}"
        if timing.shows_by(show) <= second <= timing.ends - MARGIN and not holds:
            yield when
            return
        if not timing.begins - MARGIN <= second <= timing.gone_by(show) and holds:
            yield f"{when}, too"
            return


@dataclass(slots=True)
class Demo:
    """A running demo; `events` are (Unix time, fault, begins) as they are announced."""

    process: asyncio.subprocess.Process
    address: str
    prometheus: str
    client: aiohttp.ClientSession
    said: list[str] = field(default_factory=list)
    events: list[tuple[float, str, bool]] = field(default_factory=list)
    on_stage: asyncio.Event = field(default_factory=asyncio.Event)
    over: asyncio.Event = field(default_factory=asyncio.Event)

    async def listen(self, faults: int) -> None:
        """Keep what it says, until it says no more; `over` is when so many faults have ended."""
        assert self.process.stdout is not None
        async for raw in self.process.stdout:
            line = raw.decode()
            self.said.append(line)
            if match := EVENT.search(line):
                self.events.append((time.time(), match[2], match[1] == "begins"))
            if "simulated faults" in line:
                self.on_stage.set()
            if sum(not begins for _, _, begins in self.events) == faults:
                self.over.set()
        self.on_stage.set()
        self.over.set()

    async def query(self, expression: str) -> list[dict[str, Any]]:
        """An instant query."""
        return await self._ask("query", query=expression)

    async def values(
        self, expression: str, begin: float, end: float, step: float = 1
    ) -> list[tuple[dict[str, str], Samples]]:
        """A range query with a step of so many seconds."""
        found = await self._ask("query_range", query=expression, start=str(begin), end=str(end), step=str(step))
        return [(one["metric"], [(float(moment), float(value)) for moment, value in one["values"]]) for one in found]

    async def _ask(self, what: str, **parameters: str) -> list[dict[str, Any]]:
        async with self.client.get(f"{self.prometheus}/api/v1/{what}", params=parameters) as answer:
            said = await answer.json()
        assert said["status"] == "success", said
        result: list[dict[str, Any]] = said["data"]["result"]
        return result

    def children(self) -> list[int]:
        """Process ids of what it started."""
        return [
            int(pid) for pid in Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        ]


@asynccontextmanager
async def demo(config: Path, *words: str, faults: int = 0, children: int = 0) -> AsyncIterator[Demo]:
    """Start `hatang demo`, until the stage is set, or only until it has started so many `children`; stop it."""
    address, port = f"127.0.0.1:{free_port()}", free_port()
    ports = ("--prometheus-port", str(port), "--alertmanager-port", str(free_port()))
    arguments = command(config, "--listen", address, *ports, *words)
    process = await asyncio.create_subprocess_exec(
        *arguments, stdout=PIPE, stderr=subprocess.STDOUT, env=environment(), cwd=ROOT
    )
    async with aiohttp.ClientSession(timeout=PATIENCE) as client:
        running = Demo(process, f"http://{address}", f"http://127.0.0.1:{port}", client)
        listening = asyncio.create_task(running.listen(faults))
        try:
            await _started(running, children)
            assert process.returncode is None, "".join(running.said)
            yield running
        finally:
            if process.returncode is None:
                process.terminate()
            await process.wait()
            await listening


async def _started(running: Demo, children: int) -> None:
    async with asyncio.timeout(STAGE_LIMIT):
        if not children:
            await running.on_stage.wait()
        while len(running.children()) < children and not running.on_stage.is_set():
            await asyncio.sleep(0.05)
