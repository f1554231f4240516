"""`tcp` that only connects."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, contextmanager

import pytest

from collector.model import Outcome, Reason
from collector.probes.tcp import KIND, TcpSpec
from tests.dns_server import Zone, udp_server
from tests.peers import hang, leaving_nothing, peer
from tests.probing import probing, values


@pytest.fixture
async def port() -> AsyncIterator[int]:
    async with peer(hang) as number:
        yield number


async def test_connecting_is_enough(port: int) -> None:
    async with probing(KIND) as tcp:
        result = await tcp.run(host="127.0.0.1", port=port)
    seen = values(result)
    assert result.outcome is Outcome.OK
    assert seen["probe_success"] == 1
    assert seen["probe_ip_protocol"] == 4
    phases = [seen[f"probe_tcp_duration_seconds{{{phase}}}"] for phase in ("resolve", "connect")]
    assert 0 < sum(phases) <= seen["probe_duration_seconds"]
    assert "probe_failed_due_to_regex" not in seen


async def test_by_ip6() -> None:
    async with peer(hang, "::1") as port, probing(KIND) as tcp:
        result = await tcp.run(host="::1", port=port)
    assert result.outcome is Outcome.OK
    assert values(result)["probe_ip_protocol"] == 6


async def test_by_name_of_the_wanted_family() -> None:
    zone = Zone(["both.example. 60 IN A 127.0.0.1", "both.example. 60 IN AAAA ::1"])
    async with peer(hang, "::1") as port, udp_server(zone) as names, probing(KIND, resolvers=(names.address,)) as tcp:
        six = await tcp.run(host="both.example", port=port, ip="ip6")
        four = await tcp.run(host="both.example", port=port, ip="ip4")
    assert six.outcome is Outcome.OK
    assert (four.outcome, four.reason) == (Outcome.FAIL, Reason.REFUSED)


async def test_from_a_given_address() -> None:
    peers: list[str] = []

    async def meet(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        peers.append(writer.get_extra_info("peername")[0])

    async with peer(meet) as port, probing(KIND) as tcp:
        assert (await tcp.run(host="127.0.0.1", port=port, source_ip="127.0.0.7")).outcome is Outcome.OK
        await asyncio.sleep(0.05)
        foreign = await tcp.run(host="127.0.0.1", port=port, source_ip="203.0.113.1")
        other = await tcp.run(host="127.0.0.1", port=port, source_ip="::1")
    assert peers == ["127.0.0.7"]
    assert (foreign.outcome, foreign.reason) == (Outcome.ERROR, Reason.LOCAL)
    assert (other.outcome, other.reason) == (Outcome.ERROR, Reason.LOCAL)


async def test_through_the_address_map(port: int) -> None:
    async with probing(KIND, {"db.example": f"127.0.0.1:{port}"}) as tcp:
        assert (await tcp.run(host="db.example", port=5432)).outcome is Outcome.OK


async def test_refused() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        async with probing(KIND) as tcp:
            result = await tcp.run(host="127.0.0.1", port=unused.getsockname()[1])
    assert (result.outcome, result.reason) == (Outcome.FAIL, Reason.REFUSED)
    assert values(result)["probe_success"] == 0
    assert values(result)["probe_ip_protocol"] == 4


async def test_a_name_that_does_not_resolve() -> None:
    async with udp_server(Zone()) as names, probing(KIND, resolvers=(names.address,)) as tcp:
        result = await tcp.run(host="gone.example", port=80)
    assert (result.outcome, result.reason) == (Outcome.FAIL, Reason.RESOLVE)
    assert values(result)["probe_dns_lookup_time_seconds"] > 0


async def test_without_a_name_server_it_is_our_own_fault() -> None:
    async with udp_server(lambda _: None) as names, probing(KIND, resolvers=(names.address,)) as tcp:
        result = await tcp.run(timeout=4, host="gone.example", port=80)
    assert (result.outcome, result.reason) == (Outcome.ERROR, Reason.LOCAL)
    assert "probe_success" not in values(result)


async def test_a_handshake_that_is_dropped_times_out_and_leaves_nothing() -> None:
    with filled_backlog() as port:
        async with probing(KIND) as tcp, leaving_nothing():
            result = await tcp.run(timeout=0.2, host="127.0.0.1", port=port)
    assert (result.outcome, result.reason) == (Outcome.FAIL, Reason.TIMEOUT)
    assert values(result)["probe_ip_protocol"] == 4


@contextmanager
def filled_backlog() -> Iterator[int]:
    """Port of a listener that never accepts and whose queue is full: the kernel drops what comes."""
    with ExitStack() as stack:
        deaf = stack.enter_context(socket.socket())
        deaf.bind(("127.0.0.1", 0))
        deaf.listen(0)
        for _ in range(4):
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(deaf.getsockname())
        yield deaf.getsockname()[1]


async def test_no_route_is_unreachable() -> None:
    """Multicast has no TCP: the kernel itself says that it cannot get there."""
    async with probing(KIND) as tcp:
        result = await tcp.run(host="224.0.0.1", port=80)
    assert (result.outcome, result.reason) == (Outcome.FAIL, Reason.UNREACHABLE)


async def test_a_hundred_runs_leave_nothing(port: int) -> None:
    async with probing(KIND) as tcp, leaving_nothing():
        results = await asyncio.gather(*(tcp.run(host="127.0.0.1", port=port) for _ in range(100)))
    assert {result.outcome for result in results} == {Outcome.OK}


def test_runs_are_bounded_per_service() -> None:
    assert TcpSpec(host="db.example", port=5432).peer == "db.example:5432"
