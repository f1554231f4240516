"""What all runs of a feed kind share: connections, tokens, and the last documents of each source."""

from __future__ import annotations

from collections.abc import AsyncIterator
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import Any

from collector.http.client import PHASE, STATUS, open_session
from collector.model import Emit
from collector.net import NET_METRICS, Context, Net
from collector.rest.oauth2 import Tokens
from collector.rest.shape import Paging
from collector.sources.fetched import Fetched
from collector.sources.files import gather
from collector.sources.folder import LocalFolder
from collector.sources.kept import Memory
from collector.sources.spec import FolderSource, HttpSource, SftpSource
from collector.sources.web import Web
from collector.tls import TLS_METRICS

SOURCE_METRICS = (PHASE, STATUS, *NET_METRICS, *TLS_METRICS)
"""What fetching emits: every kind that fetches declares them."""
# File systems that hang at one time, before other folders wait.
_FOLDERS_AT_A_TIME = 4


class Sources:
    """Fetches documents. Where nothing changed since the last run, it gives the same objects again."""

    def __init__(self, tokens: Tokens, executor: Executor) -> None:
        self._web = Web(tokens)
        self._executor = executor
        self._memory = Memory()

    async def fetch(
        self, source: HttpSource | FolderSource | SftpSource, context: Context[Any], emit: Emit
    ) -> tuple[Fetched, ...]:
        """All documents of a run, in order; at least one. Raises ProbeFailed; OSError when the fault is ours."""
        kept = self._memory.of(source)
        if isinstance(source, HttpSource):
            return await self._web.fetch(source, kept, context, emit)
        if isinstance(source, FolderSource):
            return await gather(LocalFolder(source, kept, self._executor), source, kept)
        from collector.sources import sftp  # noqa: PLC0415  only where there is one: it takes memory

        return await sftp.fetch(source, kept, context, emit)

    async def pages(
        self, source: HttpSource, paging: Paging | None, context: Context[Any], emit: Emit
    ) -> tuple[Fetched, ...]:
        """All pages of a document, in order; as `fetch` without `paging`."""
        if paging is None:
            return await self.fetch(source, context, emit)
        return await self._web.pages(source, paging, self._memory.of(source), context, emit)


@asynccontextmanager
async def opened(net: Net) -> AsyncIterator[Sources]:  # noqa: ARG001  every kind opens with it
    """Sources for all targets of a kind: `Kind.open`."""
    executor = ThreadPoolExecutor(_FOLDERS_AT_A_TIME, "folder")
    try:
        async with open_session() as session:
            yield Sources(Tokens(session), executor)
    finally:
        executor.shutdown(wait=False, cancel_futures=True)
