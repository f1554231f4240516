"""The demo's MQTT broker and stations, heard by mosquitto's clients and by our own kind."""

from __future__ import annotations

import asyncio
import json
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from collector.demo.agents.motion import Clock
from collector.demo.doors import Door
from collector.demo.mqtt.packets import Kind, encoded, packed, text, word
from collector.demo.mqtt.stations import Stations, read_stations
from collector.model import Outcome, Reason
from collector.probes import mqtt
from tests.probing import probing, values
from tests.serving import until

USER, PASSWORD = "giám-sát", "mật-khẩu"
FIGURES = {
    "song/ve/thuong-luu": {"muc_nuoc_m": 5.0},
    "song/ve/ha-luu": {"muc_nuoc_m": 2.0},
    "song/tra-cau/ha-luu": {"muc_nuoc_m": 3.0},
}
VERSIONS = ("mqttv311", "mqttv5")
MAX_AGE = 1.5


@asynccontextmanager
async def serving(figures: dict[str, dict[str, float]] | None = None) -> AsyncIterator[tuple[Stations, int]]:
    stations = Stations({USER: PASSWORD}, FIGURES if figures is None else figures, Clock())
    door = Door(stations.broker.conversation, "127.0.0.1")
    try:
        stations.start()
        yield stations, await door.open()
    finally:
        door.close()
        await stations.stop()


async def start(program: str, port: int, *words: str, password: str = PASSWORD) -> Process:
    # Its words shall come when they are said, and not when it ends.
    command = ("stdbuf", "-oL", program, "-h", "127.0.0.1", "-p", str(port), "-u", USER, "-P", password, *words)
    return await asyncio.create_subprocess_exec(*command, stdout=PIPE, stderr=asyncio.subprocess.STDOUT)


async def run(program: str, port: int, *words: str, password: str = PASSWORD) -> tuple[str, int | None]:
    """What a client of mosquitto says, and its status."""
    process = await start(program, port, *words, password=password)
    said, _ = await process.communicate()
    return said.decode(), process.returncode


@pytest.mark.parametrize("version", VERSIONS)
async def test_a_client_hears_what_was_retained_and_then_what_comes(real: Callable[[str], str], version: str) -> None:
    async with serving() as (_, port):
        words = ("-V", version, "-t", "song/ve/+", "-q", "1", "-C", "6", "-W", "8", "-F", "%t %q %r %p")
        said, status = await run(real("mosquitto_sub"), port, *words)
    assert status == 0, said
    lines = [line.split(" ", 3) for line in said.splitlines()]
    assert {topic for topic, *_ in lines} == {"song/ve/thuong-luu", "song/ve/ha-luu"}
    assert {qos for _, qos, *_ in lines} == {"1"}
    assert [retained for _, _, retained, _ in lines] == ["1", "1", "0", "0", "0", "0"]
    for topic, _, _, payload in lines:
        figures = json.loads(payload)
        assert figures["muc_nuoc_m"] == pytest.approx(FIGURES[topic]["muc_nuoc_m"], rel=0.02)
        assert figures["simulated"] == "mô phỏng / simulated"


@pytest.mark.parametrize("version", VERSIONS)
async def test_what_a_client_publishes_reaches_others_and_is_retained_until_it_is_cleared(
    real: Callable[[str], str], version: str
) -> None:
    async with serving({}) as (_, port):
        sub = await start(
            real("mosquitto_sub"), port, "-V", version, "-t", "a/#", "-C", "2", "-W", "8", "-d", "-F", "%q %p"
        )
        await told(sub, "Subscribed")
        for qos, payload in (("1", "một"), ("0", "hai")):
            words = ("-V", version, "-t", "a/b", "-q", qos, "-m", payload, "-r")
            assert (await run(real("mosquitto_pub"), port, *words))[1] == 0
        heard = [line for line in (await sub.communicate())[0].decode().splitlines() if line[1:2] == " "]
        kept = await run(real("mosquitto_sub"), port, "-V", version, "-t", "a/b", "-C", "1", "-W", "5", "-F", "%r %p")
        assert (await run(real("mosquitto_pub"), port, "-V", version, "-t", "a/b", "-r", "-n"))[1] == 0
        gone = await run(real("mosquitto_sub"), port, "-V", version, "-t", "a/b", "-C", "1", "-W", "1")
    assert heard == ["0 một", "0 hai"]  # the subscription wants no more than QoS 0
    assert kept == ("1 hai\n", 0)
    assert gone[1] == 27  # timed out


