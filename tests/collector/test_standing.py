"""Systems as metrics and as changes for the journal, from the records of their targets."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from collector.journal import Saved
from collector.maintenance import Planner, Window
from collector.model import Basis, Dependency, Objective, Outcome, Reason, Result, System, SystemState, Target
from collector.standing import MOST_RANKED, NOTHING, Standing
from collector.state import State
from exporters.exposition import Exposition
from tests.collector.test_scheduler import Nothing
from tests.collector.test_state import Clock, lines

EPOCH = 1.7e9
PROMISE = Objective(0.999, "yearly", Basis.PLAN, "1/KH", "a")
CENTRE = System("centre", "Trung tâm", "Centre", "data-centre", "office", None, 1, "2", objective=PROMISE)
PORTAL = System(
    "portal", "Cổng", "Portal", "portal", "office", "centre", None, "2", depends_on=(Dependency(("centre",)),)
)


class Province:
    """A centre with a gateway, and a portal that runs in it, polled every ten seconds."""

    def __init__(self, saved: Saved = NOTHING) -> None:
        self.clock, self.exposition = Clock(), Exposition()
        self.state = State(self.exposition, self.clock)
        self.standing = Standing(self.exposition, saved, self.clock, lambda: EPOCH + self.clock.now)
        targets = {
            name: Target(name, system, "none", Nothing(), 10, 5)
            for name, system in (("gateway", "centre"), ("web", "portal"))
        }
        self.state.apply(targets)
        self.planner = Planner((), {}, {})
        self.known = self.standing.apply({"centre": CENTRE, "portal": PORTAL}, self.state.records, self.planner)

    def poll(self, kept: Saved | None = None, **outcomes: Outcome) -> list[tuple[str, str, str, str]]:
        """Ten seconds pass, these targets give these outcomes; the changes of state."""
        self.clock.now += 10
        for name, outcome in outcomes.items():
            reason = None if outcome is Outcome.OK else Reason.TIMEOUT
            self.state.record(Result(name, outcome, time.time(), 0.1, reason))
        events = self.standing.advance()
        self.standing.publish(kept)
        return [(event.system, event.new.value, event.reason, event.source) for event in events]


def test_every_state_is_exported_from_the_start() -> None:
    province = Province()
    province.standing.publish()
    found = lines(province.exposition)
    for state in SystemState:
        assert f'hatang_system_state_seconds_total{{system="portal",state="{state}"}} 0.0' in found
    assert 'hatang_system_state{system="portal"} 5.0' in found
    assert 'hatang_system_objective_ratio{system="centre"} 0.999' in found
    assert 'hatang_system_objective_info{system="centre",indicator="a",basis="plan",due="yearly"} 1.0' in found
    assert (
        'hatang_system_info{system="portal",category="portal",centre="centre",owner="office",tier="",'
        'name_vi="Cổng",name_en="Portal"} 1.0'
    ) in found


def test_an_outage_of_the_centre_makes_its_systems_unreachable_not_down() -> None:
    province = Province()
    province.poll(gateway=Outcome.OK, web=Outcome.OK)
    changes = []
    for _ in range(4):
        changes += province.poll(gateway=Outcome.FAIL, web=Outcome.FAIL)
    assert changes == [
        ("centre", "down", "gateway timeout", "poll"),
        ("portal", "unreachable", "centre", "dependency"),
    ]
    changes = [*province.poll(gateway=Outcome.OK, web=Outcome.OK), *province.poll(gateway=Outcome.OK, web=Outcome.OK)]
    assert [change[:2] for change in changes] == [("centre", "up"), ("portal", "up")]
    assert 'hatang_system_state_seconds_total{system="portal",state="down"} 0.0' in lines(province.exposition)


def test_a_silent_target_leaves_its_system_unknown() -> None:
    province = Province()
    province.poll(gateway=Outcome.OK, web=Outcome.OK)
    changes = []
    for _ in range(4):
        changes += province.poll(gateway=Outcome.OK)
    assert [change[:2] for change in changes] == [("portal", "unknown")]


def test_what_decides_with_a_target_is_what_its_system_depends_on() -> None:
    province = Province()
    assert list(province.standing.undecided("web", "portal")) == ["gateway"]
    assert list(province.standing.undecided("gateway", "centre")) == []


def test_a_removed_system_is_gone_and_a_kept_one_keeps_its_seconds() -> None:
    province = Province()
    for _ in range(3):
        province.poll(gateway=Outcome.OK, web=Outcome.OK)
    province.state.apply({"gateway": province.state.records["gateway"].target})
    ended = province.standing.apply({"centre": CENTRE}, province.state.records, province.planner)
    assert [(change.system, change.new, change.reason) for change in ended] == [
        ("portal", SystemState.UNKNOWN, "not configured")
    ]
    province.poll(gateway=Outcome.OK)
    found = lines(province.exposition)
    assert not any("portal" in line for line in found)
    assert 'hatang_system_state_seconds_total{system="centre",state="up"} 30.0' in found


def test_a_restart_goes_on_counting_and_calls_the_time_away_unknown() -> None:
    before = Province()
    for _ in range(3):
        before.poll(gateway=Outcome.OK, web=Outcome.OK)
    saved = before.standing.saved()
    after = Province(replace(saved, settled_until=dict.fromkeys(saved.settled_until, EPOCH + 1000 - 60)))
    assert [(change.system, change.old, change.new, change.source) for change in after.known] == [
        ("centre", SystemState.UP, SystemState.UNKNOWN, "restart"),
        ("portal", SystemState.UP, SystemState.UNKNOWN, "restart"),
    ]
    seconds = after.standing.timelines.timelines["centre"].seconds
    assert seconds[SystemState.UP] == saved.seconds["centre"][SystemState.UP]
    assert seconds[SystemState.UNKNOWN] == pytest.approx(saved.seconds["centre"][SystemState.UNKNOWN] + 60, abs=1)


def test_a_new_system_is_told_of_once() -> None:
    assert [(change.system, change.old) for change in Province().known] == [("centre", None), ("portal", None)]


def test_planned_work_says_why() -> None:
    province = Province()
    province.poll(gateway=Outcome.OK, web=Outcome.OK)
    began = datetime.fromtimestamp(EPOCH + province.clock.now + 5, ZoneInfo("Asia/Ho_Chi_Minh")).replace(tzinfo=None)
    work = Window("night", began, duration=3600, reason_vi="Bảo trì đêm", reason_en="Night work", systems=("portal",))
    province.standing.plan(Planner([work], {"portal": PORTAL}, {}))
    changes = [*province.poll(gateway=Outcome.OK, web=Outcome.OK), *province.poll(gateway=Outcome.OK, web=Outcome.OK)]
    assert changes == [("portal", "maintenance", "Bảo trì đêm / Night work", "maintenance")]


def test_counters_show_what_is_kept_and_never_fall() -> None:
    """A kill takes what came after the last save; a counter that fell would begin anew to Prometheus."""
    province, shown = Province(), []
    kept: Saved | None = None
    # Saved after the third run; for the fifth the journal cannot be written.
    for run in range(1, 8):
        province.poll(kept if run != 5 else None, gateway=Outcome.OK, web=Outcome.OK)
        kept = province.standing.saved() if run in {1, 3, 6} else kept
        (line,) = (one for one in lines(province.exposition) if 'seconds_total{system="portal",state="up"' in one)
        shown.append(float(line.rpartition(" ")[2]))
    assert shown == [0, 0, 0, 20, 40, 40, 50]


def test_who_depends_on_a_system_is_counted_whole_and_ranked_by_tier_and_nearness() -> None:
    """As many as a text has room for: no series for each pair of a large inventory."""

    def below(name: str, *parents: str, tier: int | None = None) -> System:
        return replace(PORTAL, id=name, hosting=None, tier=tier, depends_on=(Dependency(parents),))

    crowd = [below(f"app-{number}", "portal") for number in range(MOST_RANKED)]
    systems = [CENTRE, PORTAL, below("far", "app-0", tier=2), below("other", "portal", tier=1), *crowd]
    exposition = Exposition()
    standing = Standing(exposition)
    standing.apply({one.id: one for one in systems}, {}, Planner((), {}, {}))
    found = [line for line in lines(exposition) if line.startswith("hatang_system_dependent")]
    counts = {name: f'hatang_system_dependents{{system="{name}"}}' for name in ("centre", "portal", "app-0", "far")}
    numbers = dict(zip(counts, (MOST_RANKED + 3, MOST_RANKED + 2, 1, 0), strict=True))
    assert {f"{counts[name]} {float(number)}" for name, number in numbers.items()} <= set(found)
    ranks = [line for line in found if 'rank{system="centre"' in line]
    assert len(ranks) == MOST_RANKED
    for place, name in enumerate(("other", "far", "portal", "app-0"), 1):
        assert f'hatang_system_dependent_rank{{system="centre",dependent="{name}"}} {float(place)}' in ranks
    standing.apply({"centre": CENTRE}, {}, Planner((), {}, {}))
    assert not any("rank" in line for line in lines(exposition))
