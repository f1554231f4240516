"""The running service: owns what all share, starts it, reloads it by difference, stops it in order."""

from __future__ import annotations

import asyncio
import resource
import time
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from functools import reduce
from itertools import islice
from pathlib import Path
from typing import Any

import structlog

from collector import registry, vitals
from collector.bookkeeping import Bookkeeping
from collector.heartbeats import Heartbeats
from collector.intake import Holdings
from collector.model import Result, Sample, Sink, Target
from collector.net import AddressMap, Net, Resolver
from collector.observer import Observer
from collector.planning import Planning
from collector.probes import heartbeat
from collector.runner import Gate, Runner, where
from collector.scheduler import Scheduler
from collector.settings import Config, Monitor, SettingsError, load
from collector.stalls import StallWatch
from collector.state import State
from collector.traps import Trap, TrapDesk
from collector.views import Views
from collector.watching import changes

# The rest of the descriptors is for warm sessions, scrapes, files and the journal.
IN_FLIGHT_SHARE = 0.6
PROBE_AT_MOST_EVERY = 1.0
DRAIN_LIMIT = 8.0
# A failing or recovering target is looked at again after so many seconds, and what decides with it unless it just was.
RECHECK_AFTER = 10.0
RECENT = 5.0
DECIDING_AT_MOST = 50
MEASURE_EVERY = 10.0
# What a reload does not change.
AT_START = ("journal.path", "web.listen")

log = structlog.get_logger(__name__)


