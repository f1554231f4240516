"""From a host to a connection, and what each failure means."""

from __future__ import annotations

import asyncio
import errno
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from collector.fields import IpProtocol
from collector.model import Metric, ProbeFailed, Reason
from collector.net import DNS_LOOKUP, IP_PROTOCOL, AddressMap, Endpoint, Net, Resolver, failure
from tests.dns_server import Zone, udp_server

IP4, IP6 = socket.AF_INET, socket.AF_INET6
BOTH = ["a.example. 60 IN A 10.0.0.1", "a.example. 60 IN AAAA 2001:db8::1"]


class Seen(dict[Metric, float]):
    """What was emitted."""

    def __call__(self, metric: Metric, value: float, *labels: str) -> None:
        self[metric] = value


@asynccontextmanager
async def networking(records: list[str], **addresses: str) -> AsyncIterator[Net]:
    async with udp_server(Zone(records)) as server:
        resolver = Resolver((server.address,))
        try:
            yield Net(resolver, AddressMap(addresses))
        finally:
            await resolver.close()


@pytest.mark.parametrize(
    ("records", "ip", "expected"),
    [
        (BOTH, IpProtocol.IP4, ("10.0.0.1", IP4)),
        (BOTH, IpProtocol.IP6, ("2001:db8::1", IP6)),
        (BOTH, IpProtocol.PREFER_IP4, ("10.0.0.1", IP4)),
        (BOTH, IpProtocol.PREFER_IP6, ("2001:db8::1", IP6)),
        (BOTH[:1], IpProtocol.PREFER_IP6, ("10.0.0.1", IP4)),
        (BOTH[1:], IpProtocol.PREFER_IP4, ("2001:db8::1", IP6)),
        (BOTH[:1], IpProtocol.IP6, None),
        (BOTH[1:], IpProtocol.IP4, None),
        ([], IpProtocol.PREFER_IP4, None),
    ],
)
async def test_resolves_to_the_wanted_family(
    records: list[str], ip: IpProtocol, expected: tuple[str, socket.AddressFamily] | None
) -> None:
    seen = Seen()
    async with networking(records) as net:
        if expected is None:
            with pytest.raises(ProbeFailed) as caught:
                await net.resolve("a.example", 80, ip, seen)
            assert caught.value.reason is Reason.RESOLVE
            assert IP_PROTOCOL not in seen
        else:
            assert await net.resolve("a.example", 80, ip, seen) == Endpoint(expected[0], 80, expected[1])
            assert seen[IP_PROTOCOL] == (4 if expected[1] == IP4 else 6)
        assert 0 < seen[DNS_LOOKUP] < 1


@pytest.mark.parametrize(("host", "family"), [("127.0.0.1", IP4), ("::1", IP6), ("fe80::1%lo", IP6)])
async def test_an_address_needs_no_name_server(host: str, family: socket.AddressFamily) -> None:
    async with networking([]) as net:
        assert await net.resolve(host, 80, IpProtocol.PREFER_IP4, Seen()) == Endpoint(host, 80, family)


async def test_a_redirected_name_may_be_a_name_itself() -> None:
    async with networking(["b.example. 60 IN A 10.0.0.2"], **{"a.example": "b.example:81"}) as net:
        found = await net.resolve("a.example", 80, IpProtocol.PREFER_IP4, Seen())
        assert found == Endpoint("10.0.0.2", 81, IP4)


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
async def test_dials_from_the_given_source(host: str) -> None:
    peers: list[str] = []

    def met(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        peers.append(writer.get_extra_info("peername")[0])
        writer.close()

    server = await asyncio.start_server(met, host, 0)
    endpoint = Endpoint(host, server.sockets[0].getsockname()[1], IP6 if ":" in host else IP4)
    source = "::1" if ":" in host else "127.0.0.9"
    async with networking([]) as net:
        transport, _ = await net.dial(asyncio.Protocol, endpoint, source)
        await asyncio.sleep(0.05)
        transport.abort()
    server.close()
    assert peers == [source]


async def test_a_closed_port_is_refused() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        async with networking([]) as net:
            with pytest.raises(ProbeFailed) as caught:
                await net.dial(asyncio.Protocol, Endpoint("127.0.0.1", unused.getsockname()[1], IP4))
    assert caught.value.reason is Reason.REFUSED


async def test_a_source_that_is_not_ours_is_our_own_fault() -> None:
    async with networking([]) as net:
        with pytest.raises(OSError, match="address") as caught:
            await net.dial(asyncio.Protocol, Endpoint("127.0.0.1", 1, IP4), "203.0.113.9")
    assert caught.value.errno == errno.EADDRNOTAVAIL


@pytest.mark.parametrize(
    ("number", "reason"),
    [
        (errno.ECONNREFUSED, Reason.REFUSED),
        (errno.ETIMEDOUT, Reason.TIMEOUT),
        (errno.ECONNRESET, Reason.PROTOCOL),
        (errno.EPIPE, Reason.PROTOCOL),
        (errno.ECONNABORTED, Reason.PROTOCOL),
        (errno.EHOSTUNREACH, Reason.UNREACHABLE),
        (errno.ENETUNREACH, Reason.UNREACHABLE),
        (errno.EINVAL, Reason.UNREACHABLE),
    ],
)
def test_what_an_error_says_of_the_target(number: int, reason: Reason) -> None:
    assert failure(OSError(number, "words")).reason is reason


@pytest.mark.parametrize("number", [errno.EMFILE, errno.ENOBUFS, errno.EADDRNOTAVAIL, errno.EACCES, errno.ENONET])
def test_our_own_shortage_is_never_the_target_s(number: int) -> None:
    with pytest.raises(OSError, match="words") as caught:
        failure(OSError(number, "words"))
    assert caught.value.errno == number
