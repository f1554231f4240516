"""The resolver against a real name server."""

from __future__ import annotations

import asyncio
import errno
import socket
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import dns.message
import dns.rcode
import pytest

from collector.model import ProbeFailed, Reason
from collector.net import Resolver
from tests.dns_server import Handler, NameServer, Zone, udp_server

pytestmark = pytest.mark.slow

IP4, IP6 = socket.AF_INET, socket.AF_INET6


@asynccontextmanager
async def resolving(answer: Handler, timeout: float = 0.5, **limits: int) -> AsyncIterator[tuple[Resolver, NameServer]]:
    async with udp_server(answer) as server:
        resolver = Resolver((server.address,), timeout, **limits)
        try:
            yield resolver, server
        finally:
            await resolver.close()


async def failed(resolver: Resolver, host: str, family: socket.AddressFamily = IP4) -> ProbeFailed:
    with pytest.raises(ProbeFailed) as caught:
        await resolver.lookup(host, family)
    return caught.value


async def test_finds_every_address_of_the_asked_family() -> None:
    zone = Zone(["a.example. 60 IN A 10.0.0.1", "a.example. 60 IN AAAA 2001:db8::1", "six.example. 60 IN AAAA ::2"])
    async with resolving(zone) as (resolver, _):
        assert await resolver.lookup("a.example", IP4) == ("10.0.0.1",)
        assert await resolver.lookup("a.example", IP6) == ("2001:db8::1",)
        assert (await failed(resolver, "six.example")).reason is Reason.RESOLVE


async def test_follows_aliases() -> None:
    def alias(query: dns.message.Message) -> bytes:
        reply = dns.message.make_response(query)
        reply.answer = [
            dns.rrset.from_text("www.example.", 60, "IN", "CNAME", "host.example."),
            dns.rrset.from_text("host.example.", 60, "IN", "A", "10.0.0.7"),
        ]
        return reply.to_wire()

    async with resolving(alias) as (resolver, _):
        assert await resolver.lookup("www.example", IP4) == ("10.0.0.7",)


async def test_asks_once_per_lifetime_and_believes_the_new_answer() -> None:
    zone = Zone(["a.example. 1 IN A 10.0.0.1"])
    async with resolving(zone) as (resolver, server):
        for _ in range(5):
            assert await resolver.lookup("a.example", IP4) == ("10.0.0.1",)
        assert server.asked == ["a.example"]
        zone.records = ["a.example. 1 IN A 10.0.0.2"]
        await asyncio.sleep(1.1)
        assert await resolver.lookup("a.example", IP4) == ("10.0.0.2",)
        assert len(server.asked) == 2
        zone.records = []
        await asyncio.sleep(1.1)
        assert (await failed(resolver, "a.example")).reason is Reason.RESOLVE


async def test_concurrent_lookups_of_one_name_are_one_question() -> None:
    async with resolving(Zone(["a.example. 60 IN A 10.0.0.1"])) as (resolver, server):
        found = await asyncio.gather(*(resolver.lookup("a.example", IP4) for _ in range(50)))
        assert set(found) == {("10.0.0.1",)}
        assert len(server.asked) == 1


async def test_forty_dead_names_do_not_delay_a_healthy_one() -> None:
    dead = [f"dead-{number}.example" for number in range(40)]
    async with resolving(Zone(["a.example. 60 IN A 10.0.0.1"], silent=dead), timeout=1.0) as (resolver, _):
        waiting = [asyncio.create_task(resolver.lookup(name, IP4)) for name in dead]
        await asyncio.sleep(0.05)
        begun = time.perf_counter()
        assert await resolver.lookup("a.example", IP4) == ("10.0.0.1",)
        assert time.perf_counter() - begun < 0.1
        results = await asyncio.gather(*waiting, return_exceptions=True)
        assert {(type(result), getattr(result, "reason", None)) for result in results} == {
            (ProbeFailed, Reason.RESOLVE)
        }
        assert time.perf_counter() - begun < 2.5
        assert not resolver.impaired


async def test_a_denied_name_fails_at_once_and_names_itself() -> None:
    async with resolving(Zone(), timeout=5.0) as (resolver, _):
        begun = time.perf_counter()
        failure = await failed(resolver, "gone.example")
        assert time.perf_counter() - begun < 0.5
        assert failure.reason is Reason.RESOLVE
        assert failure.detail.startswith("gone.example: ")


async def test_a_refusing_name_server_leaves_the_last_address_for_one_more_lifetime() -> None:
    zone = Zone(["a.example. 1 IN A 10.0.0.1"])
    broken = False

    def answer(query: dns.message.Message) -> bytes | None:
        if not broken:
            return zone(query)
        reply = dns.message.make_response(query)
        reply.set_rcode(dns.rcode.SERVFAIL)
        return reply.to_wire()

    async with resolving(answer) as (resolver, _):
        await resolver.lookup("a.example", IP4)
        broken = True
        await asyncio.sleep(1.1)
        assert await resolver.lookup("a.example", IP4) == ("10.0.0.1",)
        await asyncio.sleep(1.0)
        assert (await failed(resolver, "a.example")).reason is Reason.RESOLVE
        assert not resolver.impaired


