"""The mqtt kind over time: connections that are lost, frozen, shared, forgotten; and that nothing stays behind."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from collector.model import Outcome, Reason
from collector.mqtt.spec import MqttSpec
from collector.mqtt.watch import Watches
from collector.net import AddressMap, Net, Resolver
from collector.probes.mqtt import KIND
from tests.mosquitto import Mosquitto, mosquitto
from tests.mqtt_peers import CONNECT, DISCONNECT, PINGREQ, Answers, broker, publish
from tests.peers import hang, leaving_nothing, peer
from tests.probing import probing, values
from tests.serving import Serving, serving, write_config
from tests.serving import until as soon

pytestmark = pytest.mark.slow

LEVELS = {"topic": "stations/+station/level", "metrics": [{"name": "level", "help": "L."}]}


@pytest.fixture
def real_broker(real: Callable[[str], str], tmp_path: Path) -> Iterator[Mosquitto]:
    with mosquitto(real("mosquitto"), tmp_path) as running:
        yield running


def target(port: int, **settings: Any) -> dict[str, Any]:
    return {"host": "127.0.0.1", "port": port, "subscriptions": [LEVELS], **settings}


async def until(met: Callable[[], bool], within: float = 5.0) -> None:
    """Raises TimeoutError when it is not met."""
    async with asyncio.timeout(within):
        while not met():
            await asyncio.sleep(0.02)


@asynccontextmanager
async def watching() -> AsyncIterator[Watches]:
    """What the kind opens, without a runner."""
    resolver = Resolver()
    net = Net(resolver, AddressMap({}))
    assert KIND.open is not None
    async with KIND.open(net) as watches:
        yield watches
    await resolver.close()


@pytest.mark.real
async def test_a_connection_that_is_lost_is_made_again_without_a_run(real_broker: Mosquitto) -> None:
    settings = target(real_broker.port)
    async with leaving_nothing(), probing(KIND) as prober:
        assert (await prober.run(**settings)).outcome is Outcome.OK
        real_broker.stop()
        await asyncio.sleep(0.1)
        real_broker.start()
        await asyncio.sleep(1.5)
        await real_broker.publish(("stations/ve/level", "7"))
        seen = values(result := await prober.run(**settings))
    assert result.outcome is Outcome.OK
    assert seen["level{ve}"] == 7, "we had listened again before the run"
    assert seen["hatang_mqtt_connections_total"] == 2


@pytest.mark.real
async def test_a_run_does_not_wait_for_the_next_attempt(real_broker: Mosquitto) -> None:
    """However long a broker was away, the first run after it is back finds it."""
    settings = target(real_broker.port)
    async with leaving_nothing(), probing(KIND) as prober:
        await prober.run(**settings)
        real_broker.stop()
        for _ in range(8):
            result = await prober.run(**settings)
            assert (result.outcome, result.reason) == (Outcome.FAIL, Reason.REFUSED)
            assert values(result)["hatang_mqtt_connected"] == 0
        real_broker.start()
        assert (await prober.run(**settings)).outcome is Outcome.OK


@pytest.mark.real
async def test_a_frozen_broker(real_broker: Mosquitto) -> None:
    """It accepts, and says nothing: neither to those it knew nor to new ones."""
    settings = target(real_broker.port)
    async with leaving_nothing(), probing(KIND) as prober:
        assert (await prober.run(**settings)).outcome is Outcome.OK
        real_broker.freeze()
        for _ in range(2):
            result = await prober.run(timeout=0.3, **settings)
            assert (result.outcome, result.reason) == (Outcome.FAIL, Reason.TIMEOUT)
            assert result.duration < 1
        real_broker.thaw()
        assert (await prober.run(**settings)).outcome is Outcome.OK


@pytest.mark.real
async def test_a_station_that_fell_silent_before_a_restart_of_the_broker_stays_so(real_broker: Mosquitto) -> None:
    subscription = LEVELS | {"max_age": "300ms", "expect": ["ve"]}
    settings = target(real_broker.port, subscriptions=[subscription])
    async with leaving_nothing(), probing(KIND) as prober:
        await prober.run(**settings)
        await asyncio.sleep(0.35)
        assert (await prober.run(**settings)).detail == "1 of 1 silent: ve (never heard)"
        real_broker.stop()
        assert (await prober.run(**settings)).reason is Reason.REFUSED
        real_broker.start()
        assert (await prober.run(**settings)).detail == "1 of 1 silent: ve (never heard)"


async def test_equal_targets_share_one_connection() -> None:
    async with leaving_nothing(), broker() as there, probing(KIND) as prober:
        results = await asyncio.gather(*(prober.run(**target(there.port)) for _ in range(5)))
        assert {result.outcome for result in results} == {Outcome.OK}
        assert there.connections == 1
        await prober.run(**target(there.port, client_id="another"))
        assert there.connections == 2
    assert there.heard.count(DISCONNECT) == 2, "we said goodbye"


async def test_a_target_without_runs_is_forgotten() -> None:
    spec = MqttSpec.model_validate(target(1883))
    async with leaving_nothing(), broker() as there, watching() as watches:
        spec = MqttSpec.model_validate(target(there.port))
        for _ in range(4):
            watch = watches.take(spec, interval=0.3)
            await watch.run(time.monotonic() + 1, lambda *_: None)
            await asyncio.sleep(0.4)
        assert (there.connections, there.open) == (1, 1)
        await until(lambda: not there.open, within=3)
        assert there.heard[-1] == DISCONNECT
        await watches.take(spec, interval=5).run(time.monotonic() + 1, lambda *_: None)
        assert there.connections == 2


async def test_a_target_whose_broker_is_away_is_forgotten_too() -> None:
    async with leaving_nothing(), peer(hang) as port, watching() as watches:
        watch = watches.take(MqttSpec.model_validate(target(port)), interval=0.1)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await watch.run(time.monotonic() + 30, lambda *_: None)
        assert len(asyncio.all_tasks()) > 1, "it goes on trying for a while"
        await asyncio.sleep(0.4)


async def test_stopping_while_it_connects_leaves_nothing() -> None:
    async with leaving_nothing(), peer(hang) as port, probing(KIND) as prober:
        await prober.run(timeout=0.1, **target(port))
        run = asyncio.ensure_future(prober.run(timeout=30, **target(port)))
        await asyncio.sleep(0.1)
        run.cancel()


async def test_many_dead_brokers_hold_no_thread() -> None:
    """Forty that never answer are as fast as one."""
    async with leaving_nothing(), peer(hang) as port, probing(KIND) as prober:
        begun = time.monotonic()
        runs = [
            prober.run(timeout=0.5, **target(port, client_id=f"c{number}", host=f"127.0.0.{number}"))
            for number in range(2, 42)
        ]
        results = await asyncio.gather(*runs)
        assert time.monotonic() - begun < 2
    assert {result.outcome for result in results} == {Outcome.FAIL}


async def test_a_broker_that_throws_us_out_is_not_stormed() -> None:
    async with leaving_nothing(), broker(Answers(closes=True)) as there, probing(KIND) as prober:
        result = await prober.run(**target(there.port))
        assert (result.outcome, result.reason) == (Outcome.FAIL, Reason.PROTOCOL)
        assert result.detail == "the broker closed the connection"
        await asyncio.sleep(3.2)
        assert 2 <= there.connections <= 4


async def test_in_the_service_a_connection_lives_as_long_as_its_target(tmp_path: Path) -> None:
    """Over a reload that changes others, and until its own target is removed."""
    answers = Answers(then=publish("stations/ve/level", b"2.5"))
    async with leaving_nothing(), broker(answers) as there:
        rivers = {"id": "rivers", "kind": "mqtt", "interval": "1s", "timeout": "500ms", **target(there.port)}
        config = write_config(tmp_path, rivers)
        async with serving(config) as service:
            level = 'level{target="rivers",system="portal",station="ve"}'
            await soon(lambda: _value(service, level))
            write_config(tmp_path, rivers, {"id": "other", "kind": "tcp", "host": "127.0.0.1", "port": there.port})
            await service.service.reload()
            await asyncio.sleep(0.5)
            # The other target only knocks.
            assert (there.open, there.heard.count(CONNECT)) == (1, 1)
            assert await _value(service, level) == 2.5
            write_config(tmp_path)
            await service.service.reload()
            await until(lambda: not there.open, within=5)
            assert await _value(service, level) is None


async def _value(service: Serving, series: str) -> float | None:
    return (await service.series()).get(series)


KEEPALIVE_OF_ONE_SECOND = b"\x20\x06\x00\x00\x03\x13\x00\x01"  # Server Keep Alive (MQTT 5.0 section 3.2.2.3.14)


async def test_a_connection_is_kept_alive_between_runs() -> None:
    answers = Answers(connack=KEEPALIVE_OF_ONE_SECOND, suback=b"\x00\x00")
    async with leaving_nothing(), broker(answers) as there, probing(KIND) as prober:
        assert (await prober.run(**target(there.port, version=5))).outcome is Outcome.OK
        await asyncio.sleep(1.5)
        assert 3 <= there.heard.count(PINGREQ) <= 6
        assert there.connections == 1


async def test_a_broker_that_does_not_answer_between_runs_is_given_up() -> None:
    answers = Answers(connack=KEEPALIVE_OF_ONE_SECOND, suback=b"\x00\x00")
    async with leaving_nothing(), broker(answers) as there, probing(KIND) as prober:
        assert (await prober.run(**target(there.port, version=5))).outcome is Outcome.OK
        there.pingresp = None
        await until(lambda: there.heard.count(CONNECT) == 2)
