"""Months that were reckoned by hand. November 2026 has 30 days of 24 hours: 2,592,000 seconds."""

from __future__ import annotations

from pathlib import Path

import pytest

from collector.journal import Change, Correction, Entry, Scope, correct, reading_ledger, start_maintenance
from collector.model import SystemState
from collector.reports import Month, NotKnown, Outage, Work, availability, total
from tests.collector.journal.ledgers import put
from tests.collector.reports.reporting import (
    DAY,
    HOUR,
    ZONE,
    Configured,
    at,
    became,
    configured,
    report,
    system,
    target,
)

UP, DEGRADED, DOWN = SystemState.UP, SystemState.DEGRADED, SystemState.DOWN
UNREACHABLE, MAINTENANCE, UNKNOWN = SystemState.UNREACHABLE, SystemState.MAINTENANCE, SystemState.UNKNOWN
ALL_OF_IT = [(at("2026-10-01 00:00"), at("2026-12-10 00:00"))]
OCTOBER = {"portal": at("2026-10-01 00:00")}


def seconds(**spent: float) -> dict[SystemState, float]:
    return {state: spent.get(state.value, 0.0) for state in SystemState}


def test_a_month_with_everything(tmp_path: Path) -> None:
    path = put(
        tmp_path / "journal.sqlite",
        [
            became("2026-10-01 00:00", UP),
            became("2026-11-03 10:00", DOWN, "portal-web timeout"),
            became("2026-11-03 12:30", UP),
            became("2026-11-05 00:00", DEGRADED, "portal-mail refused"),
            became("2026-11-06 00:00", UP),
            became("2026-11-10 22:00", MAINTENANCE, "Nâng cấp", source="maintenance"),
            became("2026-11-11 04:00", UP, source="maintenance"),
            became("2026-11-20 08:00", UNREACHABLE, "ttdl-tinh", source="dependency"),
            became("2026-11-20 09:00", UP),
            became("2026-11-25 00:00", UNKNOWN, "uplink", source="self-check"),
            became("2026-11-25 06:00", UP),
        ],
        ALL_OF_IT,
        OCTOBER,
    )
    found = report(path)
    assert (found.begins, found.ends) == (at("2026-11-01 00:00"), at("2026-12-01 00:00"))
    assert found.figures.seconds == seconds(
        up=30 * DAY - 2.5 * HOUR - DAY - 6 * HOUR - HOUR - 6 * HOUR,
        degraded=DAY,
        down=2.5 * HOUR,
        unreachable=HOUR,
        maintenance=6 * HOUR,
        unknown=6 * HOUR,
    )
    # 704.5 of 708 hours, and of 707; 714 of 720 are known.
    assert found.figures.users == pytest.approx(704.5 / 708)
    assert found.figures.owner == pytest.approx(704.5 / 707)
    assert found.figures.observed == pytest.approx(714 / 720)
    assert found.figures.sufficient
    assert found.outages == (
        Outage(at("2026-11-03 10:00"), at("2026-11-03 12:30"), 2.5 * HOUR, DOWN, "portal-web timeout", "poll"),
        Outage(at("2026-11-20 08:00"), at("2026-11-20 09:00"), HOUR, UNREACHABLE, "ttdl-tinh", "dependency"),
    )
    assert found.works == (Work(at("2026-11-10 22:00"), at("2026-11-11 04:00"), "Nâng cấp"),)
    assert (found.corrections, found.measured) == ((), found.figures)


def test_a_restart_and_a_time_that_nobody_saw(tmp_path: Path) -> None:
    """Killed on the 8th at noon, back 90 s later, first results after 30 s more; dead from the 15th for a day."""
    killed = at("2026-11-08 12:00")
    runs = [
        (OCTOBER["portal"], killed),
        (killed + 90, at("2026-11-15 00:00")),
        (at("2026-11-16 00:00"), at("2026-12-10 00:00")),
    ]
    path = put(
        tmp_path / "journal.sqlite",
        [
            became("2026-10-01 00:00", UP),
            # What was not yet settled when it was killed is unknown too.
            Change("portal", killed - 5, UP, UNKNOWN, "", "restart"),
            Change("portal", killed + 120, UNKNOWN, UP, "", "poll"),
            Change("portal", at("2026-11-15 00:00"), UP, UNKNOWN, "", "restart"),
            became("2026-11-16 00:01", UP),
        ],
        runs,
        OCTOBER,
    )
    found = report(path)
    assert found.figures.seconds == seconds(up=29 * DAY - 125 - 60, unknown=DAY + 125 + 60)
    assert found.figures.users == 1
    assert found.figures.observed == pytest.approx(1 - (DAY + 185) / (30 * DAY))
    assert not found.figures.sufficient
    assert found.outages == ()


