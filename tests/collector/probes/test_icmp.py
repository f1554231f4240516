"""`icmp` in a network of its own, by unprivileged and by raw sockets."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Iterator
from typing import Any

import pytest

from collector.model import Outcome, Reason, Result
from collector.probes.icmp import KIND
from tests.icmp_network import (
    HOST_IP4,
    HOST_IP6,
    OWN_IP4,
    OWN_IP6,
    ROUTER_IP4,
    ROUTER_IP6,
    Network,
    Request,
    answers,
    complaint,
    network,
    reply,
    silent,
)
from tests.peers import leaving_nothing
from tests.pinned import check_pinned
from tests.probing import probing, values

HOSTS = pytest.mark.parametrize("host", [HOST_IP4, HOST_IP6], ids=["ip4", "ip6"])
QUICK = {"spacing": 0.01, "wait": 0.15}


@pytest.fixture(params=["datagram", "raw"], scope="module")
def place(request: pytest.FixtureRequest) -> Iterator[Network]:
    with network(unprivileged=request.param == "datagram") as net:
        yield net


@pytest.fixture
async def lab(place: Network) -> AsyncIterator[Network]:
    place.start()
    yield place
    place.stop()


async def run(host: str, timeout: float = 2.0, **settings: Any) -> Result:
    async with probing(KIND) as icmp, leaving_nothing():
        return await icmp.run(timeout, **{"host": host} | QUICK | settings)


def failed(result: Result, reason: Reason) -> bool:
    return (result.outcome, result.reason) == (Outcome.FAIL, reason)


@HOSTS
async def test_a_host_that_answers(lab: Network, host: str) -> None:
    lab.host = lambda request: [(0.02, reply(request, ttl=57))]
    result = await run(host)
    seen = values(result)
    assert result.outcome is Outcome.OK, result.detail
    assert seen["probe_ip_protocol"] == (6 if ":" in host else 4)
    assert (seen["probe_icmp_packets_sent"], seen["probe_icmp_packets_received"]) == (3, 3)
    assert seen["probe_icmp_loss_ratio"] == 0
    assert seen["probe_icmp_reply_hop_limit"] == 57
    least, mean, most = (seen[f"probe_icmp_rtt_{name}_seconds"] for name in ("min", "avg", "max"))
    assert 0.015 < least <= mean <= most < 0.5
    assert seen["probe_icmp_duration_seconds{rtt}"] == mean
    assert 0 <= seen["probe_icmp_rtt_stddev_seconds"] <= most - least
    assert seen["probe_icmp_duration_seconds{setup}"] > 0
    assert result.duration < 0.14  # does not wait on when all is answered
    check_pinned(KIND, result)


@HOSTS
async def test_a_lost_packet(lab: Network, host: str) -> None:
    lab.host = lambda request: answers(request) if len(lab.seen) != 2 else ()
    good = await run(host, packets=4)
    lab.seen.clear()
    strict = await run(host, packets=4, max_loss=0.2)
    assert good.outcome is Outcome.OK
    assert values(good)["probe_icmp_loss_ratio"] == values(strict)["probe_icmp_loss_ratio"] == 0.25
    assert failed(strict, Reason.UNEXPECTED)
    assert "3 of 4" in strict.detail
    assert values(strict)["probe_icmp_rtt_avg_seconds"] > 0


@HOSTS
async def test_a_host_that_is_not_there(lab: Network, host: str) -> None:
    lab.host = silent
    result = await run(host)
    assert failed(result, Reason.TIMEOUT)
    assert values(result)["probe_icmp_loss_ratio"] == 1
    assert "probe_icmp_rtt_avg_seconds" not in values(result)


async def test_waits_no_longer_than_the_time_limit_and_keeps_its_figures(lab: Network) -> None:
    lab.host = silent
    result = await run(HOST_IP4, 0.4, wait=None, spacing=5.0, packets=4)
    assert failed(result, Reason.TIMEOUT)
    assert values(result)["probe_icmp_packets_sent"] == 4
    assert 0.3 < result.duration < 0.4


async def test_packets_leave_spaced(lab: Network) -> None:
    result = await run(HOST_IP4, packets=3, spacing=0.1)
    assert result.outcome is Outcome.OK
    assert 0.2 <= result.duration < 0.35


@pytest.mark.parametrize(
    ("host", "by", "kind", "code", "words"),
    [
        (HOST_IP4, ROUTER_IP4, 3, 1, "host unreachable"),
        (HOST_IP4, ROUTER_IP4, 11, 0, "time to live exceeded"),
        (HOST_IP4, ROUTER_IP4, 3, 13, "communication prohibited"),
        (HOST_IP6, ROUTER_IP6, 1, 3, "address unreachable"),
        (HOST_IP6, ROUTER_IP6, 3, 0, "hop limit exceeded"),
    ],
)
async def test_a_router_s_word_is_passed_on_at_once(
    lab: Network, host: str, by: str, kind: int, code: int, words: str
) -> None:
    lab.host = lambda request: [complaint(request, kind, code, by)]
    result = await run(host, wait=1.0)
    assert failed(result, Reason.UNREACHABLE), result
    assert result.detail == f"{words}, says {by}"
    assert values(result)["probe_icmp_loss_ratio"] == 1
    assert result.duration < 0.5


async def test_one_target_s_errors_do_not_touch_another(lab: Network) -> None:
    """The kernel reports an error on the next call on the shared socket, whoever makes it."""
    bad = "198.51.100.99"

    def host(request: Request) -> Iterable[bytes]:
        return [complaint(request, 3, 1, ROUTER_IP4)] if request.destination == bad else answers(request)

    lab.host = host
    async with probing(KIND) as icmp:
        settings = {"packets": 10, "spacing": 0.003, "wait": 0.2}
        runs = [icmp.run(2.0, host=address, **settings) for address in (bad, HOST_IP4) * 10]
        results = await asyncio.gather(*runs)
    assert all(failed(result, Reason.UNREACHABLE) for result in results[::2])
    assert {(result.outcome, result.detail) for result in results[1::2]} == {(Outcome.OK, "")}


@HOSTS
async def test_duplicates_count_once(lab: Network, host: str) -> None:
    lab.host = lambda request: [reply(request), reply(request)]
    result = await run(host, packets=2, spacing=0.05)
    assert values(result)["probe_icmp_packets_received"] == 2
    assert values(result)["probe_icmp_duplicates"] >= 1


async def test_a_late_answer_counts_for_no_later_run(lab: Network) -> None:
    lab.host = lambda request: [(0.08, reply(request))]
    async with probing(KIND) as icmp:
        settings = {"host": HOST_IP4, "packets": 1, "wait": 0.05}
        results = [await icmp.run(1.0, **settings) for _ in range(4)]
    assert all(failed(result, Reason.TIMEOUT) for result in results)


@pytest.mark.parametrize(
    "forge",
    [
        lambda request: reply(request, payload=b"other data than was sent"),
        lambda request: reply(request, payload=request.payload[:20]),
    ],
    ids=["other data", "half"],
)
async def test_an_answer_with_other_data(lab: Network, forge: Any) -> None:
    lab.host = lambda request: [forge(request)]
    result = await run(HOST_IP4)
    assert failed(result, Reason.PROTOCOL)


@pytest.mark.parametrize(
    "forge",
    [
        lambda request: reply(request, by=ROUTER_IP4),
        lambda request: reply(request, identifier=request.identifier ^ 1),
        lambda request: complaint(request, 5, 1, ROUTER_IP4),
        lambda request: complaint(request, 3, 1, ROUTER_IP4)[:40],
        lambda request: reply(request)[:20],
    ],
    ids=["another host", "another process", "a redirect", "half an error", "no message"],
)
async def test_what_is_no_answer(lab: Network, forge: Any) -> None:
    lab.host = lambda request: [forge(request), reply(request)] if request.sequence % 2 else [forge(request)]
    result = await run(HOST_IP4, packets=4)
    assert values(result)["probe_icmp_packets_received"] == 2


@HOSTS
async def test_the_request_looks_as_configured(lab: Network, host: str) -> None:
    own, other = (OWN_IP6, "2001:db8::5") if ":" in host else (OWN_IP4, "198.51.100.5")
    await run(host, packets=1)
    lab.add_address(other)
    await run(host, packets=2, ttl=7, payload_size=1000, source_ip=other, dont_fragment=True)
    plain, *configured = lab.seen
    assert (plain.ttl, len(plain.payload), plain.source) == (64, 56, own)
    for request in configured:
        assert (request.ttl, len(request.payload), request.source) == (7, 1000, other)
        assert request.dont_fragment
    assert plain.dont_fragment == (":" in host)
    assert configured[0].payload != configured[1].payload


@HOSTS
async def test_a_payload_of_nothing(lab: Network, host: str) -> None:
    result = await run(host, payload_size=0)
    assert result.outcome is Outcome.OK
    assert {request.payload for request in lab.seen} == {b""}


@HOSTS
async def test_too_big_for_the_link(lab: Network, host: str) -> None:
    result = await run(host, payload_size=5000, dont_fragment=True)
    assert failed(result, Reason.UNREACHABLE)
    assert "too long" in result.detail


async def test_too_big_for_the_path(lab: Network) -> None:
    lab.host = lambda request: [complaint(request, 3, 4, ROUTER_IP4, info=1000)]
    result = await run(HOST_IP4, payload_size=1400, dont_fragment=True)
    assert failed(result, Reason.UNREACHABLE)
    assert "packet too big" in result.detail


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
async def test_a_real_host_and_the_largest_packet(lab: Network, host: str) -> None:
    """The kernel's own answers, over loopback."""
    result = await run(host, payload_size=65000, packets=2)
    assert result.outcome is Outcome.OK, result.detail
    assert values(result)["probe_icmp_packets_received"] == 2


