"""The demo: the simulated province, the real service on the shipped configuration, a real Prometheus; and faults."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import signal
import socket
import tempfile
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from collector.demo.agents.descriptions import describe
from collector.demo.children import ChildFailed, ProvinceProcess
from collector.demo.faults import Fault, UnknownFault, chosen, script
from collector.demo.lab import LACKING, OVERLAYS, write_lab
from collector.demo.programme import Programme, Steps, print_faults
from collector.demo.prometheus import Prometheus, find_prometheus
from collector.demo.rounds import Rounds
from collector.model import SystemState
from collector.service import Service
from collector.settings import SettingsError, load
from exporters.app import split_address
from exporters.exposition import Exposition
from exporters.http import Server

DEFAULT_CONFIG = (Path("config"),)
DEFAULT_SEED = 57
PROMETHEUS_PORT = 9090
FIRST_RESULTS_LIMIT = 35.0
OFTEN = 15.0
_UNKNOWN = SystemState.UNKNOWN
FORMS = ("table", "json")
NOT_WELL = "probe_success == 0"
NOT_UP = "hatang_system_state != 1"


class StageError(Exception):
    """The demo cannot be played; the message is for people."""


@dataclass(frozen=True, slots=True)
class DemoOptions:
    """How to play.

    `play_for` in seconds, None until a signal. `prometheus_port` None: 9090 if it is free, else any; 0: any.
    `faults` as --faults takes them: ids with commas, `none`, or None for all.
    """

    config: tuple[Path, ...] = DEFAULT_CONFIG
    play_for: float | None = None
    listen: str = "127.0.0.1:9464"
    prometheus_port: int | None = None
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
    except (StageError, ChildFailed, SettingsError, UnknownFault) as error:
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
    _require_free(host, port, "--listen HOST:PORT")
    prometheus_port = _prometheus_port(options)
    faults = await asyncio.to_thread(_cast, options.config, options.seed, options.faults)
    programme.title()
    if LACKING:
        lacking = ", ".join(LACKING)
        programme.without(
            f"Chưa cài {lacking}, chạy không hỏi cơ sở dữ liệu / {lacking} not installed, going on without asking "
            "databases: pip install 'hatang[sql]'"
        )
    async with AsyncExitStack() as stack:
        work = Path(await asyncio.to_thread(tempfile.mkdtemp, prefix="hatang-demo-"))
        stack.push_async_callback(asyncio.to_thread, shutil.rmtree, work, ignore_errors=True)
        stack.callback(programme.end)
        with programme.steps() as steps:
            province = await _province(options, work, stack)
            ready = await province.ready(steps)
            lab = await asyncio.to_thread(write_lab, work, ready, options.listen)
            service, address = await _service([*options.config, *OVERLAYS, lab], (host, port), stack)
            prometheus = await _prometheus(options, address, prometheus_port, work, stack)
            await _first_results(service, steps)
            if prometheus is not None:
                steps("prometheus", 0, 1)
                await prometheus.ready()
                steps("prometheus", 1, 1)
        if options.prometheus and prometheus is None:
            programme.without(
                "Chưa cài Prometheus, chạy không có nó / Prometheus is not installed, going on without it."
            )
        programme.addresses(_open(address, prometheus))
        programme.ask(next(iter(service.config.systems)), _shown(address))
        programme.plays(options.play_for, len(faults))
        await Rounds(faults, province, lab, programme).play(options.play_for)


def _address(listen: str) -> tuple[str, int]:
    try:
        return split_address(listen)
    except ValueError as error:
        raise StageError(f"--listen: {error}") from None


def _require_free(host: str, port: int, option: str) -> None:
    if not _free(host, port):
        raise StageError(f"port {port} of {host} is taken; choose another with {option}")


def _free(host: str, port: int) -> bool:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as trial:
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind((host, port))
        except OSError:
            return False
    return True


def _prometheus_port(options: DemoOptions) -> int:
    if not options.prometheus or find_prometheus() is None:
        return 0
    if options.prometheus_port:
        _require_free("127.0.0.1", options.prometheus_port, "--prometheus-port PORT")
        return options.prometheus_port
    if options.prometheus_port is None and _free("127.0.0.1", PROMETHEUS_PORT):
        return PROMETHEUS_PORT
    with socket.socket() as any_free:
        any_free.bind(("127.0.0.1", 0))
        port: int = any_free.getsockname()[1]
        return port


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


async def _prometheus(
    options: DemoOptions, scraped: tuple[str, int], port: int, work: Path, stack: AsyncExitStack
) -> Prometheus | None:
    program = find_prometheus() if options.prometheus else None
    if program is None:
        return None
    prometheus = await Prometheus.start(program, _shown(scraped), port, work)
    stack.push_async_callback(prometheus.stop)
    return prometheus


async def _first_results(service: Service, steps: Steps) -> None:
    """Wait until all targets were polled, and then until all systems are known: for that, some must be polled again."""
    records, standing = service.state.records.values(), service.books.standing
    systems = {record.target.system for record in records}
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(FIRST_RESULTS_LIMIT):
            # What is polled seldom shall not be waited for.
            seldom = [record.target.id for record in records if record.target.interval > OFTEN]
            await asyncio.gather(*map(service.probe, seldom))
            await _all_true(lambda: [record.last is not None for record in records], "results", steps)
            await _all_true(lambda: [standing.state(name) is not _UNKNOWN for name in systems], "systems", steps)


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


def _open(address: tuple[str, int], prometheus: Prometheus | None) -> list[tuple[str, str]]:
    ours = f"http://{_shown(address)}"
    rows = [("Tổng quan / overview", f"{ours}/"), ("Số đo / metrics", f"{ours}/metrics")]
    if prometheus is not None:
        rows.append(("Prometheus", f"{prometheus.url}/"))
        rows.append(("Đang có sự cố / not well now", str(prometheus.graph(NOT_WELL))))
        rows.append(("Hệ thống / systems not up", str(prometheus.graph(NOT_UP))))
    return rows
