"""The commands about the past, as a user types them, on a configuration and a journal of the test."""

from __future__ import annotations

import json
import time
from datetime import datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from collector.__main__ import app
from collector.commands.options import moment
from collector.journal import Change, Entry, Scope, reading_ledger
from collector.model import SystemState
from tests.collector.journal.ledgers import put
from tests.collector.reports.reporting import ZONE, at
from tests.configuring import write

INVENTORY = """\
owners:
  - {id: so-khcn, name_vi: "Sở KHCN", name_en: "Department of Science and Technology"}
systems:
  - {id: centre, name_vi: "Trung tâm", name_en: "Centre", category: data-centre, owner: so-khcn}
  - id: portal
    name_vi: "Cổng"
    name_en: "Portal"
    category: portal
    owner: so-khcn
    hosting: centre
    targets:
      - {id: portal-web, kind: tcp, host: a.example, port: 1, labels: {zone: north}}
  - {id: mail, name_vi: "Thư", name_en: "Mail", category: app, owner: so-khcn}
"""


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A configuration that names its journal; nothing is written there yet."""
    return write(
        tmp_path / "config",
        monitor=f"journal: {{path: {tmp_path}/journal.sqlite}}\n",
        targets_d__systems=INVENTORY,
    )


@pytest.fixture
def journal(place: Path) -> Path:
    """The journal, an hour old; the portal went down half an hour ago."""
    now = time.time()
    return put(
        place.parent / "journal.sqlite",
        [
            Change("centre", now - 3600, None, SystemState.UP, "", "poll"),
            Change("portal", now - 3600, None, SystemState.UP, "", "poll"),
            Change("portal", now - 1800, SystemState.UP, SystemState.DOWN, "portal-web refused", "poll"),
        ],
        [(now - 3600, now)],
        {"centre": now - 3600, "portal": now - 3600},
    )


def give(place: Path, *words: str) -> Result:
    return CliRunner().invoke(app, [*words, "--config", str(place)], env={"COLUMNS": "200", "SUDO_USER": "an"})


def test_a_month_in_each_form(place: Path, journal: Path) -> None:
    month = datetime.fromtimestamp(time.time() - 1800, ZONE).strftime("%Y-%m")
    table = give(place, "availability", "--month", month)
    assert table.exit_code == 0, table.output
    assert "portal-web refused" in table.output
    lines = give(place, "availability", "--month", month, "--format", "csv").output.splitlines()
    assert [line.split(",")[0] for line in lines[1:4]] == ["centre", "portal", "mail"]
    report = json.loads(give(place, "availability", "--month", month, "--format", "json", "--system", "portal").output)
    assert [one["system"] for one in report["systems"]] == ["portal"]
    assert report["total"] is None
    inside = json.loads(give(place, "availability", "--centre", "centre", "--month", month, "--format", "json").output)
    assert [one["system"] for one in inside["systems"]] == ["centre", "portal"]
    # The centre itself is not part of the sum of what it hosts.
    assert inside["total"] == inside["systems"][1]["figures"]


def test_the_present_month_is_the_default(place: Path, journal: Path) -> None:
    report = json.loads(give(place, "availability", "--format", "json").output)
    assert report["month"] == datetime.now(ZONE).strftime("%Y-%m")
    assert report["complete"] is False


def test_the_history_of_a_system_in_each_form(place: Path, journal: Path) -> None:
    assert "portal-web refused" in give(place, "history", "portal").output
    states = json.loads(give(place, "history", "portal", "--format", "json").output)["pieces"]
    assert [one["state"] for one in states][:2] == ["up", "down"]
    assert states[0]["seconds"] == pytest.approx(1800, abs=0.1)
    assert give(place, "history", "portal", "--last", "10m", "--format", "csv").output.count("\n") <= 4
    assert give(place, "history", "portal", "--month", datetime.now(ZONE).strftime("%Y-%m")).exit_code == 0


def test_work_is_announced_listed_and_stopped(place: Path, journal: Path) -> None:
    begun = give(place, "maintenance", "start", "--system", "portal", "--reason", "Đổi đĩa", "--for", "2h")
    assert begun.exit_code == 0, begun.output
    assert begun.output.startswith("1: system portal, ")
    assert "Entered late" not in begun.output
    later = give(
        place,
        "maintenance",
        "start",
        "--owner",
        "so-khcn",
        "--reason",
        "x",
        "--from",
        "23:59",
        "--until",
        "2099-01-01 00:00",
    )
    assert later.exit_code == 0, later.output
    late = give(place, "maintenance", "start", "--label", "zone=north", "--reason", "x", "--from", "2026-01-01 00:00")
    assert "Nhập muộn" in late.output
    listed = give(place, "maintenance", "list").output
    assert [words in listed for words in ("system portal", "owner so-khcn", "label zone=north", "Đổi đĩa", "an")] == [
        True
    ] * 5
    assert "(muộn / late)" in listed
    stopped = give(place, "maintenance", "stop", "1")
    assert stopped.output.startswith("1: system portal, kết thúc / ended ")
    assert "portal" not in give(place, "maintenance", "list").output
    assert "portal" in give(place, "maintenance", "list", "--all").output
    with reading_ledger(journal) as ledger:
        first, _, last = ledger.maintenance()
    assert (first.scope, first.subject, first.who, first.reason) == (Scope.SYSTEM, "portal", "an", "Đổi đĩa")
    assert isinstance(last, Entry)
    assert (last.ends, last.late) == (None, True)
    again = give(place, "maintenance", "stop", "1")
    assert (again.exit_code, "over already" in again.output) == (1, True)


def test_a_state_is_corrected(place: Path, journal: Path) -> None:
    now = datetime.now(ZONE)
    begins = datetime.fromtimestamp(now.timestamp() - 1200, ZONE).isoformat(timespec="seconds")
    words = ("correct", "portal", "--state", "up", "--reason", "our own firewall", "--from", begins)
    done = give(place, *words, "--for", "10m")
    assert done.exit_code == 0, done.output
    with reading_ledger(journal) as ledger:
        (correction,) = ledger.corrections("portal", 0, 1e10)
    assert (correction.ends - correction.starts, correction.state, correction.who) == (600, SystemState.UP, "an")
    assert "our own firewall" in give(place, "history", "portal").output
    assert "only what is past" in give(place, *words, "--for", "2h").output
    assert "give --until or --for" in give(place, *words).output


@pytest.mark.parametrize(
    ("words", "fault"),
    [
        (("availability", "--month", "11/2026"), "is not a month such as 2026-11"),
        (("availability", "--month", "2199-01"), "2199-01 has not begun"),
        (("availability", "--system", "portla"), "knows a system 'portla'; did you mean 'portal'?"),
        (("availability", "--centre", "portal"), "no data centre is called 'portal'"),
        (("availability", "--centre", "centre", "--system", "portal"), "give one of --system and --centre"),
        (("availability", "--zone", "Asia/Hanoi"), "is not a time zone such as Asia/Ho_Chi_Minh"),
        (("availability", "--zone", "../etc/passwd"), "is not a time zone such as Asia/Ho_Chi_Minh"),
        (("availability", "--journal", "nowhere.sqlite"), "there is no journal at nowhere.sqlite"),
        (("history", "portla"), "did you mean 'portal'?"),
        (("history", "portal", "--last", "long"), "expected a duration"),
        (("history", "portal", "--month", "2001-01"), "was not known by then"),
        (("maintenance", "start", "--reason", "x"), "give one of --system, --centre, --owner and --label"),
        (("maintenance", "start", "--reason", "x", "--system", "portla"), "did you mean 'portal'?"),
        (("maintenance", "start", "--reason", "x", "--centre", "portal"), "no data centre is called 'portal'"),
        (("maintenance", "start", "--reason", "x", "--owner", "so-khcm"), "did you mean 'so-khcn'?"),
        (("maintenance", "start", "--reason", "x", "--label", "zone=nort"), "did you mean 'zone=north'?"),
        (("maintenance", "start", "--reason", "x", "--system", "mail", "--from", "soon"), "is not a time such as"),
        (
            ("maintenance", "start", "--reason", "x", "--system", "mail", "--for", "1h", "--until", "23:00"),
            "give one of",
        ),
        (("maintenance", "start", "--reason", "x", "--system", "mail", "--until", "2020-01-01 00:00"), "the end must"),
        (("maintenance", "stop", "9"), "there is no maintenance 9"),
        (("maintenance", "stop", "9", "--journal", "nowhere.sqlite"), "there is no journal at nowhere.sqlite"),
        (("correct", "portla", "--state", "up", "--from", "2020-01-01 00:00", "--reason", "x"), "did you mean"),
    ],
)
def test_what_is_wrong_is_said(place: Path, journal: Path, words: tuple[str, ...], fault: str) -> None:
    done = give(place, *words)
    assert done.exit_code in {1, 2}
    assert fault in " ".join(done.output.replace("│", " ").split()), done.output
    assert "Traceback" not in done.output


def test_times_are_local_and_a_time_of_day_is_the_next_one() -> None:
    assert moment("2026-11-23 22:00", ZONE, "") == at("2026-11-23 22:00")
    assert moment("2026-11-23T22:00:00+00:00", ZONE, "") == at("2026-11-24 05:00")
    now = time.time()
    for clock in ("00:00", "06:30", "12:00", "23:59"):
        found = moment(clock, ZONE, "")
        assert now < found <= now + 86400
        assert datetime.fromtimestamp(found, ZONE).strftime("%H:%M") == clock
