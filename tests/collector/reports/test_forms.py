"""Reports as people, spreadsheets and programs get them."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console, RenderableType

from collector.journal import Correction, Entry, Scope, correct, reading_ledger, start_maintenance
from collector.model import Objective, SystemState
from collector.reports import Month, availability, forms, history, tables, total
from collector.reports.words import lasting, percent
from tests.collector.journal.ledgers import put
from tests.collector.reports.reporting import DAY, HOUR, ZONE, Configured, at, became, system

UP, DOWN, MAINTENANCE = SystemState.UP, SystemState.DOWN, SystemState.MAINTENANCE
NOW = at("2026-11-23 12:00")
NOVEMBER = Month.parse("2026-11", ZONE)
INVENTORY = Configured(
    {
        "portal": system("portal", objective=Objective(0.995)),
        "mail": system("mail", hosting=None),
        "later": system("later"),
    }
)


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    """Some of everything, with texts that mean mischief."""
    path = put(
        tmp_path / "journal.sqlite",
        [
            became("2026-10-01 00:00", UP),
            became("2026-10-01 00:00", UP, name="mail"),
            became("2026-11-03 10:00", DOWN, "=HYPERLINK(1) [red]x"),
            became("2026-11-03 12:00", UP),
            became("2026-11-10 22:00", MAINTENANCE, "Nâng cấp, đợt 1", source="maintenance"),
            became("2026-11-11 04:00", UP, source="maintenance"),
            became("2026-11-23 11:00", DOWN, "refused", name="mail"),
        ],
        [(at("2026-10-01 00:00"), at("2026-11-20 00:00")), (at("2026-11-23 00:00"), NOW)],
        {"portal": at("2026-10-01 00:00"), "mail": at("2026-10-01 00:00")},
    )
    entered = at("2026-11-05 00:00")
    hour = at("2026-11-03 10:00"), at("2026-11-03 11:00")
    correct(path, Correction(0, "portal", *hour, UP, "users saw it work", "an", entered))
    start_maintenance(path, Entry(0, Scope.OWNER, "so-khcn", *hour, "disk", "an", entered))
    return path


def written(report: RenderableType, width: int = 220) -> str:
    console = Console(width=width, file=io.StringIO(), color_system=None)
    console.print(report)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_the_table_says_everything_in_two_languages(journal: Path) -> None:
    with reading_ledger(journal) as ledger:
        found = availability(ledger, INVENTORY, NOVEMBER, NOW)
    text = written(tables.availability_table(found, NOVEMBER, NOW, total(found)))
    # 22.5 days, three of them unobserved, and six hours of maintenance.
    for words in (
        "Khả dụng tháng 11/2026, đến 2026-11-23 12:00:00 / so far Availability 2026-11",
        "Người dùng",
        "Users",
        "99.783 % *",
        "86.66 %",
        "99.500 % °",
        "99.500 % ° tháng / month Đề xuất, chưa chính thức / proposed, not official –",
        "Hệ thống mail",
        "=HYPERLINK(1) [red]x",
        "2026-11-03 11:00:00 2026-11-03 12:00:00 1h 00m",
        "còn tiếp diễn / open",
        "Nâng cấp, đợt 1",
        "nhập muộn lúc 2026-11-05 00:00:00, chỉ tính từ đó / entered late, counts from then: disk",
        "users saw it work (an, 2026-11-05 00:00:00)",
        "99.567 % / 99.567 %",
        "Dưới 99 % thời gian được quan sát",
        "Availability for users = (up + degraded) / (up + degraded + down + unreachable).",
        "Khả dụng với người dùng = (hoạt động + suy giảm) / (hoạt động + suy giảm + ngừng + không tới được).",
        "Cách tính (giờ Asia/Ho_Chi_Minh)",
    ):
        assert words in " ".join(text.split()), words
    (later,) = [line for line in text.splitlines() if line.strip().startswith("later")]
    assert later.split()[-9:] == ["–"] * 9
    narrow = written(tables.availability_table(found, NOVEMBER, NOW, None), 100)
    assert "Cộng / total" not in narrow
    assert "99.783" in narrow


def rows_of(text: str) -> list[dict[str, str]]:
    lines = [line for line in text.removeprefix(forms.BYTE_ORDER_MARK).splitlines() if not line.startswith(('"#', "#"))]
    return list(csv.DictReader(lines))


def test_csv_is_for_spreadsheets(journal: Path) -> None:
    with reading_ledger(journal) as ledger:
        found = availability(ledger, INVENTORY, NOVEMBER, NOW)
        past = history(ledger, INVENTORY, "portal", 0, NOW)
    text = forms.availability_csv(found, NOVEMBER, total(found))
    assert text.startswith("\ufeffsystem,name_vi,")
    assert text.splitlines()[-1].startswith('"# Maintenance entered late') or text.splitlines()[-1].startswith("# ")
    portal, mail, later, summed = rows_of(text)
    assert (portal["system"], portal["name_vi"], portal["centre"]) == ("portal", "Hệ thống portal", "ttdl-tinh")
    whole = 22.5 * DAY
    assert float(portal["up_seconds"]) == whole - 3 * DAY - 6 * HOUR - HOUR
    assert float(portal["users_ratio"]) == pytest.approx(1 - HOUR / (whole - 3 * DAY - 6 * HOUR))
    assert float(portal["users_ratio_measured"]) == pytest.approx(1 - 2 * HOUR / (whole - 3 * DAY - 6 * HOUR))
    assert (portal["sufficient"], portal["objective_ratio"]) == ("false", "0.995")
    assert (portal["objective_basis"], portal["objective_due"], mail["objective_basis"]) == ("proposed", "monthly", "")
    assert portal["outages"] == (
        "2026-11-03T11:00:00.000+07:00/2026-11-03T12:00:00.000+07:00 down =HYPERLINK(1) [red]x"
    )
    assert mail["outages"].startswith("2026-11-23T11:00:00.000+07:00/ down refused")
    assert (later["users_ratio"], later["from"]) == ("", later["until"])
    assert summed["system"] == "TOTAL"
    assert float(summed["down_seconds"]) == 2 * HOUR
    states = rows_of(forms.history_csv(past, ZONE))
    assert [one["state"] for one in states] == ["up", "up", "down", "up", "maintenance", "up", "unknown", "up"]
    assert states[1]["correction"] == "1"
    # A spreadsheet must not take what a device said for a formula.
    assert states[2]["reason"] == "'=HYPERLINK(1) [red]x"


def test_json_is_for_programs(journal: Path) -> None:
    with reading_ledger(journal) as ledger:
        found = availability(ledger, INVENTORY, NOVEMBER, NOW)
        past = history(ledger, INVENTORY, "portal", at("2026-11-03 00:00"), at("2026-11-04 00:00"))
    report: dict[str, Any] = json.loads(forms.availability_json(found, NOVEMBER, NOW, total(found)))
    assert (report["month"], report["zone"], report["complete"]) == ("2026-11", "Asia/Ho_Chi_Minh", False)
    assert (report["from"], report["until"]) == ("2026-11-01T00:00:00.000+07:00", "2026-11-23T12:00:00.000+07:00")
    portal, mail, later = report["systems"]
    assert portal["figures"]["seconds"]["down"] == HOUR
    assert portal["measured"]["seconds"]["down"] == 2 * HOUR
    assert portal["maintenance"] == [
        {
            "from": "2026-11-10T22:00:00.000+07:00",
            "until": "2026-11-11T04:00:00.000+07:00",
            "reason": "Nâng cấp, đợt 1",
        }
    ]
    assert (portal["entries"][0]["late"], portal["corrections"][0]["state"]) == (True, "up")
    assert mail["outages"][0]["until"] is None
    assert later["figures"]["users_ratio"] is None
    assert report["total"]["window_seconds"] == 2 * 22.5 * DAY
    assert "increase" not in report["method_en"]
    pieces = json.loads(forms.history_json(past, ZONE))["pieces"]
    assert [(one["state"], one["seconds"]) for one in pieces] == [
        ("up", 10 * HOUR),
        ("up", HOUR),
        ("down", HOUR),
        ("up", 12 * HOUR),
    ]


def test_a_history_for_people(journal: Path) -> None:
    with reading_ledger(journal) as ledger:
        text = written(tables.history_table(history(ledger, INVENTORY, "portal", 0, NOW), ZONE))
    plain = " ".join(text.split())
    assert plain.startswith("portal Hệ thống portal / System portal")
    assert "2026-11-03 11:00:00 1h 00m Ngừng / down poll =HYPERLINK(1) [red]x" in plain
    assert "2026-11-20 00:00:00 3d 00h Không rõ / unknown not observed" in plain


@pytest.mark.parametrize(
    ("share", "text"),
    [
        (1.0, "100.000 %"),
        (0.99999999, "99.999 %"),
        (0.9995, "99.950 %"),
        (0.29, "29.000 %"),
        (0, "0.000 %"),
        (None, "–"),
    ],
)
def test_shares_are_never_rounded_up(share: float | None, text: str) -> None:
    assert percent(share) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.4, "0s"), (59, "59s"), (60, "1m 00s"), (3599.7, "1h 00m"), (7500, "2h 05m"), (90000, "1d 01h")],
)
def test_durations_read_well(seconds: float, text: str) -> None:
    assert lasting(seconds) == text
