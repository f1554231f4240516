"""The mqtt kind on a real broker: what it makes of messages, and whose silence it tells."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from collector.fields import Secret
from collector.model import Outcome, Reason, Result
from collector.mqtt.spec import MqttSpec
from collector.probes.mqtt import KIND
from tests.mosquitto import Mosquitto, mosquitto
from tests.peers import leaving_nothing
from tests.probing import Probing, probing, values

pytestmark = pytest.mark.real

LEVEL = {"name": "river_level_metres", "help": "Water level."}
STATIONS = {"topic": "stations/+station/level", "metrics": [LEVEL]}
OWN = ("hatang_", "probe_")


@pytest.fixture
def broker(real: Callable[[str], str], tmp_path: Path) -> Iterator[Mosquitto]:
    with mosquitto(real("mosquitto"), tmp_path) as running:
        yield running


def target(broker: Mosquitto, *subscriptions: dict[str, Any], **settings: Any) -> dict[str, Any]:
    """Settings of a target on that broker."""
    return {"host": "127.0.0.1", "port": broker.port, "subscriptions": list(subscriptions) or [STATIONS], **settings}


async def heard(prober: Probing, settings: dict[str, Any], count: int) -> Result:
    """The first run that has heard so many messages."""
    async with asyncio.timeout(5):
        while True:
            result = await prober.run(**settings)
            if values(result).get("hatang_mqtt_messages_total", 0) >= count:
                return result
            await asyncio.sleep(0.02)


async def listening(
    broker: Mosquitto, settings: dict[str, Any], *messages: tuple[str, str | bytes], count: int = 0
) -> Result:
    """A run after so many of these messages came, by default all of them."""
    async with leaving_nothing(), probing(KIND) as prober:
        await prober.run(**settings)
        await broker.publish(*messages)
        return await heard(prober, settings, count or len(messages))


def own(result: Result) -> dict[str, float]:
    """Values of the target's own metrics."""
    return {name: value for name, value in values(result).items() if not name.startswith(OWN)}


async def test_levels_of_stations(broker: Mosquitto) -> None:
    before = time.time()
    messages = (("other/x/level", "9"), ("stations/trà-khúc/level", "3.25"), ("stations/ve/level", " 1\n"))
    result = await listening(broker, target(broker), *messages, count=2)
    assert result.outcome is Outcome.OK, result
    assert own(result) == {"river_level_metres{trà-khúc}": 3.25, "river_level_metres{ve}": 1}
    seen = values(result)
    stamp = seen["hatang_mqtt_message_timestamp_seconds{stations/trà-khúc/level,trà-khúc}"]
    assert before <= stamp <= time.time()
    assert seen["hatang_mqtt_message_retained{stations/ve/level,ve}"] == 0
    assert seen["hatang_mqtt_connected"] == seen["hatang_mqtt_connections_total"] == seen["probe_success"] == 1
    assert seen["hatang_mqtt_topics"] == seen["hatang_mqtt_messages_total"] == 2
    assert 0 < seen["hatang_mqtt_ping_duration_seconds"] < seen["probe_duration_seconds"]
    assert 0 < seen["hatang_mqtt_connect_duration_seconds"] < 1
    assert seen["probe_ip_protocol"] == 4
    assert not any(name.startswith("hatang_mqtt_topic_fresh") for name in seen)


JSON = [
    {"name": "battery_volts", "help": "Battery.", "value": "battery.mV", "scale": 0.001},
    {"name": "pump_state", "help": "Pump.", "type": "states", "states": ["on", "off"], "value": "pump"},
    {"name": "alarm", "help": "Alarm:", "map": {False: 0, True: 1, "test": 2}, "value": "alarm"},
    {"name": "rain_total", "help": "Rain.", "type": "counter", "value": "rain"},
    {"name": "station_info", "help": "A station.", "type": "info"},
]


async def test_json_payloads(broker: Mosquitto) -> None:
    payload = json.dumps({"battery": {"mV": "12640"}, "pump": "off", "alarm": True, "rain": 7})
    settings = target(broker, {"topic": "v1/+zone/+/up", "metrics": JSON})
    result = await listening(broker, settings, ("v1/bắc/0017/up", payload))
    assert own(result) == {
        "battery_volts{bắc}": 12.64,
        "pump_state{bắc,on}": 0,
        "pump_state{bắc,off}": 1,
        "alarm{bắc}": 1,
        "rain_total{bắc}": 7,
        "station_info{bắc}": 1,
    }
    assert "hatang_mqtt_message_timestamp_seconds{v1/bắc/+/up,bắc}" in values(result)


