"""Those who watch the service in the demo: Prometheus with our rules, Alertmanager, and the inbox of whom it tells."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

from collector.demo.alarms.alertmanager import RULES, Alertmanager, write_rules
from collector.demo.alarms.inbox import Inbox
from collector.demo.alarms.notices import Notice
from collector.demo.ports import chosen_port
from collector.demo.prometheus import SCRAPE_INTERVAL, Prometheus, Watched

PROMETHEUS_PORT, ALERTMANAGER_PORT = 9090, 9093
NOT_WELL = "probe_success == 0"
NOT_UP = "hatang_system_state != 1"


@dataclass(frozen=True, slots=True)
class Seats:
    """Programs that are installed, and the ports that they get."""

    prometheus: str | None = None
    prometheus_port: int = 0
    alertmanager: str | None = None
    alertmanager_port: int = 0
    rules: bool = False

    @classmethod
    def find(cls, prometheus_port: int | None, alertmanager_port: int | None) -> Seats:
        """Of all that is there; Alertmanager has nothing to tell without Prometheus. Raises PortTaken."""
        prometheus = Prometheus.find()
        if prometheus is None:
            return cls()
        port = chosen_port(prometheus_port, PROMETHEUS_PORT, "--prometheus-port PORT")
        alertmanager = Alertmanager.find() if RULES.exists() else None
        if alertmanager is None:
            return cls(prometheus, port, rules=RULES.exists())
        other = chosen_port(alertmanager_port, ALERTMANAGER_PORT, "--alertmanager-port PORT")
        return cls(prometheus, port, alertmanager, other, rules=True)

    def lacking(self) -> Iterator[str]:
        """What is not installed, for people."""
        if self.prometheus is None:
            yield "Chưa cài Prometheus, chạy không có nó / Prometheus is not installed, going on without it."
        elif not self.rules:
            yield f"Không có {RULES}, chạy không có cảnh báo / {RULES} is not there, going on without alerts."
        elif self.alertmanager is None:
            yield (
                "Chưa cài Alertmanager, chạy không có thông báo / Alertmanager is not installed, going on without "
                "notifications."
            )


class Onlookers:
    """Those of them that were found; `stack` ends them."""

    def __init__(self, seats: Seats, work: Path, stack: AsyncExitStack) -> None:
        self.prometheus: Prometheus | None = None
        self.alertmanager: Alertmanager | None = None
        self.inbox: Inbox | None = None
        self._seats = seats
        self._work = work
        self._rules = work / "rules"
        self._stack = stack

    async def start(self, scraped: str) -> None:
        """Begin to scrape host:port. Raises OSError, ChildFailed."""
        seats = self._seats
        if seats.prometheus is None:
            return
        await asyncio.to_thread(self._rules.mkdir)
        watched = Watched(scraped, rules=self._rules, alertmanager=await self._alertmanager())
        self.prometheus = await Prometheus.start(seats.prometheus, watched, seats.prometheus_port, self._work)
        self._stack.push_async_callback(self.prometheus.stop)

    async def _alertmanager(self) -> str:
        seats = self._seats
        if seats.alertmanager is None:
            return ""
        self.inbox = Inbox()
        self._stack.push_async_callback(self.inbox.close)
        await self.inbox.open()
        port = seats.alertmanager_port
        self.alertmanager = await Alertmanager.start(seats.alertmanager, self.inbox.address, port, self._work)
        self._stack.push_async_callback(self.alertmanager.stop)
        return f"127.0.0.1:{port}"

    async def ready(self, report: Callable[[str, int, int], None]) -> None:
        """Wait until each of them answers, and the rules are in force. Raises ChildFailed."""
        if self.alertmanager is not None:
            report("alertmanager", 0, 1)
            await self.alertmanager.ready()
            report("alertmanager", 1, 1)
        if self.prometheus is not None:
            report("prometheus", 0, 2)
            await self.prometheus.ready()
            report("prometheus", 1, 2)
            # Before, rules would find that there is nothing, and say so.
            await self.prometheus.scraped()
            if self._seats.rules:
                await asyncio.to_thread(write_rules, self._rules, SCRAPE_INTERVAL)
                await self.prometheus.read_rules()
            report("prometheus", 2, 2)

    def tell(self, told: Callable[[Notice], None], alive: Callable[[], None]) -> None:
        """Call these with what anybody was told, and once the dead-man's switch was heard."""
        if self.inbox is not None:
            self.inbox.deliver_to(told, alive)

    def addresses(self) -> Iterator[tuple[str, str]]:
        """What to open, and what it is."""
        if self.prometheus is not None:
            yield "Prometheus", f"{self.prometheus.url}/"
            yield "Đang có sự cố / not well now", str(self.prometheus.graph(NOT_WELL))
            yield "Hệ thống / systems not up", str(self.prometheus.graph(NOT_UP))
        if self.alertmanager is not None:
            yield "Alertmanager", f"{self.alertmanager.url}/"
        if self.inbox is not None:
            yield "Tin nhắn / messages", f"http://{self.inbox.address}/"
