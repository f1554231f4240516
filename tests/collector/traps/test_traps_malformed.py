"""Datagrams that nobody sends in earnest: counted, never raised, and never long in the way of the loop."""

from __future__ import annotations

import asyncio
import random
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from collector.snmp.credentials import Credentials
from collector.traps.admission import LONGEST, Source
from collector.traps.decoder import Decoder
from collector.traps.identity import Identity
from tests.lag import Lag
from tests.snmp_agent import NULL, integer, oid, text, ticks, tlv
from tests.trapping import AUTH_PASSWORD, COLD_START, PRIV_PASSWORD, device, trapping, user

LIMIT = 0.2
TRAP_V2 = 0xA7
USER = Credentials("3", "", "observer", "sha256", AUTH_PASSWORD, "aes128", PRIV_PASSWORD)
SOURCE = Source("10.0.0.1", {b"public": ("sw",)}, {b"observer": ((USER, ("sw",)),)})
# snmptrap -v3 -a SHA-256 -x AES of net-snmp 5.9.3, under the engine id 8000000001020304
LINK_UP = "1.3.6.1.6.3.1.1.5.4"
V3 = bytes.fromhex(
    "3081bc020103301102047adfc600020300ffe30401030201030442304004088000000001020304020101020309bec004086f62736572766572"
    "0418c4111d3fb31f9e12a29177fda04a599cdad94086cb8c582704088a8ed8adf978e4ac0460d248be432f50a080cd8731766e44fb079e90fa"
    "5d736e217e3aac52e7c0dbdcdb4474b6f1ed248bff88ccf7bf83786c77e2e55394d3fc5d5b8150253443df99b9ce5333006bd1f63fc5224a2f"
    "2b86689ce942bd4bed6734c70f336a7b708146dc"
)


def binding(name: bytes, value: bytes) -> bytes:
    return tlv(0x30, name + value)


HEAD = binding(oid("1.3.6.1.2.1.1.3.0"), ticks(100)) + binding(oid("1.3.6.1.6.3.1.1.4.1.0"), oid(COLD_START))


def message(bindings: bytes, version: int = 1, kind: int = TRAP_V2, community: str = "public") -> bytes:
    pdu = integer(1) + integer(0) + integer(0) + tlv(0x30, bindings)
    return tlv(0x30, integer(version) + text(community) + tlv(kind, pdu))


def nested(depth: int) -> bytes:
    content = b""
    for _ in range(depth):
        content = tlv(0x30, content)
    return content


