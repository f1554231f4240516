"""10,000 datagrams a second from one device: counted, and in nobody's way."""

from __future__ import annotations

import asyncio
import gc
import socket
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.lag import Lag
from tests.snmp_agent import integer, oid, text, ticks, tlv
from tests.trapping import COLD_START, LINK_DOWN, device, trapping

pytestmark = pytest.mark.slow

STORM = 10_000


def trap(name: str, community: str = "public") -> bytes:
    bindings = tlv(0x30, oid("1.3.6.1.2.1.1.3.0") + ticks(1)) + tlv(0x30, oid("1.3.6.1.6.3.1.1.4.1.0") + oid(name))
    pdu = integer(1) + integer(0) + integer(0) + tlv(0x30, bindings)
    return tlv(0x30, integer(1) + text(community) + tlv(0xA7, pdu))


def storm(port: int, source: str, content: bytes) -> None:
    """So many in about a second, from another thread."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind((source, 0))
        begun = time.perf_counter()
        for number in range(STORM):
            sock.sendto(content, ("127.0.0.1", port))
            ahead = begun + number / STORM - time.perf_counter()
            if ahead > 0.002:
                time.sleep(ahead)


@pytest.mark.parametrize("source", ["127.0.0.1", "127.0.0.3"])
async def test_a_storm_of_one_source_is_counted_and_in_nobodys_way(tmp_path: Path, source: str) -> None:
    """Of a configured device, or of a stranger: another device's traps still come at once."""
    targets = device("stormy", "127.0.0.1"), device("calm", "127.0.0.2")
    async with trapping(tmp_path, *targets, listen="0.0.0.0:0") as traps:
        gc.collect()
        lag = Lag()
        watching = asyncio.create_task(lag.watch())
        storming = asyncio.create_task(asyncio.to_thread(storm, traps.port, source, trap(LINK_DOWN)))
        delays: list[float] = []

        def calm_ones() -> int:
            return sum(one.targets == ("calm",) for one in traps.traps)

        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as calm:
            calm.bind(("127.0.0.2", 0))
            while not storming.done():
                sent = time.monotonic()
                calm.sendto(trap(COLD_START), ("127.0.0.1", traps.port))
                await traps.until(lambda: calm_ones() > len(delays))
                delays.append(time.monotonic() - sent)
                await asyncio.sleep(0.2)
        await storming
        watching.cancel()
        heard = sum(one.targets == ("stormy",) for one in traps.traps)
        reason = "rate" if source == "127.0.0.1" else "unknown_source"
        # What the kernel itself drops on a busy machine, nobody can count.
        await traps.until(lambda: traps.dropped(reason) + heard > 0.8 * STORM, 3)
        assert heard <= 50 + 10 * 3
        assert len(delays) >= 3
        assert max(delays) < 1
        assert lag.busy < 0.1


async def test_what_waits_is_bounded(tmp_path: Path) -> None:
    """However much is let in, what cannot be read soon is dropped."""
    async with trapping(tmp_path, device(), per_source=1e5, in_all=500) as traps:
        await asyncio.to_thread(storm, traps.port, "127.0.0.1", trap(LINK_DOWN))
        await traps.until(traps.receiver._waiting.empty, 15)
        assert len(traps.traps) + traps.dropped("rate") > 0.8 * STORM
        assert traps.dropped("rate") > 0


@pytest.mark.real
async def test_a_poll_within_a_second(tmp_path: Path, real: Callable[[str], str]) -> None:
    """From the program that sends to the word that the target is to be polled."""
    async with trapping(tmp_path, device()) as traps:
        for version in ("1", "2c"):
            arguments = ["1.3.6.1.4.1.8072", "", "2", "0", "1"] if version == "1" else ["1", LINK_DOWN]
            begun, before = time.monotonic(), len(traps.traps)
            await traps.send(real("snmptrap"), "-v", version, "-c", "public", "--", *arguments)
            assert (await traps.next(before)).name == "linkDown"
            assert traps.moments[-1] - begun < 1
