"""The service with its HTTP surface on a free port, over a configuration that the test writes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import yaml

from collector.service import Service
from exporters.exposition import Exposition
from exporters.http import Server
from tests.peers import hang, peer

PATIENCE = aiohttp.ClientTimeout(total=10)
SYSTEM = {
    "id": "portal",
    "name_vi": "Cổng thông tin",
    "name_en": "Portal",
    "category": "portal",
    "owner": "office",
    "source_section": "test",
}


def write_config(directory: Path, *targets: dict[str, Any], **monitor: Any) -> Path:
    """A configuration directory with one owner, one system and these targets."""
    (directory / "targets.d").mkdir(parents=True, exist_ok=True)
    (directory / "monitor.yaml").write_text(
        yaml.safe_dump(
            {
                "defaults": {"interval": "30s", "timeout": "2s"},
                "journal": {"path": str(directory.with_suffix(".sqlite"))},
                **monitor,
            }
        )
    )
    inventory = {"owners": [{"id": "office", "name_vi": "Văn phòng", "name_en": "Office"}], "systems": [SYSTEM]}
    (directory / "targets.d" / "inventory.yaml").write_text(yaml.safe_dump(inventory, allow_unicode=True))
    write_targets(directory, "targets", *targets)
    return directory


def write_targets(directory: Path, name: str, *targets: dict[str, Any]) -> Path:
    """One more file of targets of the system `portal`."""
    path = directory / "targets.d" / f"{name}.yaml"
    path.write_text(
        yaml.safe_dump({"targets": [{"system": "portal", **target} for target in targets]}, allow_unicode=True)
    )
    return path


class Serving:
    """A running service and a client of it."""

    def __init__(self, service: Service, exposition: Exposition, client: aiohttp.ClientSession, address: str) -> None:
        self.service = service
        self.exposition = exposition
        self.client = client
        self.address = address

    async def get(self, path: str, **headers: str) -> tuple[int, str]:
        """Status and text of an answer."""
        async with self.client.get(path, headers=headers) as answer:
            return answer.status, await answer.text()

    async def series(self) -> dict[str, float]:
        """What a scrape gives, by `name{labels}`."""
        _, text = await self.get("/metrics")
        lines = (line.rpartition(" ") for line in text.splitlines() if not line.startswith("#"))
        return {name: float(value) for name, _, value in lines}


@asynccontextmanager
async def serving(*directories: Path) -> AsyncIterator[Serving]:
    """Start everything, stop everything."""
    exposition = Exposition()
    service = Service(directories, exposition)
    server = Server(service, exposition)
    try:
        await service.start()
        host, port = await server.start("127.0.0.1", 0)
        async with aiohttp.ClientSession(f"http://{host}:{port}", timeout=PATIENCE) as client:
            yield Serving(service, exposition, client, f"{host}:{port}")
    finally:
        await server.stop()
        await service.stop()


async def until(met: Callable[[], Awaitable[Any]], within: float = 5.0) -> Any:
    """Ask until the answer is true. Raises TimeoutError with what was asked."""
    async with asyncio.timeout(within):
        while not (answer := await met()):
            await asyncio.sleep(0.05)
        return answer


def listening(host: str = "127.0.0.1") -> AbstractAsyncContextManager[int]:
    """A TCP port that accepts and holds connections until they close."""
    return peer(hang, host)
