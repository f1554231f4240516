"""The `mqtt` kind: listens to a broker all the time, and says whether it is there and who has fallen silent."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from collector.model import Emit, Kind
from collector.mqtt.spec import MqttSpec
from collector.mqtt.watch import MQTT_METRICS, Watches
from collector.net import NET_METRICS, Context, Net
from collector.tls import TLS_METRICS


async def probe(spec: MqttSpec, emit: Emit, context: Context[Watches]) -> None:
    """Look at what was heard so far. Raises ProbeFailed; Undecided; OSError when the fault is ours."""
    await context.resource.take(spec, context.interval).run(context.deadline, emit)


@asynccontextmanager
async def opened(net: Net) -> AsyncIterator[Watches]:
    """The connections of all targets."""
    watches = Watches(net)
    try:
        yield watches
    finally:
        await watches.close()


KIND = Kind(
    "mqtt",
    "Listens to an MQTT broker: last messages, their values, and stations that have fallen silent.",
    MqttSpec,
    (*MQTT_METRICS, *NET_METRICS, *TLS_METRICS),
    probe,
    opened,
)
