"""A trap receiver on a free port, and net-snmp's programs that send to it."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from collector.model import Labels, Sample, Target
from collector.net import AddressMap, Net, Resolver
from collector.probes.snmp import SnmpSpec
from collector.settings.monitor import Traps
from collector.traps import Trap, TrapReceiver
from tests.device_profiles import context, shipped

COLD_START = "1.3.6.1.6.3.1.1.5.1"
LINK_DOWN = "1.3.6.1.6.3.1.1.5.3"
IF_INDEX = "1.3.6.1.2.1.2.2.1.1"
AUTH_PASSWORD, PRIV_PASSWORD = "authentication", "encryption-key"
DEVICE = shipped("system")


def device(target: str = "sw", host: str = "127.0.0.1", **settings: Any) -> Target:
    """A target that polls `host`: with community public, unless told otherwise."""
    spec = {"host": host, "profiles": ["system"], **({} if "user" in settings else {"community": "public"}), **settings}
    return Target(target, "s", "snmp", SnmpSpec.model_validate(spec, context=context(DEVICE)), 60.0, 5.0)


def user(name: str = "observer", auth: str = "sha256", priv: str | None = "aes128", **more: Any) -> dict[str, Any]:
    """Settings of a target that is polled as this user."""
    keys = {"auth_protocol": auth, "auth_password": AUTH_PASSWORD}
    if priv:
        keys |= {"priv_protocol": priv, "priv_password": PRIV_PASSWORD}
    return {"version": "3", "user": name, **keys, **more}


@dataclass
class Figures:
    """A sink that remembers."""

    owners: dict[str, tuple[Labels, list[Sample]]] = field(default_factory=dict)

    def put(self, owner: str, labels: Labels, samples: Iterable[Sample]) -> None:
        self.owners[owner] = (labels, list(samples))

    def drop(self, owner: str) -> None:
        self.owners.pop(owner, None)

    def values(self) -> dict[str, float]:
        """`name{value,value}` -> value."""
        return {
            f"{each.metric.name}{{{','.join([value for _, value in labels] + list(each.labels))}}}": each.value
            for labels, samples in self.owners.values()
            for each in samples
        }


@dataclass
class Trapping:
    """The receiver and what it gave."""

    receiver: TrapReceiver
    figures: Figures
    traps: list[Trap]
    moments: list[float]
    directory: Path

    @property
    def port(self) -> int:
        return self.receiver.addresses[0][1]

    async def send(self, program: str, *arguments: str, to: str = "127.0.0.1", source: str | None = None) -> str:
        """Run snmptrap or snmpinform with `arguments` around the address; returns what it complained of."""
        head, tail = arguments[: arguments.index("--")], arguments[arguments.index("--") + 1 :]
        client = ["--clientaddr=" + source] if source else []
        place = f"udp6:[{to}]:{self.port}" if ":" in to else f"{to}:{self.port}"
        process = await asyncio.create_subprocess_exec(
            program,
            *client,
            *head,
            place,
            *tail,
            env={**os.environ, "MIBS": "", "SNMP_PERSISTENT_DIR": str(self.directory / "net-snmp")},
            stderr=asyncio.subprocess.PIPE,
        )
        _, complaint = await process.communicate()
        told = [line for line in complaint.decode().splitlines() if "reated directory" not in line]
        return "\n".join(told)

    async def until(self, condition: Callable[[], bool], limit: float = 5.0) -> None:
        """Wait for it. Raises AssertionError."""
        deadline = time.monotonic() + limit
        while not condition():
            assert time.monotonic() < deadline, (self.values(), self.traps)
            await asyncio.sleep(0.01)

    async def next(self, before: int = 0) -> Trap:
        """The trap after the first `before`."""
        await self.until(lambda: len(self.traps) > before)
        return self.traps[before]

    def values(self) -> dict[str, float]:
        """All figures now."""
        self.receiver.publish(self.figures)
        return self.figures.values()

    def dropped(self, reason: str) -> float:
        """Datagrams that went no further for this reason."""
        return self.values()[f"hatang_traps_dropped_total{{{reason}}}"]


@asynccontextmanager
async def trapping(
    directory: Path, *targets: Target, addresses: Mapping[str, str] | None = None, **settings: Any
) -> AsyncIterator[Trapping]:
    """A running receiver that knows the targets."""
    resolver = Resolver()
    net = Net(resolver, AddressMap(addresses or {}))
    model = Traps.model_validate({"listen": "127.0.0.1:0", "engine_file": directory / "engine.json", **settings})
    traps: list[Trap] = []
    moments: list[float] = []

    def take(trap: Trap) -> None:
        traps.append(trap)
        moments.append(time.monotonic())

    receiver, figures = TrapReceiver(model, net, take), Figures()
    receiver.update({target.id: target for target in targets})
    try:
        await receiver.start()
        await asyncio.sleep(0.05)  # addresses are looked up meanwhile; those that are written out need no asking
        yield Trapping(receiver, figures, traps, moments, directory)
    finally:
        await receiver.stop(figures)
        await resolver.close()
