"""Five thousand targets every 30 s: what the service takes of the machine, and whether it tells true durations."""

from __future__ import annotations

import asyncio
import gzip
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from tests.bench.effort import Effort
from tests.bench.figures import Budget, Figure
from tests.bench.ours import Ours, Target, samples, service
from tests.bench.servers import nginx

TARGETS = 5000
INTERVAL = 30.0
SCRAPE_EVERY = 15.0
MB = 1_000_000


@dataclass(slots=True)
class Seen:
    """What was seen of the fleet, and of one target alone in another service at the same time."""

    shares: list[float] = field(default_factory=list)
    memory: list[float] = field(default_factory=list)
    lag: list[float] = field(default_factory=list)
    alone: list[float] = field(default_factory=list)
    among: float = 0.0
    share_ok: float = 0.0
    series: int = 0


async def measure(folder: Path, effort: Effort) -> list[Figure]:
    """CPU share, memory, loop lag, and the median duration among all against alone. Raises Unavailable."""
    seen = Seen()
    async with _services(folder) as (fleet, single):
        # All have run once after an interval; from the start they run at the same rate.
        effort.say(f"{TARGETS:,} targets: first runs")
        await asyncio.sleep(5.0 if effort.quick else INTERVAL + 2)
        await fleet.scrape()  # the loop's lag is told from scrape to scrape
        watch = asyncio.create_task(_durations(single, seen.alone))
        for part in range(1, 3):
            effort.say(f"{TARGETS:,} targets: part {part} of 2")
            await _part(fleet, seen, SCRAPE_EVERY)
        watch.cancel()
        text = await fleet.text()
        seen.among = median(value for _, value in samples(text, "probe_duration_seconds"))
        seen.share_ok, seen.series = (await fleet.runs()).share_ok, text.count("\n")
    return _figures(seen)


@asynccontextmanager
async def _services(folder: Path) -> AsyncIterator[tuple[Ours, Ours]]:
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(nginx(folder))
        both = []
        for name, count, interval in (("fleet", TARGETS, INTERVAL), ("alone", 1, 1.0)):
            (folder / name).mkdir()
            targets = _targets(server.plain, count, interval)
            both.append(await stack.enter_async_context(service(folder / name, targets)))
        yield both[0], both[1]


def _targets(port: int, count: int, interval: float) -> list[Target]:
    settings = {"kind": "tcp", "host": "127.0.0.1", "port": port, "interval": interval, "timeout": 0.9 * interval}
    return [{"id": f"t{number}", **settings} for number in range(count)]


async def _part(fleet: Ours, seen: Seen, seconds: float) -> None:
    cpu, begun = fleet.child.cpu(), time.monotonic()
    await asyncio.sleep(seconds)
    scraped = gzip.decompress(await fleet.scrape()).decode()
    seen.shares.append(100 * (fleet.child.cpu() - cpu) / (time.monotonic() - begun))
    seen.memory.append(fleet.child.memory() / MB)
    seen.lag += [1000 * value for _, value in samples(scraped, "hatang_event_loop_lag_seconds")]


async def _durations(single: Ours, found: list[float]) -> None:
    while True:
        found += [value for _, value in samples(await single.text(), "probe_duration_seconds")]
        await asyncio.sleep(1.0)


def _figures(seen: Seen) -> list[Figure]:
    sound = seen.share_ok > 0.999
    note = f"{seen.series:,} lines, {seen.share_ok:.2%} of the runs ok, a scrape each {SCRAPE_EVERY:.0f} s"
    above = 1000 * (seen.among - median(seen.alone))
    pair = f"{1000 * seen.among:.3f} ms among, {1000 * median(seen.alone):.3f} alone"
    return [
        Figure("5,000 targets: CPU", "% of a core", seen.shares, Budget(25.0), note=note, sound=sound),
        Figure("5,000 targets: memory", "MB", [max(seen.memory)], Budget(150.0), sound=sound),
        Figure("5,000 targets: median duration above alone", "ms", [above], Budget(1.0), note=pair, sound=sound),
        Figure("5,000 targets: worst loop lag", "ms", [max(seen.lag)], sound=sound),
    ]
