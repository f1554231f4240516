"""From a broker's name to a subscribed connection."""

from __future__ import annotations

import asyncio
import secrets
import ssl
import time
from collections.abc import Callable
from typing import Any

import aiomqtt
from paho.mqtt.client import MQTTMessage

from collector.model import Emit, Metric, ProbeFailed, Reason, Sample, Undecided
from collector.mqtt.client import Client
from collector.mqtt.spec import MqttSpec
from collector.mqtt.wire import Wire
from collector.net import Endpoint, Net
from collector.stream import connected, read_facts, secure
from collector.tls import emit_tls, handshake, tls_failure, unverified

# Beside its payload a message has a topic, and properties in version 5.
_ENVELOPE = 16 * 1024
_VERSIONS = {"3.1.1": aiomqtt.ProtocolVersion.V311, "5": aiomqtt.ProtocolVersion.V5}
# A broker waits one and a half times what we announced (MQTT 5.0 section 3.1.2.10); we do not let it come to that.
_PINGS_PER_KEEPALIVE = 2.5
# How long we may be behind before the broker is to blame.
CATCH_UP = 30.0


class Link:
    """A connection that is subscribed, and kept alive until it is lost. `since` is when it began to hear."""

    def __init__(self, client: Client, wire: Wire) -> None:
        self.since = time.monotonic()
        self.lost = wire.lost
        self._client = client
        self._wire = wire
        self.closed = wire.closed
        self._timer: asyncio.TimerHandle | None = None
        self.lost.add_done_callback(self._end)
        self._stay()

    @property
    def too_large(self) -> int:
        """Messages that were too long to be read."""
        return self._wire.skipped

    async def ping(self) -> None:
        """Wait for the broker's answer, behind all that it had sent; a connection on which none comes is given up.

        Raises ProbeFailed; Undecided while we still read what it had kept for us.
        """
        if (behind := self._wire.behind) > CATCH_UP:
            raise ProbeFailed(
                Reason.TOO_LARGE, f"for {behind:.0f} s more messages than can be read: ask for fewer topics"
            )
        if behind > 1:
            raise Undecided(f"reading for {behind:.0f} s what the broker had kept for us")
        try:
            await self._wire.ping()
        except ProbeFailed:
            raise self._client.fault from None
        except asyncio.CancelledError:
            if not self._wire.behind:
                self._wire.abort()
            raise

    def leave(self) -> None:
        """Close, politely."""
        self._client.leave()

    def _stay(self) -> None:
        """Show that we are there, before the broker takes us for gone, and give up one that does not."""
        keepalive = self._client.keepalive
        if self.lost.done() or not keepalive:
            return
        pause = keepalive / _PINGS_PER_KEEPALIVE
        if self._wire.owed > pause and not self._wire.behind:  # else its answer may be here, unread
            self._wire.fail(ProbeFailed(Reason.TIMEOUT, "the broker does not answer"))
            return
        self._wire.send_ping()
        self._timer = asyncio.get_running_loop().call_later(pause, self._stay)

    def _end(self, _: object) -> None:
        if self._timer is not None:
            self._timer.cancel()


class Connector:
    """Makes the connections of one target. `facts` are what making the last one showed."""

    def __init__(self, spec: MqttSpec, net: Net, hear: Callable[[MQTTMessage], None]) -> None:
        self.facts: list[Sample] = []
        self._spec = spec
        self._net = net
        self._hear = hear
        # A broker that knows us by our name closes the connection that we lost.
        self._client_id = spec.client_id or f"hatang-{secrets.token_hex(6)}"

    async def connect(self, deadline: float) -> Link:
        """Raises ProbeFailed; OSError when the fault is ours."""
        facts = self.facts = []

        def note(metric: Metric, value: float, *labels: str) -> None:
            facts.append(Sample(metric, labels, float(value)))

        host, port = self._spec.address
        endpoint = await self._net.resolve(host, port, self._spec.ip, note)
        wire = await self._wire(endpoint, deadline, note)
        try:
            client = Client(wire, self._hear, wire.limit, **self._identity)
            await client.enter([each.filter.plain for each in self._spec.subscriptions])
            return Link(client, wire)
        except BaseException:
            wire.abort()
            raise

    @property
    def _identity(self) -> dict[str, Any]:
        spec = self._spec
        return {
            "protocol": _VERSIONS[spec.version],
            "identifier": self._client_id,
            "username": spec.username,
            "password": spec.password.value if spec.password is not None else None,
        }

    async def _wire(self, endpoint: Endpoint, deadline: float, note: Emit) -> Wire:
        spec, limit = self._spec, self._spec.max_payload + _ENVELOPE
        if not spec.tls:
            _, wire = await self._net.dial(lambda: Wire(limit), endpoint, spec.source_ip)
            return wire
        context = await self._net.tls.get(spec.tls_config)
        transport, _ = await self._net.dial(asyncio.Protocol, endpoint, spec.source_ip)
        name = spec.tls_config.server_name or spec.host
        try:
            left = deadline - time.monotonic() + 1.0  # the run's own time limit is to end it
            transport, wire = await handshake(transport, lambda: Wire(limit), context, name, left)
        except ssl.SSLError as error:
            if isinstance(error, ssl.SSLCertVerificationError):
                await read_facts(self._look(endpoint, note), deadline)
            raise tls_failure(error) from error
        emit_tls(transport.get_extra_info("ssl_object"), spec.tls_config.verify, note)
        return wire

    async def _look(self, endpoint: Endpoint, note: Emit) -> None:
        """Read the certificate that was just refused."""
        spec = self._spec
        async with connected(self._net, endpoint, _ENVELOPE, spec.source_ip) as stream:
            await secure(stream, self._net, unverified(spec.tls_config), spec.host, note)
