"""`heartbeat`: what was heard, and what it means; how calls come in is told by the tests of the HTTP surface."""

from __future__ import annotations

import time
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from collector.heartbeats import BURST, CALLS_PER_SECOND, Caller, Heartbeats, Pulse
from collector.model import Outcome, ProbeFailed, Reason, Undecided
from collector.probes.heartbeat import HeartbeatSpec, judge

TOKEN = "3f0c52d17b9e4a66"
SPEC = HeartbeatSpec.model_validate({"token": TOKEN, "period": "100s", "grace": "20s", "max_runtime": "30s"})


def verdict(pulse: Pulse, now: float, spec: HeartbeatSpec = SPEC) -> tuple[Outcome, Reason | None, str]:
    """What `judge` says of a pulse that began at 0."""
    try:
        judge(pulse, spec, now)
    except ProbeFailed as failed:
        return Outcome.FAIL, failed.reason, failed.detail
    except Undecided as undecided:
        return Outcome.ERROR, None, str(undecided)
    return Outcome.OK, None, ""


def pulse_of(*calls: tuple[float, str], body: bytes = b"") -> Pulse:
    """A pulse that heard these calls, each a time and `start` or an exit status."""
    pulse = Pulse(0.0, 1e9)
    for at, said in calls:
        if said == "start":
            pulse.start(at, 1e9 + at)
        else:
            pulse.end(at, 1e9 + at, int(said), body)
    return pulse


@pytest.mark.parametrize(
    ("calls", "now", "expected"),
    [
        ([], 0, (Outcome.ERROR, None, "not heard yet in the 0 s since we began to listen")),
        ([], 120, (Outcome.ERROR, None, "not heard yet in the 120 s since we began to listen")),
        ([], 121, (Outcome.FAIL, Reason.TIMEOUT, "never heard in the 121 s since we began to listen")),
        ([(10, "0")], 10, (Outcome.OK, None, "")),
        ([(10, "0")], 130, (Outcome.OK, None, "")),
        ([(10, "0")], 131, (Outcome.FAIL, Reason.TIMEOUT, "last call 121 s ago, expected every 100 s")),
        ([(10, "0"), (110, "0")], 230, (Outcome.OK, None, "")),
        ([(10, "3")], 20, (Outcome.FAIL, Reason.UNEXPECTED, "it reported exit status 3 10 s ago")),
        ([(10, "0"), (20, "1")], 21, (Outcome.FAIL, Reason.UNEXPECTED, "it reported exit status 1 1 s ago")),
        ([(10, "1"), (20, "0")], 21, (Outcome.OK, None, "")),
        ([(10, "1"), (20, "start")], 21, (Outcome.FAIL, Reason.UNEXPECTED, "it reported exit status 1 11 s ago")),
        ([(10, "1"), (500, "start")], 501, (Outcome.FAIL, Reason.UNEXPECTED, "it reported exit status 1 491 s ago")),
        ([(10, "start")], 11, (Outcome.ERROR, None, "not heard yet in the 11 s since we began to listen")),
        ([(10, "start")], 41, (Outcome.FAIL, Reason.TIMEOUT, "it started 31 s ago and has not ended")),
        ([(10, "start"), (35, "0")], 50, (Outcome.OK, None, "")),
        ([(10, "0"), (125, "start")], 150, (Outcome.OK, None, "")),
        ([(10, "0"), (125, "start")], 156, (Outcome.FAIL, Reason.TIMEOUT, "it started 31 s ago and has not ended")),
        ([(10, "0"), (140, "start")], 141, (Outcome.FAIL, Reason.TIMEOUT, "last call 131 s ago, expected every 100 s")),
    ],
)
def test_verdicts(calls: list[tuple[float, str]], now: float, expected: tuple[Outcome, Reason | None, str]) -> None:
    assert verdict(pulse_of(*calls), now) == expected


@pytest.mark.parametrize(
    ("well", "failed", "now", "expected"),
    [
        (-50, None, 0, (Outcome.OK, None, "")),
        (-50, None, 70, (Outcome.OK, None, "")),
        (-50, None, 71, (Outcome.ERROR, None, "last call 121 s ago, but we have only listened for 71 s")),
        (-50, None, 121, (Outcome.FAIL, Reason.TIMEOUT, "last call 171 s ago, expected every 100 s")),
        (-900, None, 1, (Outcome.ERROR, None, "last call 901 s ago, but we have only listened for 1 s")),
        (-50, -10, 500, (Outcome.FAIL, Reason.UNEXPECTED, "it reported a failure 510 s ago")),
        (None, -10, 1, (Outcome.FAIL, Reason.UNEXPECTED, "it reported a failure 11 s ago")),
        (-10, -50, 1, (Outcome.OK, None, "")),
        (None, -121, 1, (Outcome.ERROR, None, "not heard yet in the 1 s since we began to listen")),
        (-200, -121, 121, (Outcome.FAIL, Reason.TIMEOUT, "last call 321 s ago, expected every 100 s")),
        (3600, None, 120, (Outcome.OK, None, "")),
        (3600, None, 121, (Outcome.FAIL, Reason.TIMEOUT, "last call 121 s ago, expected every 100 s")),
        (None, None, 1, (Outcome.ERROR, None, "not heard yet in the 1 s since we began to listen")),
    ],
)
def test_verdicts_on_what_was_heard_before_a_restart(
    well: float | None, failed: float | None, now: float, expected: tuple[Outcome, Reason | None, str]
) -> None:
    """Calls that nobody took while we were away are our fault; what was known before stays known."""
    pulse = Pulse(0.0, 1e9)
    pulse.recall(1e9 + well if well is not None else 0.0, 1e9 + failed if failed is not None else 0.0)
    assert verdict(pulse, now) == expected


