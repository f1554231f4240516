"""`tcp` by TLS from the start."""

from __future__ import annotations

import asyncio
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from collector.model import Outcome, Reason, Result
from collector.probes.tcp import KIND
from tests.peers import Authority, hang, leaving_nothing, peer, says
from tests.probing import probing, values

HOST = "secure.example"
YESTERDAY = datetime.now(UTC) - timedelta(days=1)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


async def once(context: ssl.SSLContext, timeout: float = 2.0, **settings: Any) -> Result:
    """One run against a server with this context, known as `secure.example`."""
    async with peer(hang, tls=context) as port, probing(KIND, {HOST: f"127.0.0.1:{port}"}) as tcp, leaving_nothing():
        return await tcp.run(timeout, **{"host": HOST, "port": 443, "tls": True} | settings)


async def test_a_certificate_that_verifies(authority: Authority) -> None:
    until = datetime.now(UTC).replace(microsecond=0) + timedelta(days=20)
    trust = {"ca_file": str(authority.ca_file)}
    result = await once(authority.server(HOST, not_after=until), tls_config=trust)
    seen = values(result)
    assert result.outcome is Outcome.OK
    assert seen["probe_ssl_verified"] == 1
    assert seen["probe_ssl_leaf_cert_expiry_timestamp_seconds"] == until.timestamp()
    assert seen["probe_ssl_earliest_cert_expiry"] == until.timestamp()
    assert seen["probe_ssl_last_chain_expiry_timestamp_seconds"] == until.timestamp()
    assert seen["probe_tls_version_info{TLS 1.3}"] == 1
    assert seen["probe_tcp_duration_seconds{tls}"] > 0


@pytest.mark.parametrize(
    ("names", "expires", "words"),
    [
        ((HOST,), YESTERDAY, "expired"),
        (("other.example",), None, "Hostname mismatch"),
    ],
)
async def test_one_that_does_not_still_tells_its_expiry(
    authority: Authority, names: tuple[str, ...], expires: datetime | None, words: str
) -> None:
    trust = {"ca_file": str(authority.ca_file)}
    result = await once(authority.server(*names, not_after=expires), tls_config=trust)
    seen = values(result)
    assert (result.outcome, result.reason) == (Outcome.FAIL, Reason.TLS)
    assert words in result.detail
    assert seen["probe_ssl_verified"] == 0
    assert "probe_ssl_last_chain_expiry_timestamp_seconds" not in seen
    if expires:
        assert seen["probe_ssl_earliest_cert_expiry"] == int(expires.timestamp())
    assert any(name.startswith("probe_ssl_last_chain_info{") for name in seen)
    assert "probe_tcp_duration_seconds{tls}" not in seen


async def test_an_unknown_authority_fails_and_is_accepted_on_demand(authority: Authority) -> None:
    refused = await once(authority.server(HOST))
    accepted = await once(authority.server(HOST), tls_config={"verify": False})
    assert (refused.outcome, refused.reason) == (Outcome.FAIL, Reason.TLS)
    assert accepted.outcome is Outcome.OK
    assert values(accepted)["probe_ssl_verified"] == values(refused)["probe_ssl_verified"] == 0
    assert values(refused)["probe_ssl_earliest_cert_expiry"] == values(accepted)["probe_ssl_earliest_cert_expiry"]