async def test_the_last_message_counts_whatever_it_lacks(broker: Mosquitto) -> None:
    """A sensor that sends nothing any more does not keep its old value."""
    settings = target(broker, {"topic": "a", "metrics": JSON[:3]})
    first = json.dumps({"battery": {"mV": 1}, "pump": "on", "alarm": "test"})
    result = await listening(broker, settings, ("a", first), ("a", json.dumps({"battery": {"mV": 2}, "pump": None})))
    assert own(result) == {"battery_volts": 0.002}


@pytest.mark.parametrize(
    ("subscription", "payload"),
    [
        (STATIONS, "high"),
        (STATIONS, ""),
        (STATIONS, "1e999"),
        (STATIONS, b"\xff\xfe"),
        ({"topic": "stations/#", "metrics": JSON}, "{"),
        ({"topic": "stations/#", "metrics": JSON[:4]}, "[]"),
        ({"topic": "stations/#", "metrics": JSON[:4]}, "[" * 20_000),
        ({"topic": "stations/#", "metrics": JSON[:4]}, '{"battery": NaN}'),
        ({"topic": "stations/#", "metrics": [JSON[0]]}, '{"battery": {"mV": "much"}}'),
    ],
)
async def test_a_message_that_says_nothing_is_counted_and_is_no_sign_of_life(
    broker: Mosquitto, subscription: dict[str, Any], payload: str | bytes
) -> None:
    settings = target(broker, subscription | {"max_age": "1h"})
    result = await listening(broker, settings, ("stations/ve/level", payload))
    assert (result.outcome, result.reason) == (Outcome.ERROR, Reason.LOCAL)
    assert result.detail.startswith("not heard yet in 0 s of listening: stations/")
    seen = values(result)
    assert seen["hatang_mqtt_dropped_messages_total{unreadable}"] == 1
    assert own(result) == {}
    assert not any(name.startswith("hatang_mqtt_message_timestamp") for name in seen)


async def test_without_metrics_a_message_is_a_sign_of_life(broker: Mosquitto) -> None:
    result = await listening(broker, target(broker, {"topic": "cam/#camera", "max_age": "1m"}), ("cam/a/b", b"\xff\0"))
    assert result.outcome is Outcome.OK
    assert values(result)["hatang_mqtt_topic_fresh{cam/a/b,a/b}"] == 1


async def test_retained_messages_are_marked_and_prove_no_life(broker: Mosquitto) -> None:
    await broker.publish(("stations/ve/level", "2.5"), retain=True)
    settings = target(broker, STATIONS | {"max_age": "1m", "expect": ["ve"]})
    async with leaving_nothing(), probing(KIND) as prober:
        result = await heard(prober, settings, 1)
        seen = values(result)
        assert (result.outcome, result.detail[:15]) == (Outcome.ERROR, "not heard yet i")
        assert own(result) == {"river_level_metres{ve}": 2.5}
        assert seen["hatang_mqtt_message_retained{stations/ve/level,ve}"] == 1
        assert not any(name.startswith(("hatang_mqtt_message_timestamp", "hatang_mqtt_topic_fresh")) for name in seen)
        await broker.publish(("stations/ve/level", "2.6"), retain=True)
        result = await heard(prober, settings, 2)
    assert result.outcome is Outcome.OK
    assert values(result)["hatang_mqtt_message_retained{stations/ve/level,ve}"] == 0
    assert own(result) == {"river_level_metres{ve}": 2.6}


async def test_stations_that_must_not_be_silent(broker: Mosquitto) -> None:
    settings = target(broker, STATIONS | {"max_age": "1s", "expect": ["ve", "trà bồng"]})
    async with leaving_nothing(), probing(KIND) as prober:
        await prober.run(**settings)
        await broker.publish(("stations/ve/level", "1"), ("stations/nobody/level", "2"))
        result = await heard(prober, settings, 2)
        assert result.outcome is Outcome.ERROR
        assert result.detail == "not heard yet in 0 s of listening: trà bồng"
        assert values(result)["hatang_mqtt_topic_fresh{stations/ve/level,ve}"] == 1
        await asyncio.sleep(1.1)
        await broker.publish(("stations/trà bồng/level", "3"))
        result = await heard(prober, settings, 3)
        seen = values(result)
        assert (result.outcome, result.reason) == (Outcome.FAIL, Reason.UNEXPECTED)
        assert result.detail == "1 of 2 silent: ve (for 1 s)"
        assert own(result) == {"river_level_metres{trà bồng}": 3}, "old values are withdrawn"
        assert seen["hatang_mqtt_topic_fresh{stations/ve/level,ve}"] == 0
        assert seen["hatang_mqtt_topic_fresh{stations/nobody/level,nobody}"] == 0
        assert "hatang_mqtt_message_timestamp_seconds{stations/ve/level,ve}" in seen
        await broker.publish(("stations/ve/level", "4"), ("stations/trà bồng/level", "3"))
        assert (await heard(prober, settings, 5)).outcome is Outcome.OK


