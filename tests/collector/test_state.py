"""What is kept of each target, and what leaves the exposition when."""

from __future__ import annotations

from collector.model import Metric, Outcome, Reason, Result, Sample, Target
from collector.state import FAILURES_KEPT, State
from exporters.exposition import Exposition
from tests.collector.test_scheduler import target

UP = Metric("probe_success", "Whether it works.")


class Clock:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def ok(name: str, value: float = 1.0) -> Result:
    return Result(name, Outcome.OK, 1.7e9, 0.1, samples=(Sample(UP, (), value),))


def fail(name: str, detail: str = "") -> Result:
    return Result(name, Outcome.FAIL, 1.7e9, 0.1, Reason.REFUSED, detail, (Sample(UP, (), 0),))


def lines(exposition: Exposition) -> set[str]:
    return {line for line in exposition.render().decode().splitlines() if not line.startswith("#")}


def started(*targets: Target) -> tuple[State, Exposition, Clock]:
    exposition, clock = Exposition(), Clock()
    state = State(exposition, clock)
    state.apply({each.id: each for each in targets})
    return state, exposition, clock


def test_counters_are_there_from_the_start_and_all_three_outcomes() -> None:
    _, exposition, _ = started(target("a"))
    assert lines(exposition) == {
        'hatang_target_info{target="a",system="s",kind="none",synthetic="false"} 1.0',
        'hatang_runs_total{target="a",outcome="ok"} 0.0',
        'hatang_runs_total{target="a",outcome="fail"} 0.0',
        'hatang_runs_total{target="a",outcome="error"} 0.0',
        'hatang_run_skipped_total{target="a"} 0.0',
    }


def test_a_result_is_exposed_with_its_reason_until_the_next_good_one() -> None:
    state, exposition, _ = started(target("a"))
    state.record(fail("a"))
    assert 'probe_success{target="a",system="s"} 0.0' in lines(exposition)
    assert 'hatang_target_failure_info{target="a",reason="refused"} 1.0' in lines(exposition)
    state.record(ok("a"))
    assert 'hatang_target_failure_info{target="a",reason="refused"} 1.0' not in lines(exposition)
    assert 'hatang_runs_total{target="a",outcome="fail"} 1.0' in lines(exposition)


def test_values_go_after_three_intervals_and_counters_stay() -> None:
    state, exposition, clock = started(target("a", interval=10))
    state.record(ok("a"))
    clock.now += 30
    state.expire()
    assert 'probe_success{target="a",system="s"} 1.0' in lines(exposition)
    clock.now += 0.1
    state.expire()
    assert not any(line.startswith("probe_success") for line in lines(exposition))
    assert 'hatang_runs_total{target="a",outcome="ok"} 1.0' in lines(exposition)
    state.record(ok("a"))
    assert 'probe_success{target="a",system="s"} 1.0' in lines(exposition)


def test_a_removed_target_leaves_no_line() -> None:
    state, exposition, _ = started(target("a"), target("b"))
    state.record(ok("a"))
    state.apply({"b": target("b")})
    assert not any('target="a"' in line for line in lines(exposition))


def test_a_changed_target_keeps_its_counters_and_an_unchanged_one_everything() -> None:
    state, exposition, _ = started(target("a"), target("b"))
    state.record(ok("a"))
    state.record(ok("b"))
    record = state.records["b"]
    state.apply({"a": target("a", text="changed"), "b": target("b")})
    assert state.records["b"] is record
    assert 'hatang_runs_total{target="a",outcome="ok"} 1.0' in lines(exposition)


def test_the_last_failures_are_kept_apart_from_successes() -> None:
    state, _, _ = started(target("a"))
    for number in range(FAILURES_KEPT + 2):
        state.record(fail("a", str(number)))
    for _ in range(50):
        state.record(ok("a"))
    assert [failure.detail for failure in state.records["a"].failures] == ["2", "3", "4", "5", "6"]


def test_a_failure_counts_from_when_it_was_asked_and_an_answer_from_when_it_came() -> None:
    state, _, clock = started(target("a"))
    moments = []
    for outcome in (Outcome.OK, Outcome.FAIL, Outcome.OK):
        clock.now += 10
        state.record(Result("a", outcome, 0.0, 4.0, None if outcome is Outcome.OK else Reason.TIMEOUT))
        moments.append(state.records["a"].streak.settled)
    assert moments == [clock.now - 20, clock.now - 10 - 4, clock.now]


def test_a_skipped_run_is_counted() -> None:
    state, exposition, _ = started(target("a"))
    state.skip("a")
    assert 'hatang_run_skipped_total{target="a"} 1.0' in lines(exposition)


def test_labels_of_a_target_stand_on_its_info_series_only() -> None:
    labelled = Target("a", "s", "none", target("a").spec, 60, 5, labels=(("rack", "R1"),), synthetic=True)
    state, exposition, _ = started(labelled)
    state.record(ok("a"))
    assert 'hatang_target_info{target="a",system="s",kind="none",synthetic="true",rack="R1"} 1.0' in lines(exposition)
    assert sum("R1" in line for line in lines(exposition)) == 1
