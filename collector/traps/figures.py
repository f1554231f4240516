"""What is counted of traps, as it is exposed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Container

from collector.model import Metric, MetricType, Sample, Sink
from collector.traps.admission import Dropped
from collector.traps.trap import Trap

RECEIVED = Metric(
    "hatang_traps_received_total",
    "SNMP traps and informs of a target's device by name; a series begins with the first.",
    MetricType.COUNTER,
    ("trap",),
)
LAST = Metric(
    "hatang_trap_timestamp_seconds", "Unix time at which the last trap or inform of that name came.", labels=("trap",)
)
DROPPED = Metric(
    "hatang_traps_dropped_total",
    "Datagrams at the trap port that went no further: over the limits, from an address of no target, not readable, "
    "without the right community or key.",
    MetricType.COUNTER,
    ("reason",),
)
LISTENING = Metric("hatang_traps_listening", "Sockets that traps are taken from; 0 while the port cannot be had.")
TARGET_METRICS = (RECEIVED, LAST)
RECEIVER_METRICS = (DROPPED, LISTENING)
OWNER = "traps"


class Figures:
    """Counts since the start, of all and of each target."""

    def __init__(self) -> None:
        self._received: dict[str, Counter[str]] = {}
        self._last: dict[str, dict[str, float]] = {}
        self._dropped = Counter(dict.fromkeys(Dropped, 0))
        self._changed: set[str] = set()
        self._targets: Container[str] = ()

    def took(self, trap: Trap) -> None:
        """A trap came."""
        for target in trap.targets:
            if target not in self._targets:
                continue  # removed while it was read
            self._received.setdefault(target, Counter())[trap.name] += 1
            self._last.setdefault(target, {})[trap.name] = trap.at
            self._changed.add(target)

    def dropped(self, reason: Dropped) -> None:
        """A datagram went no further."""
        self._dropped[reason] += 1

    def keep(self, targets: Container[str]) -> None:
        """From now on these are the targets; the others are forgotten."""
        self._targets = targets
        for gone in [target for target in self._received if target not in targets]:
            del self._received[gone], self._last[gone]
            self._changed.add(gone)

    def put(self, sink: Sink, listening: int) -> None:
        """Hand over to `sink` what changed."""
        dropped = [Sample(DROPPED, (reason.value,), count) for reason, count in self._dropped.items()]
        sink.put(OWNER, (), [Sample(LISTENING, (), listening), *dropped])
        for target in self._changed:
            samples = [Sample(RECEIVED, (name,), count) for name, count in self._received.get(target, {}).items()]
            samples += [Sample(LAST, (name,), moment) for name, moment in self._last.get(target, {}).items()]
            if samples:
                sink.put(_owner(target), (("target", target),), samples)
            else:
                sink.drop(_owner(target))
        self._changed.clear()

    def withdraw(self, sink: Sink) -> None:
        """Have `sink` forget all of it."""
        sink.drop(OWNER)
        for target in self._received.keys() | self._changed:
            sink.drop(_owner(target))


def _owner(target: str) -> str:
    return f"{OWNER} {target}"