def raise_descriptor_limit() -> int:
    """Raise the soft limit on descriptors to the hard one; returns it."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard


class Service:
    """Polls the targets of the given config directories into `sink`; tells `adopted` when one is in force."""

    def __init__(self, directories: Sequence[Path], sink: Sink, adopted: Callable[[], None] | None = None) -> None:
        self.directories = tuple(directories)
        self.state = State(sink)
        self.scheduler = Scheduler(self._poll, self.state.skip)
        self.stalls = StallWatch()
        self.observer = Observer(self.probe, self.stalls.longest_since, self._resolver_impaired)
        self.holdings = Holdings(sink)
        self.last_reload = vitals.LastReload(False, 0.0)
        self.resources: dict[str, Any] = {}  # what each kind opened, by its name
        self._sink = sink
        self._adopted = adopted
        self._stack = AsyncExitStack()
        self._reloading = asyncio.Lock()
        self._stopping = asyncio.Event()
        self._watching: asyncio.Task[None] | None = None
        self._measuring: asyncio.Task[None] | None = None
        self._books: Bookkeeping | None = None
        self._views: Views | None = None
        self._config: Config | None = None
        self._net: Net | None = None
        self._runner: Runner | None = None
        self._traps: TrapDesk | None = None

    @property
    def config(self) -> Config:
        """The configuration in force. Raises RuntimeError before `start`."""
        if self._config is None:
            raise RuntimeError("the service has not started")
        return self._config

    @property
    def books(self) -> Bookkeeping:
        """How systems stand. Raises RuntimeError before `start`."""
        if self._books is None:
            raise RuntimeError("the service has not started")
        return self._books

    @property
    def views(self) -> Views:
        """What follows from all that is measured. Raises RuntimeError before `start`."""
        if self._views is None:
            raise RuntimeError("the service has not started")
        return self._views

    @property
    def heartbeats(self) -> Heartbeats:
        """Calls that were heard. Raises KeyError before `start`."""
        opened: Heartbeats = self.resources[heartbeat.KIND.name]
        return opened

    @property
    def ready(self) -> bool:
        """Whether the configuration is loaded and the first runs are planned."""
        return self._runner is not None

    async def start(self) -> None:
        """Load, open what the kinds share, and begin polling. Raises SettingsError."""
        config = await asyncio.to_thread(load, self.directories)
        self._books = await Bookkeeping.open(self._sink, config.monitor.journal)
        planning = await Planning.open(self._sink, self._books.journal, self._books.standing, self.state, self.holdings)
        self._views = Views(self.holdings, self._sink, planning, self._books.saved)
        self._runner = await self.open(config)
        self.heartbeats.restore(self._books.saved.totals)
        self.stalls.start()
        self.scheduler.start()
        self._adopt(config)
        self._books.start(lambda: self.views.totals() | self.heartbeats.totals())
        self._views.start()
        self._watching = asyncio.create_task(self._watch_files())
        self._measuring = asyncio.create_task(self._measure())
        await self._apply_traps(config)

    async def open(self, config: Config) -> Runner:
        """A runner on `config`'s network settings; closed by `stop`."""
        self._config = config
        self._net = Net(_resolver(config), AddressMap(config.monitor.address_map))
        self._traps = TrapDesk(self._net, self.scheduler.soon, self._write_down, self._sink)
        self.resources = {
            kind.name: await self._stack.enter_async_context(kind.open(self._net))
            for kind in registry.KINDS
            if kind.open is not None
        }
        return Runner(registry.BY_NAME, self._net, self.resources, _gate(config), self.stalls)

    async def stop(self) -> None:
        """Stop starting runs, let those under way end within a limit, and close everything."""
        self._stopping.set()
        if self._watching is not None:
            await self._watching
        if self._traps is not None:
            await self._traps.stop()
        await self.scheduler.drain(DRAIN_LIMIT)
        if self._views is not None:
            await self._views.stop()
        if self._measuring is not None:
            self._measuring.cancel()
        if self._books is not None:
            await self._books.close()
        self.stalls.stop()
        await self._stack.aclose()
        if self._net is not None:
            await self._net.resolver.close()

    async def reload(self) -> None:
        """Read the configuration again and apply the difference.

        Raises SettingsError when it has faults; then the one in force stays, and the gauge says so.
        """
        async with self._reloading:
            try:
                await self._reload()
            except Exception as error:
                self.last_reload = vitals.LastReload(False, self.last_reload.loaded, str(error))
                if isinstance(error, SettingsError):
                    faults = [str(fault) for fault in error.faults]
                    log.error("configuration refused; the one in force stays", faults=faults)
                raise

    async def _reload(self) -> None:
        before = self.config.monitor
        config = await asyncio.to_thread(load, self.directories, self._config)
        for setting in AT_START:
            if _set(config.monitor, setting) != _set(before, setting):
                log.warning("this takes effect at the next start", setting=setting)
        await self._apply_network(config)
        self._adopt(config)
        await self._apply_traps(config)

    async def probe(self, target_id: str) -> Result:
        """Run a target now: at most once a second, never twice at a time; callers in between share the result.

        Raises KeyError when it is not configured, or was removed meanwhile.
        """
        last = self.state.records[target_id].last
        if last is None or time.time() - last.started >= PROBE_AT_MOST_EVERY:
            await self.scheduler.now(target_id)
            last = self.state.records[target_id].last
        if last is None:
            raise KeyError(target_id)
        return last

    def refresh(self) -> None:
        """Bring withdrawals and the service's own figures up to date; called before each scrape."""
        self.state.expire()
        self.books.publish()
        self.views.publish(self.books.journal.kept)
        scheduler = self.scheduler
        in_flight = self._runner.gate.in_flight if self._runner else 0
        lateness, scheduler.lateness = scheduler.lateness, 0.0
        samples = [
            vitals.build_info(),
            Sample(vitals.RELOAD_OK, (), self.last_reload.ok),
            Sample(vitals.RELOAD_TIME, (), self.last_reload.loaded),
            Sample(vitals.CONFIG_WARNINGS, (), len(self.config.warnings)),
            Sample(vitals.LOOP_LAG, (), self.stalls.worst()),
            Sample(vitals.LOOP_STALLS, (), self.stalls.total),
            Sample(vitals.IN_FLIGHT, (), in_flight),
            Sample(vitals.WAITING, (), max(0, scheduler.running - in_flight)),
            Sample(vitals.LATENESS, (), lateness),
            Sample(vitals.LATE_RUNS, (), scheduler.late_runs),
            Sample(vitals.CLOCK_JUMPS, (), scheduler.clock_jumps),
            *vitals.target_counts(self.config.targets),
            *self.observer.samples(),
        ]
        self._sink.put("service", (), samples)
        if self._traps is not None:
            self._traps.publish()

    def _adopt(self, config: Config) -> None:
        self._config = config
        self.heartbeats.adopt(heartbeat.callers(config.targets.values()))
        self.state.apply(config.targets)
        self.holdings.apply(config.targets, config.places, config.monitor.feeds.refused)
        self.views.apply(config)
        self.books.apply(config, self.state.records)
        self.scheduler.apply(config.targets)
        self.observer.apply(config.monitor.observer.uplink)
        self.last_reload = vitals.LastReload(True, time.time())
        if self._adopted is not None:
            self._adopted()
        log.info("configuration loaded", targets=len(config.targets), systems=len(config.systems))

    async def _apply_network(self, config: Config) -> None:
        old, net, runner = self.config.monitor, self._net, self._runner
        if net is None or runner is None:
            raise RuntimeError("the service has not started")
        if config.monitor.limits != old.limits:
            runner.gate = _gate(config)
        if config.monitor.resolver != old.resolver:
            previous, net.resolver = net.resolver, _resolver(config)
            await previous.close()
        net.address_map = AddressMap(config.monitor.address_map)

    async def _apply_traps(self, config: Config) -> None:
        if self._traps is not None:
            await self._traps.apply(config.monitor.traps, config.targets)

    def _write_down(self, trap: Trap) -> None:
        self.books.note("trap", ", ".join(trap.targets), str(trap))

    async def _poll(self, target: Target) -> None:
        if self._runner is None:
            raise RuntimeError("the service has not started")
        result = await self.observer.judged(await self._runner.run(target))
        self.state.record(await self.holdings.take(result))
        if self.state.records[target.id].streak.unsettled:
            self._check_again(target)

    def _check_again(self, target: Target) -> None:
        """A change that is not certain yet is decided soon, together with all that it depends on."""
        if target.interval > RECHECK_AFTER:
            self.scheduler.soon(target.id, RECHECK_AFTER)
        recently = time.time() - RECENT
        for other in islice(self.books.standing.undecided(target.id, target.system), DECIDING_AT_MOST):
            last = self.state.records[other].last
            if last is not None and last.started < recently:
                self.scheduler.soon(other, 0)

    def _resolver_impaired(self) -> bool:
        return self._net is not None and self._net.resolver.impaired

    async def _measure(self) -> None:
        while True:
            await asyncio.sleep(MEASURE_EVERY)
            await self.observer.measure()

    async def _watch_files(self) -> None:
        async for _ in changes(lambda: self.config.files, self._stopping):
            try:
                await self.reload()
            except SettingsError:
                continue  # told by the log, the gauge and /-/reload
            except Exception as error:  # noqa: BLE001  the next change must find us here
                log.error("reload failed", error=repr(error), where=where(error))


def _set(monitor: Monitor, setting: str) -> object:
    return reduce(getattr, setting.split("."), monitor)


def _resolver(config: Config) -> Resolver:
    return Resolver(config.monitor.resolver.servers, config.monitor.resolver.timeout)


def _gate(config: Config) -> Gate:
    limits = config.monitor.limits
    return Gate(min(limits.in_flight, int(IN_FLIGHT_SHARE * raise_descriptor_limit())), limits.per_peer)
