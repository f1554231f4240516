"""The mqtt kind and brokers that want to know who we are: passwords, TLS, certificates; and who is not there at all."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from collector.fields import Secret
from collector.model import Outcome, Reason, Result
from collector.probes.mqtt import KIND
from tests.mosquitto import NAME, PASSWORD, Mosquitto, mosquitto, password_file
from tests.peers import Authority, hang, leaving_nothing, peer
from tests.pinned import check_pinned
from tests.probing import probing, values

HOST = "broker.example"
LEVELS = {"topic": "stations/+station/level"}
Start = Callable[..., Mosquitto]


@pytest.fixture
def start(real: Callable[[str], str], tmp_path: Path) -> Iterator[Start]:
    """Starts brokers with given lines of configuration."""
    with ExitStack() as stack:

        def begin(*lines: str) -> Mosquitto:
            return stack.enter_context(mosquitto(real("mosquitto"), tmp_path, *lines))

        yield begin


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


def certificate(authority: Authority, directory: Path, *names: str) -> list[str]:
    """Lines of configuration for a listener with TLS."""
    folder = directory / "server"
    folder.mkdir()
    files = authority.server_files(folder, *names)
    return ["allow_anonymous true", f"certfile {files['cert_file']}", f"keyfile {files['key_file']}"]


async def ask(port: int, timeout: float = 2.0, **settings: Any) -> Result:
    """One run; the broker is known as `broker.example`."""
    base = {"host": HOST, "subscriptions": [LEVELS]}
    async with leaving_nothing(), probing(KIND, {HOST: f"127.0.0.1:{port}"}) as prober:
        return await prober.run(timeout, **{**base, **settings})


@pytest.mark.real
@pytest.mark.parametrize("version", ["3.1.1", "5"])
async def test_name_and_password(start: Start, real: Callable[[str], str], tmp_path: Path, version: str) -> None:
    passwords = password_file(real("mosquitto_passwd"), tmp_path)
    broker = start("allow_anonymous false", f"password_file {passwords}")
    good: dict[str, Any] = {"username": NAME, "password": Secret(PASSWORD), "version": version}
    result = await ask(broker.port, **good)
    assert result.outcome is Outcome.OK, result
    for wrong in ({"password": Secret("wrong")}, {"username": "nobody"}, {"username": None, "password": None}):
        result = await ask(broker.port, **{**good, **wrong})
        assert (result.outcome, result.reason) == (Outcome.FAIL, Reason.AUTH)
        assert result.detail == "the broker refuses us: Not authorized"
        assert values(result)["hatang_mqtt_connected"] == 0


@pytest.mark.real
@pytest.mark.parametrize("version", ["3.1.1", "5"])
async def test_tls(start: Start, authority: Authority, tmp_path: Path, version: str) -> None:
    broker = start(*certificate(authority, tmp_path, HOST, "127.0.0.1"))
    trusting = ssl.create_default_context(cafile=str(authority.ca_file))
    settings: dict[str, Any] = {
        "host": HOST,
        "subscriptions": [LEVELS | {"max_age": "1h"}],
        "tls": True,
        "tls_config": {"ca_file": authority.ca_file},
        "version": version,
    }
    async with leaving_nothing(), probing(KIND, {HOST: f"127.0.0.1:{broker.port}"}) as prober:
        await prober.run(**settings)
        await broker.publish(("stations/ve/level", "x" * 100_000), ("stations/ve/level", "1"), tls_context=trusting)
        result = await prober.run(**settings)
    assert result.outcome is Outcome.OK, result
    assert values(result)["probe_ssl_verified"] == 1
    assert values(result)["hatang_mqtt_dropped_messages_total{too_large}"] == (version == "3.1.1")
    check_pinned(KIND, result)


@pytest.mark.real
async def test_a_certificate_that_does_not_verify_still_tells_its_expiry(
    start: Start, authority: Authority, tmp_path: Path
) -> None:
    broker = start(*certificate(authority, tmp_path, "other.example"))
    trust = {"ca_file": authority.ca_file}
    result = await ask(broker.port, tls=True, tls_config=trust)
    assert (result.outcome, result.reason) == (Outcome.FAIL, Reason.TLS)
    assert "Hostname mismatch" in result.detail
    seen = values(result)
    assert seen["probe_ssl_verified"] == 0
    assert seen["probe_ssl_earliest_cert_expiry"] > (datetime.now(UTC) + timedelta(days=1)).timestamp()
    assert (await ask(broker.port, tls=True)).reason is Reason.TLS
    for good in (trust | {"server_name": "other.example"}, {"verify": False}):
        assert (await ask(broker.port, tls=True, tls_config=good)).outcome is Outcome.OK


@pytest.mark.real
async def test_a_client_certificate(start: Start, authority: Authority, tmp_path: Path) -> None:
    """Without one the broker ends the handshake (TLS 1.2), or what we say after it (TLS 1.3)."""
    lines = [*certificate(authority, tmp_path, HOST), f"cafile {authority.ca_file}", "require_certificate true"]
    broker = start(*lines)
    trust = {"ca_file": authority.ca_file}
    good = await ask(broker.port, tls=True, tls_config=trust | authority.client_files())
    assert good.outcome is Outcome.OK, good
    for newest in ("1.2", "1.3"):
        result = await ask(broker.port, tls=True, tls_config=trust | {"max_version": newest})
        assert (result.outcome, result.reason) == (Outcome.FAIL, Reason.TLS), result


@pytest.mark.real
async def test_tls_where_there_is_none_and_none_where_there_is(
    start: Start, authority: Authority, tmp_path: Path
) -> None:
    broker = start(*certificate(authority, tmp_path, HOST))
    result = await ask(broker.port)
    assert (result.outcome, result.reason) == (Outcome.FAIL, Reason.PROTOCOL), result
    plain = start("allow_anonymous true")
    result = await ask(plain.port, tls=True)
    assert (result.outcome, result.reason) == (Outcome.FAIL, Reason.TLS), result


async def test_a_certificate_file_that_is_gone_is_our_fault() -> None:
    async with peer(hang) as port:
        result = await ask(port, tls=True, tls_config={"ca_file": "/nowhere/ca.pem"})
    assert (result.outcome, result.reason) == (Outcome.ERROR, Reason.LOCAL)


async def test_nobody_there() -> None:
    async with leaving_nothing(), probing(KIND) as prober:
        for host, port, reason in (
            ("127.0.0.1", 1, Reason.REFUSED),
            ("nowhere.invalid", 1883, Reason.RESOLVE),
            ("224.0.0.1", 1883, Reason.UNREACHABLE),
        ):
            result = await prober.run(host=host, port=port, subscriptions=[LEVELS])
            assert (result.outcome, result.reason) == (Outcome.FAIL, reason), result
            assert values(result)["hatang_mqtt_connected"] == 0


@pytest.mark.parametrize("tls", [False, True])
async def test_a_peer_that_says_nothing(tls: bool) -> None:
    async with peer(hang) as port:
        result = await ask(port, timeout=0.4, tls=tls)
    assert (result.outcome, result.reason) == (Outcome.FAIL, Reason.TIMEOUT)
    assert 0.35 < result.duration < 0.8
    assert "probe_dns_lookup_time_seconds" in values(result)
