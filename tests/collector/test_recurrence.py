"""Rules mean what RFC 5545 says, as dateutil reads them; what is not in the RFC, or has no end of work, is refused."""

from __future__ import annotations

from datetime import datetime
from itertools import islice
from zoneinfo import ZoneInfo

import pytest
from dateutil.rrule import rrulestr
from hypothesis import given, settings
from hypothesis import strategies as st

from collector.recurrence import checked_timetable, following, parsed, times

HANOI = ZoneInfo("Asia/Ho_Chi_Minh")
FIRST = datetime.fromisoformat("2026-11-23 22:00")

days = st.lists(st.sampled_from(["MO", "TU", "WE", "TH", "FR", "SA", "SU"]), min_size=1, max_size=3, unique=True)
numbered = st.lists(st.sampled_from(["1MO", "-1SA", "2SU", "+3WE", "FR"]), min_size=1, max_size=2, unique=True)


def numbers(least: int, most: int) -> st.SearchStrategy[list[str]]:
    return st.lists(st.integers(least, most).map(str), min_size=1, max_size=3, unique=True)


def rules(frequency: str, **lists: st.SearchStrategy[list[str]]) -> st.SearchStrategy[str]:
    optional = {name: some.map(",".join) for name, some in lists.items()}
    optional |= {"INTERVAL": st.integers(1, 5).map(str), "WKST": st.sampled_from(["MO", "SU"])}
    optional |= {"BYHOUR": numbers(0, 23).map(",".join), "BYMINUTE": st.just("0,30")}
    parts = st.fixed_dictionaries({"FREQ": st.just(frequency)}, optional=optional)
    ends = st.sampled_from(["", "", ";COUNT=7", ";UNTIL=20281231T120000"])
    return st.builds(lambda some, end: ";".join(f"{name}={value}" for name, value in some.items()) + end, parts, ends)


any_rule = st.one_of(
    rules("YEARLY", BYMONTH=numbers(1, 12), BYDAY=numbered),
    rules("YEARLY", BYWEEKNO=numbers(1, 52), BYDAY=days),
    rules("YEARLY", BYYEARDAY=numbers(-100, -1)),
    rules("MONTHLY", BYDAY=numbered, BYMONTHDAY=numbers(1, 28)),
    rules("MONTHLY", BYMONTHDAY=numbers(-28, -1)),
    rules("WEEKLY", BYDAY=days, BYMONTH=numbers(1, 12)),
    rules("DAILY", BYDAY=days),
)


@given(
    any_rule, st.datetimes(FIRST.replace(year=2000), FIRST.replace(year=2100)).map(lambda at: at.replace(microsecond=0))
)
@settings(max_examples=150, deadline=None)
def test_times_are_those_of_dateutil(text: str, first: datetime) -> None:
    """Although they are reckoned in another cycle of the calendar."""
    if first.year > 2028:
        text = text.replace("UNTIL=2028", "UNTIL=2150")
    assert list(islice(times(parsed(text), first, HANOI), 20)) == list(islice(rrulestr(text, dtstart=first), 20))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("FREQ=MONTHLY;BYDAY=-1SA;BYHOUR=23", ["2026-11-28 23:00", "2026-12-26 23:00", "2027-01-30 23:00"]),
        ("rrule:freq=weekly;byday=su", ["2026-11-29 22:00", "2026-12-06 22:00", "2026-12-13 22:00"]),
        ("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29", ["2028-02-29 22:00", "2032-02-29 22:00", "2036-02-29 22:00"]),
        ("FREQ=DAILY;COUNT=2", ["2026-11-23 22:00", "2026-11-24 22:00"]),
        ("FREQ=DAILY;UNTIL=20261124", ["2026-11-23 22:00", "2026-11-24 22:00"]),
        ("FREQ=DAILY;UNTIL=20261124T150000Z", ["2026-11-23 22:00", "2026-11-24 22:00"]),
        ("FREQ=DAILY;UNTIL=20261124T145959Z", ["2026-11-23 22:00"]),
        (
            "FREQ=DAILY;INTERVAL=400;UNTIL=99991231T235959Z",
            ["2026-11-23 22:00", "2027-12-28 22:00", "2029-01-31 22:00"],
        ),
        ("FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1", ["2026-11-30 22:00", "2026-12-31 22:00", "2027-01-29 22:00"]),
        ("FREQ=HOURLY;INTERVAL=6;BYHOUR=4,22", ["2026-11-23 22:00", "2026-11-24 04:00", "2026-11-24 22:00"]),
    ],
)
def test_what_people_write(text: str, expected: list[str]) -> None:
    assert [f"{at:%Y-%m-%d %H:%M}" for at in islice(times(parsed(text), FIRST, HANOI), 3)] == expected


