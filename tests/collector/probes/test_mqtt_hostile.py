"""The mqtt kind and brokers that refuse, lie, flood or are none: never our fault, never much memory, never a stall."""

from __future__ import annotations

import asyncio
import gc
import random
import time
from typing import Any

import psutil
import pytest

from collector.model import Outcome, Reason, Result
from collector.probes.mqtt import KIND
from tests.mqtt_peers import Answers, broker, packet, publish
from tests.peers import leaving_nothing, peer, says
from tests.probing import probing, values

pytestmark = pytest.mark.slow

LEVELS = {"topic": "stations/+station/level", "metrics": [{"name": "level", "help": "L."}]}


def target(port: int, **settings: Any) -> dict[str, Any]:
    return {"host": "127.0.0.1", "port": port, "subscriptions": [LEVELS], **settings}


async def ask(answers: Answers, timeout: float = 2.0, **settings: Any) -> Result:
    """One run on a broker that says this."""
    async with leaving_nothing(), broker(answers) as there, probing(KIND) as prober:
        return await prober.run(timeout, **target(there.port, **settings))


def connack(code: int, version: int = 3) -> bytes:
    """An answer to CONNECT."""
    return bytes([0x20, 2, 0, code]) if version == 3 else bytes([0x20, 3, 0, code, 0])


@pytest.mark.parametrize(
    ("answers", "version", "reason", "detail"),
    [
        (Answers(connack(1)), "3.1.1", Reason.PROTOCOL, "not an MQTT packet"),
        (Answers(connack(2)), "3.1.1", Reason.UNEXPECTED, "the broker refuses us: Client identifier not valid"),
        (Answers(connack(3)), "3.1.1", Reason.UNEXPECTED, "the broker refuses us: Server unavailable"),
        (Answers(connack(4)), "3.1.1", Reason.AUTH, "the broker refuses us: Bad user name or password"),
        (Answers(connack(5)), "3.1.1", Reason.AUTH, "the broker refuses us: Not authorized"),
        (Answers(connack(0x84, 5)), "5", Reason.PROTOCOL, "the broker refuses us: Unsupported protocol version"),
        (Answers(connack(0x86, 5)), "5", Reason.AUTH, "the broker refuses us: Bad user name or password"),
        (Answers(connack(0x89, 5)), "5", Reason.UNEXPECTED, "the broker refuses us: Server busy"),
        (Answers(suback=b"\x80"), "3.1.1", Reason.AUTH, "the broker refuses stations/+/level: "),
        (Answers(connack(0, 5), b"\x00\x87"), "5", Reason.AUTH, "the broker refuses stations/+/level: Not authorized"),
        (Answers(connack(0, 5), b"\x00\xa2"), "5", Reason.UNEXPECTED, "the broker refuses stations/+/level: Wildcard"),
        (Answers(suback=b"\x00\x00"), "3.1.1", Reason.PROTOCOL, "2 answers to 1 subscriptions"),
        (Answers(suback=b""), "3.1.1", Reason.PROTOCOL, ""),
        (Answers(connack(0, 5), b"\x00\x00", then=packet(0xE0, b"\x8b\x00")), "5", Reason.UNEXPECTED,
         "the broker ends the connection: Server shutting down"),
        (Answers(closes=True), "3.1.1", Reason.PROTOCOL, "the broker closed the connection"),
        (Answers(None), "3.1.1", Reason.TIMEOUT, "no"),
        (Answers(suback=None), "3.1.1", Reason.TIMEOUT, "no"),
        (Answers(pingresp=None), "3.1.1", Reason.TIMEOUT, "no"),
    ],
)  # fmt: skip
async def test_brokers_that_refuse(answers: Answers, version: str, reason: Reason, detail: str) -> None:
    result = await ask(answers, 0.5, version=version)
    assert (result.outcome, result.reason) == (Outcome.FAIL, reason), result
    assert result.detail.startswith(detail)