async def test_the_handshake_for_the_facts_says_nothing_more(authority: Authority) -> None:
    heard: list[bytes] = []

    async def listen(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        heard.append(await reader.read())

    async with peer(listen, tls=authority.server("other.example")) as port, probing(KIND) as tcp:
        await tcp.run(host="127.0.0.1", port=port, tls=True, dialogue=[{"send": "secret"}])
        await asyncio.sleep(0.05)
    assert b"".join(heard) == b""


async def test_a_second_handshake_that_hangs_changes_no_verdict(authority: Authority) -> None:
    server = authority.server("other.example")
    count = 0

    async def once_only(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal count
        count += 1
        if count == 1:
            await writer.start_tls(server)
        await reader.read()

    async with peer(once_only) as port, probing(KIND) as tcp, leaving_nothing():
        result = await tcp.run(0.5, host="127.0.0.1", port=port, tls=True)
    assert count == 2
    assert (result.outcome, result.reason) == (Outcome.FAIL, Reason.TLS)
    assert result.duration < 0.5


async def test_another_name_may_be_asked_for(authority: Authority) -> None:
    trust = {"ca_file": str(authority.ca_file), "server_name": "other.example"}
    assert (await once(authority.server("other.example"), tls_config=trust)).outcome is Outcome.OK


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
async def test_an_address_verifies_as_one(authority: Authority, host: str) -> None:
    async with peer(hang, host, authority.server(host)) as port, probing(KIND) as tcp:
        result = await tcp.run(host=host, port=port, tls=True, tls_config={"ca_file": str(authority.ca_file)})
    assert result.outcome is Outcome.OK


async def test_a_client_certificate(authority: Authority) -> None:
    trust = {"ca_file": str(authority.ca_file), "max_version": "1.2"}
    without = await once(authority.demanding(HOST), tls_config=trust)
    given = await once(authority.demanding(HOST), tls_config=trust | authority.client_files())
    assert (without.outcome, without.reason) == (Outcome.FAIL, Reason.TLS)
    assert given.outcome is Outcome.OK
    assert values(given)["probe_tls_version_info{TLS 1.2}"] == 1


async def test_a_client_certificate_missed_after_the_handshake(authority: Authority) -> None:
    """TLS 1.3 refuses the client after the client's own handshake is over: only a dialogue notices."""
    trust = {"ca_file": str(authority.ca_file), "min_version": "1.3"}
    result = await once(authority.demanding(HOST), tls_config=trust, dialogue=[{"expect": "hello"}])
    assert (result.outcome, result.reason) == (Outcome.FAIL, Reason.PROTOCOL)


async def test_a_version_that_is_too_old(authority: Authority) -> None:
    old = authority.server(HOST)
    old.maximum_version = ssl.TLSVersion.TLSv1_2
    trust = {"ca_file": str(authority.ca_file), "min_version": "1.3"}
    result = await once(old, tls_config=trust)
    assert (result.outcome, result.reason) == (Outcome.FAIL, Reason.TLS)


async def test_another_protocol_on_the_port() -> None:
    async with peer(says("SSH-2.0-OpenSSH_9.2p1\r\n")) as port, probing(KIND) as tcp:
        results = [await tcp.run(host="127.0.0.1", port=port, tls=True) for _ in range(20)]
    assert {(result.outcome, result.reason) for result in results} == {(Outcome.FAIL, Reason.TLS)}


async def test_a_peer_that_closes_in_the_handshake() -> None:
    async def close(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        await reader.read(1)

    async with peer(close) as port, probing(KIND) as tcp, leaving_nothing():
        result = await tcp.run(host="127.0.0.1", port=port, tls=True)
    assert (result.outcome, result.reason) == (Outcome.FAIL, Reason.TLS)


async def test_a_handshake_that_hangs_keeps_what_was_measured() -> None:
    async with peer(hang) as port, probing(KIND) as tcp, leaving_nothing():
        result = await tcp.run(0.2, host="127.0.0.1", port=port, tls=True)
    assert (result.outcome, result.reason) == (Outcome.FAIL, Reason.TIMEOUT)
    assert values(result)["probe_tcp_duration_seconds{connect}"] > 0


async def test_a_file_of_ours_that_is_missing_is_our_own_fault(authority: Authority, tmp_path: Path) -> None:
    result = await once(authority.server(HOST), tls_config={"ca_file": str(tmp_path / "none.pem")})
    assert result.outcome is Outcome.ERROR
