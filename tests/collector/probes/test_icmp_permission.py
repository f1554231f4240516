"""Which sockets `icmp` may open, and what it says when it may open none."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from collector.icmp.pinger import Pinger
from collector.model import Outcome, Reason
from collector.probes.icmp import KIND
from tests.icmp_network import HOST_IP4, HOST_IP6, network, without_raw_sockets
from tests.peers import leaving_nothing
from tests.probing import probing, values

IP4, IP6 = socket.AF_INET, socket.AF_INET6


async def test_unprivileged_sockets_come_first_and_need_no_capability() -> None:
    with network(unprivileged=True) as net, without_raw_sockets(), capture_logs() as logs:
        net.start()
        async with leaving_nothing(), probing(KIND) as icmp:
            for host in (HOST_IP4, HOST_IP6):
                assert (await icmp.run(host=host, packets=1)).outcome is Outcome.OK
        net.stop()
    assert [entry["sockets"] for entry in logs] == [{"ip4": "datagram", "ip6": "datagram"}]


async def test_raw_sockets_where_only_they_are_allowed() -> None:
    with network(unprivileged=False), capture_logs() as logs:
        async with probing(KIND):
            pass
    assert [(entry["log_level"], entry["sockets"]) for entry in logs] == [("info", {"ip4": "raw", "ip6": "raw"})]


async def test_without_either_it_is_our_own_fault_and_the_remedy_is_named() -> None:
    with network(unprivileged=False), without_raw_sockets(), capture_logs() as logs:
        async with leaving_nothing(), probing(KIND) as icmp:
            result = await icmp.run(host=HOST_IP4)
    assert (result.outcome, result.reason) == (Outcome.ERROR, Reason.PERMISSION)
    assert "net.ipv4.ping_group_range" in result.detail
    assert "CAP_NET_RAW" in result.detail
    assert "probe_success" not in values(result)
    assert [(entry["log_level"], entry["sockets"]) for entry in logs] == [("warning", {"ip4": "none", "ip6": "none"})]
    assert "net.ipv4.ping_group_range" in logs[0]["remedy"]


async def test_a_machine_without_ip6_says_so() -> None:
    with network(unprivileged=False) as net:
        net.start()
        Path("/proc/sys/net/ipv6/conf/all/disable_ipv6").write_text("1")
        async with probing(KIND) as icmp:
            four = await icmp.run(host=HOST_IP4, packets=1)
            six = await icmp.run(host=HOST_IP6)
        net.stop()
    assert four.outcome is Outcome.OK
    assert six.outcome is not Outcome.OK
    assert six.reason in (Reason.LOCAL, Reason.UNREACHABLE)


async def test_sockets_are_few() -> None:
    with network(unprivileged=False):
        async with leaving_nothing():
            pinger = Pinger()
            assert pinger.modes == {IP4: "raw", IP6: "raw"}
            assert len(pinger._channels) == 4
            pinger.close()


@pytest.mark.parametrize("packets", [1, 3])
async def test_a_peer_is_a_host(packets: int) -> None:
    assert KIND.spec.model_validate({"host": "gw.example", "packets": packets}).peer == "gw.example"
