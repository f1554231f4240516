"""Recorded series of a real Prometheus that has a month behind it, against the same figures reckoned in Python."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest

from dashboards.rules.definition import seconds
from tests.backfill import Past, Stamps, blocks, spans
from tests.dashboards.executing import asked, prometheus
from tests.dashboards.rules.playing import needed

MINUTE, HOUR, DAY = 60, 3600, 86400
AGE = 31 * DAY
STATES = ("up", "degraded", "down", "unreachable", "maintenance", "unknown")
BURN = ("5m", "30m", "1h", "2h", "6h", "1d", "3d")
LONG = ("1h", "1d", "30d")
PATIENCE = 40.0


@dataclass(frozen=True)
class Course:
    """What held since how many seconds before the end."""

    pieces: Sequence[tuple[float, str]]

    def at(self, ago: float) -> str:
        """What held then; '' before its time."""
        return next((what for since, what in reversed(self.pieces) if ago <= since), "")

    def spent(self, what: str, window: float) -> float:
        """Seconds of the last `window` in which it held."""
        ends = [*(since for since, _ in self.pieces[1:]), 0.0]
        return sum(
            max(0.0, min(since, window) - end)
            for (since, held), end in zip(self.pieces, ends, strict=True)
            if held == what
        )


# System: centre, tier, and how it stood. One is younger than a month and runs nowhere that anybody knows of.
SYSTEMS = {
    "a": ("x", "1", Course([(AGE, "up"), (20 * DAY, "down"), (19 * DAY, "up"), (40 * HOUR, "unreachable"),
                            (36 * HOUR, "up"), (5 * HOUR, "degraded"), (4 * HOUR, "up"), (50 * MINUTE, "maintenance"),
                            (45 * MINUTE, "up"), (12 * MINUTE, "down")])),
    "b": ("x", "1", Course([(AGE, "up"), (9 * DAY, "unknown"), (7 * DAY, "up"), (3 * HOUR, "unknown"),
                            (100 * MINUTE, "unreachable"), (80 * MINUTE, "up")])),
    "c": ("y", "2", Course([(AGE, "down"), (29 * DAY, "up"), (20 * HOUR, "down"), (13 * HOUR, "maintenance"),
                            (10 * HOUR, "up"), (25 * MINUTE, "unreachable"), (15 * MINUTE, "up")])),
    "young": ("", "", Course([(36 * HOUR, "up"), (30 * HOUR, "down"), (26 * HOUR, "up")])),
}  # fmt: skip
# Operator: stations on air, of known state and all, or 'away'.
OPERATORS = {
    "o": Course([(AGE, "90 100 100"), (12 * DAY, "50 80 100"), (10 * DAY, "95 100 100"), (50 * HOUR, "away"),
                 (40 * HOUR, "95 100 100"), (16 * HOUR, "60 100 100"), (14 * HOUR, "80 90 100"),
                 (40 * MINUTE, "40 90 100")]),
    "p": Course([(AGE, "200 200 200"), (5 * HOUR, "150 160 200")]),
}  # fmt: skip
# Feed: how its runs ended, one a minute.
FEEDS = {
    "f": Course([(4 * DAY, "ok"), (60 * HOUR, "fail"), (55 * HOUR, "ok"), (20 * HOUR, "error"), (17 * HOUR, "ok"),
                 (5 * HOUR, "fail"), (4 * HOUR, "ok"), (90 * MINUTE, "fail"), (70 * MINUTE, "ok")]),
}  # fmt: skip
Figures = dict[str, float]


def share(part: float, whole: float) -> float | None:
    """None without a whole."""
    return part / whole if whole else None


def spent(names: Sequence[str], window: str, *states: str) -> float:
    """Seconds of systems in states."""
    return sum(SYSTEMS[name][2].spent(state, seconds(window)) for name in names for state in states)


def available(names: Sequence[str], window: str) -> Iterator[tuple[str, float | None]]:
    """For users, for the owner, and how much of the time was seen."""
    good = spent(names, window, "up", "degraded")
    yield "hatang_availability", share(good, spent(names, window, "up", "degraded", "down", "unreachable"))
    yield "hatang_availability_owner", share(good, spent(names, window, "up", "degraded", "down"))
    seen = [min(spent([name], window, *STATES[:-1]) / seconds(window), 1) for name in names]
    yield "hatang_observed", sum(seen) / len(seen)


def of_systems() -> Iterator[tuple[str, float | None]]:
    """Availability of systems, of centres and of the province."""
    groups = {f'system:{{}}:ratio_{{}}{{{{system="{name}"}}}}': [name] for name in SYSTEMS}
    groups |= {'centre:{}:ratio_{}{{centre="x"}}': ["a", "b"], 'centre:{}:ratio_{}{{centre="y"}}': ["c"]}
    groups["province:{}:ratio_{}"] = [*SYSTEMS]
    for written, names in groups.items():
        for window in LONG:
            yield from ((written.format(figure, window), value) for figure, value in available(names, window))


def of_burning() -> Iterator[tuple[str, float | None]]:
    """Time lost in centres."""
    for centre, tier, names in (("x", "1", ["a", "b"]), ("y", "2", ["c"])):
        for window in BURN:
            lost = spent(names, window, "down", "unreachable")
            whole = lost + spent(names, window, "up", "degraded")
            seen = spent(names, window, *STATES[:-1]) / len(names) / seconds(window)
            which = f'ratio_{window}{{centre="{centre}",tier="{tier}"}}'
            yield f"centre_tier:hatang_errors:{which}", share(lost, whole)
            yield f"centre_tier:hatang_observed:{which}", seen


def of_operators() -> Iterator[tuple[str, float | None]]:
    """Stations lost, and how many minutes of how many stations are known."""
    for name, course in OPERATORS.items():
        for window in (*BURN, "30d"):
            counts = [0.0, 0.0, 0.0]
            for what in {what for _, what in course.pieces if what != "away"}:
                held = course.spent(what, seconds(window))
                counts = [sum_ + held * int(word) for sum_, word in zip(counts, what.split(), strict=True)]
            there = 1 - course.spent("away", seconds(window)) / seconds(window)
            which = f'ratio_{window}{{operator="{name}"}}'
            if window == "30d":
                yield f"operator:hatang_sites_active:{which}", share(counts[0], counts[1])
            else:
                yield f"operator:hatang_errors:{which}", 1 - counts[0] / counts[1]
            yield f"operator:hatang_observed:{which}", there * counts[1] / counts[2]


def of_feeds() -> Iterator[tuple[str, float | None]]:
    """Runs that failed, of those that tell."""
    for name, course in FEEDS.items():
        for window in ("2h", "6h", "1d", "3d"):
            ok, fail, error = (course.spent(outcome, seconds(window)) for outcome in ("ok", "fail", "error"))
            yield f'feed:hatang_errors:ratio_{window}{{target="{name}"}}', share(fail, ok + fail)
            yield f'feed:hatang_observed:ratio_{window}{{target="{name}"}}', (ok + fail) / (ok + fail + error)


def pasts(end: int) -> Iterator[Past]:
    """The world as Prometheus has it: counters of seconds and what is recorded of stations and feeds; each minute."""
    for name, (centre, tier, course) in SYSTEMS.items():
        born = ((end - int(course.pieces[0][0]), MINUTE),)
        labels = {"system": name, "centre": centre, "tier": tier, "category": "portal", "owner": "o"}
        yield Past("hatang_system_info", labels, ((end - HOUR, MINUTE),), lambda stamps: [1.0] * len(stamps))
        for state in STATES:
            values = partial(grown, course, state, end, 1.0)
            yield Past("hatang_system_state_seconds_total", {"system": name, "state": state}, born, values)
    since = ((end - AGE, MINUTE),)
    yield Past("province:hatang_evaluations:sum", {}, since, lambda stamps: [1.0] * len(stamps))
    for name, course in OPERATORS.items():
        there = tuple((round(end - ago), round(end - until)) for ago, until in present(course))
        for place, record in enumerate(("sites_up", "sites_known", "sites")):
            values = partial(counted, course, place, end)
            yield Past(f"operator:hatang_{record}:sum", {"operator": name}, since, values, there)
    for name, course in FEEDS.items():
        for outcome in ("ok", "fail", "error"):
            values = partial(grown, course, outcome, end, 1 / MINUTE)
            labels = {"target": name, "outcome": outcome}
            yield Past("feed:hatang_runs:total", labels, ((end - 4 * DAY, MINUTE),), values)


def present(course: Course) -> Iterator[tuple[float, float]]:
    """When an operator's figures were there."""
    ends = [*(since for since, _ in course.pieces[1:]), -1.0]
    return ((since, end) for (since, what), end in zip(course.pieces, ends, strict=True) if what != "away")