def test_what_was_heard_goes_on_over_a_restart() -> None:
    shared = [Caller("job", TOKEN, 10), Caller("twin", TOKEN, 10)]
    now, wall = time.monotonic(), time.time()
    before = Heartbeats()
    before.adopt([*shared, Caller("mute", "x" * 16, 10)])
    assert before.totals() == {}
    pulse = before.of(TOKEN)
    pulse.end(now - 20, wall - 20, 0, b"")
    pulse.end(now - 10, wall - 10, 3, b"no space")
    after = Heartbeats()
    after.restore(before.totals())
    after.adopt(shared)
    known = after.of(TOKEN)
    assert after.totals() == before.totals()
    assert (known.well_at, known.failed_at, known.failed) == (wall - 20, wall - 10, True)
    assert known.ended == pytest.approx(now - 10, abs=1)
    assert (known.status, known.body) == (None, b"")
    after.adopt([])
    after.adopt(shared)
    assert after.of(TOKEN).well is None, "what is configured anew begins anew"


NIGHTLY = HeartbeatSpec.model_validate(
    {"token": TOKEN, "rrule": "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR;BYHOUR=2", "grace": "1h"}
)
FRIDAY = datetime(2026, 11, 27, 3, tzinfo=ZoneInfo("Asia/Ho_Chi_Minh")).timestamp()
HOUR = 3600.0
MONDAY = 71 * HOUR  # 02:00, in hours after FRIDAY


@pytest.mark.parametrize(
    ("listening", "calls", "now", "expected"),
    [
        (0.0, [], MONDAY + HOUR, (Outcome.ERROR, None, "not heard yet in the 259200 s since we began to listen")),
        (0.0, [], MONDAY + HOUR + 1, (Outcome.FAIL, Reason.TIMEOUT, "never heard in the 259201 s")),
        (-HOUR / 2, [0.0], MONDAY + HOUR, (Outcome.OK, None, "")),
        (
            -HOUR / 2,
            [0.0],
            MONDAY + HOUR + 1,
            (
                Outcome.FAIL,
                Reason.TIMEOUT,
                "last call 259201 s ago, expected FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR;BYHOUR=2",
            ),
        ),
        (0.0, [MONDAY + 60], MONDAY + 24.9 * HOUR, (Outcome.OK, None, "")),
        (0.0, [MONDAY + 60], MONDAY + 25.1 * HOUR, (Outcome.FAIL, Reason.TIMEOUT, "last call 90300 s ago")),
    ],
)
def test_a_job_may_call_by_a_timetable(
    listening: float, calls: list[float], now: float, expected: tuple[Outcome, Reason | None, str]
) -> None:
    """Over a weekend nobody waits for it."""
    pulse = Pulse(1e6 + listening, FRIDAY + listening)
    for at in calls:
        pulse.end(1e6 + at, FRIDAY + at, 0, b"")
    outcome, reason, detail = verdict(pulse, 1e6 + now, NIGHTLY)
    assert (outcome, reason) == expected[:2]
    assert detail.startswith(expected[2])


@pytest.mark.parametrize(("away", "outcome"), [(MONDAY - HOUR, Outcome.FAIL), (MONDAY + 60, Outcome.ERROR)])
def test_whether_a_call_was_missed_while_nobody_listened(away: float, outcome: Outcome) -> None:
    """Whoever listens again before it is due knows that it did not come."""
    pulse = Pulse(1e6 + away, FRIDAY + away)
    pulse.recall(FRIDAY, 0.0)
    assert verdict(pulse, 1e6 + away, NIGHTLY)[0] is Outcome.OK
    assert verdict(pulse, 1e6 + MONDAY + HOUR, NIGHTLY)[0] is Outcome.OK
    assert verdict(pulse, 1e6 + MONDAY + HOUR + 1, NIGHTLY)[0] is outcome