def test_without_a_change_at_the_restart_the_gap_is_unknown_all_the_same(tmp_path: Path) -> None:
    """The heartbeats alone prove it."""
    runs = [(OCTOBER["portal"], at("2026-11-08 12:00")), (at("2026-11-08 13:00"), at("2026-12-10 00:00"))]
    path = put(tmp_path / "journal.sqlite", [became("2026-10-01 00:00", UP)], runs, OCTOBER)
    assert report(path).figures.seconds == seconds(up=30 * DAY - HOUR, unknown=HOUR)


def test_an_outage_that_the_service_slept_through_is_one_outage(tmp_path: Path) -> None:
    """Down, not seen for an hour, down again at the first look: one outage; the hour counts as unknown."""
    runs = [(OCTOBER["portal"], at("2026-11-08 12:00")), (at("2026-11-08 13:00"), at("2026-12-10 00:00"))]
    path = put(
        tmp_path / "journal.sqlite",
        [
            became("2026-10-01 00:00", UP),
            became("2026-11-08 11:00", DOWN, "first cause"),
            became("2026-11-08 12:00", UNKNOWN, source="restart"),
            became("2026-11-08 13:00", DOWN, "second cause"),
            became("2026-11-08 14:00", UP),
        ],
        runs,
        OCTOBER,
    )
    found = report(path)
    assert found.figures.seconds == seconds(up=30 * DAY - 3 * HOUR, down=2 * HOUR, unknown=HOUR)
    assert found.outages == (
        Outage(at("2026-11-08 11:00"), at("2026-11-08 14:00"), 2 * HOUR, DOWN, "first cause", "poll"),
    )


def test_a_month_in_which_the_system_did_not_exist(tmp_path: Path) -> None:
    path = put(
        tmp_path / "journal.sqlite", [became("2026-12-02 00:00", UP)], ALL_OF_IT, {"portal": at("2026-12-02 00:00")}
    )
    found = report(path)
    assert found.begins == found.ends
    assert found.figures.seconds == seconds()
    assert (found.figures.users, found.figures.owner, found.figures.observed) == (None, None, None)
    december = report(path, "2026-12")
    assert december.figures.seconds == seconds(up=8 * DAY)
    assert (december.begins, december.ends) == (at("2026-12-02 00:00"), at("2026-12-10 00:00"))


def test_a_system_that_was_added_in_the_month(tmp_path: Path) -> None:
    """Its window begins when it was first known; the seconds until its first result are unknown."""
    path = put(
        tmp_path / "journal.sqlite",
        [became("2026-11-21 00:00", UNKNOWN), Change("portal", at("2026-11-21 00:00") + 20, UNKNOWN, UP, "", "poll")],
        ALL_OF_IT,
        {"portal": at("2026-11-21 00:00")},
    )
    found = report(path)
    assert found.begins == at("2026-11-21 00:00")
    assert found.figures.seconds == seconds(up=10 * DAY - 20, unknown=20)


def test_a_system_that_nobody_ever_saw(tmp_path: Path) -> None:
    path = put(tmp_path / "journal.sqlite", [became("2026-10-01 00:00", UP, name="other")], ALL_OF_IT)
    assert report(path).figures.window == 0


def test_an_outage_that_is_open_at_the_end(tmp_path: Path) -> None:
    path = put(
        tmp_path / "journal.sqlite",
        [became("2026-10-01 00:00", UP), became("2026-11-23 10:00", DOWN, "timeout")],
        [(OCTOBER["portal"], at("2026-11-23 12:00"))],
        OCTOBER,
    )
    found = report(path, now="2026-11-23 12:00")
    assert found.ends == at("2026-11-23 12:00")
    assert found.figures.seconds == seconds(up=22 * DAY + 10 * HOUR, down=2 * HOUR)
    assert found.outages == (Outage(at("2026-11-23 10:00"), None, 2 * HOUR, DOWN, "timeout", "poll"),)
    # The service has stopped since: it is not known to have ended, and the time since is unknown.
    later = report(path, now="2026-11-23 13:00")
    assert later.figures.seconds == seconds(up=22 * DAY + 10 * HOUR, down=2 * HOUR, unknown=HOUR)
    assert later.outages == found.outages