async def test_a_dead_name_server_is_our_own_fault_until_it_lives_again() -> None:
    """The last address serves while it is stale; then runs are errors, never failures of the target."""
    zone = Zone(["a.example. 1 IN A 10.0.0.1"])
    async with udp_server(zone) as server:
        resolver = Resolver((server.address,), timeout=0.3)
        await resolver.lookup("a.example", IP4)
    await asyncio.sleep(1.1)
    assert await resolver.lookup("a.example", IP4) == ("10.0.0.1",)
    assert resolver.impaired
    await asyncio.sleep(1.0)
    begun = time.perf_counter()
    with pytest.raises(OSError, match="no name server answers") as caught:
        await resolver.lookup("a.example", IP4)
    assert caught.value.errno == errno.ENONET
    assert time.perf_counter() - begun < 0.05
    async with udp_server(zone, port=server.port):
        await asyncio.sleep(1.5)
        assert not resolver.impaired
        assert await resolver.lookup("a.example", IP4) == ("10.0.0.1",)
    await resolver.close()


async def test_a_silent_name_server_is_found_out_within_its_limits() -> None:
    async with resolving(lambda _: None, timeout=0.4) as (resolver, _):
        begun = time.perf_counter()
        with pytest.raises(OSError, match="no name server answers"):
            await resolver.lookup("a.example", IP4)
        assert time.perf_counter() - begun < 1.2


async def test_a_slow_first_answer_counts_within_the_limit() -> None:
    """Usual latency of a millisecond must not shorten the wait for one name that takes a second.

    Each wait doubles: however long the first is, a try falls between 0.9 s and three times as much.
    """
    zone = Zone([f"n{number}.example. 60 IN A 10.0.0.1" for number in range(20)])
    async with resolving(zone, timeout=3.0) as (resolver, _):
        for number in range(20):
            await resolver.lookup(f"n{number}.example", IP4)
        zone.records.append("slow.example. 60 IN A 10.0.0.9")
        zone.silent.add("slow.example")
        asyncio.get_running_loop().call_later(0.9, zone.silent.clear)
        assert await resolver.lookup("slow.example", IP4) == ("10.0.0.9",)


async def test_the_lookup_outlives_a_waiter_without_time() -> None:
    zone = Zone(["a.example. 60 IN A 10.0.0.1"], silent=["a.example"])
    async with resolving(zone, timeout=1.0) as (resolver, _):
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await resolver.lookup("a.example", IP4)
        zone.silent.clear()
        assert await resolver.lookup("a.example", IP4) == ("10.0.0.1",)


@pytest.mark.parametrize("host", ["a..example", "x" * 64 + ".example", "ü" * 70 + ".example"])
async def test_what_is_no_name_fails_as_one(host: str) -> None:
    async with resolving(Zone()) as (resolver, _):
        assert (await failed(resolver, host)).reason is Reason.RESOLVE


async def test_a_vietnamese_name_is_asked_in_its_ascii_form() -> None:
    name = "quảngngãi.example"
    ascii_form = name.encode("idna").decode()
    async with resolving(Zone([f"{ascii_form}. 60 IN A 10.0.0.3"])) as (resolver, server):
        assert await resolver.lookup(name, IP4) == ("10.0.0.3",)
        assert server.asked == [ascii_form]


async def test_memory_is_bounded() -> None:
    records = [f"n{number}.example. 60 IN A 10.0.0.1" for number in range(8)]
    async with resolving(Zone(records), max_entries=4) as (resolver, server):
        for number in range(8):
            await resolver.lookup(f"n{number}.example", IP4)
        assert len(resolver._answers) == 4
        await resolver.lookup("n7.example", IP4)
        assert len(server.asked) == 8


async def test_closing_ends_the_waits_as_our_own_fault() -> None:
    async with resolving(Zone(silent=["a.example"]), timeout=5.0) as (resolver, _):
        waiting = asyncio.create_task(resolver.lookup("a.example", IP4))
        await asyncio.sleep(0.05)
        await resolver.close()
        with pytest.raises(OSError, match="closed"):
            await waiting


async def test_cancelling_a_waiter_cancels_only_it() -> None:
    zone = Zone(["a.example. 60 IN A 10.0.0.1"], silent=["a.example"])
    async with resolving(zone, timeout=1.0) as (resolver, _):
        first = asyncio.create_task(resolver.lookup("a.example", IP4))
        second = asyncio.create_task(resolver.lookup("a.example", IP4))
        await asyncio.sleep(0.05)
        first.cancel()
        zone.silent.clear()
        assert await second == ("10.0.0.1",)
        assert first.cancelled()
