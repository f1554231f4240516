"""Windows are open when the wall clock says so, in any zone; planned work covers whom it names."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from collector.maintenance import Planner, Window, active, carried, prepare, spells
from collector.model import Labels, Spec, System, Target

DAY = 86400.0
ZONES = [
    "Asia/Ho_Chi_Minh",
    "Europe/Berlin",
    "America/New_York",
    "Australia/Lord_Howe",  # moves its clock by half an hour
    "Africa/Casablanca",
    "America/St_Johns",
]


def local(text: str) -> datetime:
    return datetime.fromisoformat(text)


def unix(text: str, zone: str = "Asia/Ho_Chi_Minh") -> float:
    return local(text).replace(tzinfo=ZoneInfo(zone)).timestamp()


def written(window: Window, begins: str, ends: str) -> list[str]:
    """The spells in UTC, as text."""
    found = spells(window, unix(begins, "UTC"), unix(ends, "UTC"))
    return [
        f"{datetime.fromtimestamp(spell.begins, UTC):%d %H:%M}-{datetime.fromtimestamp(spell.ends, UTC):%d %H:%M}"
        for spell in found
    ]


NIGHT = Window("night", local("2026-11-23 22:00"), ends=local("2026-11-24 02:00"), reason_vi="Vá lỗi")


class TestSpells:
    """When a window is open."""

    def test_once_across_midnight(self) -> None:
        assert written(NIGHT, "2026-11-01", "2026-12-01") == ["23 15:00-23 19:00"]
        assert written(NIGHT, "2026-11-23T16:00", "2026-11-23T17:00") == ["23 16:00-23 17:00"]
        assert written(NIGHT, "2026-11-23T19:00", "2026-12-01") == []
        assert written(NIGHT, "2026-12-01", "2026-11-01") == []

    def test_every_sunday_night(self) -> None:
        window = replace(NIGHT, rule="FREQ=WEEKLY;BYDAY=SU", until=local("2026-12-13 23:59:59"))
        assert written(window, "2026-11-01", "2027-12-01") == [
            "29 15:00-29 19:00",
            "06 15:00-06 19:00",
            "13 15:00-13 19:00",
        ]

    @pytest.mark.parametrize(
        ("starts", "ends", "expected"),
        [
            # On 29 March 2026 the clocks of Berlin skip from 2:00 (1:00 UTC) to 3:00.
            ("22:00", "06:00", ["28 21:00-29 04:00", "29 20:00-30 04:00"]),  # seven hours of a night of eight
            ("02:30", "03:10", ["29 01:30-29 02:10", "30 00:30-30 01:10"]),  # a beginning that is skipped
            ("01:30", "02:30", ["29 00:30-29 01:30", "30 23:30-30 00:30"]),  # an end that is skipped
            ("02:00", "03:00", ["29 01:00-29 02:00", "30 00:00-30 01:00"]),  # skipped as a whole
        ],
    )
    def test_where_the_clock_skips_an_hour(self, starts: str, ends: str, expected: list[str]) -> None:
        first = local(f"2026-03-20 {starts}")
        last = local(f"2026-03-20 {ends}") + timedelta(days=starts > ends)
        window = Window("dst", first, ends=last, rule="FREQ=DAILY", zone="Europe/Berlin")
        found = written(window, "2026-03-28T12:00", "2026-03-30T12:00")
        assert found == [text.replace("30 23:30-30", "29 23:30-30") for text in expected]

    def test_where_the_clock_repeats_an_hour(self) -> None:
        """On 25 October 2026, 2:00 to 3:00 comes twice in Berlin; the first is meant."""
        window = Window(
            "dst", local("2026-10-20 02:15"), ends=local("2026-10-20 02:45"), zone="Europe/Berlin", rule="FREQ=DAILY"
        )
        assert written(window, "2026-10-25", "2026-10-26") == ["25 00:15-25 00:45"]
        across = replace(window, ends=local("2026-10-20 04:00"))
        assert written(across, "2026-10-25", "2026-10-26") == ["25 00:15-25 03:00"]

    def test_a_duration_is_exact(self) -> None:
        window = Window("dst", local("2026-03-28 22:00"), duration=8 * 3600, zone="Europe/Berlin")
        assert written(window, "2026-03-28", "2026-03-30") == ["28 21:00-29 05:00"]

    def test_a_zone_that_skips_a_day(self) -> None:
        """Samoa had no 30 December 2011: what was planned for it coincides with the day after."""
        window = Window("apia", local("2011-12-01 22:00"), duration=3600, rule="FREQ=DAILY", zone="Pacific/Apia")
        assert written(window, "2011-12-29", "2012-01-02") == [
            "29 08:00-29 09:00",
            "30 08:00-30 09:00",
            "31 08:00-31 09:00",
            "01 08:00-01 09:00",
        ]

    def test_hours_that_touch_are_one_spell(self) -> None:
        window = Window("all", local("2026-11-23 00:00"), duration=3600, rule="FREQ=HOURLY;COUNT=5")
        assert written(window, "2026-11-01", "2026-12-01") == ["22 17:00-22 22:00"]

    def test_a_past_that_nobody_asked_for_yet(self) -> None:
        """Questions need not come in order."""
        window = replace(NIGHT, id="past", rule="FREQ=DAILY")
        assert written(window, "2030-01-01", "2030-01-02") == ["01 15:00-01 19:00"]
        assert written(window, "2026-11-24", "2026-11-25") == ["24 15:00-24 19:00"]

    def test_active(self) -> None:
        other = replace(NIGHT, id="other", starts=local("2026-11-24 01:00"))
        windows = [NIGHT, other]
        assert active(windows, unix("2026-11-23 21:59:59")) == []
        assert active(windows, unix("2026-11-23 22:00")) == [NIGHT]
        assert active(windows, unix("2026-11-24 01:30")) == [NIGHT, other]
        assert active(windows, unix("2026-11-24 02:00")) == []

    def test_reasons_are_in_both_languages(self) -> None:
        assert NIGHT.reason == "Vá lỗi"
        assert replace(NIGHT, reason_en="Patching").reason == "Vá lỗi / Patching"


hours = st.integers(5, 23)  # clocks are changed at night


@given(
    st.sampled_from(ZONES),
    hours,
    hours,
    st.sampled_from(["FREQ=DAILY", "FREQ=DAILY;INTERVAL=2", "FREQ=WEEKLY;BYDAY=SA,SU,MO"]),
    st.integers(0, 3 * 366 * 24 * 4),
)
@example("Europe/Berlin", 22, 6, "FREQ=DAILY", 4 * 24 * 87 + 4)
@settings(max_examples=300, deadline=None)
def test_it_is_open_when_the_wall_clock_says_so(zone: str, starts: int, ends: int, rule: str, quarter: int) -> None:
    first = local(f"2025-01-01 {starts:02}:00")
    span = timedelta(hours=(ends - starts) % 24 or 24)
    if "INTERVAL" not in rule and span == timedelta(days=1):
        span = timedelta(hours=23)
    window = Window("any", first, ends=first + span, rule=rule, zone=zone)
    now = datetime(2025, 1, 1, tzinfo=UTC).timestamp() + quarter * 900
    wall = datetime.fromtimestamp(now, ZoneInfo(zone)).replace(tzinfo=None)
    begun = [first + timedelta(days=back) for back in range((wall - first).days - 2, (wall - first).days + 2)]
    fits = [at for at in begun if at >= first and _fits(rule, first, at)]
    assert bool(active([window], now)) == any(at <= wall < at + span for at in fits)


def _fits(rule: str, first: datetime, at: datetime) -> bool:
    if "WEEKLY" in rule:
        return at.weekday() in {5, 6, 0}
    return (at - first).days % 2 == 0 if "INTERVAL" in rule else True


@given(
    st.sampled_from([*ZONES, "Pacific/Apia"]),
    st.datetimes(local("2009-01-01"), local("2012-01-01")),
    st.sampled_from(
        ["", "FREQ=DAILY", "FREQ=HOURLY;INTERVAL=5", "FREQ=MONTHLY;BYDAY=-1SU", "FREQ=DAILY;BYHOUR=2,3;BYMINUTE=0,30"]
    ),
    st.integers(60, 90_000),
    st.lists(st.integers(0, 1200 * 24), min_size=3, max_size=3).map(sorted),
)
@settings(max_examples=200, deadline=None)
def test_parts_add_up(zone: str, first: datetime, rule: str, lasts: int, cuts: list[int]) -> None:
    """Spells are in order, apart, within the question; what is asked in two parts is what is asked at once."""
    window = Window("any", first.replace(microsecond=0), duration=lasts, rule=rule, zone=zone)
    begins, middle, ends = (datetime(2009, 1, 1, tzinfo=UTC).timestamp() + hour * 3600 for hour in cuts)
    found = spells(window, begins, ends)
    flat = [moment for spell in found for moment in spell]
    assert flat == sorted(set(flat))
    assert all(begins <= moment <= ends for moment in flat)
    parts = [*spells(window, begins, middle), *spells(window, middle, ends)]
    assert sum(spell.ends - spell.begins for spell in parts) == sum(spell.ends - spell.begins for spell in found)
    assert {moment for spell in found for moment in spell} <= {moment for spell in parts for moment in spell}


def test_an_old_window_is_quick() -> None:
    """Reckoned once; after that a question costs microseconds (CPU time, generously)."""
    window = Window("old", local("2020-01-01 00:00"), duration=600, rule="FREQ=HOURLY")
    prepare([window], unix("2026-11-23 00:00"))
    begun, now = time.process_time(), unix("2026-11-23 00:00")
    for hour in range(5000):
        assert spells(window, now - 3600 * hour, now - 3600 * hour + 600)
    assert time.process_time() - begun < 0.5


def test_any_thread_may_ask() -> None:
    window = replace(NIGHT, id="threads", rule="FREQ=HOURLY", ends=None, duration=60)
    begins = unix("2026-11-23 00:00")
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda days: spells(window, begins, begins + (days % 40) * DAY), range(400)))
    expected = [spells(replace(window, id="again"), begins, begins + (days % 40) * DAY) for days in range(400)]
    assert found == expected


# ---------------------------------------------------------------- which systems


def system(name: str, owner: str = "so-khcn", hosting: str | None = None) -> System:
    return System(name, name, name, "app", owner, hosting, None, "")


def target(name: str, of: str, required: bool = True, labels: Labels = ()) -> Target:
    return Target(name, of, "tcp", Spec(), 30.0, 5.0, required, labels)


SYSTEMS = {
    one.id: one
    for one in (
        system("centre"),
        system("portal", hosting="centre"),
        system("mail", owner="van-phong", hosting="centre"),
        system("map", owner="van-phong"),
        system("bare"),
    )
}
RACK = (("rack", "a1"),)
TARGETS = {
    one.id: one
    for one in (
        target("centre-1", "centre"),
        target("portal-1", "portal", labels=(*RACK, ("row", "2"))),
        target("portal-2", "portal", labels=RACK),
        target("portal-3", "portal", required=False),
        target("mail-1", "mail", labels=RACK),
        target("mail-2", "mail"),
        target("map-1", "map", required=False, labels=RACK),
    )
}
BEGINS, ENDS = unix("2026-11-23 00:00"), unix("2026-11-25 00:00")
OPEN = (unix("2026-11-23 22:00"), unix("2026-11-24 02:00"))


@dataclass(frozen=True)
class Entry:
    scope: str
    subject: str
    applies_from: float
    ends: float | None
    reason: str = "Sự cố điện"


def under_work(planner: Planner) -> set[str]:
    return {name for name in SYSTEMS if planner.windows(name, BEGINS, ENDS)}


@pytest.mark.parametrize(
    ("selectors", "expected"),
    [
        (Window("w", NIGHT.starts, ends=NIGHT.ends, systems=("portal", "gone")), {"portal"}),
        (Window("w", NIGHT.starts, ends=NIGHT.ends, centres=("centre",)), {"centre", "portal", "mail"}),
        (Window("w", NIGHT.starts, ends=NIGHT.ends, owners=("van-phong",)), {"mail", "map"}),
        (Window("w", NIGHT.starts, ends=NIGHT.ends, labels=RACK), {"portal", "map"}),
        (Window("w", NIGHT.starts, ends=NIGHT.ends, labels=(*RACK, ("row", "2"))), set()),
        (Window("w", NIGHT.starts, ends=NIGHT.ends, labels=RACK, systems=("bare",)), {"portal", "map", "bare"}),
        (Window("w", NIGHT.starts, ends=NIGHT.ends), set()),
    ],
)
def test_a_window_covers(selectors: Window, expected: set[str]) -> None:
    assert under_work(Planner([selectors], SYSTEMS, TARGETS)) == expected


@pytest.mark.parametrize(
    ("scope", "subject", "expected"),
    [
        ("system", "portal", {"portal"}),
        ("system", "gone", set()),
        ("centre", "centre", {"centre", "portal", "mail"}),
        ("owner", "van-phong", {"mail", "map"}),
        ("label", "rack=a1", {"portal", "map"}),
        ("label", "rack", set()),
    ],
)
def test_an_entry_covers(scope: str, subject: str, expected: set[str]) -> None:
    assert under_work(Planner([], SYSTEMS, TARGETS, [Entry(scope, subject, OPEN[0], None)])) == expected


def test_labels_that_all_required_targets_carry() -> None:
    assert carried(TARGETS.values()) == {"centre": set(), "portal": set(RACK), "mail": set(), "map": set(RACK)}


def test_planned_and_unplanned_work_merge() -> None:
    early = Entry("centre", "centre", OPEN[0] - 3600, OPEN[0] + 60)
    late = Entry("system", "portal", OPEN[1] + 3600, None)
    ended_before_it_counts = Entry("system", "portal", BEGINS + 7200, BEGINS + 3600)
    planner = Planner([replace(NIGHT, systems=("portal",))], SYSTEMS, TARGETS, [late, early, ended_before_it_counts])
    assert planner.windows("portal", BEGINS, ENDS) == [(OPEN[0] - 3600, OPEN[1]), (OPEN[1] + 3600, ENDS)]
    assert planner.windows("mail", BEGINS, ENDS) == [(OPEN[0] - 3600, OPEN[0] + 60)]
    assert planner.windows("map", BEGINS, ENDS) == planner.windows("gone", BEGINS, ENDS) == []
    assert planner.reasons("portal", OPEN[0]) == ["Vá lỗi", "Sự cố điện"]
    assert planner.reasons("portal", OPEN[0] + 60) == ["Vá lỗi"]
    assert planner.reasons("portal", OPEN[1] + 60) == []
    assert planner.reasons("gone", OPEN[0]) == []