def grown(course: Course, what: str, end: int, rate: float, stamps: Stamps) -> list[float]:
    """A counter that grows while it holds."""
    whole = course.spent(what, AGE)
    return [round((whole - course.spent(what, end - moment)) * rate, 3) for moment in stamps]


def counted(course: Course, place: int, end: int, stamps: Stamps) -> list[float]:
    """One of the numbers that held."""
    return [float(course.at(end - moment).split()[place]) for moment in stamps]


def expected() -> dict[str, float | None]:
    """Every figure."""
    return dict([*of_systems(), *of_burning(), *of_operators(), *of_feeds()])


def rules(wanted: Mapping[str, object], given: frozenset[str]) -> dict[str, object]:
    """Those that the figures rest on, but for what is there already."""
    content = needed(*(one.partition("{")[0] for one in wanted))
    for group in content["groups"]:
        group["rules"] = [rule for rule in group["rules"] if rule["record"] not in given]
    return content


def differing(url: str, wanted: Mapping[str, float | None]) -> list[str]:
    """Figures that are not as they should be, by more than half a minute of a window."""
    found = []
    for which, value in wanted.items():
        series, error = asked(url, which)
        got = float(series[0]["value"][1]) if series else None
        near = 0.002 + 0.5 * MINUTE / seconds(which.partition("{")[0].rpartition("_")[2])
        if error or (value is None) != (got is None) or (value is not None and got != pytest.approx(value, abs=near)):
            found.append(f"{which} is {got}, not {value}: {error}")
    return found


@pytest.mark.slow
@pytest.mark.timeout(120)
async def test_recordings_say_what_happened(real: Callable[[str], str], tmp_path: Path) -> None:
    """Availability, observed shares and shares lost, over all windows, of systems, groups, operators and feeds."""
    program, promtool = real("prometheus"), real("promtool")
    end = int(time.time())
    world = [*pasts(end)]
    for span in spans(end - AGE, end + 1):
        await asyncio.to_thread(blocks, promtool, tmp_path / "data", span, world)
    wanted = expected()
    assert len(wanted) > 100
    content = rules(wanted, frozenset(past.name for past in world))
    async with prometheus(program, "", tmp_path, {"needed.yaml": content}) as url:
        left, gives_up = ["nobody was asked"], time.monotonic() + PATIENCE
        while left and time.monotonic() < gives_up:
            await asyncio.sleep(1)
            left = await asyncio.to_thread(differing, url, wanted)
    assert left == []
