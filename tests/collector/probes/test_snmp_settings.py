"""What a target of kind snmp may say, and what is refused in which words; sessions between runs."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from socket import AF_INET
from typing import Any

import pytest
from pydantic import ValidationError

from collector.net import Endpoint
from collector.probes.snmp import KIND, SnmpSpec
from collector.snmp.credentials import Credentials
from collector.snmp.session import Sessions
from tests.device_profiles import context, profile, shipped
from tests.snmp_agent import agent, integer
from tests.snmpd import AUTH_PASSWORD, PRIV_PASSWORD, Snmpd, snmpd

UPS = shipped("ups-mib")
OPEN = {"host": "ups.example", "community": "a-marked-community", "profiles": ["ups-mib"]}
SECURE = {
    "host": "ups.example",
    "version": 3,
    "user": "hatang",
    "auth_protocol": "sha256",
    "auth_password": "a-marked-auth-password",
    "priv_protocol": "aes256",
    "priv_password": "a-marked-priv-password",
    "profiles": ["ups-mib"],
}


def spec(**settings: Any) -> SnmpSpec:
    return SnmpSpec.model_validate(settings, context=context(UPS, shipped("system")))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (OPEN | {"community": None}, "version 2c needs `community`"),
        (OPEN | {"community": None, "version": 1}, "version 1 needs `community`"),
        (OPEN | {"user": "x"}, "`user` is for version 3"),
        (OPEN | {"version": 2}, "Input should be '1', '2c' or '3'"),
        (OPEN | {"profiles": []}, "at least one entry is needed"),
        (OPEN | {"profiles": ["ups-mbi"]}, "unknown device profile 'ups-mbi'; did you mean 'ups-mib'?"),
        (OPEN | {"max_rows": 0}, "Input should be greater than or equal to 1"),
        (OPEN | {"max_repetitions": 101}, "Input should be less than or equal to 100"),
        (OPEN | {"retries": -1}, "Input should be greater than or equal to 0"),
        (OPEN | {"request_timeout": "soon"}, "expected a duration such as 30s, 1m30s or 500ms"),
        (SECURE | {"user": None}, "version 3 needs `user`"),
        (SECURE | {"community": "public"}, "`community` is for versions 1 and 2c"),
        (SECURE | {"auth_password": None}, "`auth_protocol` and `auth_password` go together"),
        (SECURE | {"priv_protocol": None}, "`priv_protocol` and `priv_password` go together"),
        (
            SECURE | {"auth_protocol": None, "auth_password": None},
            "encryption needs authentication: set `auth_protocol`",
        ),
        (
            SECURE | {"auth_password": "short"},
            "`auth_password` is too short: SNMPv3 passwords have at least 8 characters",
        ),
        (
            SECURE | {"priv_password": "short"},
            "`priv_password` is too short: SNMPv3 passwords have at least 8 characters",
        ),
        (
            SECURE | {"context": "vrf-1"},
            "the SNMP library has no SNMPv3 contexts: leave `context` out, and ask the device's default one",
        ),
    ],
)
def test_settings_that_cannot_work_are_refused(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError) as error:
        spec(**settings)
    assert [each["msg"] for each in error.value.errors()] == [message]


def test_profiles_that_clash_are_refused_together() -> None:
    other = profile("scalars: [{name: sysUpTime, oid: 1.3.6.1.2.1.1.3.0, help: ticks}]", "other")
    with pytest.raises(
        ValidationError, match="profiles 'ups-mib' and 'other' both define sysUpTime, in different ways"
    ):
        SnmpSpec.model_validate(OPEN | {"profiles": ["ups-mib", "other"]}, context=context(UPS, other))


def test_defaults_are_those_of_the_documentation() -> None:
    target = spec(**OPEN)
    assert (target.version, target.port, target.peer) == ("2c", 161, "ups.example:161")
    assert (target.request_timeout, target.retries, target.max_repetitions, target.max_rows) == (1.5, 2, 25, 2000)
    assert target.allow_nonincreasing_oids is False


def test_a_target_that_is_loaded_again_is_the_same_until_its_profile_changes() -> None:
    changed = profile("scalars: [{name: x, oid: 1.3.6.0, help: h}]", "ups-mib")
    first, again = spec(**OPEN), spec(**OPEN)
    assert first.plan is again.plan
    assert first == again
    assert first != SnmpSpec.model_validate(OPEN, context=context(changed))


def test_no_secret_is_in_any_text_of_a_target() -> None:
    for settings in (OPEN, SECURE):
        target = spec(**settings)
        shown = [repr(target), str(target), target.model_dump_json(), json.dumps(target.model_dump(mode="json"))]
        shown += [repr(target.credentials), str(target.credentials), repr(target.plan), str(target.__dict__)]
        assert "marked" not in "".join(shown)
        assert json.loads(target.model_dump_json())["profiles"] == ["ups-mib"]


def test_the_schema_takes_names_of_profiles_and_versions_as_people_write_them() -> None:
    properties = KIND.spec.model_json_schema()["properties"]
    assert properties["profiles"]["items"]["type"] == "string"
    assert properties["version"]["enum"] == ["1", "2c", "3", 1, 3]
    assert all(field.get("description") for field in properties.values())


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Snmpd]:
    user = f'createUser hatang SHA-256 "{AUTH_PASSWORD}" AES "{PRIV_PASSWORD}"'
    with snmpd("snmpd", tmp_path_factory.mktemp("snmpd"), user, "rouser hatang priv") as running:
        yield running


@pytest.mark.real
async def test_after_a_long_silence_the_clock_of_the_agent_is_looked_up_again(
    real: Callable[[str], str], request: pytest.FixtureRequest
) -> None:
    """An agent refuses what is more than 150 s old; a session does not know how much time passed over there."""
    real("snmpd")
    port = request.getfixturevalue("server").port
    credentials = Credentials("3", "", "hatang", "sha256", AUTH_PASSWORD, "aes128", PRIV_PASSWORD)
    sessions = Sessions(10)
    session = await sessions.take(Endpoint("127.0.0.1", port, AF_INET), credentials)
    sent = []
    for idle in (0.0, 1.0, 1000.0, 0.0):
        session._clock -= idle
        assert await session.get_many(["1.3.6.1.2.1.1.3.0"], 1.0)
        sent.append(session.packets)
    assert sent == [3, 4, 6, 7]
    sessions.close()


async def test_of_too_many_sessions_the_least_recently_used_one_not_in_use_goes() -> None:
    sessions, credentials = Sessions(2), Credentials("2c", "public")
    async with agent({"1.3.6.1.9.0": integer(1)}) as running:
        endpoints = [Endpoint(f"127.0.0.{last}", running.port, AF_INET) for last in (1, 2, 3, 4)]
        first = await sessions.take(endpoints[0], credentials)
        for endpoint in endpoints[1:3]:
            sessions.give(endpoint, credentials, await sessions.take(endpoint, credentials), keep=True)
        assert (len(sessions), first.discarded) == (2, False)
        sessions.give(endpoints[0], credentials, first, keep=True)
        assert await sessions.take(endpoints[0], credentials) is first
        sessions.give(endpoints[0], credentials, first, keep=False)
        assert first.discarded
        assert await sessions.take(endpoints[0], credentials) is not first
    sessions.close()
    assert len(sessions) == 0


async def test_a_session_that_nobody_uses_any_more_goes() -> None:
    """Whoever takes a device out of the configuration gets its descriptor back."""
    sessions, credentials = Sessions(10), Credentials("2c", "public")
    async with agent({"1.3.6.1.9.0": integer(1)}) as running:
        gone, busy, kept = (Endpoint(f"127.0.0.{last}", running.port, AF_INET) for last in (1, 2, 3))
        old = await sessions.take(gone, credentials)
        sessions.give(gone, credentials, old, keep=True)
        in_use = await sessions.take(busy, credentials)
        for session in (old, in_use):
            session.used -= 4000
        for _ in range(2):
            sessions.give(kept, credentials, await sessions.take(kept, credentials), keep=True)
        assert (len(sessions), old.discarded, in_use.discarded) == (2, True, False)
        sessions.give(busy, credentials, in_use, keep=True)
    sessions.close()


def test_credentials_of_one_user_are_one_key_and_tell_nothing() -> None:
    first, same, other = Credentials("2c", "x"), Credentials("2c", "x"), Credentials("2c", "y")
    assert len({first, same, other}) == 2
    assert repr(first) == "Credentials(2c)"