def test_an_outage_over_the_boundary_of_the_month_is_shared_out(tmp_path: Path) -> None:
    """Each month counts its part, and both tell of the whole outage, which is longer than one reads at first."""
    path = put(
        tmp_path / "journal.sqlite",
        [became("2026-07-01 00:00", UP), became("2026-08-30 00:00", DOWN, "flood"), became("2026-11-02 00:00", UP)],
        [(at("2026-07-01 00:00"), at("2026-12-10 00:00"))],
        {"portal": at("2026-07-01 00:00")},
    )
    whole = (at("2026-08-30 00:00"), at("2026-11-02 00:00"))
    for month, down in (("2026-08", 2 * DAY), ("2026-09", 30 * DAY), ("2026-10", 31 * DAY), ("2026-11", DAY)):
        found = report(path, month)
        assert found.figures.seconds[DOWN] == down
        assert found.outages == (Outage(*whole, down, DOWN, "flood", "poll"),)
    assert report(path, "2026-12").outages == ()


def test_month_boundaries_are_local(tmp_path: Path) -> None:
    """23:30 on the 31st in Quảng Ngãi is 16:30 in Greenwich: still October there and here."""
    path = put(
        tmp_path / "journal.sqlite",
        [became("2026-10-01 00:00", UP), became("2026-10-31 23:30", DOWN), became("2026-11-01 00:30", UP)],
        ALL_OF_IT,
        OCTOBER,
    )
    assert report(path, "2026-10").figures.seconds[DOWN] == HOUR / 2
    assert report(path, "2026-11").figures.seconds[DOWN] == HOUR / 2


def test_corrections_count_and_are_said_and_what_was_measured_stays(tmp_path: Path) -> None:
    path = put(
        tmp_path / "journal.sqlite",
        [became("2026-10-01 00:00", UP), became("2026-11-03 10:00", DOWN, "timeout"), became("2026-11-03 14:00", UP)],
        ALL_OF_IT,
        OCTOBER,
    )

    def say(starts: str, ends: str, state: SystemState, reason: str) -> Correction:
        entered = at("2026-11-04 08:00")
        return correct(path, Correction(0, "portal", at(starts), at(ends), state, reason, "an", entered))

    first = say("2026-11-03 10:00", "2026-11-03 12:00", MAINTENANCE, "cable works")
    second = say("2026-11-03 11:00", "2026-11-03 11:30", UP, "seen by users")
    say("2026-12-03 11:00", "2026-12-03 11:30", DOWN, "next month")
    found = report(path)
    assert found.corrections == (first, second)
    assert found.measured.seconds == seconds(up=30 * DAY - 4 * HOUR, down=4 * HOUR)
    # What was entered last wins: 10-11 maintenance, 11-11:30 up, 11:30-12 maintenance, 12-14 down.
    assert found.figures.seconds == seconds(up=30 * DAY - 3.5 * HOUR, maintenance=1.5 * HOUR, down=2 * HOUR)
    assert found.outages == (Outage(at("2026-11-03 12:00"), at("2026-11-03 14:00"), 2 * HOUR, DOWN, "timeout", "poll"),)
    assert [work.reason for work in found.works] == ["cable works", "cable works"]


def test_a_correction_can_tell_of_time_that_nobody_observed(tmp_path: Path) -> None:
    runs = [(OCTOBER["portal"], at("2026-11-08 12:00")), (at("2026-11-08 13:00"), at("2026-12-10 00:00"))]
    path = put(tmp_path / "journal.sqlite", [became("2026-10-01 00:00", UP)], runs, OCTOBER)
    hour = (at("2026-11-08 12:00"), at("2026-11-08 13:00"))
    correct(path, Correction(0, "portal", *hour, DOWN, "power cut", "an", at("2026-11-09 00:00")))
    found = report(path)
    assert found.measured.seconds == seconds(up=30 * DAY - HOUR, unknown=HOUR)
    assert found.figures.seconds == seconds(up=30 * DAY - HOUR, down=HOUR)
    assert found.outages == (Outage(*hour, HOUR, DOWN, "power cut", "correction"),)