@pytest.mark.parametrize("version", VERSIONS)
async def test_who_does_not_know_the_password_stays_outside(real: Callable[[str], str], version: str) -> None:
    async with serving() as (_, port):
        said, status = await run(real("mosquitto_sub"), port, "-V", version, "-t", "#", "-W", "5", password="khác")
    assert status != 0
    assert "bad user name or password" in said.lower()


async def test_clients_are_told_that_there_is_no_qos_2(real: Callable[[str], str]) -> None:
    async with serving() as (_, port):
        said, _ = await run(real("mosquitto_pub"), port, "-V", "mqttv5", "-t", "a", "-m", "x", "-q", "2")
    assert "QoS not supported" in said


@pytest.mark.parametrize("version", VERSIONS)
async def test_a_client_may_unsubscribe(real: Callable[[str], str], version: str) -> None:
    async with serving({}) as (_, port):
        words = ("-V", version, "-t", "a", "-t", "b", "-U", "a", "-C", "1", "-W", "8", "-d", "-F", "heard %p")
        sub = await start(real("mosquitto_sub"), port, *words)
        await told(sub, "UNSUBACK")
        for topic in ("a", "b"):
            assert (await run(real("mosquitto_pub"), port, "-t", topic, "-m", topic))[1] == 0
        said, _ = await sub.communicate()
    assert "heard b" in said.decode()
    assert "heard a" not in said.decode()


async def told(process: Process, word: str) -> None:
    """Wait until a client says so."""
    assert process.stdout is not None
    async for line in process.stdout:
        if word in line.decode():
            return


async def test_the_last_client_of_a_name_has_it(real: Callable[[str], str]) -> None:
    async with serving() as (stations, port):
        first = await start(real("mosquitto_sub"), port, "-i", "một", "-t", "song/#", "-C", "1000", "-W", "8")
        assert await until(lambda: found(stations, "một"))
        async with asyncio.timeout(5):
            said, _ = await run(real("mosquitto_sub"), port, "-i", "một", "-t", "song/#", "-C", "1")
            first.kill()
            await first.communicate()
        assert "muc_nuoc_m" in said


async def found(stations: Stations, name: str) -> bool:
    return name in stations.broker.sessions


def settings(port: int, *expected: str, topic: str = "song/+river/+reach") -> dict[str, Any]:
    """Of a target that wants to hear these stations."""
    level = {"name": "river_level_metres", "help": "Level.", "value": "muc_nuoc_m"}
    subscription = {"topic": topic, "max_age": f"{MAX_AGE}s", "expect": expected, "metrics": [level]}
    login = {"username": USER, "password": PASSWORD}
    return {"host": "127.0.0.1", "port": port, "subscriptions": [subscription], **login}


@pytest.mark.parametrize("version", ["3.1.1", "5"])
async def test_the_first_run_of_a_target_hears_all_stations(version: str) -> None:
    async with serving() as (_, port), probing(mqtt.KIND) as it:
        result = await it.run(**settings(port, "ve/thuong-luu", "ve/ha-luu", "tra-cau/ha-luu"), version=version)
    assert result.outcome is Outcome.OK, result.detail
    assert values(result)["river_level_metres{ve,thuong-luu}"] == pytest.approx(5.0, rel=0.02)


