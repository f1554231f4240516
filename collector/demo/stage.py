"""The demo: the simulated province, the real service on the shipped configuration, a real Prometheus; and faults."""

from __future__ import annotations

import asyncio
import shutil
import signal
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from collector.demo.agents.descriptions import describe
from collector.demo.alarms.alertmanager import PACE
from collector.demo.alarms.chronicle import Chronicle
from collector.demo.children import ChildFailed, ProvinceProcess
from collector.demo.faults import Fault, UnknownFault, chosen, script
from collector.demo.lab import LACKING, OVERLAYS, write_lab
from collector.demo.onlookers import Onlookers, Seats
from collector.demo.ports import PortTaken, require_free
from collector.demo.programme import Programme, Steps, print_faults
from collector.demo.rounds import Rounds
from collector.model import SystemState
from collector.service import Service
from collector.settings import SettingsError, load
from exporters.app import split_address
from exporters.exposition import Exposition
from exporters.http import Server

DEFAULT_CONFIG = (Path("config"),)
DEFAULT_SEED = 57
FIRST_RESULTS_LIMIT = 90.0
AT_A_TIME, PAUSE = 16, 1.0
_UNKNOWN = SystemState.UNKNOWN
FORMS = ("table", "json")


class StageError(Exception):
    """The demo cannot be played; the message is for people."""


@dataclass(frozen=True, slots=True)
class DemoOptions:
    """How to play.

    `play_for` in seconds, None until a signal. A port that is None: the usual one if it is free, else any; 0: any.
    `faults` as --faults takes them: ids with commas, `none`, or None for all.
    """

    config: tuple[Path, ...] = DEFAULT_CONFIG
    play_for: float | None = None
    listen: str = "127.0.0.1:9464"
    prometheus_port: int | None = None
    alertmanager_port: int | None = None
    faults: str | None = None
    seed: int = DEFAULT_SEED
    prometheus: bool = True


def _cast(config: Sequence[Path], seed: int, faults: str | None) -> tuple[Fault, ...]:
    return script(load([*config, *OVERLAYS]), describe(), seed, chosen(faults))


def list_faults(
    form: str, config: Sequence[Path] = DEFAULT_CONFIG, seed: int = DEFAULT_SEED, faults: str | None = None
) -> int:
    """Print what would happen, and what would show it, as `table` or `json`; returns the exit status."""
    if form not in FORMS:
        return _complain(StageError(f"--format is one of {', '.join(FORMS)}"))
    try:
        print_faults(Console(), _cast(config, seed, faults), form)
    except (SettingsError, UnknownFault) as error:
        return _complain(error)
    return 0


async def play(options: DemoOptions) -> int:
    """Play until the time is over or a signal comes; returns the exit status. Stops all that it started."""
    performance = asyncio.create_task(_perform(options, Programme(Console())))
    loop = asyncio.get_running_loop()

    def end() -> None:
        if not performance.cancelling():  # whoever presses Ctrl-C twice must not interrupt the tidying up
            performance.cancel()

    for name in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(name, end)
    try:
        await performance
    except asyncio.CancelledError:
        return 0
    except (StageError, PortTaken, ChildFailed, SettingsError, UnknownFault) as error:
        return _complain(error)
    finally:
        for name in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(name)
    return 0


def _complain(error: Exception) -> int:
    Console(stderr=True).print(f"hatang demo: {error}", style="red", markup=False, highlight=False, soft_wrap=True)
    return 1