@pytest.mark.parametrize(
    "greeting",
    [
        b"SSH-2.0-OpenSSH_9.2p1\r\n",
        b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n",
        b"\xff\xff\xff\xff\xff\xff",
        b"\x30\xff\xff\xff\xff",
        b"\x15\x03\x01\x00\x02\x02\x46",
        b"\x00" * 100,
        publish("stations/ve/level"),
    ],
)
async def test_a_peer_that_is_no_broker(greeting: bytes) -> None:
    async with leaving_nothing(), peer(says(greeting.decode("latin-1"))) as port, probing(KIND) as prober:
        result = await prober.run(**target(port))
    assert (result.outcome, result.reason) == (Outcome.FAIL, Reason.PROTOCOL), result


@pytest.mark.parametrize(
    "wrong",
    [
        packet(0x30, b""),
        packet(0x30, b"\x00\x50short"),
        packet(0x36, b"\x00\x01aXX"),
        packet(0x90, b"\x12\x34\x00"),
        packet(0x20, b"\x00"),
        packet(0xD0, b"\x00"),
        packet(0xF0, b"\x00"),
        packet(0x10, b"\x00\x04MQTT\x04\x02\x00\x3c\x00\x00"),
        packet(0x30, b"\x00\x00" + b"payload"),
        packet(0x40, b"\x00\x07"),
        packet(0x62, b"\x00\x07"),
    ],
)
@pytest.mark.parametrize("version", ["3.1.1", "5"])
async def test_packets_that_are_none(wrong: bytes, version: str) -> None:
    """They end the connection, or are passed over; what came before survives."""
    answers = Answers(then=publish("stations/ve/level", b"2") + wrong)
    if version == "5":
        answers = Answers(connack(0, 5), b"\x00\x00", then=packet(0x30, b"\x00\x11stations/ve/level\x002") + wrong)
    result = await ask(answers, version=version)
    seen = values(result)
    assert result.outcome in (Outcome.OK, Outcome.FAIL)
    assert result.reason in (None, Reason.PROTOCOL)
    assert seen["hatang_mqtt_messages_total"] == 1
    assert ("level{ve}" in seen) == (result.outcome is Outcome.OK)


@pytest.mark.parametrize("head", [0x32, 0x34, 0x36])
async def test_messages_that_would_have_to_be_kept(head: int) -> None:
    """We ask for QoS 0: a broker that sends another could make us hold 65,535 messages."""
    result = await ask(Answers(then=packet(head, b"\x00\x11stations/ve/level\x00\x071")))
    assert (result.outcome, result.reason) == (Outcome.FAIL, Reason.PROTOCOL)
    assert result.detail == "a message with another QoS than was asked for"


async def test_topics_that_are_no_text_are_counted() -> None:
    result = await ask(Answers(then=publish(b"stations/\xff/level") + publish("stations/ve/level")))
    seen = values(result)
    assert result.outcome is Outcome.OK
    assert (seen["level{ve}"], seen["hatang_mqtt_dropped_messages_total{unreadable}"]) == (1, 1)


async def test_topics_that_were_not_asked_for_are_passed_over() -> None:
    result = await ask(Answers(then=publish("elsewhere") + publish("$SYS/broker") + publish("stations/x")))
    assert values(result)["hatang_mqtt_topics"] == 0
    assert result.outcome is Outcome.OK


SEEDS = (
    publish("stations/ve/level", b"1.5"),
    publish("stations/ve/level", b"1.5", 0x31),
    packet(0x32, b"\x00\x11stations/ve/level\x00\x071"),
    packet(0x34, b"\x00\x11stations/ve/level\x00\x081"),
    packet(0x62, b"\x00\x08"),
    packet(0x90, b"\x00\x01\x00"),
    packet(0xD0, b""),
    packet(0xE0, b""),
    packet(0x30, b"\x00\x11stations/ve/level\x05\x02\x00\x00\x00\x3c1"),
)


POSSIBLE = (None, Reason.PROTOCOL, Reason.UNEXPECTED, Reason.TIMEOUT, Reason.TOO_LARGE)


