"""Fetch documents of sources outside of any kind, as the service would."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from pydantic import TypeAdapter

from collector.model import Metric, ProbeFailed
from collector.net import AddressMap, Context, Net, Resolver
from collector.rest.shape import Paging
from collector.sources.fetch import SOURCE_METRICS, Sources, opened
from collector.sources.fetched import Fetched
from collector.sources.spec import FolderSource, HttpSource, SftpSource, Source

ADAPTER: TypeAdapter[HttpSource | FolderSource | SftpSource] = TypeAdapter(Source)


def source(**settings: Any) -> HttpSource | FolderSource | SftpSource:
    """A source, validated as settings does it."""
    return ADAPTER.validate_python(settings)


class Sourcing:
    """Sources and what they emitted."""

    def __init__(self, sources: Sources, net: Net) -> None:
        self.sources = sources
        self.emitted: dict[str, float] = {}
        self._net = net

    def _emit(self, metric: Metric, value: float, *labels: str) -> None:
        assert metric in SOURCE_METRICS
        assert len(labels) == len(metric.labels)
        self.emitted[metric.name] = value

    def _context(self, timeout: float) -> Context[Sources]:
        return Context(self._net, time.monotonic() + timeout, self.sources, 60.0)

    async def fetch(self, of: HttpSource | FolderSource | SftpSource, timeout: float = 5.0) -> tuple[Fetched, ...]:
        """One run."""
        async with asyncio.timeout(timeout):
            return await self.sources.fetch(of, self._context(timeout), self._emit)

    async def pages(self, of: HttpSource | FolderSource | SftpSource, paging: Mapping[str, Any]) -> tuple[Fetched, ...]:
        """One run over pages."""
        assert isinstance(of, HttpSource)
        async with asyncio.timeout(5.0):
            return await self.sources.pages(of, Paging.model_validate(paging), self._context(5.0), self._emit)

    async def failure(self, of: HttpSource | FolderSource | SftpSource, timeout: float = 5.0) -> tuple[str, str]:
        """Reason and detail of a run that fails."""
        try:
            found = await self.fetch(of, timeout)
        except ProbeFailed as failed:
            return failed.reason.value, failed.detail
        raise AssertionError(f"did not fail: {found}")


@asynccontextmanager
async def sourcing(addresses: Mapping[str, str] | None = None) -> AsyncIterator[Sourcing]:
    """Sources whose hosts are redirected by `addresses`."""
    resolver = Resolver(())
    try:
        net = Net(resolver, AddressMap(addresses or {}))
        async with opened(net) as sources:
            yield Sourcing(sources, net)
    finally:
        await resolver.close()
