"""A month of series that were seen once: `python -m tests.bench.past FILE DATA BEGIN END` makes the block of a span.

FILE holds, as JSON, the moment they were seen at and what `planned` made of them.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from random import Random
from typing import Any
from zlib import crc32

from tests.backfill import HOUR, Past, Span, Stamps, blocks
from tests.bench.children import find
from tests.bench.seen import Seen

DAY = 24 * HOUR
COARSE, SCRAPE = 300, 15
_SECONDS, _STATE = "hatang_system_state_seconds_total", "hatang_system_state"
# The demo's counters had about so long to grow.
_AGE = 90.0
# Counters that have the names of their MIBs.
_COUNTERS = ("ifHC", "ifIn", "ifOut", "ssRaw", "ssIORaw", "ssCpuRaw")
_PATTERN = 64


@dataclass(frozen=True, slots=True)
class Reach:
    """How long ago pages and rules look: `dense`, at every scrape; `long`: over days, so that 5 minutes must do."""

    dense: Mapping[str, int]
    long: frozenset[str]

    def sampled(self, one: Seen, begin: int, end: int) -> list[Span]:
        """Since when each how many seconds there are samples of a series."""
        coarse = [(begin, COARSE)] if one.recorded or one.name in self.long else []
        fine = [] if one.recorded else [(end - self.dense.get(one.name, HOUR), SCRAPE)]
        return [*coarse, *fine]


def planned(seen: Iterable[Seen], reach: Reach, begin: int, end: int) -> Iterator[list[Any]]:
    """Each series as it stands in FILE: name, labels, value, since when each how many seconds, and when only."""
    for one in seen:
        yield [one.name, dict(one.labels), one.value, reach.sampled(one, begin, end), []]
        if one.name == "hatang_system_info":
            kept = {name: one.labels[name] for name in ("system", "category", "owner", "centre") if name in one.labels}
            yield _alert("SystemDown", "critical", "system", kept, outages(one.labels["system"], begin, end))
        if one.name == "hatang_site_info":
            kept = {name: one.labels[name] for name in ("site", "operator", "commune")}
            yield _alert("BtsDown", "warning", "mobile", kept, outages(kept["operator"] + kept["site"], begin, end))


def _alert(name: str, severity: str, area: str, labels: Mapping[str, str], during: Sequence[Span]) -> list[Any]:
    common = {"alertname": name, "alertstate": "firing", "severity": severity, "area": area, "province": "quang-ngai"}
    return ["ALERTS", {**common, **labels}, 1.0, [(during[0][0], COARSE)], list(during)]


@cache
def outages(what: str, begin: int, end: int) -> tuple[Span, ...]:
    """When it was down: one to five times a month, for up to two hours; never at the end."""
    chance = Random(crc32(what.encode()))
    starts = sorted(chance.randrange(begin + DAY, end - 3 * HOUR) for _ in range(chance.randint(1, 5)))
    return tuple((start, start + chance.randrange(600, 2 * HOUR)) for start in starts)


def read(file: Path) -> list[Past]:
    """The series of FILE."""
    content = json.loads(file.read_text(encoding="utf-8"))
    begin, end = content["begin"], content["end"]
    found = []
    for name, labels, value, sampled, during in content["series"]:
        times = tuple((since, step) for since, step in sampled)
        values = _values(Seen(name, labels, value), begin, end)
        found.append(Past(name, labels, times, values, tuple((since, until) for since, until in during)))
    return found


def _values(one: Seen, begin: int, end: int) -> Callable[[Stamps], Iterable[float]]:
    if one.name == _SECONDS:
        return partial(_spent, one.labels["system"], one.labels["state"], begin, end)
    if one.name == _STATE:
        return partial(_stood, one.labels["system"], one.value, begin, end)
    if one.name.endswith("_total") or one.name.startswith(_COUNTERS):
        return partial(_grown, one.value / _AGE, begin)
    if "timestamp" in one.name and abs(one.value - end) < DAY:
        return partial(_ticked, one.value - end)
    if one.value == int(one.value) and not one.recorded:
        return partial(_kept, one.value)
    return partial(_varied, one.value, crc32(str(sorted(one.labels.items())).encode()))


def _spent(system: str, state: str, begin: int, end: int, stamps: Stamps) -> Iterator[float]:
    """Seconds in a state: up, but for outages."""
    lost = outages(system, begin, end)
    for moment in stamps:
        down = sum(max(0, min(moment, until) - since) for since, until in lost)
        yield {"up": moment - begin - down, "down": down}.get(state, 0)


def _stood(system: str, value: float, begin: int, end: int, stamps: Stamps) -> Iterator[float]:
    lost = outages(system, begin, end)
    return (0 if any(since <= moment < until for since, until in lost) else value for moment in stamps)


def _grown(rate: float, begin: int, stamps: Stamps) -> list[float]:
    return [int(rate * (moment - begin)) for moment in stamps]


def _ticked(lag: float, stamps: Stamps) -> list[float]:
    return [moment + lag for moment in stamps]


def _kept(value: float, stamps: Stamps) -> list[float]:
    return [value] * len(stamps)


def _varied(value: float, seed: int, stamps: Stamps) -> list[float]:
    """Up to a fiftieth less, never the same for long: what is the same costs nothing to store and to read."""
    chance = Random(seed)
    pattern = [value * (1 - chance.random() / 50) for _ in range(_PATTERN)]
    return [pattern[moment // SCRAPE % _PATTERN] for moment in stamps]


def main(file: str, data: str, begin: str, end: str) -> None:
    """Make the block, and say how many samples it has."""
    print(blocks(find("promtool"), Path(data), (int(begin), int(end)), read(Path(file))))


if __name__ == "__main__":
    main(*sys.argv[1:])
