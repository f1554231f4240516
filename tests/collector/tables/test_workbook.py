"""Workbooks: sheets, merged titles, headers of several rows, kinds of cells, and those that are made to do harm."""

from __future__ import annotations

import zipfile
from datetime import date, datetime
from io import BytesIO
from pathlib import Path
from typing import Any

import psutil
import pytest

import collector.tables.workbook as module
from collector.records import Batch, Cell, CellState, IndicatorValue
from tests.tabling import refused, table
from tests.workbooks import Cell as Value
from tests.workbooks import packed, sheet, workbook

PLAN: dict[str, Any] = {
    "dataset": "cells",
    "table": {"format": "xlsx"},
    "fields": {"site": "Mã trạm", "name": "Tên trạm", "technology": "Công nghệ", "lat": "Vĩ độ", "lon": "Kinh độ"},
}
HEADER = ["STT", "Mã trạm", "Tên trạm", "Công nghệ", "Vĩ độ", "Kinh độ"]
ROWS: list[list[Value]] = [
    [1, "QNI001", "Trạm Bình Châu", "4G", 15.25, 108.93],
    [2, 1002, "Trạm Nghĩa Lộ", "3G", "15.11", 108.78],
]
NAMES = {"QNI001/4G": "Trạm Bình Châu", "1002/3G": "Trạm Nghĩa Lộ"}
XML = '<?xml version="1.0"?><worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>{}</sheetData></worksheet>'


def plan(**layout: Any) -> dict[str, Any]:
    """The map above with this layout."""
    return {**PLAN, "table": {"format": "xlsx", **layout}}


def named(batch: Batch) -> dict[str, str]:
    """Names of the cells by key."""
    return {record.key: record.name for record in batch.records if isinstance(record, Cell)}


def test_a_sheet() -> None:
    batch = table(workbook([HEADER, *ROWS]), PLAN)
    assert named(batch) == NAMES
    assert (batch.rows, batch.unreadable, batch.faults, batch.complete) == (2, 0, (), True)
    first = batch.records[0]
    assert isinstance(first, Cell)
    assert (first.lat, first.lon) == (15.25, 108.93)


def test_titles_above_blank_rows_and_totals() -> None:
    rows: list[list[Value]] = [
        ["SỞ KHOA HỌC VÀ CÔNG NGHỆ"],
        [],
        ["BẢNG TỔNG HỢP TRẠM BTS"],
        [None, None, "Tính đến ngày 23/11/2026"],
        [],
        [*HEADER],
        ROWS[0],
        [],
        ["", " ", None],
        ROWS[1],
        ["Tổng cộng", 2],
    ]
    content = workbook(rows, merged=("A1:F1", "A3:F3"))
    where = [{"column": "STT", "matches": "^[0-9]+$"}]
    as_of = {"by": "above", "pattern": r"ngày (\d+/\d+/\d+)"}
    batch = table(content, {**PLAN, "where": where, "as_of": as_of, "times": {"formats": ["%d/%m/%Y"]}})
    assert (named(batch), batch.rows, batch.unreadable, batch.as_of) == (NAMES, 2, 0, 1795366800.0)
    assert table(content, PLAN).faults == ("row 11: technology: blank",)
    assert (named(table(content, plan(below=1))), table(content, plan(end="^Tổng")).unreadable) == (NAMES, 0)


def test_rows_do_not_say_of_what_time_the_table_is() -> None:
    """Only what stands above the header does, however many blank rows are there."""
    rows: list[list[Value]] = [["BẢNG"], [], [], [*HEADER], [*ROWS[0][:2], "Trạm ngày 23/11/2026", *ROWS[0][3:]]]
    as_of = {"by": "above", "pattern": r"ngày (\d+/\d+/\d+)"}
    timed = {**PLAN, "as_of": as_of, "times": {"formats": ["%d/%m/%Y"]}}
    assert refused(workbook(rows), timed) == "unexpected: no time of the data above the rows"


def test_a_header_of_two_rows() -> None:
    header = [
        ["STT", "Mã trạm", "Tên trạm", "Công nghệ", "Tọa độ", None, "Ghi chú"],
        [None, None, None, None, "Vĩ độ", "Kinh\nđộ", None],
    ]
    merged = ("A2:A3", "B2:B3", "E2:F2")
    content = workbook([["Bảng"], *header, *([*row, "x"] for row in ROWS)], merged=merged)
    fields = {**PLAN["fields"], "lat": "Tọa độ Vĩ độ", "lon": "Tọa độ Kinh độ"}
    assert named(table(content, {**plan(header_rows=2), "fields": fields})) == NAMES