def test_without_max_runtime_a_run_may_take_the_grace() -> None:
    spec = HeartbeatSpec.model_validate({"token": TOKEN, "period": "100s", "grace": "20s"})
    pulse = pulse_of((10, "0"), (50, "start"))
    assert verdict(pulse, 70, spec)[0] is Outcome.OK
    assert verdict(pulse, 71, spec)[1] is Reason.TIMEOUT


def test_what_a_failed_run_said_is_told_in_short_and_in_print() -> None:
    _, _, detail = verdict(pulse_of((10, "1"), body=b"no space\n left\x1b[31m on \xff" + b"x" * 500), 11)
    assert detail.startswith("it reported exit status 1 1 s ago: no space left?[31m on \N{REPLACEMENT CHARACTER}xxx")
    assert len(detail) <= 200
    assert detail.isprintable()


CALLS = st.lists(st.tuples(st.integers(1, 60), st.sampled_from(["start", "0", "1"])), max_size=12)


@given(CALLS, st.integers(0, 200))
def test_silence_reported_failures_and_runs_without_end_never_pass(gaps: list[tuple[int, str]], later: int) -> None:
    """A plain reading of the rules agrees with the verdict."""
    calls, at = [], 0
    for gap, said in gaps:
        at += gap
        calls.append((at, said))
    now = at + later
    ends = [(when, said) for when, said in calls if said != "start"]
    well = max((when for when, said in ends if said == "0"), default=None)
    started = max((when for when, said in calls if said == "start"), default=-1)
    running = started > max((when for when, _ in ends), default=-1)
    outcome = verdict(pulse_of(*((float(when), said) for when, said in calls)), now)[0]
    if (ends and ends[-1][1] == "1") or (running and now - started > 30):
        assert outcome is Outcome.FAIL
    elif now - (well or 0) <= 120:
        assert outcome is (Outcome.ERROR if well is None else Outcome.OK)
    elif not running:
        assert outcome is Outcome.FAIL


def test_duration_is_of_a_run_that_told_of_both_ends() -> None:
    pulse = pulse_of((10, "start"), (25, "0"))
    assert (pulse.took, pulse.running) == (15, False)
    pulse.end(30, 0, 0, b"")
    assert pulse.took is None
    pulse.start(40, 0)
    pulse.start(42, 0)
    pulse.end(50, 0, 1, b"")
    assert pulse.took == 8


@given(st.lists(st.floats(0, 3), max_size=80))
def test_calls_are_bounded(gaps: list[float]) -> None:
    pulse, now, taken = Pulse(100.0, 0.0), 100.0, 0
    for gap in gaps:
        now += gap
        taken += pulse.admit(now)
    assert taken <= BURST + (now - 100) * CALLS_PER_SECOND + 1e-6
    assert pulse.refused == len(gaps) - taken


def test_only_configured_tokens_are_known_and_known_ones_go_on() -> None:
    heartbeats = Heartbeats()
    other = "x" * 16
    heartbeats.adopt([Caller("job", TOKEN, 10), Caller("backup", other, 10), Caller("twin", other, 20)])
    job, backup = heartbeats.find(TOKEN), heartbeats.find(other)
    assert job is not None
    assert backup is not None
    assert (backup.targets, backup.max_size) == (("backup", "twin"), 20)
    assert heartbeats.find(TOKEN[:-1]) is heartbeats.find("") is None
    job.end(time.monotonic(), time.time(), 0, b"")
    heartbeats.adopt([Caller("job", TOKEN, 10)])
    assert heartbeats.find(TOKEN) is job is heartbeats.of(TOKEN)
    assert heartbeats.find(other) is None
    assert heartbeats.of(other) is not backup


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"token": "short"}, "a token has 16 to 128 letters"),
        ({"token": "0123456789abcdef/../"}, "a token has 16 to 128 letters"),
        ({"period": "never"}, "expected a duration"),
        ({"period": None}, "give one of period and rrule"),
        ({"rrule": "FREQ=DAILY"}, "give one of period and rrule"),
        ({"period": None, "rrule": "FREQ=HOURLY"}, "bad recurrence rule: name the hours"),
        ({"period": None, "rrule": "FREQ=DAILY", "zone": "Asia/Hanoi"}, "unknown time zone 'Asia/Hanoi'"),
        ({"period": 0}, "greater than 0"),
        ({"max_size": "1MiB"}, "less than or equal to 65536"),
        ({"metrics": [{"name": "hatang_x", "help": "X", "value": "x"}]}, "is taken"),
        ({"metrics": [{"name": "x", "help": "X"}, {"name": "x", "help": "Y"}]}, "twice"),
    ],
)
def test_bad_settings(settings: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError) as caught:
        HeartbeatSpec.model_validate({"token": TOKEN, "period": "1m"} | settings)
    assert words in str(caught.value)
    assert TOKEN not in str(caught.value)


def test_a_token_is_in_no_output() -> None:
    assert TOKEN not in f"{SPEC!r} {SPEC.model_dump_json()} {SPEC.peer}"
