"""Lasting connections: made when a target is run, made again when they are lost, closed when no run comes any more."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable
from typing import Any

from paho.mqtt.client import MQTTMessage

from collector.model import Emit, Metric, MetricType, ProbeFailed, Reason
from collector.mqtt.board import BOARD_METRICS, Board
from collector.mqtt.link import Connector, Link
from collector.mqtt.spec import MqttSpec
from collector.net import Net

CONNECTED = Metric("hatang_mqtt_connected", "Whether there is a connection to the broker.")
CONNECTIONS = Metric("hatang_mqtt_connections_total", "Connections that were made.", MetricType.COUNTER)
CONNECT_SECONDS = Metric(
    "hatang_mqtt_connect_duration_seconds", "Time that the last connection took: lookup, TCP, TLS, login, subscribing."
)
PING_SECONDS = Metric("hatang_mqtt_ping_duration_seconds", "Time that the broker took to answer a ping.")
MQTT_METRICS = (CONNECTED, CONNECTIONS, CONNECT_SECONDS, PING_SECONDS, *BOARD_METRICS)

# How long to wait before a lost connection is made again; twice as long after each attempt.
FIRST_PAUSE, LAST_PAUSE = 1.0, 60.0
# A target without a run for so many intervals is gone.
LEASE_INTERVALS = 3
# How long all goodbyes together may take.
LAST_WORDS = 2.0


class Watch:
    """One target's connection and what was heard on it. It has a task only while it connects."""

    def __init__(self, spec: MqttSpec, net: Net, gone: Callable[[], None]) -> None:
        self.board = Board(spec.subscriptions, spec.families, spec.max_topics)
        self._connector = Connector(spec, net, self._hear)
        self._max_payload = spec.max_payload
        self._gone = gone
        self._link: Link | None = None
        self._attempt: asyncio.Task[Link | Exception] | None = None
        self._until = 0.0
        self._again: asyncio.TimerHandle | None = None
        self._lease: asyncio.TimerHandle | None = None
        self._pause = FIRST_PAUSE
        self._limit = LAST_PAUSE
        self._made = 0
        self._took: float | None = None
        self._skipped = 0

    async def run(self, deadline: float, emit: Emit) -> None:
        """Connect if need be, ask whether the broker is there, and judge who is silent.

        Raises ProbeFailed; Undecided; OSError when the fault is ours.
        """
        try:
            known = self._link
            link = await self._linked(deadline)
            try:
                await self._ping(link, emit)
            except ProbeFailed:
                # It may have ended long ago, which nobody noticed.
                if link is not known or not link.lost.done():
                    raise
                link = await self._linked(deadline)
                await self._ping(link, emit)
            self.board.judge(time.monotonic(), link.since)
        finally:
            self._report(emit)

    async def _ping(self, link: Link, emit: Emit) -> None:
        begun = time.perf_counter()
        await link.ping()
        emit(PING_SECONDS, time.perf_counter() - begun)

    def lease(self, interval: float) -> None:
        """Stay for some more intervals."""
        if self._lease is not None:
            self._lease.cancel()
        self._lease = asyncio.get_running_loop().call_later(LEASE_INTERVALS * interval, self.close)

    def close(self) -> list[asyncio.Future[Any]]:
        """End all that is going on; what is returned is done when nothing is left."""
        ending: list[asyncio.Future[Any]] = []
        self._stop_waiting()
        if self._lease is not None:
            self._lease.cancel()
        if self._attempt is not None:
            self._attempt.cancel()
            ending.append(self._attempt)
        if self._link is not None:
            ending.append(self._link.closed)
            self._link.lost.remove_done_callback(self._on_lost)
            self._link.leave()
            self._link = None
        self._gone()
        return ending

    async def _linked(self, deadline: float) -> Link:
        """The connection; one that was just made may be lost again."""
        self._limit = deadline - time.monotonic()
        while True:
            if self._link is not None and not self._link.lost.done():
                return self._link
            # Others may wait for the same attempt: it goes on without us.
            made = await asyncio.shield(self._try(deadline))
            if isinstance(made, Link):
                return made
            ours = self._until >= deadline
            if ours or not isinstance(made, ProbeFailed) or made.reason is not Reason.TIMEOUT:
                raise made

    def _try(self, deadline: float) -> asyncio.Task[Link | Exception]:
        self._stop_waiting()
        if self._attempt is None or self._attempt.done():
            self._until = deadline
            self._attempt = asyncio.get_running_loop().create_task(self._connect(deadline))
        return self._attempt

    async def _connect(self, deadline: float) -> Link | Exception:
        begun = time.monotonic()
        try:
            async with asyncio.timeout(deadline - begun):
                link = await self._connector.connect(deadline)
        except TimeoutError:
            problem: Exception = ProbeFailed(Reason.TIMEOUT, f"no connection within {deadline - begun:.1f} s")
        except (ProbeFailed, OSError) as error:
            problem = error
        else:
            self._link, self._made, self._took = link, self._made + 1, time.monotonic() - begun
            link.lost.add_done_callback(self._on_lost)
            self._stop_waiting()
            return link
        self._plan()
        return problem

    def _on_lost(self, lost: object) -> None:
        link = self._link
        if link is None or link.lost is not lost:
            return
        self._link = None
        self._skipped += link.too_large
        if time.monotonic() - link.since > LAST_PAUSE:
            self._pause = FIRST_PAUSE
        self._plan()

    def _stop_waiting(self) -> None:
        if self._again is not None:
            self._again.cancel()
            self._again = None

    def _plan(self) -> None:
        pause = self._pause * random.uniform(0.5, 1.0)  # noqa: S311  so that not all come back at once
        self._pause = min(2 * self._pause, LAST_PAUSE)
        self._again = asyncio.get_running_loop().call_later(pause, self._retry)

    def _retry(self) -> None:
        self._try(time.monotonic() + self._limit)

    def _hear(self, message: MQTTMessage) -> None:
        if len(message.payload) > self._max_payload:
            self._skipped += 1
            return
        try:
            topic = message.topic
        except UnicodeDecodeError:
            self.board.dropped["unreadable"] += 1
            return
        self.board.hear(topic, bytes(message.payload), message.retain, time.monotonic(), time.time())

    def _report(self, emit: Emit) -> None:
        link = self._link
        for metric, labels, value in self._connector.facts:
            emit(metric, value, *labels)
        emit(CONNECTED, link is not None)
        emit(CONNECTIONS, self._made)
        if self._took is not None:
            emit(CONNECT_SECONDS, self._took)
        self.board.dropped["too_large"] = self._skipped + (link.too_large if link is not None else 0)
        self.board.emit(emit, time.monotonic(), link.since if link is not None else None)


class Watches:
    """The watches of all targets; those with the same settings share one."""

    def __init__(self, net: Net) -> None:
        self._net = net
        self._watches: dict[MqttSpec, Watch] = {}

    def take(self, spec: MqttSpec, interval: float) -> Watch:
        """The watch for `spec`, which is run every `interval` seconds."""
        watch = self._watches.get(spec)
        if watch is None:
            watch = self._watches[spec] = Watch(spec, self._net, lambda: self._forget(spec))
        watch.lease(interval)
        return watch

    async def close(self) -> None:
        """End all."""
        ending = [future for watch in tuple(self._watches.values()) for future in watch.close()]
        if ending:
            await asyncio.wait(ending, timeout=LAST_WORDS)

    def _forget(self, spec: MqttSpec) -> None:
        self._watches.pop(spec, None)
