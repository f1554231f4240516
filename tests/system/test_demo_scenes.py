"""The long scenes of the demo on the real service: a data centre isolated for two minutes, our own uplink lost.

One demo plays them one after the other, and is watched on /metrics and in Prometheus; the tests judge what was seen.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest

from collector.demo.lab import OVERLAYS
from collector.settings import Config, load
from tests.system.demo_run import MARGIN, ROOT, Demo, Samples, Timing, complaints, demo, listed
from tests.system.seen import complaints_of_notices, complaints_of_panel, shown

pytestmark = [pytest.mark.system, pytest.mark.demo, pytest.mark.timeout(400)]

SCENES = ("centre-isolated", "uplink-lost")
EVERY = 0.5
SEEN_WITHIN = 2.0
SCRAPE = 5.0
OUTAGE = 120.0
DOWN, UP, UNREACHABLE, UNKNOWN = 0, 1, 3, 5
LINE = re.compile(
    r"^(hatang_system_state|hatang_system_state_seconds_total|hatang_observer_impaired|hatang_target_failure_info"
    r"|probe_success)\{([^}]*)\} (\S+)$",
    re.MULTILINE,
)
SELECTOR = re.compile(r"(\w+)\{([^}]*)\}")
LABEL = re.compile(r'(\w+)="([^"]*)"')
Labels = frozenset[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Scrape:
    """What /metrics said at a moment (Unix seconds), by family."""

    moment: float
    families: Mapping[str, Mapping[Labels, float]]

    @classmethod
    def read(cls, moment: float, text: str) -> Scrape:
        """Take the families that the tests look at."""
        families: dict[str, dict[Labels, float]] = defaultdict(dict)
        for name, labels, value in LINE.findall(text):
            families[name][frozenset(LABEL.findall(labels))] = float(value)
        return cls(moment, families)

    def value(self, query: str) -> float | None:
        """Of the one series that a plain selector selects."""
        match = SELECTOR.fullmatch(query)
        assert match is not None, query
        wanted = set(LABEL.findall(match[2]))
        found = [value for labels, value in self.families.get(match[1], {}).items() if wanted <= labels]
        assert len(found) <= 1, query
        return found[0] if found else None

    def states(self) -> dict[str, int]:
        """The state of every system."""
        return {dict(labels)["system"]: int(value) for labels, value in self.families["hatang_system_state"].items()}

    def seconds(self, system: str) -> dict[str, float]:
        """Seconds of a system in each state."""
        family = self.families["hatang_system_state_seconds_total"]
        return {dict(labels)["state"]: value for labels, value in family.items() if ("system", system) in labels}


@dataclass(slots=True)
class Watched:
    """One fault, and all that was seen of its run."""

    fault: dict[str, Any]
    events: dict[tuple[str, bool], float] = field(default_factory=dict)
    scrapes: list[Scrape] = field(default_factory=list)
    panel: list[Samples] = field(default_factory=list)
    said: str = ""

    @property
    def timing(self) -> Timing:
        """When it was."""
        return Timing.of(self.fault, self.events, SEEN_WITHIN)

    def by_second(self, query: str) -> dict[int, float]:
        """What a query gave, at each second or shortly before it."""
        found: dict[int, float] = {}
        for scrape in self.scrapes:
            value = scrape.value(query)
            for second in range(int(scrape.moment) + 1, int(scrape.moment + SEEN_WITHIN) + 1):
                if value is not None:
                    found[second] = value
                else:
                    found.pop(second, None)
        return found

    def spent(self, system: str) -> dict[str, float]:
        """Seconds that a system spent in each state, from the first scrape that counts it as up to the last."""
        # Counters show what the journal has saved: those of the first scrapes may yet lack how it came up.
        before = next(counted for scrape in self.scrapes if (counted := scrape.seconds(system))["up"])
        after = self.scrapes[-1].seconds(system)
        return {state: after[state] - before[state] for state in after}


@lru_cache(maxsize=1)
def config() -> Config:
    return load([ROOT / "config", *OVERLAYS])


@pytest.fixture(scope="module")
def watched(plays: Callable[[str], dict[str, Watched]]) -> dict[str, Watched]:
    """The run, by fault."""
    return plays(__name__)


async def play(_: Path) -> dict[str, Watched]:
    """Play one after the other."""
    faults = await asyncio.to_thread(listed, ROOT / "config", "--faults", ",".join(SCENES))
    told = {fault["id"]: Watched(fault) for fault in faults}
    scrapes: list[Scrape] = []
    async with demo(ROOT / "config", "--faults", ",".join(SCENES), faults=len(SCENES)) as it:
        not_up = {name: state for name, state in (await _scrape(it)).states().items() if state != UP}
        assert not not_up, "the stage is set when all is known"
        while not it.over.is_set() or time.time() < _over(told["uplink-lost"], it):
            scrapes.append(await _scrape(it))
            await asyncio.sleep(EVERY)
        _divide(told, it, scrapes)
        for one in told.values():
            one.panel = await shown(it, one.fault, (scrapes[0].moment, scrapes[-1].moment))
    for one in told.values():
        one.said = "".join(it.said)
    return told


def _divide(told: dict[str, Watched], it: Demo, scrapes: list[Scrape]) -> None:
    """What was seen before the second began is of the first: by then it must be over."""
    begins = next(moment for moment, fault, begins in it.events if fault == "uplink-lost" and begins)
    for name, one in told.items():
        one.events = {(fault, begins): moment for moment, fault, begins in it.events if fault == name}
        one.scrapes = [scrape for scrape in scrapes if (scrape.moment > begins - MARGIN) == (name == "uplink-lost")]


async def _scrape(it: Demo) -> Scrape:
    async with it.client.get(f"{it.address}/metrics") as answer:
        return Scrape.read(time.time(), await answer.text())


def _over(told: Watched, it: Demo) -> float:
    told.events = {(fault, begins): moment for moment, fault, begins in it.events}
    return max(told.timing.gone_by(show) for show in told.fault["shows"]) + MARGIN


@pytest.mark.parametrize("name", SCENES)
def test_all_that_is_listed_shows_in_time_and_only_while_it_lasts(watched: dict[str, Watched], name: str) -> None:
    wrong = list(_complaints(watched[name]))
    assert not wrong, "\n".join(wrong)


def _complaints(seen: Watched) -> Iterator[str]:
    span = seen.scrapes[0].moment + SEEN_WITHIN, seen.scrapes[-1].moment
    for show in seen.fault["shows"]:
        yield from complaints(seen.timing, show, seen.by_second(show["query"]), span)


@pytest.mark.parametrize("name", SCENES)
def test_a_panel_shows_it_and_people_are_told(watched: dict[str, Watched], name: str) -> None:
    seen = watched[name]
    timing = Timing.of(seen.fault, seen.events, SCRAPE)
    wrong = [*complaints_of_panel(seen.fault, timing, seen.panel), *complaints_of_notices([seen.fault], seen.said)]
    assert not wrong, "\n".join(wrong)


def hosted(centre: str) -> set[str]:
    """Ids of the systems that a centre hosts."""
    return {name for name, system in config().systems.items() if system.hosting == centre}


def interval_of(system: str) -> float:
    """The longest of its required targets'."""
    return max(target.interval for target in config().targets.values() if target.system == system and target.required)