def test_an_end_beside_the_rule() -> None:
    assert len(list(times(parsed("FREQ=DAILY"), FIRST, HANOI, FIRST.replace(day=30)))) == 8


@pytest.mark.parametrize("frequency", ["YEARLY", "MONTHLY", "DAILY", "HOURLY"])
def test_a_day_that_never_comes_is_not_looked_for_for_ever(frequency: str) -> None:
    assert list(times(parsed(f"FREQ={frequency};BYMONTH=2;BYMONTHDAY=30"), FIRST, HANOI)) == []


def test_a_rule_ends_with_the_calendar() -> None:
    """Python's ends with the year 9999; we follow a rule for two centuries at least."""
    *_, last = times(parsed("FREQ=WEEKLY"), FIRST, HANOI)
    assert 2226 <= last.year <= 2426


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "unknown part ''"),
        ("DAILY", "unknown part 'DAILY'"),
        ("FREQ=DAILY;", "unknown part ''"),
        ("FREQ=SECONDLY", "comes too often"),
        ("FREQ=DAILY;BYEASTER=0", "unknown part 'BYEASTER'"),
        ("FREQ=DAILY;COUNT=0", "COUNT must be a number"),
        ("FREQ=DAILY;COUNT=" + "9" * 5000, "COUNT must be a number"),
        ("FREQ=DAILY;INTERVAL=-1", "INTERVAL must be a number"),
        ("FREQ=DAILY;BYHOUR=-1", "BYHOUR must list numbers from 0 to 23"),
        ("FREQ=DAILY;BYHOUR=", "BYHOUR must list numbers"),
        ("FREQ=MONTHLY;BYMONTHDAY=0", "BYMONTHDAY must list numbers from 1 to 31"),
        ("FREQ=YEARLY;BYMONTH=-1", "BYMONTH must list numbers"),
        ("FREQ=MONTHLY;BYDAY=54MO", "BYDAY counts to 53"),
        ("FREQ=MONTHLY;BYDAY=0MO", "BYDAY must list days"),
        ("FREQ=WEEKLY;WKST=CN", "WKST must be one of"),
        ("FREQ=MONTHLY;BYWEEKNO=3", "BYWEEKNO cannot stand with FREQ=MONTHLY"),
        ("FREQ=WEEKLY;BYMONTHDAY=3", "BYMONTHDAY cannot stand with FREQ=WEEKLY"),
        ("FREQ=DAILY;BYYEARDAY=3", "BYYEARDAY cannot stand with FREQ=DAILY"),
        ("FREQ=DAILY;BYSETPOS=1", "BYSETPOS needs another part"),
        ("FREQ=DAILY;UNTIL=20260230", "UNTIL must be a time"),
        ("FREQ=DAILY;UNTIL=18991231", "UNTIL must not lie before 1970"),
    ],
)
def test_what_is_no_rule(text: str, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        parsed(text)


def test_parts_that_rule_each_other_out() -> None:
    """Every sixth hour from 22:00 is never 23:00."""
    with pytest.raises(ValueError, match="empty set"):
        times(parsed("FREQ=HOURLY;INTERVAL=6;BYHOUR=23"), FIRST, HANOI)


@given(st.text(max_size=60) | st.text("FREQ=DAILYBSTPO;,-0123456789", max_size=60))
@settings(max_examples=200, deadline=None)
def test_anything_is_a_rule_or_refused(text: str) -> None:
    try:
        rule = parsed(text)
    except ValueError:
        return
    assert all(at >= FIRST for at in islice(times(rule, FIRST, HANOI), 3))


def moment(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=HANOI).timestamp()


@pytest.mark.parametrize(
    ("text", "after", "expected"),
    [
        ("FREQ=DAILY;BYHOUR=2", "2026-11-23 01:59:59", "2026-11-23 02:00"),
        ("FREQ=DAILY;BYHOUR=2", "2026-11-23 02:00", "2026-11-24 02:00"),
        ("FREQ=DAILY", "2026-11-23 22:00", "2026-11-24 00:00"),
        ("FREQ=DAILY;BYHOUR=8,20;BYMINUTE=30", "2026-11-23 09:00", "2026-11-23 20:30"),
        ("FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR;BYHOUR=2", "2026-11-27 03:00", "2026-11-30 02:00"),
        ("FREQ=WEEKLY;BYDAY=SU,SA;BYSETPOS=-1", "2026-11-25 00:00", "2026-11-29 00:00"),
        ("FREQ=WEEKLY;BYDAY=SU,SA;BYSETPOS=-1;WKST=SU", "2026-11-25 00:00", "2026-11-28 00:00"),
        ("FREQ=MONTHLY;BYDAY=-1SA;BYHOUR=1", "2026-11-23 00:00", "2026-11-28 01:00"),
        ("FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=1", "2026-11-23 00:00", "2026-12-01 00:00"),
        ("FREQ=MONTHLY;BYMONTHDAY=-1", "2026-11-30 00:00", "2026-12-31 00:00"),
        ("FREQ=MONTHLY", "2026-11-23 00:00", "2026-12-01 00:00"),
        ("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29", "2026-11-23 00:00", "2028-02-29 00:00"),
        ("FREQ=YEARLY", "2026-12-31 23:59:59", "2027-01-01 00:00"),
    ],
)
def test_a_timetable_says_when_next(text: str, after: str, expected: str) -> None:
    assert checked_timetable(text) == text
    assert following(text, "Asia/Ho_Chi_Minh", moment(after)) == moment(expected)


timetables = st.one_of(
    rules("YEARLY", BYMONTH=numbers(1, 12), BYDAY=numbered),
    rules("MONTHLY", BYDAY=numbered, BYMONTHDAY=numbers(1, 28)),
    rules("WEEKLY", BYDAY=days),
    rules("DAILY", BYDAY=days),
)


@given(timetables, st.integers(0, 3 * 365 * 86400))
@settings(max_examples=150, deadline=None)
def test_a_timetable_leaves_nothing_out(text: str, later: int) -> None:
    """Wherever one begins to look, the next time is that of the whole rule."""
    parts = [part for part in text.split(";") if part.split("=")[0] not in {"INTERVAL", "COUNT", "UNTIL"}]
    if "FREQ=WEEKLY" in parts and not any(part.startswith("BYDAY") for part in parts):
        parts.append("BYDAY=MO")
    rule = ";".join(parts)
    whole = times(parsed(rule), datetime.fromisoformat("2025-01-01"), HANOI)
    after = moment("2026-01-01") + later
    expected = next((at for at in whole if at.replace(tzinfo=HANOI).timestamp() > after), None)
    found = following(rule, "Asia/Ho_Chi_Minh", after)
    assert found == (expected.replace(tzinfo=HANOI).timestamp() if expected is not None else None)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("FREQ=DAILY;INTERVAL=2", "no INTERVAL"),
        ("FREQ=DAILY;COUNT=2", "no INTERVAL, COUNT"),
        ("FREQ=DAILY;UNTIL=20270101", "no INTERVAL, COUNT or UNTIL"),
        ("FREQ=HOURLY", "name the hours"),
        ("FREQ=WEEKLY;BYHOUR=2", "name the days"),
        ("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30", "never comes"),
        ("0 2 * * 1-5", "unknown part"),
    ],
)
def test_what_is_no_timetable(text: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        checked_timetable(text)