async def test_by_name_through_the_address_map(lab: Network) -> None:
    async with probing(KIND, {"gw.example": HOST_IP4}) as icmp:
        assert (await icmp.run(host="gw.example", ip="ip4", **QUICK)).outcome is Outcome.OK


async def test_a_name_that_does_not_resolve(lab: Network) -> None:
    result = await run("a..b")
    assert failed(result, Reason.RESOLVE)


async def test_no_route_is_unreachable(lab: Network) -> None:
    result = await run("203.0.113.1")
    assert failed(result, Reason.UNREACHABLE)


@HOSTS
async def test_a_source_that_is_not_ours_is_our_own_fault(lab: Network, host: str) -> None:
    foreign = await run(host, source_ip="2001:db8:1::9" if ":" in host else "203.0.113.9")
    other = await run(host, source_ip=OWN_IP4 if ":" in host else OWN_IP6)
    assert (foreign.outcome, foreign.reason) == (Outcome.ERROR, Reason.LOCAL), foreign
    assert (other.outcome, other.reason) == (Outcome.ERROR, Reason.LOCAL)


async def test_a_cancelled_run_leaves_nothing(lab: Network) -> None:
    lab.host = silent
    async with probing(KIND) as icmp, leaving_nothing():
        task = asyncio.create_task(icmp.run(5.0, host=HOST_IP4))
        await asyncio.sleep(0.05)
        task.cancel()
        await asyncio.wait([task])
        channels = icmp._runner._resources["icmp"]._channels.values()
        assert not any(channel._pending for channel in channels)


async def test_five_hundred_hosts_share_the_sockets(lab: Network) -> None:
    async with probing(KIND) as icmp, leaving_nothing():
        hosts = [f"198.51.100.{number % 250 + 2}" for number in range(500)]
        results = await asyncio.gather(*(icmp.run(10.0, host=host, packets=2, spacing=0.05) for host in hosts))
    assert {result.outcome for result in results} == {Outcome.OK}
    assert sum(values(result)["probe_icmp_packets_received"] for result in results) == 1000
