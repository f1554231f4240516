"""Systems through time, over random dependencies and histories."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collector.derive.systems import Support, support_of
from collector.model import Dependency, Outcome, System, SystemState
from collector.streak import Streak
from collector.timeline import Members, Timelines

OUTCOMES = (Outcome.OK, Outcome.FAIL, Outcome.ERROR)


def system(name: str, *groups: Dependency) -> System:
    return System(name, name, name, "portal", "o", None, None, "", depends_on=groups)


@dataclass
class World:
    """Systems with one to three targets each, polled once a second at their own phase."""

    systems: dict[str, System]
    streaks: dict[str, list[Streak]]
    supporting: dict[str, int]

    def members(self) -> dict[str, Members]:
        return {
            name: Members(some[self.supporting[name] :], some[: self.supporting[name]])
            for name, some in self.streaks.items()
        }


@st.composite
def worlds(draw: st.DrawFn) -> World:
    names = [f"s{number}" for number in range(draw(st.integers(1, 6)))]
    systems, streaks, supporting = {}, {}, {}
    for place, name in enumerate(names):
        groups = []
        if place:
            earlier = st.lists(st.sampled_from(names[:place]), min_size=1, max_size=3, unique=True)
            groups += [Dependency(tuple(chosen), draw(st.booleans())) for chosen in draw(st.lists(earlier, max_size=2))]
        systems[name] = system(name, *groups)
        count = draw(st.integers(1, 3))
        streaks[name] = [Streak(0.0) for _ in range(count)]
        supporting[name] = draw(st.integers(0, count - 1))
    return World(systems, streaks, supporting)


def _broken(world: World, timelines: Timelines, name: str, moment: float) -> bool:
    """Whether a group that `name` needs is broken, by the settled states of its parents alone."""
    for group in world.systems[name].depends_on:
        broken = [support_of(_state_at(timelines, parent, moment)) is Support.BROKEN for parent in group.systems]
        if all(broken) if group.any else any(broken):
            return True
    return False


def _state_at(timelines: Timelines, name: str, moment: float) -> SystemState:
    state = SystemState.UNKNOWN
    for spell in timelines.timelines[name].spells:
        if spell.begins <= moment:
            state = spell.state
    return state


def _play(world: World, data: st.DataObject, steps: int) -> Timelines:
    timelines = Timelines()
    timelines.apply(world.systems, world.members(), 0.0)
    every = [streak for some in world.streaks.values() for streak in some]
    weights = data.draw(
        st.sampled_from([OUTCOMES, (Outcome.FAIL, Outcome.FAIL, Outcome.OK), (Outcome.OK, Outcome.FAIL)])
    )
    for second in range(1, steps + 1):
        for place, streak in enumerate(every):
            if data.draw(st.integers(0, 9)):  # now and then a run is late
                streak.take(second + place / 100, data.draw(st.sampled_from(weights)))
        timelines.advance(second + 0.5)
    return timelines


@settings(max_examples=60, deadline=None)
@given(worlds(), st.data())
def test_what_must_hold_of_every_history(world: World, data: st.DataObject) -> None:
    timelines = _play(world, data, 25)
    for name, timeline in timelines.timelines.items():
        assert abs(sum(timeline.seconds.values()) - timeline.settled) < 1e-6
        for spell in timeline.spells:
            if spell.begins >= timeline.settled:
                continue
            if spell.state is SystemState.DOWN:
                assert not _broken(world, timelines, name, spell.begins)
            if spell.state is SystemState.UNREACHABLE:
                assert world.systems[name].depends_on


@settings(max_examples=60, deadline=None)
@given(worlds(), st.data())
def test_closing_is_never_suppressed(world: World, data: st.DataObject) -> None:
    timelines = _play(world, data, 15)
    for second in range(20, 24):
        for some in world.streaks.values():
            for streak in some:
                streak.take(second, Outcome.OK)
        timelines.advance(second)
    assert {timeline.state for timeline in timelines.timelines.values()} == {SystemState.UP}


@settings(max_examples=60, deadline=None)
@given(st.text("of", min_size=4, max_size=30))
def test_a_child_with_one_healthy_parent_of_an_any_group_is_never_unreachable(history: str) -> None:
    systems = {"a": system("a"), "b": system("b"), "c": system("c", Dependency(("a", "b"), any=True))}
    streaks = {name: Streak(0.0) for name in systems}
    timelines = Timelines()
    timelines.apply(systems, {name: Members([streak], []) for name, streak in streaks.items()}, 0.0)
    for second, letter in enumerate(history, start=1):
        streaks["a"].take(second, Outcome.FAIL)
        streaks["b"].take(second, Outcome.OK)
        streaks["c"].take(second, Outcome.OK if letter == "o" else Outcome.FAIL)
        timelines.advance(second)
    assert timelines.timelines["c"].seconds[SystemState.UNREACHABLE] == 0


@pytest.mark.parametrize(("child_phase", "lasts"), [(0.1, 0.0), (0.9, 0.0), (0.9, 0.95), (0.3, 0.5)])
def test_an_outage_of_the_parent_costs_the_child_nothing_of_its_own(child_phase: float, lasts: float) -> None:
    """Whichever of the two is polled first at either end of the outage, and however long a run hangs in it."""
    systems = {"gateway": system("gateway"), "portal": system("portal", Dependency(("gateway",)))}
    gateway, portal = Streak(0.0), Streak(0.0)
    timelines = Timelines()
    timelines.apply(systems, {"gateway": Members([gateway], []), "portal": Members([portal], [])}, 0.0)
    shown = []
    for second in range(1, 61):
        runs = [(second + 0.5, 0.0, gateway), (second + child_phase, lasts, portal)]
        for at, duration, streak in sorted(runs, key=lambda run: run[0]):
            out = 20 <= at - duration < 40
            streak.take(at - duration if out else at, Outcome.FAIL if out else Outcome.OK)
            shown += [shift.new for shift in timelines.advance(at) if shift.system == "portal"]
    assert shown == [SystemState.UP, SystemState.UNREACHABLE, SystemState.UP]
    seconds = timelines.timelines["portal"].seconds
    assert seconds[SystemState.DOWN] == 0
    assert 19 <= seconds[SystemState.UNREACHABLE] <= 21
    assert timelines.timelines["gateway"].seconds[SystemState.DOWN] == 20


def test_a_child_that_fails_beyond_the_outage_of_its_parent_is_down() -> None:
    systems = {"gateway": system("gateway"), "portal": system("portal", Dependency(("gateway",)))}
    gateway, portal = Streak(0.0), Streak(0.0)
    timelines = Timelines()
    timelines.apply(systems, {"gateway": Members([gateway], []), "portal": Members([portal], [])}, 0.0)
    shown = []
    for second in range(1, 61):
        for at, until, streak in ((second + 0.1, 40, gateway), (second + 0.4, 50, portal)):
            streak.take(at, Outcome.FAIL if 20 <= second < until else Outcome.OK)
            shown += [shift.new for shift in timelines.advance(at) if shift.system == "portal"]
    assert shown == [SystemState.UP, SystemState.UNREACHABLE, SystemState.DOWN, SystemState.UP]
    assert 9 <= timelines.timelines["portal"].seconds[SystemState.DOWN] <= 11


def test_planned_work_is_neither_up_nor_down_and_an_outage_that_outlasts_it_shows_at_once() -> None:
    streak = Streak(0.0)
    timelines = Timelines(lambda *_: [(10.0, 20.0)])
    timelines.apply({"a": system("a")}, {"a": Members([streak], [])}, 0.0)
    changes = []
    for second in range(1, 31):
        streak.take(second, Outcome.FAIL if 12 <= second < 25 else Outcome.OK)
        changes += timelines.advance(second)
    seconds = timelines.timelines["a"].seconds
    assert seconds[SystemState.MAINTENANCE] == 10
    assert seconds[SystemState.DOWN] == 5
    assert [(change.at, change.new) for change in changes] == [
        (1, SystemState.UP),
        (10, SystemState.MAINTENANCE),
        (20, SystemState.DOWN),
        (25, SystemState.UP),
    ]


def test_a_supporting_target_only_degrades() -> None:
    needed, extra = Streak(0.0), Streak(0.0)
    timelines = Timelines()
    timelines.apply({"a": system("a")}, {"a": Members([needed], [extra])}, 0.0)
    for second in range(1, 11):
        needed.take(second, Outcome.OK)
        extra.take(second, Outcome.FAIL)
        timelines.advance(second)
    assert timelines.timelines["a"].state is SystemState.DEGRADED
    assert timelines.timelines["a"].seconds[SystemState.DOWN] == 0