@pytest.mark.parametrize("name", ["Trạm BTS", "trạm  bts", 2])
def test_sheets_by_name_and_number(name: str | int) -> None:
    content = packed({"Bìa": sheet([["Bìa"]]), "Trạm BTS": sheet([HEADER, *ROWS])})
    assert named(table(content, plan(sheet=name))) == NAMES


def test_sheets_that_are_not_there() -> None:
    content = packed({"Bìa": sheet([["Bìa"]]), "Trạm": sheet([])})
    assert refused(content, plan(sheet="BTS")) == "unexpected: no sheet 'BTS' among Bìa, Trạm"
    assert refused(content, plan(sheet=3)) == "unexpected: no sheet 3: there are 2"
    assert "no header" in refused(content, PLAN)
    assert "the table is empty" in refused(content, plan(sheet=2))


def test_kinds_of_cells() -> None:
    seen = datetime.fromisoformat("2026-11-23T08:00")
    fields = {**PLAN["fields"], "observed_at": "Ngày", "state": "Trạng thái", "height": "Cao"}
    header = [*HEADER, "Ngày", "Trạng thái", "Cao"]
    rows = [
        [*ROWS[0], seen, True, 35],
        [*ROWS[1][:4], "15,11", 108.78, 46349.333333333336, False, "35,5"],
    ]
    more = {
        "fields": fields,
        "states": {"true": "active", "false": "down"},
        "times": {"formats": ["excel"]},
        "numbers": {"decimal": ","},
    }
    batch = table(workbook([header, *rows]), {**PLAN, **more})
    cells = [record for record in batch.records if isinstance(record, Cell)]
    assert [cell.observed_at for cell in cells] == [pytest.approx(1795395600.0, abs=0.01)] * 2
    assert [cell.state for cell in cells] == [CellState.ACTIVE, CellState.DOWN]
    assert [cell.height for cell in cells] == [35.0, 35.5]


def test_indicators_of_a_sheet() -> None:
    fields = {"indicator": "Chỉ tiêu", "day": "Ngày", "value": "Giá trị"}
    rows: list[list[Value]] = [
        ["Chỉ tiêu", "Ngày", "Giá trị"],
        ["5g-kcn", datetime.fromisoformat("2026-11-23"), "½"],
        ["5g-ccn", "23/11/2026", "2/15"],
    ]
    times = {"formats": ["%d/%m/%Y"]}
    sheet_plan = {"dataset": "indicators", "table": {"format": "xlsx"}, "fields": fields, "times": times}
    assert table(workbook(rows), sheet_plan).records == (
        IndicatorValue("5g-kcn", date(2026, 11, 23), 0.5),
        IndicatorValue("5g-ccn", date(2026, 11, 23), 2 / 15),
    )


def test_bounds() -> None:
    content = workbook([HEADER, *ROWS])
    assert "too_large: more than 1 rows" in refused(content, plan(max_rows=1))
    assert "too_large: 6 columns, at most 5 are read" in refused(content, plan(max_columns=5))
    assert "too_large: the workbook unpacks to more than 1000 bytes" in refused(content, plan(max_unpacked=1000))
    long = workbook([HEADER, [*ROWS[0][:2], "x" * 5000, *ROWS[0][3:]]])
    assert table(long, PLAN).faults == ("row 2: a value of more than 4096 characters",)


def test_the_reader_has_no_more_memory_than_is_declared() -> None:
    rows: list[list[Value]] = [[f"QNI{number}", "4G", 15.1, 108.8] for number in range(20_000)]
    content = workbook([["Mã trạm", "Công nghệ", "Vĩ độ", "Kinh độ"], *rows])
    fields = {name: column for name, column in PLAN["fields"].items() if name != "name"}
    assert table(content, {**PLAN, "fields": fields}).rows == 20_000
    tight = {**plan(max_memory="64MiB", max_unpacked="100MiB"), "fields": fields}
    big = workbook([["Mã trạm"], *([f"{number} " + "x" * 3000] for number in range(20_000))])
    assert "too_large: the workbook is broken, or needs too much memory" in refused(big, tight)


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 0.999])
def test_a_workbook_that_is_cut_off(share: float) -> None:
    content = workbook([HEADER, *ROWS])
    assert "protocol: the workbook is broken or cut off" in refused(content[: int(len(content) * share)], PLAN)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("STT;Mã trạm\n".encode(), "protocol: no XLSX workbook"),
        (b"<html>", "protocol: no XLSX workbook"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "protocol: no XLSX workbook; it is an old (XLS) or an encr"),
        (b"PK\x03\x04" + bytes(100), "protocol: the workbook is broken or cut off"),
        (packed({"a": "no XML <"}), "protocol: no workbook that can be read"),
    ],
)
def test_what_is_no_workbook(content: bytes, message: str) -> None:
    assert message in refused(content, PLAN)


