"""The real Prometheus beside the demo: its configuration, its process, its answers."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aiohttp import ClientError, ClientSession, ClientTimeout
from yarl import URL

from collector.demo.programs import Program

JOB = "hatang"
SCRAPE_INTERVAL = 5
# What Alertmanager does not hear again for so many seconds, as when it was not there yet.
RESEND = 5
_ASK = ClientTimeout(total=2)


@dataclass(frozen=True, slots=True)
class Watched:
    """What Prometheus scrapes (host:port), each how many seconds; a folder for rules; whom it tells of alerts."""

    scraped: str
    every: int = SCRAPE_INTERVAL
    rules: Path | None = None
    alertmanager: str = ""


def configuration(watched: Watched, port: int) -> str:
    """prometheus.yml as JSON, which is YAML."""
    jobs = {JOB: watched.scraped, "prometheus": f"127.0.0.1:{port}", "alertmanager": watched.alertmanager}
    made: dict[str, Any] = {
        "global": {
            "scrape_interval": f"{watched.every}s",
            "scrape_timeout": f"{min(watched.every, 4)}s",
            "evaluation_interval": f"{watched.every}s",
            "external_labels": {"simulated": "true"},  # on every alert that leaves
        },
        "scrape_configs": [_job(name, target) for name, target in jobs.items() if target],
    }
    if watched.rules is not None:
        made["rule_files"] = [str(watched.rules / "*.json")]
    if watched.alertmanager:
        made["alerting"] = {"alertmanagers": [{"static_configs": [{"targets": [watched.alertmanager]}]}]}
    return json.dumps(made, indent=2)


def _job(name: str, target: str) -> dict[str, Any]:
    return {"job_name": name, "static_configs": [{"targets": [target]}]}


class Prometheus(Program):
    """A Prometheus process."""

    NAME, FILES = "Prometheus", ("prometheus",)

    @classmethod
    async def start(cls, program: str, watched: Watched, port: int, work: Path) -> Prometheus:
        """Begin to scrape; listens on loopback only. Raises OSError."""
        config = work / "prometheus.yml"
        await asyncio.to_thread(config.write_text, configuration(watched, port))
        words = (
            program,
            f"--config.file={config}",
            f"--storage.tsdb.path={work / 'prometheus'}",
            f"--web.listen-address=127.0.0.1:{port}",
            "--storage.tsdb.retention.time=1d",
            f"--rules.alert.resend-delay={RESEND}s",
            "--log.level=warn",
        )
        return await cls._launched(words, port, work)

    async def scraped(self) -> None:
        """Wait until it has seen the service. Raises ChildFailed when it ends, or takes too long."""
        await self._until(self._has_scraped, "has not scraped the service")

    async def _has_scraped(self, session: ClientSession) -> bool:
        return bool(await self._asked(session, f'up{{job="{JOB}"}} == 1'))

    async def read_rules(self) -> None:
        """Have it load what is in its folder for rules now, and wait until it did. Raises ChildFailed."""
        self._reload()
        await self._until(self._has_rules, "has not read its rules")

    async def _has_rules(self, session: ClientSession) -> bool:
        try:
            async with session.get(self.url / "api/v1/rules") as response:
                return bool((await response.json())["data"]["groups"])
        except (ClientError, ValueError):
            return False

    async def values(self, queries: Sequence[str]) -> list[float | None]:
        """What each of the queries gives now; None where it is not one value, or there is no answer."""
        async with ClientSession(timeout=_ASK) as session:
            return [_only(await self._asked(session, query)) for query in queries]

    async def labels(self, query: str) -> list[dict[str, str]]:
        """The labels of what a query gives now; nothing where there is no answer."""
        async with ClientSession(timeout=_ASK) as session:
            return [one["metric"] for one in await self._asked(session, query)]

    async def _asked(self, session: ClientSession, query: str) -> list[dict[str, Any]]:
        try:
            async with session.post(self.url / "api/v1/query", data={"query": query}) as response:
                said = await response.json()
        except (ClientError, TimeoutError, ValueError):
            return []
        found: list[dict[str, Any]] = said["data"]["result"] if said["status"] == "success" else []
        return found

    def graph(self, query: str) -> URL:
        """The page that shows a query."""
        return (self.url / "graph").with_query({"g0.expr": query, "g0.tab": "0", "g0.range_input": "5m"})


def _only(found: Sequence[dict[str, Any]]) -> float | None:
    return float(found[0]["value"][1]) if len(found) == 1 else None