async def _perform(options: DemoOptions, programme: Programme) -> None:
    host, port = _address(options.listen)
    require_free(host, port, "--listen HOST:PORT")
    seats = Seats.find(options.prometheus_port, options.alertmanager_port) if options.prometheus else Seats()
    faults = await asyncio.to_thread(_cast, options.config, options.seed, options.faults)
    programme.title()
    for why in (*_lacking_libraries(), *(seats.lacking() if options.prometheus else ())):
        programme.without(why)
    async with AsyncExitStack() as stack:
        work = Path(await asyncio.to_thread(tempfile.mkdtemp, prefix="hatang-demo-"))
        stack.push_async_callback(asyncio.to_thread, shutil.rmtree, work, ignore_errors=True)
        stack.callback(programme.end)
        with programme.steps() as steps:
            province = await _province(options, work, stack)
            ready = await province.ready(steps)
            lab = await asyncio.to_thread(write_lab, work, ready, options.listen)
            service, address = await _service([*options.config, *OVERLAYS, lab], (host, port), stack)
            onlookers = Onlookers(seats, work, stack)
            await onlookers.start(_shown(address))
            unknown = await _first_results(service, steps)
            await onlookers.ready(steps)
        programme.unknown(unknown)
        programme.addresses([*_ours(address), *onlookers.addresses()])
        programme.ask(next(iter(service.config.systems)), _shown(address))
        if onlookers.alertmanager is not None:
            programme.hastened(PACE)
        programme.plays(options.play_for, len(faults))
        chronicle = Chronicle(faults, service.books.standing.state, onlookers.prometheus)
        onlookers.tell(lambda notice: programme.news(chronicle.hear(notice)), programme.alive)
        try:
            await Rounds(faults, province, lab, chronicle, programme).play(options.play_for)
        finally:
            programme.result(await chronicle.unended(), chronicle.faults, chronicle.notices)


def _lacking_libraries() -> Iterator[str]:
    if LACKING:
        lacking = ", ".join(LACKING)
        yield (
            f"Chưa cài {lacking}, chạy không hỏi cơ sở dữ liệu / {lacking} not installed, going on without asking "
            "databases: pip install 'hatang[sql]'"
        )


def _address(listen: str) -> tuple[str, int]:
    try:
        return split_address(listen)
    except ValueError as error:
        raise StageError(f"--listen: {error}") from None


async def _province(options: DemoOptions, work: Path, stack: AsyncExitStack) -> ProvinceProcess:
    province = await ProvinceProcess.start([*options.config, *OVERLAYS], work)
    stack.push_async_callback(province.stop)
    return province


async def _service(
    directories: Sequence[Path], listen: tuple[str, int], stack: AsyncExitStack
) -> tuple[Service, tuple[str, int]]:
    exposition = Exposition()
    service = Service(directories, exposition)
    stack.push_async_callback(service.stop)
    await service.start()
    server = Server(service, exposition)
    stack.push_async_callback(server.stop)
    try:
        return service, await server.start(*listen)
    except OSError as error:
        raise StageError(f"{listen[0]}:{listen[1]}: {error.strerror}; choose another with --listen HOST:PORT") from None


async def _first_results(service: Service, steps: Steps) -> list[str]:
    """Have all targets polled until all systems are known, sooner than by their turns; returns those that are not."""
    records, standing = service.state.records.values(), service.books.standing
    systems = {record.target.system for record in records}
    asking = asyncio.create_task(_ask_soon(service))
    try:
        async with asyncio.timeout(FIRST_RESULTS_LIMIT):
            await _all_true(lambda: [record.last is not None for record in records], "results", steps)
            await _all_true(lambda: [standing.state(name) is not _UNKNOWN for name in systems], "systems", steps)
    except TimeoutError:
        pass  # the play goes on, and says what nothing is known of
    finally:
        asking.cancel()
    return sorted(name for name in systems if standing.state(name) is _UNKNOWN)


async def _ask_soon(service: Service) -> None:
    """Poll what is not known yet, a few at a time, again and again: one good result does not make a system up."""
    state = service.books.standing.state
    while True:
        records = service.state.records.values()
        asked = [one.target.id for one in records if one.last is None or state(one.target.system) is _UNKNOWN]
        for begin in range(0, len(asked), AT_A_TIME):
            # What somebody removes from the configuration meanwhile is not missed.
            await asyncio.gather(*map(service.probe, asked[begin : begin + AT_A_TIME]), return_exceptions=True)
        await asyncio.sleep(PAUSE)


async def _all_true(ask: Callable[[], Sequence[bool]], step: str, steps: Steps) -> None:
    while True:
        answers = ask()
        steps(step, sum(answers), len(answers))
        if all(answers):
            return
        await asyncio.sleep(0.2)


def _shown(address: tuple[str, int]) -> str:
    host, port = address
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _ours(address: tuple[str, int]) -> Iterator[tuple[str, str]]:
    ours = f"http://{_shown(address)}"
    yield "Tổng quan / overview", f"{ours}/"
    yield "Số đo / metrics", f"{ours}/metrics"
