"""What a real Prometheus has of the demo, our recording rules included: the shape of a history."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from dashboards.lint.promql import uses
from tests.bench.children import Broken, find
from tests.bench.effort import Effort
from tests.dashboards.executing import asked, prometheus
from tests.system.demo_run import demo

CONFIG = Path("config")
# What one endpoint may give (design, section 15).
SERIES_MOST = 100_000
_EVERYTHING = '{__name__=~".+"}'
_EVERY, _PATIENCE = 5.0, 150.0
# Of what rules record; the rest needs days, or an outage.
_MOST = 0.9


@dataclass(frozen=True, slots=True)
class Seen:
    """A series with its value of one moment."""

    name: str
    labels: Mapping[str, str]
    value: float

    @property
    def recorded(self) -> bool:
        """Written by a rule."""
        return ":" in self.name


async def province(folder: Path, records: Collection[str], effort: Effort) -> list[Seen]:
    """Play the demo until it and the rules, which write `records`, give no new series. Raises Unavailable, Broken."""
    program = find("prometheus")
    effort.say("history: the demo, for the shape of its series")
    async with (
        demo(CONFIG, "--no-prometheus", "--faults", "none") as playing,
        prometheus(program, playing.address.removeprefix("http://"), folder) as url,
    ):
        return await _settled(url, records)


async def _settled(url: str, records: Collection[str]) -> list[Seen]:
    counts: list[int] = []
    for _ in range(round(_PATIENCE / _EVERY)):
        await asyncio.sleep(_EVERY)
        found = await asyncio.to_thread(_everything, url)
        counts.append(len(found))
        there = {one.name for one in found}.intersection(records)
        if len(there) > _MOST * len(records) and counts[-3:] == [counts[-1]] * 3:
            return found
    raise Broken(f"the demo's series do not settle: {counts[-5:]}")


def _everything(url: str) -> list[Seen]:
    found = []
    for one in asked(url, _EVERYTHING)[0]:
        labels = dict(one["metric"])
        found.append(Seen(labels.pop("__name__"), labels, float(one["value"][1])))
    return [one for one in found if not one.name.startswith("ALERTS")]


def fleet(seen: Sequence[Seen], targets: int) -> list[Seen]:
    """With so many targets: the lightest ones again under other names, as many kinds as one endpoint may give."""
    own = Counter(one.labels["target"] for one in seen if "target" in one.labels and not one.recorded)
    feeds = {one.labels["target"] for one in seen if one.name == "hatang_feed_accepted_total"}
    more, raw = targets - len(own), sum(not one.recorded for one in seen)
    light: list[str] = []
    for target, _ in sorted(own.items(), key=lambda pair: (pair[1], pair[0])):
        taken = [*light, target]
        if raw + more * sum(own[one] for one in taken) / len(taken) > SERIES_MOST:
            break
        light += [target] if target not in feeds else []
    return [*seen, *_again(seen, light, more)]


def _again(seen: Sequence[Seen], light: Sequence[str], more: int) -> Iterator[Seen]:
    """Of each target in turn, until there are so many."""
    times = {target: len(range(place, more, len(light))) for place, target in enumerate(light)}
    for one in seen:
        target = one.labels.get("target", "")
        for number in range(times.get(target, 0)):
            yield replace(one, labels={**one.labels, "target": f"{target}-{number + 2}"})


def completed(seen: Sequence[Seen], records: Mapping[str, str]) -> list[Seen]:
    """With what a young Prometheus has not recorded yet (`records`: names and expressions): as its like have it."""
    names = frozenset(one.name for one in seen)
    likes = {record: _like(record, expr, names) for record, expr in records.items() if record not in names}
    return [*seen, *(replace(one, name=record) for record, like in likes.items() for one in seen if one.name == like)]


def _like(record: str, expr: str, names: frozenset[str]) -> str:
    """A series of the same level and metric: one that the rule reads, else one of another window; else none."""
    stem = f"{record.rpartition(':')[0]}:"
    read = [use.name for use in uses(expr) if use.name.startswith(stem) and use.name in names]
    return next(iter([*read, *sorted(name for name in names if name.startswith(stem))]), "")
