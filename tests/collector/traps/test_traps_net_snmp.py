"""Traps and informs as net-snmp's programs send them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.trapping import AUTH_PASSWORD, COLD_START, IF_INDEX, LINK_DOWN, PRIV_PASSWORD, device, trapping, user

pytestmark = pytest.mark.real
V2 = ("-v", "2c", "-c", "public")
ENGINE = ("-e", "0x8000000001020304")


def v3(auth: str = "SHA-256", priv: str | None = "AES", name: str = "observer") -> list[str]:
    arguments = ["-v", "3", "-u", name, "-a", auth, "-A", AUTH_PASSWORD, "-l", "authPriv" if priv else "authNoPriv"]
    return [*arguments, "-x", priv, "-X", PRIV_PASSWORD] if priv else arguments


async def test_a_trap_of_version_2c(tmp_path: Path, real: Callable[[str], str]) -> None:
    async with trapping(tmp_path, device()) as traps:
        objects = (
            f"{IF_INDEX}.3",
            "i",
            "3",
            "1.3.6.1.2.1.2.2.1.2.3",
            "s",
            "cổng 3",
            "1.3.6.1.4.1.32473.1",
            "s",
            "a\nb",
        )
        await traps.send(real("snmptrap"), *V2, "--", "100", LINK_DOWN, *objects)
        trap = await traps.next()
        assert (trap.name, trap.oid, trap.version, trap.inform) == ("linkDown", LINK_DOWN, "2c", False)
        assert (trap.source, trap.targets, trap.authenticated) == ("127.0.0.1", ("sw",), False)
        assert trap.bindings == (("ifIndex.3", "3"), ("ifDescr.3", "cổng 3"), ("1.3.6.1.4.1.32473.1", "0x610a62"))
        assert str(trap).startswith("linkDown: SNMPv2c trap from 127.0.0.1, unauthenticated; ifIndex.3=3, ")
        values = traps.values()
        assert values["hatang_traps_received_total{sw,linkDown}"] == 1
        assert values["hatang_trap_timestamp_seconds{sw,linkDown}"] == trap.at
        assert values["hatang_traps_listening{}"] == 1
        assert [values[f"hatang_traps_dropped_total{{{why}}}"] for why in ("rate", "malformed")] == [0, 0]


@pytest.mark.parametrize(
    ("generic", "specific", "enterprise", "name"),
    [
        ("0", "0", "1.3.6.1.4.1.32473", "coldStart"),
        ("2", "0", "1.3.6.1.4.1.32473", "linkDown"),
        ("4", "0", "1.3.6.1.4.1.32473", "authenticationFailure"),
        ("6", "1", "1.3.6.1.2.1.33.2", "upsTrapOnBattery"),
        ("6", "99", "1.3.6.1.4.1.32473", "other"),
    ],
)
async def test_a_trap_of_version_1(
    tmp_path: Path, real: Callable[[str], str], generic: str, specific: str, enterprise: str, name: str
) -> None:
    """The community, which a translation to version 2 carries along, stays secret."""
    async with trapping(tmp_path, device(version="1", community="geheim")) as traps:
        arguments = (enterprise, "127.0.0.1", generic, specific, "100", f"{IF_INDEX}.2", "i", "2")
        await traps.send(real("snmptrap"), "-v", "1", "-c", "geheim", "--", *arguments)
        trap = await traps.next()
        assert (trap.name, trap.version, trap.authenticated) == (name, "1", False)
        assert ("ifIndex.2", "2") in trap.bindings
        assert "geheim" not in repr(trap)


@pytest.mark.parametrize(
    ("auth", "priv", "as_told"),
    [
        ("SHA-256", "AES", user()),
        ("SHA", "AES", user(auth="sha1")),
        ("MD5", "DES", user(auth="md5", priv="des")),
        ("SHA-512", "AES", user(auth="sha512")),
        ("SHA-384", None, user(auth="sha384", priv=None)),
    ],
)
async def test_a_trap_of_version_3(
    tmp_path: Path, real: Callable[[str], str], auth: str, priv: str | None, as_told: dict[str, str]
) -> None:
    async with trapping(tmp_path, device(**as_told)) as traps:
        for _ in range(2):
            await traps.send(real("snmptrap"), *v3(auth, priv), *ENGINE, "--", "100", COLD_START)
        await traps.until(lambda: len(traps.traps) == 2)
        for trap in traps.traps:
            assert (trap.name, trap.version, trap.inform, trap.authenticated) == ("coldStart", "3", False, True)


async def test_an_inform_of_version_2c_is_answered(tmp_path: Path, real: Callable[[str], str]) -> None:
    async with trapping(tmp_path, device()) as traps:
        assert await traps.send(real("snmpinform"), *V2, "-r", "1", "-t", "3", "--", "100", COLD_START) == ""
        trap = await traps.next()
        assert (trap.name, trap.inform) == ("coldStart", True)
        assert len(traps.traps) == 1


@pytest.mark.parametrize(("auth", "priv"), [("SHA-256", "AES"), ("SHA", "AES"), ("SHA", None)])
async def test_an_inform_of_version_3_is_answered(
    tmp_path: Path, real: Callable[[str], str], auth: str, priv: str | None
) -> None:
    """The sender asks for our engine, and gets an authentic answer."""
    told = user(auth={"SHA": "sha1", "SHA-256": "sha256"}[auth], priv="aes128" if priv else None)
    async with trapping(tmp_path, device(**told)) as traps:
        assert (
            await traps.send(real("snmpinform"), *v3(auth, priv), "-r", "1", "-t", "3", "--", "100", COLD_START) == ""
        )
        trap = await traps.next()
        assert (trap.version, trap.inform, trap.authenticated) == ("3", True, True)
        assert all(traps.dropped(why) == 0 for why in ("authentication", "malformed", "rate", "unknown_source"))


async def test_our_engine_keeps_its_id_and_counts_its_starts(tmp_path: Path, real: Callable[[str], str]) -> None:
    kept = []
    for _ in range(2):
        async with trapping(tmp_path, device(**user())) as traps:
            assert await traps.send(real("snmpinform"), *v3(), "-r", "1", "-t", "3", "--", "100", COLD_START) == ""
        kept.append(json.loads((tmp_path / "engine.json").read_text()))
    assert kept[0]["engine_id"] == kept[1]["engine_id"]
    assert [one["boots"] for one in kept] == [1, 2]


async def test_the_wrong_community(tmp_path: Path, real: Callable[[str], str]) -> None:
    async with trapping(tmp_path, device()) as traps:
        await traps.send(real("snmptrap"), "-v", "2c", "-c", "private", "--", "100", COLD_START)
        await traps.until(lambda: traps.dropped("authentication") == 1)
        complaint = await traps.send(
            real("snmpinform"), "-v", "2c", "-c", "private", "-r", "0", "-t", "0.3", "--", "100", COLD_START
        )
        assert "Timeout" in complaint
        assert traps.traps == []


@pytest.mark.parametrize(
    "wrong",
    [
        ["-A", "another-password"],
        ["-X", "another-password"],
        ["-u", "somebody"],
        ["-l", "noAuthNoPriv"],
        ["-a", "SHA"],
    ],
)
async def test_the_wrong_user_or_key(tmp_path: Path, real: Callable[[str], str], wrong: list[str]) -> None:
    """Also without authentication, where the user is known to have a key."""
    async with trapping(tmp_path, device(**user())) as traps:
        for _ in range(2):
            await traps.send(real("snmptrap"), *v3(), *wrong, *ENGINE, "--", "100", COLD_START)
        await traps.until(lambda: traps.dropped("authentication") == 2)
        complaint = await traps.send(real("snmpinform"), *v3(), *wrong, "-r", "0", "-t", "0.5", "--", "100", COLD_START)
        assert complaint
        assert traps.traps == []
        await traps.send(real("snmptrap"), *v3(), *ENGINE, "--", "100", COLD_START)
        assert (await traps.next()).authenticated
        before = traps.dropped("authentication")
        await traps.send(real("snmptrap"), *v3(), *wrong, *ENGINE, "--", "100", COLD_START)
        await traps.until(lambda: traps.dropped("authentication") == before + 1)
        assert len(traps.traps) == 1


async def test_devices_of_one_name_have_keys_of_their_own(tmp_path: Path, real: Callable[[str], str]) -> None:
    """Two devices are polled as the same user with different passwords; each sends with its own, and none else."""
    other = user(auth_password="another-password")
    targets = device("a", "127.0.0.1", **user()), device("b", "127.0.0.2", **other)
    async with trapping(tmp_path, *targets, listen="0.0.0.0:0") as traps:
        for round_ in range(2):
            for source, password in (("127.0.0.1", AUTH_PASSWORD), ("127.0.0.2", "another-password")):
                arguments = (*v3(), "-A", password, "-r", "1", "-t", "3", "--", "100", COLD_START)
                assert await traps.send(real("snmpinform"), *arguments, source=source) == ""
            assert [trap.targets for trap in traps.traps[round_ * 2 :]] == [("a",), ("b",)]
        foreign = (*v3(), *ENGINE, "-A", AUTH_PASSWORD, "--", "100", COLD_START)
        await traps.send(real("snmptrap"), *foreign, source="127.0.0.2")
        await traps.until(lambda: traps.dropped("authentication") == 1)


async def test_an_unknown_source(tmp_path: Path, real: Callable[[str], str]) -> None:
    async with trapping(tmp_path, device(host="127.0.0.9"), listen="0.0.0.0:0") as traps:
        await traps.send(real("snmptrap"), *V2, "--", "100", COLD_START)
        await traps.until(lambda: traps.dropped("unknown_source") == 1)
        await traps.send(real("snmptrap"), *V2, "--", "100", COLD_START, source="127.0.0.9")
        assert (await traps.next()).source == "127.0.0.9"
        assert len(traps.traps) == 1


async def test_which_targets_are_meant(tmp_path: Path, real: Callable[[str], str]) -> None:
    """Those that use the community; with one that the settings add, all at the address."""
    targets = device("a"), device("b", community="other"), device("c", port=1161)
    async with trapping(tmp_path, *targets, communities=("extra",)) as traps:
        for community in ("public", "other", "extra"):
            await traps.send(real("snmptrap"), "-v", "2c", "-c", community, "--", "100", COLD_START)
        await traps.until(lambda: len(traps.traps) == 3)
        assert [trap.targets for trap in traps.traps] == [("a", "c"), ("b",), ("a", "b", "c")]
        assert traps.values()["hatang_traps_received_total{a,coldStart}"] == 2


async def test_a_user_of_the_settings(tmp_path: Path, real: Callable[[str], str]) -> None:
    told = {name: value for name, value in user().items() if name != "version"}
    async with trapping(tmp_path, device(), users=[told]) as traps:
        await traps.send(real("snmptrap"), *v3(), *ENGINE, "--", "100", COLD_START)
        assert (await traps.next()).authenticated


async def test_a_user_without_a_key(tmp_path: Path, real: Callable[[str], str]) -> None:
    async with trapping(tmp_path, device(version="3", user="nobody")) as traps:
        arguments = ("-v", "3", "-u", "nobody", "-l", "noAuthNoPriv")
        await traps.send(real("snmptrap"), *arguments, *ENGINE, "--", "100", COLD_START)
        assert not (await traps.next()).authenticated
        assert await traps.send(real("snmpinform"), *arguments, "-r", "1", "-t", "3", "--", "100", COLD_START) == ""
        assert not (await traps.next(1)).authenticated


@pytest.mark.parametrize("listen", ["[::]:0", "[::1]:0"])
async def test_ipv6(tmp_path: Path, real: Callable[[str], str], listen: str) -> None:
    """A socket for both families knows IPv4 addresses too."""
    async with trapping(tmp_path, device("six", "::1"), device("four"), listen=listen) as traps:
        assert await traps.send(real("snmpinform"), *V2, "-r", "1", "--", "100", COLD_START, to="::1") == ""
        assert (await traps.next()).targets == ("six",)
        if listen.startswith("[::]"):
            assert await traps.send(real("snmpinform"), *V2, "-r", "1", "--", "100", COLD_START) == ""
            assert (await traps.next(1)).targets == ("four",)
