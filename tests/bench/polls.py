"""CPU of one poll, the whole path of it, beside the exporter that users have today."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.bench.children import Unavailable
from tests.bench.effort import Effort
from tests.bench.figures import Budget, Figure
from tests.bench.ours import Ours, Runs, Target, service, settled
from tests.bench.peers import OIDS, Driven, Peer, blackbox, drive, snmp_exporter
from tests.bench.servers import COMMUNITY, DEVICES, nginx, snmpd

RATIO = 0.55
# A run that fails costs something else than a poll.
SHARE_OK = 0.99


@dataclass(frozen=True, slots=True)
class Scene:
    """Targets that are polled once a second, the devices' profiles they need, and the peer that does the same."""

    targets: list[Target]
    peer: AbstractAsyncContextManager[Peer]
    devices: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Contest:
    """One kind of poll against a peer, `rate` times a second."""

    key: str
    name: str
    rate: int
    scene: Callable[[Path, int], AbstractAsyncContextManager[Scene]]
    budget: Budget | None = None

    async def measure(self, folder: Path, effort: Effort) -> list[Figure]:
        """The figure of this contest. Raises Unavailable when there is nothing to poll."""
        async with self.scene(folder, self.rate) as scene, contextlib.AsyncExitStack() as stack:
            peer, note = None, ""
            try:
                peer = await stack.enter_async_context(scene.peer)
            except Unavailable as error:
                note = str(error)
            ours = await stack.enter_async_context(service(folder, scene.targets, scene.devices))
            await settled(ours, len(scene.targets))
            return [await self._rounds(ours, peer, effort, note)]

    async def _rounds(self, ours: Ours, peer: Peer | None, effort: Effort, note: str) -> Figure:
        own: list[float] = []
        others: list[float] = []
        doubts = [note] if note else []
        for number in range(1, effort.rounds + 1):
            effort.say(f"{self.name}: round {number} of {effort.rounds}, ours")
            cpu, runs = await _our_turn(ours, effort.seconds)
            own.append(1000 * cpu / max(1.0, runs.all))
            doubts += _doubts("ours", runs.share_ok, runs.all / effort.seconds / self.rate)
            if peer is not None:
                effort.say(f"{self.name}: round {number} of {effort.rounds}, {peer.name}")
                driven = await _their_turn(peer, ours, self.rate, effort.seconds)
                others.append(1000 * driven.cpu / driven.polls)
                doubts += _doubts(peer.name, driven.well / driven.polls, 1.0)
        sound = len(doubts) == bool(note)
        name = peer.name if peer else ""
        return Figure(self.name, "ms CPU", own, self.budget, others, name, "; ".join(dict.fromkeys(doubts)), sound)


def _doubts(who: str, share_ok: float, share_made: float) -> list[str]:
    doubts = [f"{who}: only {share_ok:.1%} of the polls were ok"] if share_ok < SHARE_OK else []
    return doubts + ([f"{who}: only {share_made:.0%} of the polls were made"] if share_made < 0.9 else [])


async def _our_turn(ours: Ours, seconds: float) -> tuple[float, Runs]:
    ours.child.resume()
    await asyncio.sleep(1.0)  # what stood still has gone on
    cpu, runs = ours.child.cpu(), await ours.runs()
    await asyncio.sleep(seconds)
    used = ours.child.cpu() - cpu
    return used, (await ours.runs()).since(runs)


async def _their_turn(peer: Peer, ours: Ours, rate: int, seconds: float) -> Driven:
    ours.child.suspend()
    try:
        return await drive(peer, rate, seconds)
    finally:
        ours.child.resume()


def _targets(count: int, settings: Callable[[int], Target]) -> list[Target]:
    common = {"interval": "1s", "timeout": "900ms"}
    return [{"id": f"t{number}", **common, **settings(number)} for number in range(count)]


@contextlib.asynccontextmanager
async def _snmp(folder: Path, rate: int) -> AsyncIterator[Scene]:
    profile = {"name": "bench", "title": "Ten integers", "scalars": [
        {"name": name, "oid": oid, "help": "An integer."} for name, oid in OIDS
    ]}  # fmt: skip
    async with snmpd(folder) as port:
        ask = {"kind": "snmp", "port": port, "version": "2c", "community": COMMUNITY, "profiles": ["bench"]}
        targets = _targets(rate, lambda number: {**ask, "host": DEVICES[number % len(DEVICES)]})
        yield Scene(targets, snmp_exporter(folder, DEVICES, port), {"bench": profile})


@contextlib.asynccontextmanager
async def _tcp(folder: Path, rate: int) -> AsyncIterator[Scene]:
    async with nginx(folder) as server:
        targets = _targets(rate, lambda _: {"kind": "tcp", "host": "127.0.0.1", "port": server.plain})
        yield Scene(targets, blackbox(folder, "tcp", f"127.0.0.1:{server.plain}", server.authority))


@contextlib.asynccontextmanager
async def _http(folder: Path, rate: int) -> AsyncIterator[Scene]:
    async with nginx(folder) as server:
        url = f"http://127.0.0.1:{server.plain}/"
        yield Scene(
            _targets(rate, lambda _: {"kind": "http", "url": url}), blackbox(folder, "http", url, server.authority)
        )


@contextlib.asynccontextmanager
async def _https(folder: Path, rate: int) -> AsyncIterator[Scene]:
    async with nginx(folder) as server:
        url, tls = f"https://127.0.0.1:{server.tls}/", {"ca_file": str(server.authority), "server_name": "localhost"}
        targets = _targets(rate, lambda _: {"kind": "http", "url": url, "tls": tls})
        yield Scene(targets, blackbox(folder, "http", url, server.authority))


CONTESTS = (
    Contest("snmp", "SNMP GET of 10 OIDs", 1000, _snmp, Budget(0.12, RATIO)),
    Contest("tcp", "TCP connect", 500, _tcp, Budget(0.15, RATIO)),
    Contest("http", "HTTP GET", 400, _http, Budget(0.35, RATIO)),
    Contest("https", "HTTPS GET", 200, _https),
)
