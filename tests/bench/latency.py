"""Whether a scrape a second makes probes look slower: the 99th percentile of their durations, with and without."""

from __future__ import annotations

import asyncio
import json
import time
from pathlib import Path
from statistics import quantiles

from tests.bench.children import Broken
from tests.bench.effort import Effort
from tests.bench.figures import Budget, Figure
from tests.bench.ours import Ours, Target, samples, service, settled
from tests.bench.recording import WATCHED
from tests.bench.servers import SLOWNESS, nginx, slow_server

NAME = "probe p99 while scraped, against not"
SERIES = 37_000
SHARE_OK = 0.99
PROBES = 150
FILLERS = 3200
# Not a whole second: the scrapes move through all phases of the probes' slots.
SCRAPE_EVERY = 1.013
Window = tuple[float, float]
Run = tuple[float, float, bool]


async def measure(folder: Path, effort: Effort) -> list[Figure]:
    """Alternate windows with and without scrapes. Raises Unavailable."""
    quiet: list[Window] = []
    scraped: list[Window] = []
    async with nginx(folder) as server:
        with slow_server(folder) as port:
            targets = [*_fillers(server.plain), *_probes(port)]
            async with service(folder, targets, module=("tests.bench.recording",)) as ours:
                effort.say("latency: first runs")
                await settled(ours, len(targets))
                series = dict(samples(await ours.text(), "hatang_exposed_series"))[""]
                for number in range(1, effort.rounds + 1):
                    effort.say(f"latency: round {number} of {effort.rounds}")
                    quiet.append(await _quiet(1.5 * effort.seconds))
                    scraped.append(await _scraped(ours, 1.5 * effort.seconds))
        if not (folder / "durations.json").exists():
            raise Broken(f"the service did not end in order: {ours.child.last_words()}")
        durations = json.loads((folder / "durations.json").read_text(encoding="utf-8"))
    return [_figure(durations, quiet, scraped, series)]


def _figure(durations: list[Run], quiet: list[Window], scraped: list[Window], series: float) -> Figure:
    without = [_p99(durations, window) for window in quiet]
    during = [_p99(durations, window) for window in scraped]
    ratios = [one / other for one, other in zip(during, without, strict=True)]
    shown = ", ".join(f"{1000 * one:.1f}/{1000 * other:.1f}" for one, other in zip(during, without, strict=True))
    share_ok = sum(ok for _, _, ok in durations) / len(durations)
    note = f"{share_ok:.1%} ok, {series:,.0f} series, a server of {1000 * SLOWNESS:.0f} ms; p99 in ms: {shown}"
    return Figure(NAME, "x", ratios, Budget(1.2), note=note, sound=series >= SERIES and share_ok > SHARE_OK)


def _p99(durations: list[Run], window: Window) -> float:
    begun, ended = window
    inside = [duration for moment, duration, _ in durations if begun <= moment < ended]
    return quantiles(inside, n=100)[98]


async def _quiet(seconds: float) -> Window:
    begun = time.monotonic()
    await asyncio.sleep(seconds)
    return begun, time.monotonic()


async def _scraped(ours: Ours, seconds: float) -> Window:
    begun = time.monotonic()
    for number in range(round(seconds / SCRAPE_EVERY)):
        await asyncio.sleep(max(0.0, begun + number * SCRAPE_EVERY - time.monotonic()))
        await ours.scrape()
    return begun, time.monotonic()


def _fillers(port: int) -> list[Target]:
    settings = {"kind": "tcp", "host": "127.0.0.1", "port": port, "interval": "10s", "timeout": "5s"}
    return [{"id": f"filler-{number}", **settings} for number in range(FILLERS)]


def _probes(port: int) -> list[Target]:
    settings = {"kind": "http", "url": f"http://127.0.0.1:{port}/", "interval": "1s", "timeout": "900ms"}
    return [{"id": f"{WATCHED}{number}", **settings} for number in range(PROBES)]
