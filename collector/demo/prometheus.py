"""The real Prometheus beside the demo: its configuration, its process, its answers."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
from asyncio.subprocess import Process
from pathlib import Path

from aiohttp import ClientError, ClientSession, ClientTimeout
from yarl import URL

from collector.demo.children import ChildFailed, last_words, start, stop

JOB = "hatang"
SCRAPE_INTERVAL = 5
START_LIMIT = 30.0
_ASK = ClientTimeout(total=5)


def find_prometheus() -> str | None:
    """Path of the installed program; None when there is none."""
    return shutil.which("prometheus", path=f"{os.environ.get('PATH', '')}:/usr/bin:/usr/local/bin")


def configuration(scraped: str, every: int = SCRAPE_INTERVAL) -> str:
    """prometheus.yml (as JSON, which is YAML) that scrapes `scraped`, host:port."""
    job = {"job_name": JOB, "static_configs": [{"targets": [scraped]}]}
    timeout = f"{min(every, 4)}s"
    intervals = {"scrape_interval": f"{every}s", "scrape_timeout": timeout, "evaluation_interval": "15s"}
    return json.dumps({"global": intervals, "scrape_configs": [job]}, indent=2)


class Prometheus:
    """A Prometheus process with its data in a directory of its own."""

    def __init__(self, process: Process, url: URL, errors: Path) -> None:
        self.url = url
        self._process = process
        self._errors = errors

    @classmethod
    async def start(cls, program: str, scraped: str, port: int, work: Path, every: int = SCRAPE_INTERVAL) -> Prometheus:
        """Begin to scrape, each `every` seconds; listens on loopback only. Raises OSError."""
        config, errors = work / "prometheus.yml", work / "prometheus.log"
        await asyncio.to_thread(config.write_text, configuration(scraped, every))
        arguments = (
            program,
            f"--config.file={config}",
            f"--storage.tsdb.path={work / 'prometheus'}",
            f"--web.listen-address=127.0.0.1:{port}",
            "--storage.tsdb.retention.time=1d",
            "--log.level=warn",
        )
        return cls(await start(arguments, errors), URL(f"http://127.0.0.1:{port}"), errors)

    async def ready(self) -> None:
        """Wait until it answers. Raises ChildFailed when it ends, or takes too long."""
        try:
            async with asyncio.timeout(START_LIMIT), ClientSession(timeout=_ASK) as session:
                while not await self._answers(session):
                    if self._process.returncode is not None:
                        raise ChildFailed(f"Prometheus ended: {await asyncio.to_thread(last_words, self._errors)}")
                    await asyncio.sleep(0.1)
        except TimeoutError:
            raise ChildFailed(f"Prometheus does not answer after {START_LIMIT:g} s") from None

    async def _answers(self, session: ClientSession) -> bool:
        try:
            async with session.get(self.url / "-/ready") as response:
                return response.status == 200
        except (ClientError, OSError):
            return False

    async def stop(self) -> None:
        """End it."""
        await stop(self._process)

    def graph(self, query: str) -> URL:
        """The page that shows a query."""
        return (self.url / "graph").with_query({"g0.expr": query, "g0.tab": "0", "g0.range_input": "5m"})
