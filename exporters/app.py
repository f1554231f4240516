"""The service with its HTTP surface, run until a signal ends it."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import signal
from collections.abc import Sequence
from pathlib import Path

from collector.model import Result
from collector.service import Service
from collector.settings import Config, SettingsError
from exporters.exposition import Exposition
from exporters.http import Server

# Objects that may pile up before the garbage collector looks for cycles among them.
GARBAGE_LIMIT = 20_000


def split_address(address: str) -> tuple[str, int]:
    """Host and port of `HOST:PORT`. Raises ValueError."""
    host, colon, port = address.rpartition(":")
    if not colon or not port.isdigit():
        raise ValueError(f"{address!r} is not HOST:PORT")
    return host.strip("[]") or "127.0.0.1", int(port)


def set_apart() -> None:
    """Keep the garbage collector from walking what is alive now, until this is called again.

    A full collection stops the loop while it walks all objects: 150 ms for 5,000 targets, each half minute. Runs free
    what they make without it, so that it may come rarely.
    """
    gc.set_threshold(GARBAGE_LIMIT, 10, 10)
    gc.unfreeze()
    gc.collect()
    gc.freeze()


async def serve(directories: Sequence[Path], listen: str | None, exposition: Exposition | None = None) -> None:
    """Poll and answer until SIGTERM or SIGINT; SIGHUP reloads. Raises SettingsError, OSError (address taken)."""
    exposition = exposition or Exposition()
    service = Service(directories, exposition, adopted=set_apart)
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, stopping.set)
    reload = asyncio.Event()
    loop.add_signal_handler(signal.SIGHUP, reload.set)
    server = Server(service, exposition)
    try:
        await service.start()
        await server.start(*split_address(listen or service.config.monitor.web.listen))
        reloading = asyncio.create_task(_reload_on(reload, service))
        await stopping.wait()
        reloading.cancel()
    finally:
        await server.stop()
        await service.stop()


async def _reload_on(signalled: asyncio.Event, service: Service) -> None:
    while True:
        await signalled.wait()
        signalled.clear()
        with contextlib.suppress(SettingsError):  # the service has logged it and keeps what is in force
            await service.reload()


async def run_once(directories: Sequence[Path], config: Config, target_id: str) -> Result:
    """Run one target of a loaded configuration without starting the service."""
    service = Service(directories, Exposition())
    try:
        runner = await service.open(config)
        return await runner.run(config.targets[target_id])
    finally:
        await service.stop()
