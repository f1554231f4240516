"""`icmp`: echo requests, and how many come back how fast."""

from __future__ import annotations

import socket
import statistics
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated

import structlog
from pydantic import Field

from collector.fields import Address, Duration, Host, IpProtocol
from collector.icmp.pinger import HOW_TO_PERMIT, Echo, Packet, Pinger, ping
from collector.model import Emit, Kind, Metric, ProbeFailed, Reason, Spec
from collector.net import NET_METRICS, Context, Net

DURATION = Metric(
    "probe_icmp_duration_seconds", "Duration of each phase: resolve, setup, rtt (the mean).", labels=("phase",)
)
SENT = Metric("probe_icmp_packets_sent", "Echo requests sent.")
RECEIVED = Metric("probe_icmp_packets_received", "Echo requests answered.")
DUPLICATES = Metric("probe_icmp_duplicates", "Answers beyond the first to one request.")
LOSS = Metric("probe_icmp_loss_ratio", "Share of echo requests that were not answered.")
RTT_MIN = Metric("probe_icmp_rtt_min_seconds", "Shortest round trip.")
RTT_AVG = Metric("probe_icmp_rtt_avg_seconds", "Mean round trip.")
RTT_MAX = Metric("probe_icmp_rtt_max_seconds", "Longest round trip.")
RTT_STDDEV = Metric("probe_icmp_rtt_stddev_seconds", "Standard deviation of the round trips.")
HOP_LIMIT = Metric("probe_icmp_reply_hop_limit", "Hops that the last answer had left (TTL).")
ICMP_METRICS = (
    DURATION,
    SENT,
    RECEIVED,
    DUPLICATES,
    LOSS,
    RTT_MIN,
    RTT_AVG,
    RTT_MAX,
    RTT_STDDEV,
    HOP_LIMIT,
)

# What is left of a run for its figures after the wait for answers.
_MARGIN = 0.05
# Share of a run in which its packets leave, where their spacing would take longer.
_SENDING_SHARE = 0.5
_NAMES = {socket.AF_INET: "ip4", socket.AF_INET6: "ip6"}

log = structlog.get_logger(__name__)


class IcmpSpec(Spec):
    """A host that answers echo requests."""

    host: Host = Field(description="Name or address.")
    ip: IpProtocol = Field(IpProtocol.PREFER_IP4, description="Address family to use.")
    source_ip: Address | None = Field(None, description="Own address to send from.")
    packets: Annotated[int, Field(ge=1, le=100)] = Field(3, description="Echo requests per run.")
    spacing: Duration = Field(
        0.2, description="Time between them; shorter where they would not leave within half the time limit."
    )
    wait: Duration | None = Field(
        None, description="How long to wait for answers after the last; if not given, up to the time limit."
    )
    payload_size: Annotated[int, Field(ge=0, le=65507)] = Field(56, description="Bytes of data in each request.")
    ttl: Annotated[int, Field(ge=1, le=255)] | None = Field(
        None, description="Hops that a request may take (hop limit); if not given, as many as usual."
    )
    dont_fragment: bool = Field(False, description="Let no one split a request that is too big for the path.")
    max_loss: Annotated[float, Field(ge=0, lt=1)] = Field(
        0.5, description="Share of lost requests above which the host is not well."
    )

    @property
    def peer(self) -> str:
        return self.host


async def probe(spec: IcmpSpec, emit: Emit, context: Context[Pinger]) -> None:
    """Raises ProbeFailed: RESOLVE, TIMEOUT, UNREACHABLE, PROTOCOL, UNEXPECTED; PermissionError without sockets."""
    begun = time.perf_counter()
    endpoint = await context.net.resolve(spec.host, 0, spec.ip, emit)
    resolved = time.perf_counter()
    emit(DURATION, resolved - begun, "resolve")
    if spec.source_ip is not None:
        # The kernel takes any source address with a request; bound to, one that is not ours is told as such.
        context.net.datagram_socket(endpoint, spec.source_ip).close()
    packet = Packet(spec.payload_size, spec.ttl, spec.source_ip, spec.dont_fragment)
    channel = context.resource.channel(endpoint, packet)
    emit(DURATION, time.perf_counter() - resolved, "setup")
    spacing, wait = _times(spec, context.deadline - time.monotonic() - _MARGIN)
    echoes = await ping(channel, endpoint.ip, packet, spec.packets, spacing, wait)
    _emit_figures(echoes, emit)
    _judge(spec, echoes)


def _times(spec: IcmpSpec, left: float) -> tuple[float, float]:
    """Seconds between packets and after the last, so that both fit into what is `left`."""
    gaps = spec.packets - 1
    spacing = min(spec.spacing, max(0.0, left) * _SENDING_SHARE / gaps) if gaps else 0.0
    wait = max(0.0, left - spacing * gaps)
    return spacing, wait if spec.wait is None else min(spec.wait, wait)


def _emit_figures(echoes: list[Echo], emit: Emit) -> None:
    trips = [echo.rtt for echo in echoes if echo.rtt is not None]
    emit(SENT, len(echoes))
    emit(RECEIVED, len(trips))
    emit(DUPLICATES, sum(echo.duplicates for echo in echoes))
    emit(LOSS, 1 - len(trips) / len(echoes))
    if not trips:
        return
    mean = statistics.fmean(trips)
    emit(DURATION, mean, "rtt")
    emit(RTT_MIN, min(trips))
    emit(RTT_AVG, mean)
    emit(RTT_MAX, max(trips))
    emit(RTT_STDDEV, statistics.pstdev(trips, mean))
    hops = [echo.hop_limit for echo in echoes if echo.hop_limit is not None]
    if hops:
        emit(HOP_LIMIT, hops[-1])


def _judge(spec: IcmpSpec, echoes: list[Echo]) -> None:
    answered = sum(echo.rtt is not None for echo in echoes)
    figures = f"{answered} of {len(echoes)} answered"
    complaint = next((echo.complaint for echo in echoes if echo.complaint), None)
    if answered:
        if 1 - answered / len(echoes) > spec.max_loss:
            raise ProbeFailed(Reason.UNEXPECTED, f"{figures}: {complaint}" if complaint else figures)
    elif complaint:
        raise ProbeFailed(Reason.UNREACHABLE, complaint)
    elif any(echo.altered for echo in echoes):
        raise ProbeFailed(Reason.PROTOCOL, "answers with other data than was sent")
    else:
        raise ProbeFailed(Reason.TIMEOUT, figures)


@asynccontextmanager
async def opened(_: Net) -> AsyncIterator[Pinger]:
    """The sockets that all runs share; the log says which ones this process may open."""
    pinger = Pinger()
    modes = {_NAMES[family]: mode or "none" for family, mode in pinger.modes.items()}
    if None in pinger.modes.values():
        log.warning("icmp targets cannot be checked", sockets=modes, remedy=HOW_TO_PERMIT)
    else:
        log.info("icmp sockets are open", sockets=modes)
    try:
        yield pinger
    finally:
        pinger.close()


KIND = Kind(
    "icmp",
    "A host answers echo requests: loss, round-trip times, hops.",
    IcmpSpec,
    (*NET_METRICS, *ICMP_METRICS),
    probe,
    opened,
)