async def test_one_station_is_enough_where_none_is_named(broker: Mosquitto) -> None:
    settings = target(broker, STATIONS | {"max_age": "800ms"}, {"topic": "rain", "max_age": "1h"})
    async with probing(KIND) as prober:
        await prober.run(**settings)
        await broker.publish(("stations/ve/level", "1"), ("rain", "0"))
        assert (await heard(prober, settings, 2)).outcome is Outcome.OK
        await asyncio.sleep(0.9)
        result = await prober.run(**settings)
    assert (result.outcome, result.detail) == (Outcome.FAIL, "1 of 2 silent: stations/+station/level (for 1 s)")


async def test_stations_learned(broker: Mosquitto) -> None:
    settings = target(broker, STATIONS | {"max_age": "800ms", "expect": "learned"})
    async with probing(KIND) as prober:
        assert (await prober.run(**settings)).outcome is Outcome.OK
        await broker.publish(("stations/ve/level", "1"))
        assert (await heard(prober, settings, 1)).outcome is Outcome.OK
        await asyncio.sleep(0.9)
        await broker.publish(("stations/bồ/level", "1"))
        result = await heard(prober, settings, 2)
    assert (result.outcome, result.detail) == (Outcome.FAIL, "1 of 2 silent: ve (for 1 s)")


async def test_messages_that_are_too_long_are_skipped(broker: Mosquitto) -> None:
    """In version 3.1.1 they come, and are not kept; in version 5 the broker is told not to send them."""
    settings = target(broker, max_payload="1KB")
    async with leaving_nothing(), probing(KIND) as prober:
        await prober.run(**settings)
        big = "1" * 1_000_000
        await broker.publish(("stations/a/level", big), ("stations/b/level", "1" * 2000), ("stations/ve/level", "2"))
        result = await heard(prober, settings, 1)
        seen = values(result)
        assert own(result) == {"river_level_metres{ve}": 2}
        assert seen["hatang_mqtt_dropped_messages_total{too_large}"] == 2
        five = settings | {"version": 5}
        await prober.run(**five)
        await broker.publish(("stations/a/level", big), ("stations/ve/level", "2"))
        assert own(await heard(prober, five, 1)) == {"river_level_metres{ve}": 2}


async def test_more_topics_than_allowed_are_counted(broker: Mosquitto) -> None:
    settings = target(broker, STATIONS | {"max_age": "1h", "expect": ["z"]}, max_topics=3)
    messages = [(f"stations/{name}/level", "1") for name in ("a", "b", "c", "a", "d", "z")]
    seen = values(result := await listening(broker, settings, *messages))
    assert own(result) == {"river_level_metres{a}": 1, "river_level_metres{b}": 1, "river_level_metres{z}": 1}
    assert seen["hatang_mqtt_dropped_messages_total{topics}"] == 2
    assert seen["hatang_mqtt_topics"] == 3


async def test_overlapping_subscriptions_hear_the_same_message(broker: Mosquitto) -> None:
    everything = {"topic": "#all", "metrics": [{"name": "any_level", "help": "Any."}]}
    result = await listening(broker, target(broker, STATIONS, everything), ("stations/ve/level", "2"))
    assert own(result) == {"river_level_metres{ve}": 2, "any_level{stations/ve/level}": 2}


@pytest.mark.parametrize("version", ["3.1.1", 5])
async def test_versions(broker: Mosquitto, version: str | int) -> None:
    result = await listening(broker, target(broker, version=version), ("stations/ve/level", "2"))
    assert own(result) == {"river_level_metres{ve}": 2}


