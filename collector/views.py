"""Runs the views in order, coverage and then the plan, in a thread: when an input changed, and at least every 15 s."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import TYPE_CHECKING

import structlog

from collector.derive.coverage import lost_samples, lost_totals, restored, samples, site_samples
from collector.intake import Holdings, Network, Source, merged
from collector.journal import Saved, surviving
from collector.model import Metric, Sample, Sink
from collector.places import Places
from collector.planning import Planning
from collector.runner import where
from collector.settings import Config

if TYPE_CHECKING:  # loaded with the first places and feeds only: it takes memory
    from collector.coverage.figures import Figures
    from collector.coverage.links import Links

LOOK_EVERY = 1.0
AT_LEAST_EVERY = 15.0
SECONDS = Metric("hatang_view_seconds", "How long the last count of a view took.", labels=("view",))
UNMATCHED = Metric(
    "hatang_feed_unmatched_outages", "Outages of cells, sites or places that no feed lists.", labels=("operator",)
)
VIEW_METRICS = (SECONDS, UNMATCHED)
OWNER, SITES_OWNER, LOST_OWNER = "coverage", "sites", "time without signal"

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Coverage:
    """One count: what was known of the cells, and what follows. `at` is Unix seconds."""

    network: Network
    figures: Figures
    at: float


class Views:
    """Counts coverage over places and held feeds, then judges the plan. Loop only.

    `coverage` is the last count, None before the first. The time that villages lost goes on from what was `saved`.
    """

    def __init__(self, holdings: Holdings, sink: Sink, planning: Planning, saved: Saved) -> None:
        self.coverage: Coverage | None = None
        self.planning = planning
        self._holdings = holdings
        self._sink = sink
        self._config: Config | None = None
        self._places: Places | None = None
        self._network = Network()
        self._links: Links | None = None
        self._lost = restored(saved.totals)
        self._shown: dict[tuple[str, str], float] = {}
        self._seen: tuple[int, int] | None = None
        self._due = 0.0
        self._task: asyncio.Task[None] | None = None

    def apply(self, config: Config) -> None:
        """Take over a new configuration."""
        self._config, self._due = config, 0.0
        places = config.places
        if places == self._places:
            return
        self._places, self._links, self._seen = places, None, None
        if places is None:
            self._forget()
            self._sink.drop(LOST_OWNER)

    def totals(self) -> dict[tuple[str, str], float]:
        """What must survive a restart, as of now."""
        self._lost.credit(time.monotonic())
        return lost_totals(self._lost)

    def publish(self, kept: Saved | None) -> None:
        """Bring the time lost up to date; called before each scrape. It shows what is `kept` over a kill."""
        if self._places is not None:
            known = kept.totals if kept is not None else None
            self._shown = surviving(lost_totals(self._lost), known, self._shown)
            self._sink.put(LOST_OWNER, (), lost_samples(self._shown))

    def start(self) -> None:
        """Begin to count."""
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """Count no more."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        while True:
            config = self._config
            if config is not None and (self._holdings.version != self._seen or time.monotonic() >= self._due):
                self._seen, self._due = self._holdings.version, time.monotonic() + AT_LEAST_EVERY
                await self._made(OWNER, self._count(), self._forget)
                await self._made("plan", self._judge(config), self.planning.forget)
            await asyncio.sleep(LOOK_EVERY)

    async def _made(self, view: str, making: Coroutine[None, None, None], forget: Callable[[], None]) -> None:
        """Make the figures of a view; when that fails, those of before are not shown as if they were of now."""
        try:
            await making
        except Exception as error:  # noqa: BLE001  a fault of one count must not be the last of all
            told = f"{type(error).__name__}: {error}"
            log.error("figures were not counted", view=view, error=told, where=where(error))
            forget()

    def _forget(self) -> None:
        """There is no count any more."""
        self.coverage, self._links = None, None
        self._sink.drop(OWNER)
        self._sink.drop(SITES_OWNER)
        self._lost.pause()

    async def _judge(self, config: Config) -> None:
        begun = time.monotonic()
        await self.planning.judge(config, self.coverage.figures if self.coverage is not None else None)
        self._sink.put("views", (), [Sample(SECONDS, ("plan",), time.monotonic() - begun)])

    async def _count(self) -> None:
        places, before = self._places, self._links
        if places is None or not self._holdings.by_target:
            if self.coverage is not None:
                self._forget()
            return
        begun = time.monotonic()
        coverage = await asyncio.to_thread(self._compute, places, self._sources(), time.time())
        if places is not self._places:
            return  # counted over what is no longer so
        counted, sites = await asyncio.to_thread(self._samples, coverage, before)
        counted.append(Sample(SECONDS, (OWNER,), time.monotonic() - begun))
        self.coverage = coverage
        self._lost.advance(coverage.figures, time.monotonic())
        self._sink.put(OWNER, (), counted)
        if sites is not None:
            self._sink.put(SITES_OWNER, (), sites)

    def _sources(self) -> list[Source]:
        holdings = self._holdings
        return [
            Source(
                holding.batch, holding.as_of, holding.spec.oldest, holdings.fresh(holding), holding.spec.operator or ""
            )
            for holding in holdings.by_target.values()
            if holding.batch is not None
        ]

    def _compute(self, places: Places, sources: list[Source], now: float) -> Coverage:
        from collector.coverage.counting import count  # noqa: PLC0415  see above
        from collector.coverage.links import build  # noqa: PLC0415

        before, self._network = self._network, merged(sources, now, self._network)
        network = self._network
        same = network.cells is before.cells and network.areas is before.areas
        links = self._links
        # A count that was under way when the places changed may have left links over those of before.
        if links is None or links.places is not places or not same or now >= links.until:
            links = self._links = build(network.cells, network.areas, places, places.ranges, now)
        return Coverage(network, count(links, network.known), now)

    def _samples(self, coverage: Coverage, before: Links | None) -> tuple[list[Sample], list[Sample] | None]:
        """The series of a count, and those of its sites if they changed."""
        counted = samples(coverage.figures)
        counted += [Sample(UNMATCHED, (name,), count) for name, count in sorted(coverage.network.unmatched.items())]
        links = coverage.figures.links
        return counted, site_samples(links) if links is not before else None
