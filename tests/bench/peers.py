"""The Go exporters of Debian that users have today, and the load that makes them poll."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import aiohttp
import yaml

from tests.bench.children import Child, find, free_port, running
from tests.bench.servers import COMMUNITY

BURST = 0.1
# name, numeric OID of the instance: all are integers that an agent has at hand.
OIDS = (
    ("sysUpTime", "1.3.6.1.2.1.1.3.0"),
    ("sysServices", "1.3.6.1.2.1.1.7.0"),
    ("snmpInPkts", "1.3.6.1.2.1.11.1.0"),
    ("snmpInBadVersions", "1.3.6.1.2.1.11.3.0"),
    ("snmpInBadCommunityNames", "1.3.6.1.2.1.11.4.0"),
    ("snmpInBadCommunityUses", "1.3.6.1.2.1.11.5.0"),
    ("snmpInASNParseErrs", "1.3.6.1.2.1.11.6.0"),
    ("snmpEnableAuthenTraps", "1.3.6.1.2.1.11.30.0"),
    ("snmpSilentDrops", "1.3.6.1.2.1.11.31.0"),
    ("snmpProxyDrops", "1.3.6.1.2.1.11.32.0"),
)


@dataclass(frozen=True, slots=True)
class Peer:
    """A running exporter that polls when asked, `well` telling a good answer from a bad one."""

    name: str
    child: Child
    url: Callable[[int], str]
    well: Callable[[str], bool]


def _probe_worked(text: str) -> bool:
    return "\nprobe_success 1" in text


def _all_oids(text: str) -> bool:
    return all(f"\n{name} " in text for name, _ in OIDS)


@contextlib.asynccontextmanager
async def blackbox(folder: Path, module: str, target: str, authority: Path) -> AsyncIterator[Peer]:
    """blackbox_exporter that probes `target` by `module` (tcp or http). Raises Unavailable, Broken."""
    tls = {"ca_file": str(authority), "server_name": "localhost"}
    probers: dict[str, Any] = {
        "tcp": {"prober": "tcp", "tcp": {"preferred_ip_protocol": "ip4"}},
        "http": {"prober": "http", "http": {"preferred_ip_protocol": "ip4", "tls_config": tls}},
    }
    (folder / "blackbox.yml").write_text(yaml.safe_dump({"modules": probers}), encoding="utf-8")
    port = free_port()
    argv = [find("prometheus-blackbox-exporter"), f"--config.file={folder}/blackbox.yml"]
    argv.append(f"--web.listen-address=127.0.0.1:{port}")
    url = f"http://127.0.0.1:{port}/probe?{urlencode({'module': module, 'target': target})}"
    with running(argv, folder / "blackbox.out") as child:
        await child.listening(port)
        yield Peer("blackbox_exporter", child, lambda _: url, _probe_worked)


@contextlib.asynccontextmanager
async def snmp_exporter(folder: Path, devices: tuple[str, ...], agent: int) -> AsyncIterator[Peer]:
    """snmp_exporter that GETs the ten OIDs from the devices in turn. Raises Unavailable, Broken."""
    metrics = [
        {"name": name, "oid": oid.removesuffix(".0"), "type": "gauge", "help": "An integer."} for name, oid in OIDS
    ]
    module = {
        "get": [oid for _, oid in OIDS],
        "metrics": metrics,
        "version": 2,
        "retries": 0,
        "auth": {"community": COMMUNITY},
    }
    (folder / "snmp.yml").write_text(yaml.safe_dump({"bench": module}), encoding="utf-8")
    port = free_port()
    argv = [find("prometheus-snmp-exporter"), f"--config.file={folder}/snmp.yml"]
    argv.append(f"--web.listen-address=127.0.0.1:{port}")
    urls = [
        f"http://127.0.0.1:{port}/snmp?{urlencode({'module': 'bench', 'target': f'{address}:{agent}'})}"
        for address in devices
    ]
    with running(argv, folder / "snmp_exporter.out") as child:
        await child.listening(port)
        yield Peer("snmp_exporter", child, lambda number: urls[number % len(urls)], _all_oids)


@dataclass(frozen=True, slots=True)
class Driven:
    """What a peer did for `cpu` seconds of its CPU."""

    polls: int
    well: int
    cpu: float


async def drive(peer: Peer, rate: int, seconds: float) -> Driven:
    """Make the peer poll `rate` times a second, in the bursts of 100 ms that our scheduler also makes."""
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
        await _bursts(peer, session, rate, 0.5)
        before = peer.child.cpu()
        answers = await _bursts(peer, session, rate, seconds)
        cpu = peer.child.cpu() - before
    return Driven(len(answers), sum(answers), cpu)


async def _bursts(peer: Peer, session: aiohttp.ClientSession, rate: int, seconds: float) -> list[bool]:
    asked: list[asyncio.Task[bool]] = []
    begun, size = time.monotonic(), round(rate * BURST)
    for burst in range(round(seconds / BURST)):
        await asyncio.sleep(max(0.0, begun + burst * BURST - time.monotonic()))
        asked += [asyncio.create_task(_ask(peer, session, len(asked) + number)) for number in range(size)]
    return await asyncio.gather(*asked)


async def _ask(peer: Peer, session: aiohttp.ClientSession, number: int) -> bool:
    try:
        async with session.get(peer.url(number)) as answer:
            return answer.status == 200 and peer.well(await answer.text())
    except (aiohttp.ClientError, TimeoutError):
        return False