def test_planned_work_that_was_entered_late_is_listed_and_changes_nothing(tmp_path: Path) -> None:
    path = put(
        tmp_path / "journal.sqlite",
        [became("2026-10-01 00:00", UP), became("2026-11-03 10:00", DOWN, "timeout"), became("2026-11-03 14:00", UP)],
        ALL_OF_IT,
        OCTOBER,
    )
    inventory = Configured({"portal": system("portal")}, {"web": target("web", "portal", zone="north")})

    def announce(scope: Scope, subject: str, month: str = "11") -> Entry:
        starts, ends, entered = at(f"2026-{month}-03 09:00"), at(f"2026-{month}-03 15:00"), at("2026-11-05 00:00")
        return start_maintenance(path, Entry(0, scope, subject, starts, ends, "works", "an", entered))

    mine = [
        announce(Scope.SYSTEM, "portal"),
        announce(Scope.CENTRE, "ttdl-tinh"),
        announce(Scope.OWNER, "so-khcn"),
        announce(Scope.LABEL, "zone=north"),
    ]
    announce(Scope.SYSTEM, "mail")
    announce(Scope.CENTRE, "elsewhere")
    announce(Scope.SYSTEM, "portal", "12")
    found = report(path, inventory=inventory)
    assert found.entries == tuple(mine)
    assert all(entry.late for entry in found.entries)
    assert found.figures.seconds == seconds(up=30 * DAY - 4 * HOUR, down=4 * HOUR)


def test_a_clock_that_jumped_for_a_while_takes_no_time_away(tmp_path: Path) -> None:
    """Thirty days ahead for a minute, with a change in it; the clock is set right; the month is as it was."""
    path = put(
        tmp_path / "journal.sqlite",
        [
            became("2026-10-01 00:00", UP),
            became("2026-12-05 10:00", DOWN, "written while the clock was wrong"),
            became("2026-11-05 10:05", UP),
        ],
        ALL_OF_IT,
        OCTOBER,
    )
    assert report(path, "2026-11").figures.seconds == seconds(up=30 * DAY)
    assert report(path, "2026-12").figures.seconds == seconds(up=9 * DAY)


def test_a_system_that_was_removed_counts_until_then(tmp_path: Path) -> None:
    path = put(tmp_path / "journal.sqlite", [became("2026-10-01 00:00", UP, name="old")], ALL_OF_IT)
    put(path, [], [(OCTOBER["portal"], at("2026-11-11 00:00"))], {"old": OCTOBER["portal"]})
    put(path, [], ALL_OF_IT, {})
    with reading_ledger(path) as ledger:
        for month, days in (("2026-10", 31), ("2026-11", 10)):
            (found,) = availability(ledger, configured(), Month.parse(month, ZONE), at("2026-12-10 00:00"))
            assert (found.id, found.system) == ("old", None)
            assert found.figures.seconds == seconds(up=days * DAY)
        assert availability(ledger, configured(), Month.parse("2026-12", ZONE), at("2026-12-10 00:00")) == []


def test_several_systems_are_summed_before_anything_is_divided(tmp_path: Path) -> None:
    """A short window does not weigh as much as a long one: the mean of 50 % and 100 % would be 75 %."""
    path = put(
        tmp_path / "journal.sqlite",
        [
            became("2026-10-01 00:00", UP, name="old"),
            became("2026-11-30 00:00", UP, name="new"),
            became("2026-11-30 12:00", DOWN, name="new"),
        ],
        ALL_OF_IT,
        {"old": OCTOBER["portal"], "new": at("2026-11-30 00:00")},
    )
    with reading_ledger(path) as ledger:
        some = availability(ledger, configured("old", "new"), Month.parse("2026-11", ZONE), at("2026-12-10 00:00"))
        (one,) = availability(
            ledger, configured("old", "new"), Month.parse("2026-11", ZONE), at("2026-12-10 00:00"), ["new"]
        )
    assert [found.id for found in some] == ["old", "new"]
    assert one.figures.users == 0.5
    assert total(some).users == pytest.approx(30.5 / 31)


def test_what_cannot_be_reported_is_said(tmp_path: Path) -> None:
    path = put(tmp_path / "journal.sqlite", [became("2026-10-01 00:00", UP)], ALL_OF_IT, OCTOBER)
    with reading_ledger(path) as ledger:
        with pytest.raises(NotKnown, match="2026-12 has not begun"):
            availability(ledger, configured("portal"), Month.parse("2026-12", ZONE), at("2026-11-23 00:00"))
        with pytest.raises(NotKnown, match="knows a system 'potral'"):
            availability(ledger, configured("portal"), Month.parse("2026-11", ZONE), at("2026-12-23 00:00"), ["potral"])