async def test_a_muted_river_fails_alone_on_a_living_connection_and_is_well_again() -> None:
    async with serving() as (stations, port), probing(mqtt.KIND) as it:
        river = settings(port, "thuong-luu", "ha-luu", topic="song/ve/+reach")
        other = settings(port, "ha-luu", topic="song/tra-cau/+reach")
        await it.run(**river)
        stations.mute("song/ve/+", True)
        await asyncio.sleep(MAX_AGE + 0.3)
        silent, well = await it.run(**river), await it.run(**other)
        stations.mute("song/ve/+", False)
        await asyncio.sleep(1.3)
        again = await it.run(**river)
    assert (silent.outcome, silent.reason) == (Outcome.FAIL, Reason.UNEXPECTED)
    assert silent.detail.startswith("2 of 2 silent: ")
    seen = values(silent)
    assert seen["hatang_mqtt_connected"] == seen["hatang_mqtt_connections_total"] == 1
    assert seen["hatang_mqtt_topic_fresh{song/ve/ha-luu,ha-luu}"] == 0
    assert not any(name.startswith("river_level_metres") for name in seen)
    assert well.outcome is Outcome.OK, well.detail
    assert again.outcome is Outcome.OK, again.detail


async def test_only_stations_that_there_are_can_be_muted() -> None:
    async with serving() as (stations, _):
        with pytest.raises(KeyError):
            stations.mute("song/khong-co/+", True)


async def test_a_silent_broker_answers_neither_old_nor_new_clients_until_it_does_again() -> None:
    async with serving() as (stations, port), probing(mqtt.KIND) as it:
        known, new = settings(port, "ha-luu", topic="song/ve/+reach"), settings(port, topic="song/tra-cau/+reach")
        assert (await it.run(**known)).outcome is Outcome.OK
        stations.broker.silence(True)
        hanging = [await it.run(0.5, **target) for target in (known, new)]
        stations.broker.silence(False)
        after = [await it.run(**target) for target in (known, new)]
    assert [result.reason for result in hanging] == [Reason.TIMEOUT, Reason.TIMEOUT]
    assert [(result.outcome, result.detail) for result in after] == [(Outcome.OK, "")] * 2


CONNECT = packed(Kind.CONNECT, text("MQTT"), b"\x04\xc2", word(1), text("x"), text(USER), text(PASSWORD))


WELCOME = b"\x20\x02\x00\x00"
HTTP = b"GET / HTTP/1.1\r\nHost: mo-phong.quangngai.example\r\nUser-Agent: khong-phai-mqtt\r\nAccept: */*\r\n\r\n"
FILTERS = word(7) + b"".join(text(each) + qos for each, qos in (("a/#/b", b"\0"), ("a/+b", b"\0"), ("b", b"\2")))
ENDINGS = {
    "another protocol": (HTTP, b""),
    "a length without an end": (b"\x10\xff\xff\xff\xff", b""),
    "too long": (b"\x10" + encoded(2**27), b""),
    "no CONNECT": (packed(Kind.PINGREQ), b""),
    "too short": (packed(Kind.CONNECT, text("MQTT"), b"\x06\xc2"), b""),
    "a later version": (packed(Kind.CONNECT, text("MQTT"), b"\x06\xc2", word(0)), b"\x20\x03\x00\x84\x00"),
    "an older version": (packed(Kind.CONNECT, text("MQTT"), b"\x03\x02", word(0)), b"\x20\x02\x00\x01"),
    "no login": (packed(Kind.CONNECT, text("MQTT"), b"\x04\x02", word(0), text("x")), b"\x20\x02\x00\x04"),
    "a server's packet": (CONNECT + packed(Kind.SUBACK), WELCOME),
    "a topic that is a filter": (CONNECT + packed(Kind.PUBLISH, text("a/#")), WELCOME),
    "QoS 2": (CONNECT + packed(Kind.PUBLISH, text("a"), word(1), flags=4), WELCOME),
    "filters that are none, then silence": (
        CONNECT + packed(Kind.SUBSCRIBE, FILTERS),
        WELCOME + b"\x90\x05\x00\x07\x80\x80\x01",
    ),
}


@pytest.mark.parametrize("name", ENDINGS)
async def test_what_is_no_mqtt_ends_the_connection(name: str) -> None:
    said, answer = ENDINGS[name]
    async with serving({}) as (_, port), asyncio.timeout(5):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(said)
        assert await reader.read() == answer
        writer.close()


def test_every_station_says_figures() -> None:
    for topics in read_stations().values():
        for topic, figures in topics.items():
            assert figures, topic
