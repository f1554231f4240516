"""Who is silent: with clocks of the test's own."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.model import ProbeFailed, Undecided
from collector.mqtt.board import Board, Ear
from collector.mqtt.spec import MqttSpec

AGE = 10.0


def board(**subscription: Any) -> Board:
    """A board of stations that have to send every 10 s."""
    base = {"topic": "s/+station", "max_age": AGE, "metrics": [{"name": "level", "help": "L."}]}
    spec = MqttSpec.model_validate({"host": "h", "subscriptions": [base | subscription]})
    return Board(spec.subscriptions, spec.families, 100)


def verdict(listener: Board, now: float, since: float) -> str:
    """`ok`, `silent` or `unknown`."""
    try:
        listener.judge(now, since)
    except ProbeFailed:
        return "silent"
    except Undecided:
        return "unknown"
    return "ok"


def shown(listener: Board, now: float, since: float | None) -> dict[str, float]:
    """What is told."""
    seen = {}

    def emit(metric: Any, value: float, *labels: str) -> None:
        seen[f"{metric.name}{{{','.join(labels)}}}"] = value

    listener.emit(emit, now, since)
    return seen


def test_a_station_is_unknown_until_we_have_listened_for_long_enough() -> None:
    listener = board(expect=["ve"])
    assert [verdict(listener, now, 100.0) for now in (100.0, 110.0, 110.1)] == ["unknown", "unknown", "silent"]
    listener.hear("s/ve", b"1", False, 120.0, 0.0)
    assert [verdict(listener, now, 100.0) for now in (120.0, 130.0, 130.1)] == ["ok", "ok", "silent"]


def test_a_gap_in_listening_makes_nobody_silent() -> None:
    listener = board(expect=["ve"])
    listener.hear("s/ve", b"1", False, 100.0, 0.0)
    assert verdict(listener, 108.0, since=107.0) == "ok"
    assert [verdict(listener, now, since=107.0) for now in (112.0, 117.0, 117.1)] == ["unknown", "unknown", "silent"]


def test_a_proven_silence_outlasts_a_gap() -> None:
    """A broker that restarts gives no news of a station that was dead before."""
    listener = board(expect=["ve"])
    assert verdict(listener, 111.0, since=100.0) == "silent"
    assert verdict(listener, 113.0, since=112.0) == "silent"
    listener.hear("s/ve", b"1", False, 114.0, 0.0)
    assert verdict(listener, 114.0, since=112.0) == "ok"


@pytest.mark.parametrize("retained", [False, True])
def test_values_are_withdrawn_when_they_are_too_old(retained: bool) -> None:
    listener = board()
    listener.hear("s/ve", b"1", retained, 100.0, 0.0)
    assert shown(listener, 105.0, since=99.0)["level{ve}"] == 1
    assert ("level{ve}" in shown(listener, 105.0, since=None)) == (not retained), "what is young needs no connection"
    assert "level{ve}" not in shown(listener, 111.0, since=100.0)


def test_without_a_limit_values_are_shown_while_we_listen() -> None:
    listener = board(max_age=None)
    listener.hear("s/ve", b"1", False, 100.0, 0.0)
    assert shown(listener, 10_000.0, since=99.0)["level{ve}"] == 1
    assert "level{ve}" not in shown(listener, 101.0, since=None)


def test_names_of_silent_stations_can_be_printed() -> None:
    listener = board(expect="learned")
    listener.hear("s/a\n\x1b[31m\ud800", b"1", False, 100.0, 0.0)
    with pytest.raises(ProbeFailed) as caught:
        listener.judge(120.0, 100.0)
    assert caught.value.detail == "1 of 1 silent: a??[31m? (for 20 s)"


@given(
    heard=st.lists(st.floats(0, 100), max_size=6),
    gaps=st.lists(st.floats(0, 100), max_size=4),
    asked=st.lists(st.floats(0, 100), min_size=1, max_size=10),
)
def test_silence_is_never_said_without_proof(heard: list[float], gaps: list[float], asked: list[float]) -> None:
    """Silent only if no message came in some stretch of 10 s in which we listened, and none since."""
    ear = Ear()
    events = sorted([(at, "hear") for at in heard] + [(at, "gap") for at in gaps] + [(at, "ask") for at in asked])
    since, last = 0.0, None
    for now, what in events:
        if what == "hear":
            ear.hear(now)
            last = now
        elif what == "gap":
            since = now
        else:
            fresh = ear.fresh(now, since, AGE)
            young = last is not None and now - last <= AGE
            assert (fresh is True) == young
            if now - max(since, last if last is not None else 0.0) > AGE:
                assert fresh is False
            if fresh is False:
                begins = [0.0, *gaps, *heard]
                assert any(
                    now - begin > AGE
                    and not any(begin < at <= begin + AGE for at in heard)
                    and not any(begin < at <= begin + AGE for at in gaps)
                    for begin in begins
                    if begin <= now
                )