async def test_ipv6_own_address_and_client_id(broker: Mosquitto, tmp_path: Path) -> None:
    settings = target(broker, host="broker.example", ip="prefer-ip6", source_ip="::1", client_id="trạm-1")
    async with leaving_nothing(), probing(KIND, {"broker.example": "::1"}) as prober:
        result = await prober.run(**settings)
        assert result.outcome is Outcome.OK, result
        assert values(result)["probe_ip_protocol"] == 6
        # Who has the same client id takes the connection over.
        await broker.publish(("stations/ve/level", "2"), identifier="trạm-1")
        async with asyncio.timeout(5):
            while (seen := values(await prober.run(**settings)))["hatang_mqtt_connections_total"] < 2:
                await asyncio.sleep(0.05)
        assert seen["hatang_mqtt_connected"] == 1
        wrong = await prober.run(**settings | {"source_ip": "127.0.0.1"})
        assert (wrong.outcome, wrong.reason) == (Outcome.ERROR, Reason.LOCAL)


GOOD = {"host": "broker.example", "subscriptions": [STATIONS]}


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"subscriptions": []}, "at least 1 item"),
        ({"subscriptions": [STATIONS, STATIONS]}, "'stations/+station/level' twice in `subscriptions`"),
        ({"subscriptions": [{"topic": ""}]}, "1 to 65535 bytes"),
        ({"subscriptions": [{"topic": "a/#/b"}]}, "'a/#/b': # stands at the end"),
        ({"subscriptions": [{"topic": "a+/b"}]}, "a wildcard begins its level"),
        ({"subscriptions": [{"topic": "a/++"}]}, "a wildcard begins its level"),
        ({"subscriptions": [{"topic": "a\0"}]}, "1 to 65535 bytes, none of them 0"),
        ({"subscriptions": [{"topic": "a" * 70_000}]}, "1 to 65535 bytes"),
        ({"subscriptions": [{"topic": "$share/g/a"}]}, "takes messages away from others"),
        ({"subscriptions": [{"topic": "+target/a"}]}, "the label 'target' is reserved"),
        ({"subscriptions": [{"topic": "+topic/a"}]}, "the label 'topic' is reserved"),
        ({"subscriptions": [{"topic": "+trạm/a"}]}, "should match pattern"),
        ({"subscriptions": [{"topic": "+a/+a", "metrics": [LEVEL]}]}, "a label twice: a, a"),
        ({"subscriptions": [{"topic": "+a/+b/+c/+d", "metrics": [LEVEL]}]}, "more than 3 labels: a, b, c, d"),
        ({"subscriptions": [STATIONS | {"expect": ["ve"]}]}, "`expect` needs `max_age`"),
        ({"subscriptions": [STATIONS | {"expect": ["a/b"], "max_age": 1}]}, "'a/b' in `expect` is not station"),
        ({"subscriptions": [{"topic": "a", "expect": ["a"], "max_age": 1}]}, "the topic has no names"),
        ({"subscriptions": [STATIONS | {"expect": "all", "max_age": 1}]}, "'learned'"),
        ({"subscriptions": [STATIONS | {"metrics": [LEVEL | {"name": "hatang_x"}]}]}, "is taken by the service itself"),
        (
            {"subscriptions": [STATIONS, {"topic": "x/+y", "metrics": [LEVEL]}]},
            "river_level_metres twice in `subscr",
        ),
        (
            {"subscriptions": [STATIONS | {"max_age": 1, "expect": ["a", "b"]}], "max_topics": 1},
            "less than what is expec",
        ),
        ({"password": "x"}, "`password` needs `username`"),
        ({"version": "3.1"}, "'3.1.1' or '5'"),
        ({"max_payload": "2MiB"}, "less than or equal to"),
        ({"client_id": ""}, "at least 1 character"),
        ({"nonsense": 1}, "Extra inputs"),
    ],
)
def test_settings_that_cannot_work_are_refused(settings: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError) as caught:
        MqttSpec.model_validate(GOOD | settings)
    assert words in str(caught.value)


def test_equal_settings_are_equal_and_share_a_connection() -> None:
    one, other = (MqttSpec.model_validate(GOOD | {"username": "a", "password": Secret("SECRET")}) for _ in range(2))
    assert one.declared()[0].labels == ("station",)
    assert one == other
    assert hash(one) == hash(other)
    assert one != MqttSpec.model_validate(GOOD | {"username": "a", "password": Secret("other")})
    assert "SECRET" not in one.model_dump_json() + repr(one)
    assert one.peer == "broker.example:1883"
    assert MqttSpec.model_validate(GOOD | {"tls": True}).peer == "broker.example:8883"
    assert all(field.description for field in MqttSpec.model_fields.values())