def test_no_system_of_an_isolated_centre_is_ever_down_and_no_other_is_disturbed(watched: dict[str, Watched]) -> None:
    seen = watched["centre-isolated"]
    centre = seen.fault["befalls"]
    inside = hosted(centre)
    assert len(inside) >= 20
    ever = defaultdict(set)
    for scrape in seen.scrapes:
        for system, state in scrape.states().items():
            ever[system].add(state)
    assert {system for system in inside if DOWN in ever[system]} == set()
    assert {system for system in inside if UNREACHABLE not in ever[system]} == set()
    assert DOWN in ever[centre]
    assert {
        system: states for system, states in ever.items() if system not in inside | {centre} and states != {UP}
    } == {}


def test_users_lose_two_minutes_and_nobody_but_the_centre_is_blamed(watched: dict[str, Watched]) -> None:
    seen = watched["centre-isolated"]
    centre = seen.fault["befalls"]
    assert seen.timing.ends - seen.timing.begins == pytest.approx(OUTAGE, abs=1)
    for system in hosted(centre):
        spent = seen.spent(system)
        assert spent["down"] == 0, system
        assert spent["unreachable"] == pytest.approx(OUTAGE, abs=interval_of(system) + 1), system
        assert spent["unknown"] == spent["maintenance"] == 0, system
        assert availability(spent, "down") == 1, f"the owner of {system} has lost nothing"
        lost = 1 - availability(spent, "down", "unreachable")
        assert lost == pytest.approx(OUTAGE / sum(spent.values()), abs=(interval_of(system) + 1) / sum(spent.values()))
    assert seen.spent(centre)["down"] == pytest.approx(OUTAGE, abs=interval_of(centre) + 1)


def availability(spent: Mapping[str, float], *blamed: str) -> float:
    """Share of the time that counts in which a system worked."""
    worked = spent["up"] + spent["degraded"]
    return worked / (worked + sum(spent[state] for state in blamed))


def test_without_an_uplink_nobody_is_down_and_what_cannot_be_seen_is_unknown(watched: dict[str, Watched]) -> None:
    seen = watched["uplink-lost"]
    assert {state for scrape in seen.scrapes for state in scrape.states().values()} == {UP, UNKNOWN}
    assert {seen.spent(system)["down"] for system in config().systems} == {0}
    failed = {
        dict(labels)["target"]
        for scrape in seen.scrapes
        for labels, value in scrape.families["probe_success"].items()
        if value != 1
    }
    assert failed <= set(config().monitor.observer.uplink)
    blind = {system for scrape in seen.scrapes for system, state in scrape.states().items() if state == UNKNOWN}
    assert blind == {LABEL.findall(show["query"])[0][1] for show in seen.fault["shows"][1:]}


def test_only_the_uplink_is_said_to_be_lost(watched: dict[str, Watched]) -> None:
    impaired = {
        name: {dict(labels)["cause"] for scrape in seen.scrapes for labels in _impaired(scrape)}
        for name, seen in watched.items()
    }
    assert impaired == {"centre-isolated": set(), "uplink-lost": {"uplink"}}


def _impaired(scrape: Scrape) -> list[Labels]:
    return [labels for labels, value in scrape.families["hatang_observer_impaired"].items() if value]
