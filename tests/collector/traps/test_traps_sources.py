"""Addresses of the devices, and what may come from there."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator

import pytest

from collector.model import Target
from collector.net import AddressMap, Net, Resolver
from collector.probes.tcp import TcpSpec
from collector.settings.monitor import Traps
from collector.traps.sources import AddressBook
from tests.dns_server import Zone, udp_server
from tests.trapping import device, user

KEYS = {"auth_protocol": "sha1", "auth_password": "authentication"}


@pytest.fixture
async def net() -> AsyncIterator[Net]:
    resolver = Resolver()
    yield Net(resolver, AddressMap({"*.mapped.example": "10.9.9.9", "six.example": "[2001:DB8::0:1]:1161"}))
    await resolver.close()


async def test_addresses_as_they_are_as_they_are_mapped_and_as_they_are_looked_up(net: Net) -> None:
    targets = [
        device("literal", "10.0.0.1"),
        device("mapped", "switch.mapped.example"),
        device("six", "six.example"),
        device("four-in-six", "::ffff:10.0.0.2"),
        device("zone", "fe80::1%lo"),
        device("named", "localhost", ip="ip4"),
        device("nowhere", "nowhere.invalid"),
    ]
    found = await AddressBook(net).sources(targets, Traps())
    assert {address: source.communities[b"public"] for address, source in found.items()} == {
        "10.0.0.1": ("literal",),
        "10.9.9.9": ("mapped",),
        "2001:db8::1": ("six",),
        "10.0.0.2": ("four-in-six",),
        "fe80::1": ("zone",),
        "127.0.0.1": ("named",),
    }


async def test_only_devices_that_are_polled_by_snmp(net: Net) -> None:
    other = Target("web", "s", "tcp", TcpSpec(host="10.0.0.1", port=80), 60.0, 5.0)
    assert await AddressBook(net).sources([other], Traps()) == {}


async def test_who_may_speak_from_an_address(net: Net) -> None:
    targets = [
        device("a", "10.0.0.1"),
        device("b", "10.0.0.1", community="other"),
        device("c", "10.0.0.1", **user()),
        device("d", "10.0.0.1", port=1161, **user()),
        device("e", "10.0.0.1", **user(auth="sha512")),
    ]
    told = {"user": "more", **KEYS}
    settings = Traps.model_validate({"communities": ["public", "extra"], "users": [told]})
    found = await AddressBook(net).sources(targets, settings)
    source = found["10.0.0.1"]
    everybody = ("a", "b", "c", "d", "e")
    assert source.communities == {b"public": ("a",), b"other": ("b",), b"extra": everybody}
    assert [targets for _, targets in source.users[b"observer"]] == [("c", "d"), ("e",)]
    assert [(who.auth_protocol, targets) for who, targets in source.users[b"more"]] == [("sha1", everybody)]


async def test_an_address_stays_while_it_cannot_be_looked_up() -> None:
    """A dead name server costs no device its traps; a device that moves is known at its new address alone."""
    zone = Zone(["a.example. 1 IN A 10.0.0.1", "a.example. 1 IN AAAA 2001:db8::1", "b.example. 1 IN AAAA 2001:db8::2"])
    devices = [device("a", "a.example"), device("four", "a.example", ip="ip4"), device("b", "b.example")]
    async with udp_server(zone) as server:
        resolver = Resolver((server.address,), timeout=0.3)
        book = AddressBook(Net(resolver, AddressMap({})))
        found = await book.sources(devices, Traps())
        assert {address: source.communities[b"public"] for address, source in found.items()} == {
            "10.0.0.1": ("a", "four"),
            "2001:db8::1": ("a",),
            "2001:db8::2": ("b",),
        }
        zone.records = ["a.example. 1 IN A 10.0.0.3", "b.example. 1 IN AAAA 2001:db8::2"]
        await asyncio.sleep(1.1)
        moved = {"10.0.0.3", "2001:db8::2"}
        assert set(await book.sources(devices, Traps())) == moved
        zone.silent = {"a.example", "b.example"}
        await asyncio.sleep(2.1)
        assert set(await book.sources(devices, Traps())) == moved
        assert set(await book.sources(devices[2:], Traps())) == {"2001:db8::2"}
        assert set(await book.sources(devices, Traps())) == {"2001:db8::2"}
        await resolver.close()


def test_nothing_shows_a_secret() -> None:
    settings = Traps.model_validate({"communities": ["geheim"], "users": [{"user": "u", **KEYS}]})
    shown = f"{settings!r} {settings} {settings.model_dump_json()} {settings.users[0].credentials!r}"
    assert not re.search("geheim|authentication", shown)