def test_an_old_workbook_that_is_none() -> None:
    content = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600)
    assert "protocol: " in refused(content, plan(format="xls"))


def test_a_zip_bomb_is_refused_before_it_is_unpacked() -> None:
    bomb = packed({"a": sheet([HEADER])}, members={"xl/sharedStrings.xml": bytes(300 * 1024**2)})
    assert len(bomb) < 1_000_000
    assert "too_large: the workbook unpacks to more than 268435456 bytes" in refused(bomb, PLAN)


def test_a_zip_bomb_that_lies_about_its_size_harms_nobody() -> None:
    bomb = packed({"a": sheet([HEADER, *ROWS])}, members={"xl/sharedStrings.xml": bytes(100 * 1024**2)})
    before = psutil.Process().memory_info().rss
    size = (100 * 1024**2).to_bytes(4, "little")
    lying = bomb.replace(size, (1000).to_bytes(4, "little"))
    assert sum(member.file_size for member in zipfile.ZipFile(BytesIO(lying)).infolist()) < 100_000
    assert "protocol: no workbook that can be read" in refused(lying, PLAN)
    assert psutil.Process().memory_info().rss - before < 20 * 1024**2


def readers() -> list[psutil.Process]:
    """Processes that still read workbooks; other tests keep servers of theirs."""
    return [child for child in psutil.Process().children() if any("tables" in word for word in child.cmdline())]


@pytest.mark.parametrize(
    "rows",
    [
        '<row r="1"><c r="A1"><v>1</v></c></row><row r="1048576"><c r="XFD1048576"><v>1</v></c></row>',
        '<row r="1"><c r="A1"><v>1</v></c></row><row r="5"><c r="ZZZZZZZZ5"><v>1</v></c></row>',
        '<row r="1"><c r="A1"><v>1</v></c></row><row r="5"><c r="A99999999999"><v>1</v></c></row>',
    ],
)
def test_a_sheet_of_two_cells_that_takes_all_memory_ends_only_its_own_process(rows: str) -> None:
    """The library makes room for all cells between the first and the last, and ends its process where there is none."""
    before = psutil.Process().memory_info().rss
    content = packed({"a": XML.format(rows)})
    assert "too_large: the workbook is broken, or needs too much memory" in refused(content, PLAN)
    assert psutil.Process().memory_info().rss - before < 20 * 1024**2
    assert not readers()


@pytest.mark.parametrize(
    "entity",
    [
        '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]>',
        '<!DOCTYPE x [<!ENTITY b SYSTEM "file:///etc/passwd">]>',
    ],
)
def test_entities_of_a_sheet_are_not_followed(entity: str) -> None:
    xml = XML.replace("<worksheet", f"{entity}<worksheet", 1)
    content = packed({"a": xml.format('<row r="1"><c r="A1" t="inlineStr"><is><t>&b;</t></is></c></row>')})
    assert "protocol: no workbook that can be read" in refused(content, PLAN)


def test_ghost_cells_far_below_are_none() -> None:
    """Excel keeps the format of cells that once were something."""
    rows = sheet([HEADER, *ROWS]).replace(
        "</sheetData>", '<row r="1048576"><c r="XFD1048576" s="0"/></row></sheetData>'
    )
    assert named(table(packed({"a": rows}), PLAN)) == NAMES


def test_no_process_stays_behind() -> None:
    table(workbook([HEADER, *ROWS]), PLAN)
    refused(workbook([HEADER[:3], *ROWS]), PLAN)
    refused(workbook([HEADER, *ROWS, *ROWS]), plan(max_rows=3))
    assert not readers()


def test_no_secret_of_ours_is_given_to_the_reader(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The process that reads what others send gets nothing of our environment."""
    spy = tmp_path / "spy.py"
    spy.write_text("import os, json\nprint(json.dumps({'fault': 'unexpected', 'detail': str(sorted(os.environ))}))\n")
    monkeypatch.setenv("HATANG_SECRET", "geheim")
    monkeypatch.setattr(module, "_READER", spy)
    said = refused(workbook([HEADER, *ROWS]), PLAN)
    assert "PATH" in said
    assert "HATANG" not in said