def spoilt(chance: random.Random) -> bytes:
    """Some packets with some changes."""
    data = bytearray(b"".join(chance.choice(SEEDS) for _ in range(chance.randint(1, 6))))
    for _ in range(chance.randint(0, 4)):
        at = chance.randrange(len(data) or 1)
        match chance.randrange(3):
            case 0:
                data[at : at + 1] = [chance.randrange(256)]
            case 1:
                data[at:at] = chance.randbytes(chance.randint(1, 5))
            case 2:
                del data[at : at + chance.randint(1, 5)]
    return bytes(data) or b"\0"


@pytest.mark.parametrize("version", ["3.1.1", "5"])
async def test_whatever_a_broker_says_is_never_our_fault(version: str) -> None:
    chance = random.Random(7)
    answers = Answers() if version == "3.1.1" else Answers(connack(0, 5), b"\x00\x00")
    async with leaving_nothing(), broker(answers) as there, probing(KIND) as prober:
        for number in range(100):
            answers.then = spoilt(chance)
            # Half a packet keeps the broker's answer waiting behind it: then time is what ends the run.
            result = await prober.run(0.1, **target(there.port, version=version, client_id=f"c{number}"))
            assert result.outcome is not Outcome.ERROR, (answers.then, result)
            assert result.reason in POSSIBLE, (answers.then, result)
            assert result.detail.isprintable()


async def test_a_packet_without_end_takes_no_memory() -> None:
    """256 MB are announced and sent: a message is dropped as it comes, anything else ends the connection."""
    before = psutil.Process().memory_info().rss
    drops = Answers(then=b"\x30\xff\xff\xff\x7f", pours=50_000_000)
    result = await ask(drops, 1.5)
    assert result.reason is Reason.TIMEOUT
    assert values(result)["hatang_mqtt_dropped_messages_total{too_large}"] == 1
    assert drops.poured > 20_000_000
    ends = Answers(then=b"\x90\xff\xff\xff\x7f", pours=50_000_000)
    result = await ask(ends)
    assert (result.reason, result.detail) == (Reason.TOO_LARGE, "a packet of 268435460 bytes")
    assert ends.poured < 10_000_000
    gc.collect()
    assert psutil.Process().memory_info().rss - before < 30_000_000


async def test_a_flood_takes_a_bounded_share_of_the_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is read at our pace; meanwhile the loop is free, a run cannot tell, and at last blames the broker."""
    flood = publish("stations/ve/level", b"1") * 40_000
    latest = 0.0

    async def watch() -> None:
        nonlocal latest
        while True:
            begun = time.perf_counter()
            await asyncio.sleep(0.005)
            latest = max(latest, time.perf_counter() - begun - 0.005)

    async with leaving_nothing(), broker(Answers(then=flood)) as there, probing(KIND) as prober:
        watcher = asyncio.ensure_future(watch())
        settings = target(there.port)
        assert (await prober.run(0.5, **settings)).reason is Reason.TIMEOUT
        latest, burnt, begun = 0.0, time.process_time(), time.perf_counter()
        await asyncio.sleep(1.5)
        share = (time.process_time() - burnt) / (time.perf_counter() - begun)
        result = await prober.run(0.5, **settings)
        watcher.cancel()
        monkeypatch.setattr("collector.mqtt.link.CATCH_UP", 1.0)
        last = await prober.run(0.5, **settings)
    assert (result.outcome, result.reason) == (Outcome.ERROR, Reason.LOCAL)
    assert result.detail == "reading for 2 s what the broker had kept for us"
    assert values(result)["hatang_mqtt_connections_total"] == 1
    assert 2_000 < values(result)["hatang_mqtt_messages_total"] < 12_000
    assert (last.outcome, last.reason) == (Outcome.FAIL, Reason.TOO_LARGE)
    assert last.detail == "for 2 s more messages than can be read: ask for fewer topics"
    assert latest < 0.25
    assert share < 0.5
