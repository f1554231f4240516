"""The snmp kind against Debian's snmpd: versions, credentials, tables, sessions, restarts."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from collector.model import Outcome, Reason, Result
from collector.probes.snmp import KIND
from tests.device_profiles import context, profile, shipped
from tests.pinned import check_pinned
from tests.probing import Probing, probing, values
from tests.snmpd import AUTH_PASSWORD, PRIV_PASSWORD, Snmpd, snmpd

pytestmark = pytest.mark.real

SYSTEM = shipped("system")
NET_SNMP_AUTH = {
    "md5": "MD5",
    "sha1": "SHA",
    "sha224": "SHA-224",
    "sha256": "SHA-256",
    "sha384": "SHA-384",
    "sha512": "SHA-512",
}
NET_SNMP_PRIV = {
    "des": "DES",
    "aes128": "AES",
    "aes192": "AES-192",
    "aes256": "AES-256",
    "aes192c": "AES-192-C",
    "aes256c": "AES-256-C",
}
SECURE = {
    "version": 3,
    "user": "sha256aes128",
    "auth_protocol": "sha256",
    "auth_password": AUTH_PASSWORD,
    "priv_protocol": "aes128",
    "priv_password": PRIV_PASSWORD,
}
OPEN: dict[str, Any] = {"version": "2c", "community": "public"}


def users() -> Iterator[str]:
    yield "createUser nobody"
    yield "rouser nobody noauth"
    for auth, auth_name in NET_SNMP_AUTH.items():
        yield f'createUser {auth} {auth_name} "{AUTH_PASSWORD}"'
        yield f"rouser {auth} auth"
        for priv, priv_name in NET_SNMP_PRIV.items():
            yield f'createUser {auth}{priv} {auth_name} "{AUTH_PASSWORD}" {priv_name} "{PRIV_PASSWORD}"'
            yield f"rouser {auth}{priv} priv"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Snmpd]:
    with snmpd("snmpd", tmp_path_factory.mktemp("snmpd"), *users()) as running:
        yield running


@pytest.fixture(autouse=True)
def installed(real: Callable[[str], str]) -> None:
    real("snmpd")


async def poll(prober: Probing, server: Snmpd, **settings: Any) -> Result:
    chosen: dict[str, Any] = {"host": "127.0.0.1", "port": server.port, "profiles": ["system"], **settings}
    return await prober.run(timeout=chosen.pop("timeout", 3.0), context=context(SYSTEM), **chosen)


@pytest.mark.parametrize("version", ["1", "2c", 1])
async def test_a_device_is_polled_with_a_community(server: Snmpd, version: object) -> None:
    async with probing(KIND) as prober:
        result = await poll(prober, server, version=version, community="public")
    assert (result.outcome, result.detail) == (Outcome.OK, "")
    found = values(result)
    assert found["sysName_info{may-chu-01}"] == 1
    assert found["sysLocation_info{Quang Ngai}"] == 1
    assert 0 <= found["sysUpTime"] < 600
    assert found["snmp_scrape_packets_sent"] == 1
    assert found["snmp_scrape_pdus_returned"] == 5


@pytest.mark.parametrize("host", ["::1", "::1%lo", "::1%1"])
async def test_a_device_is_polled_over_ipv6(server: Snmpd, host: str) -> None:
    async with probing(KIND) as prober:
        result = await poll(prober, server, host=host, ip="ip6", **OPEN)
    assert result.outcome is Outcome.OK
    assert values(result)["probe_ip_protocol"] == 6


@pytest.mark.parametrize("auth", NET_SNMP_AUTH)
async def test_every_way_to_authenticate_works(server: Snmpd, auth: str) -> None:
    async with probing(KIND) as prober:
        result = await poll(prober, server, version=3, user=auth, auth_protocol=auth, auth_password=AUTH_PASSWORD)
    assert (result.outcome, result.detail) == (Outcome.OK, "")


@pytest.mark.parametrize("priv", NET_SNMP_PRIV)
@pytest.mark.parametrize("auth", NET_SNMP_AUTH)
async def test_every_way_to_encrypt_works_with_every_way_to_authenticate(server: Snmpd, auth: str, priv: str) -> None:
    secrets = {
        "auth_protocol": auth,
        "auth_password": AUTH_PASSWORD,
        "priv_protocol": priv,
        "priv_password": PRIV_PASSWORD,
    }
    async with probing(KIND) as prober:
        result = await poll(prober, server, version=3, user=f"{auth}{priv}", retries=0, request_timeout=1, **secrets)
    assert (result.outcome, result.detail) == (Outcome.OK, "")


async def test_a_user_without_keys_works(server: Snmpd) -> None:
    async with probing(KIND) as prober:
        result = await poll(prober, server, version=3, user="nobody")
    assert result.outcome is Outcome.OK


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        ({"user": "stranger"}, Reason.AUTH),
        ({"auth_password": "another password"}, Reason.AUTH),
        ({"auth_protocol": "sha1"}, Reason.AUTH),
        ({"priv_password": "another password"}, Reason.TIMEOUT),
    ],
)
async def test_wrong_credentials_of_version_3(server: Snmpd, wrong: dict[str, str], reason: Reason) -> None:
    async with probing(KIND) as prober:
        result = await poll(prober, server, **SECURE | wrong, retries=0, request_timeout="300ms")
    details = {
        Reason.AUTH: "authentication failed: the device refuses this user, protocol or key",
        Reason.TIMEOUT: "no answer: down, filtered, or wrong credentials",
    }
    assert (result.outcome, result.reason, result.detail) == (Outcome.FAIL, reason, details[reason])


@pytest.mark.parametrize("version", ["1", "2c"])
async def test_a_wrong_community_looks_like_silence_and_the_detail_says_so(server: Snmpd, version: str) -> None:
    async with probing(KIND) as prober:
        result = await poll(prober, server, version=version, community="secret", retries=1, request_timeout="100ms")
    assert (result.reason, result.detail) == (Reason.TIMEOUT, "no answer: down, filtered, or wrong credentials")
    assert values(result)["snmp_scrape_packets_sent"] == 2
    assert values(result)["snmp_scrape_packets_retried"] == 1
    assert values(result)["snmp_scrape_duration_seconds"] == pytest.approx(0.2, abs=0.15)


@pytest.mark.parametrize("settings", [OPEN, SECURE], ids=["v2c", "v3"])
async def test_nobody_there_is_refused_at_once(tmp_path: Path, settings: dict[str, Any]) -> None:
    gone = Snmpd("snmpd", tmp_path, ())
    async with probing(KIND) as prober:
        result = await poll(prober, gone, **settings)
        again = await poll(prober, gone, **settings)
    assert (result.outcome, result.reason, result.detail) == (Outcome.FAIL, Reason.REFUSED, "connection refused")
    assert again.reason is Reason.REFUSED
    assert result.duration < 0.5


async def test_a_warm_session_asks_once_and_a_new_one_of_version_3_looks_around_first(server: Snmpd) -> None:
    async with probing(KIND) as prober:
        sent = [values(await poll(prober, server, **SECURE))["snmp_scrape_packets_sent"] for _ in range(3)]
    assert sent == [3, 1, 1]


async def test_two_targets_on_one_device_take_turns(server: Snmpd) -> None:
    async with probing(KIND) as prober:
        results = await asyncio.gather(*(poll(prober, server, **SECURE) for _ in range(20)))
    assert {result.outcome for result in results} == {Outcome.OK}
    assert sum(values(result)["snmp_scrape_packets_sent"] for result in results) == 22


@pytest.mark.parametrize("forget", [False, True], ids=["same-engine", "new-engine"])
@pytest.mark.parametrize("settings", [OPEN, SECURE], ids=["v2c", "v3"])
async def test_an_agent_that_restarted_is_polled_well_within_two_runs(
    tmp_path: Path, settings: dict[str, Any], forget: bool
) -> None:
    lines = list(users())
    server = Snmpd("snmpd", tmp_path, lines)
    await asyncio.to_thread(server.start)
    try:
        async with probing(KIND) as prober:
            assert (await poll(prober, server, **settings)).outcome is Outcome.OK
            server.stop()
            assert (await poll(prober, server, **settings)).reason in {Reason.REFUSED, Reason.TIMEOUT}
            await asyncio.to_thread(server.start, forget)
            after = [await poll(prober, server, request_timeout="300ms", **settings) for _ in range(2)]
            assert after[-1].outcome is Outcome.OK
    finally:
        server.stop()


@pytest.mark.parametrize("forget", [False, True], ids=["same-engine", "new-engine"])
async def test_a_restart_between_two_polls_of_version_3_is_not_seen_as_a_fault(tmp_path: Path, forget: bool) -> None:
    server = Snmpd("snmpd", tmp_path, list(users()))
    await asyncio.to_thread(server.start)
    try:
        async with probing(KIND) as prober:
            await poll(prober, server, **SECURE)
            server.stop()
            await asyncio.to_thread(server.start, forget)
            after = await poll(prober, server, request_timeout="300ms", **SECURE)
        assert (after.outcome, after.detail) == (Outcome.OK, "")
        assert values(after)["snmp_scrape_packets_retried"] == 1
    finally:
        server.stop()


async def test_what_was_read_before_the_agent_fell_silent_stays(tmp_path: Path) -> None:
    slow = profile(
        """
        scalars: [{name: sysUpTime, oid: 1.3.6.1.2.1.1.3.0, help: h}]
        tables:
          - name: extended
            index: [{name: i, type: string}]
            labels: [i]
            columns: [{name: nsExtendResult, oid: 1.3.6.1.4.1.8072.1.3.2.3.1.4, help: h}]
        """
    )
    server = Snmpd("snmpd", tmp_path, ["extend sleepy /bin/sleep 1.5"])
    await asyncio.to_thread(server.start)
    try:
        async with probing(KIND) as prober:
            result = await prober.run(
                timeout=0.8,
                context=context(slow),
                host="127.0.0.1",
                port=server.port,
                profiles=["device"],
                request_timeout="150ms",
                **OPEN,
            )
    finally:
        server.stop()
    assert (result.reason, result.detail) == (Reason.TIMEOUT, "stopped answering after 1 values")
    assert "sysUpTime" in values(result)


async def test_everything_the_kind_can_say_is_pinned(server: Snmpd) -> None:
    interfaces = shipped("if-mib")
    async with probing(KIND) as prober:
        result = await prober.run(
            context=context(interfaces), host="127.0.0.1", port=server.port, profiles=["if-mib"], **OPEN
        )
    names = {metric.name for metric in KIND.metrics} | {"probe_success", "probe_duration_seconds"}
    own = [sample for sample in result.samples if sample.metric.name in names]
    assert {sample.labels for sample in own if sample.metric.labels == ("profile",)} == {("if-mib",)}
    check_pinned(KIND, Result("t", result.outcome, result.started, result.duration, samples=tuple(own)))


async def test_servers_and_their_interfaces_are_read_with_four_profiles_in_one_run(server: Snmpd) -> None:
    names = ["system", "host-resources", "if-mib", "net-snmp"]
    profiles = [shipped(name) for name in names]
    settings: dict[str, Any] = {"host": "127.0.0.1", "port": server.port, "profiles": names, "timeout": 10.0}
    async with probing(KIND) as prober:
        results = {
            version: await prober.run(context=context(*profiles), version=version, community="public", **settings)
            for version in ("1", "2c")
        }
    for version, result in results.items():
        found = values(result)
        assert (result.outcome, result.detail) == (Outcome.OK, "")
        assert [sample.metric.name for sample in result.samples].count("sysUpTime") == 1
        assert found["ifOperStatus{lo,,up}"] == 1
        assert found["ifOperStatus{lo,,down}"] == 0
        # Counter64 does not exist in SNMPv1 (RFC 3584, section 4.2.2.1).
        assert ("ifHCInOctets{lo,}" in found) == (version == "2c")
        assert 0 < found["hrStorageUsed{1,Physical memory,ram}"] < found["hrStorageSize{1,Physical memory,ram}"]
        assert found["hrStorageSize{1,Physical memory,ram}"] == found["memTotalReal"] == found["hrMemorySize"]
        assert found["laLoad{Load-15}"] >= 0
        assert found["snmp_scrape_missing_values"] == found["snmp_scrape_unreadable_values"] == 0
    assert values(results["2c"])["snmp_scrape_packets_sent"] <= 15


async def test_all_that_profiles_declare_is_declared_by_the_target() -> None:
    spec = KIND.spec.model_validate(
        {"host": "h", "profiles": ["system", "if-mib"], **OPEN}, context=context(SYSTEM, shipped("if-mib"))
    )
    names = [metric.name for metric in spec.declared()]
    assert len(names) == len(set(names))
    assert {"sysUpTime", "sysName_info", "ifHCInOctets"} <= set(names)
    assert spec.declared() is spec.declared()
    assert spec.peer == "h:161"


async def test_a_poll_is_quick(server: Snmpd) -> None:
    async with probing(KIND) as prober:
        await poll(prober, server, **OPEN)
        begun = time.perf_counter()
        for _ in range(100):
            assert (await poll(prober, server, **OPEN)).outcome is Outcome.OK
        assert time.perf_counter() - begun < 2