INTERFACE = binding(oid("1.3.6.1.2.1.2.2.1.1.3"), integer(3))
GOOD = message(HEAD + INTERFACE)
V1 = tlv(
    0x30,
    integer(0)
    + text("public")
    + tlv(
        0xA4,
        oid("1.3.6.1.4.1.8072") + tlv(0x40, b"\x7f\0\0\1") + integer(2) + integer(0) + ticks(1) + tlv(0x30, INTERFACE),
    ),
)
ROOM = LONGEST - 200
STRANGE = {
    "empty": b"",
    "one byte": b"0",
    "text": b"GET / HTTP/1.1\r\n\r\n",
    "zeros": bytes(LONGEST),
    "nothing but a version": tlv(0x30, integer(1)),
    "a version too long": tlv(0x30, tlv(2, b"\x7f" * ROOM)),
    "another version": message(HEAD, version=2),
    "a version of its own": message(HEAD, version=77),
    "a community too long": message(HEAD, community="x" * ROOM),
    "a name of many arcs": message(HEAD + binding(tlv(6, b"\x2b" + b"\x01" * ROOM), NULL)),
    "a value of many arcs": message(HEAD + binding(oid("1.3.6"), tlv(6, b"\x2b" + b"\x01" * ROOM))),
    "a trap of many arcs": message(
        binding(oid("1.3.6.1.2.1.1.3.0"), ticks(1))
        + binding(oid("1.3.6.1.6.3.1.1.4.1.0"), tlv(6, b"\x2b" + b"\x01" * ROOM))
    ),
    "one arc without end": message(HEAD + binding(tlv(6, b"\x2b" + b"\x81" * ROOM + b"\1"), NULL)),
    "a whole number without end": message(HEAD + binding(oid("1.3.6"), tlv(2, b"\x7f" * ROOM))),
    "many values": message(HEAD + binding(oid("1.3.6"), NULL) * (ROOM // 8)),
    "deep values": message(HEAD + binding(oid("1.3.6"), nested(2000))),
    "deep bindings": message(nested(2000)),
    "deep": nested(2000),
    "indefinite lengths": b"\x30\x80" * (LONGEST // 2),
    "octets in octets": message(HEAD + binding(oid("1.3.6"), tlv(0x24, text("x") * (ROOM // 3)))),
    "no name of the trap": message(INTERFACE),
    "no bindings": message(b""),
    "a name of the trap that is none": message(
        binding(oid("1.3.6.1.2.1.1.3.0"), ticks(1)) + binding(oid("1.3.6.1.6.3.1.1.4.1.0"), text("coldStart"))
    ),
    "a question": message(binding(oid("1.3.6.1.2.1.1.3.0"), NULL), kind=0xA0),
    "an order": message(INTERFACE, kind=0xA3),
    "an answer": message(INTERFACE, kind=0xA2),
    "a report": message(INTERFACE, kind=0xA8),
    "rubbish behind": GOOD + b"rubbish",
}


@pytest.fixture(scope="module")
def decoder() -> Decoder:
    return Decoder(Identity(bytes.fromhex("80004fb8050011223344"), 1))


def timed(decoder: Decoder, datagram: bytes) -> tuple[float, str]:
    begun = time.thread_time()
    decoded = decoder.decode(datagram, SOURCE, 0.0)
    outcome = decoded.dropped or (decoded.trap.name if decoded.trap else "neither")
    return time.thread_time() - begun, outcome


@pytest.mark.parametrize("name", STRANGE)
def test_what_is_strange_is_told_in_time(decoder: Decoder, name: str) -> None:
    seconds, outcome = timed(decoder, STRANGE[name])
    assert seconds < LIMIT
    assert outcome in {"malformed", "authentication", "coldStart", "other"}
    assert timed(decoder, GOOD)[1] == "coldStart"


def test_what_does_not_say_what_it_is_is_no_trap(decoder: Decoder) -> None:
    for name in (
        "no name of the trap",
        "no bindings",
        "a question",
        "an order",
        "an answer",
        "text",
        "another version",
    ):
        assert timed(decoder, STRANGE[name])[1] == "malformed", name


def mutations(seed: int, count: int) -> Iterator[bytes]:
    chance = random.Random(seed)
    for _ in range(count):
        datagram = bytearray(chance.choice([GOOD, V1, V3]))
        match chance.randrange(4):
            case 0:
                for _ in range(chance.randint(1, 4)):
                    datagram[chance.randrange(len(datagram))] = chance.randrange(256)
            case 1:
                del datagram[chance.randrange(len(datagram)) :]
            case 2:
                place = chance.randrange(len(datagram))
                datagram[place:place] = chance.randbytes(chance.randint(1, 30))
            case _:
                place = chance.randrange(len(datagram))
                del datagram[place : place + chance.randint(1, 20)]
        yield bytes(datagram)


@pytest.mark.parametrize("seed", range(3))
def test_mutations(decoder: Decoder, seed: int) -> None:
    slowest = max(timed(decoder, datagram)[0] for datagram in mutations(seed, 1000))
    assert slowest < LIMIT
    assert [timed(decoder, each)[1] for each in (GOOD, V1, V3)] == ["coldStart", "linkDown", "linkDown"]


def test_a_recorded_message_proves_nothing() -> None:
    """Sent again after ten minutes it still leads to a poll, as anybody's word does, but is not called authentic."""
    now = 1000.0
    decoder = Decoder(Identity(bytes.fromhex("80004fb8050011223344"), 1), lambda: now)
    first, again = decoder.decode(V3, SOURCE, 0.0), decoder.decode(V3, SOURCE, 0.0)
    now += 600
    late = decoder.decode(V3, SOURCE, 0.0)
    assert [each.trap.authenticated for each in (first, again, late) if each.trap] == [True, True, False]


def test_pysnmp_is_made_anew_before_what_it_keeps_of_them_grows(decoder: Decoder) -> None:
    """After 5,000 that failed it is another engine, with the same id, and knows nobody."""
    before = decoder._engine
    for _ in range(5001):
        decoder.decode(b"0", SOURCE, 0.0)
    assert decoder._engine is not before
    assert timed(decoder, GOOD)[1] == "coldStart"


async def test_the_loop_goes_on_while_they_come(tmp_path: Path) -> None:
    """All of it through the socket, from a known device: every one counted, ticks in time, traps go on."""
    async with trapping(tmp_path, device(), device("v3", **user()), per_source=1e6, in_all=500) as traps:
        lag = Lag()
        watching = asyncio.create_task(lag.watch())
        datagrams = [*STRANGE.values(), *mutations(9, 300), b"\xff" * 60_000]
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            for datagram in datagrams:
                sock.sendto(datagram, ("127.0.0.1", traps.port))
                await asyncio.sleep(0.001)
            sock.sendto(message(HEAD[: -len(oid(COLD_START))] + oid(LINK_UP)), ("127.0.0.1", traps.port))

        def counted() -> float:
            reasons = ("rate", "unknown_source", "malformed", "authentication")
            return sum(map(traps.dropped, reasons)) + len(traps.traps)

        await traps.until(lambda: any(trap.name == "linkUp" for trap in traps.traps), 15)
        watching.cancel()
        assert lag.busy < LIMIT
        assert traps.dropped("rate") == 0
        assert counted() >= len(datagrams)  # and the last; one of no bytes may never arrive


@pytest.mark.real
async def test_what_net_snmp_calls_a_trap_is_one(tmp_path: Path, real: Callable[[str], str]) -> None:
    """The limit on length leaves room for every notification that fits into a packet."""
    async with trapping(tmp_path, device()) as traps:
        objects = [part for number in range(90) for part in (f"1.3.6.1.4.1.32473.{number}", "s", "x" * 60)]
        await traps.send(real("snmptrap"), "-v", "2c", "-c", "public", "--", "100", COLD_START, *objects)
        trap = await traps.next()
        assert len(trap.bindings) == 20
