"""CSV files: delimiters, quotes, encodings, lines that are no rows, headers, ends."""

from __future__ import annotations

import time
import tracemalloc
import unicodedata
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collector.model import ProbeFailed
from collector.records import Batch, Cell, Outage
from tests.tabling import refused, table

PLAN: dict[str, Any] = {
    "dataset": "cells",
    "table": {"delimiter": ";"},
    "fields": {
        "site": ["Mã trạm", "Mã vị trí"],
        "name": "Tên trạm",
        "technology": "Công nghệ",
        "lat": "Vĩ độ",
        "lon": "Kinh độ",
    },
}
HEADER = "STT;Mã trạm;Tên trạm;Công nghệ;Vĩ độ;Kinh độ\n"
ROWS = "1;QNI001;Trạm Bình Châu;4G;15.25;108.93\n2;QNI002;Trạm Nghĩa Lộ;3G;15.11;108.78\n"
FILE = HEADER + ROWS


def plan(**layout: Any) -> dict[str, Any]:
    """The map above with this layout."""
    return {**PLAN, "table": {"delimiter": ";", **layout}}


def named(batch: Batch) -> dict[str, str]:
    """Names of the cells by key."""
    return {record.key: record.name for record in batch.records if isinstance(record, Cell)}


BOTH = {"QNI001/4G": "Trạm Bình Châu", "QNI002/3G": "Trạm Nghĩa Lộ"}


def test_a_file() -> None:
    batch = table(FILE, PLAN)
    assert named(batch) == BOTH
    assert (batch.rows, batch.unreadable, batch.faults, batch.complete, batch.as_of) == (2, 0, (), True, None)
    assert batch.raw == (("bang.csv", FILE.encode()),)


@pytest.mark.parametrize(
    "content",
    [
        "\ufeff" + FILE,
        FILE.replace("\n", "\r\n"),
        FILE.replace("\n", "\r"),
        unicodedata.normalize("NFD", FILE),
        FILE.upper().replace("TRẠM BÌNH CHÂU", "Trạm Bình Châu").replace("TRẠM NGHĨA LỘ", "Trạm Nghĩa Lộ"),
        FILE.replace("Mã trạm", "  Mã  vị\u00a0trí "),
        "BẢNG TỔNG HỢP\nTính đến 23/11/2026;;\n\n" + FILE,
        'Danh sách "trạm\n' + FILE,
        "sep=;\n" + FILE,
        HEADER + "\n;;;;;\n" + ROWS + "\n   \n;;;;;\n",
        HEADER.replace("Tên trạm", '"Tên\ntrạm"') + ROWS,
        FILE.replace("Trạm Bình Châu", '"Trạm\nBình Châu"'),
        FILE.replace("QNI001", '"QNI001"'),
        HEADER.replace("\n", ";;\n") + ROWS.replace("\n", ";;\n"),
    ],
)
def test_the_same_in_many_forms(content: str) -> None:
    batch = table(content, PLAN)
    assert named(batch) == BOTH
    assert (batch.unreadable, batch.faults, batch.complete) == (0, (), True)


@pytest.mark.parametrize("content", [HEADER.replace("\n", ";\n") + ROWS, HEADER + ROWS.replace("\n", ";;\n")])
def test_blank_values_at_the_ends_of_rows_must_be_declared(content: str) -> None:
    """A row whose last value is blank, and into which another slipped, has one blank value more at its end."""
    assert named(table(content, plan(ragged=True))) == BOTH
    assert table(content, PLAN).unreadable == 2


@pytest.mark.parametrize("delimiter", [",", "\t", "|"])
def test_delimiters(delimiter: str) -> None:
    assert named(table(FILE.replace(";", delimiter), plan(delimiter=delimiter))) == BOTH
    assert "no header" in refused(FILE.replace(";", delimiter), PLAN)


@pytest.mark.parametrize(("quote", "cell"), [("'", "'Trạm; Bình Châu'"), ("", 'Trạm "Bình Châu')])
def test_quotes(quote: str, cell: str) -> None:
    batch = table(FILE.replace("Trạm Bình Châu", cell), plan(quote=quote))
    assert named(batch)["QNI001/4G"] == cell.strip("'")


def windows_1258(text: str) -> bytes:
    """As Vietnamese Windows writes it: tones as combining marks, which that code page has."""
    apart = []
    for letter in unicodedata.normalize("NFC", text):
        try:
            apart.append(letter.encode("cp1258"))
        except UnicodeEncodeError:
            base, *marks = list(unicodedata.normalize("NFD", letter))
            tones = [mark for mark in marks if mark in "\u0300\u0301\u0303\u0309\u0323"]
            shape = unicodedata.normalize("NFC", base + "".join(mark for mark in marks if mark not in tones))
            apart.append((shape + "".join(tones)).encode("cp1258"))
    return b"".join(apart)


@pytest.mark.parametrize("declared", ["windows-1258", "auto", ["utf-8", "windows-1258"]])
def test_windows_1258_is_composed(declared: object) -> None:
    content = windows_1258(FILE)
    with pytest.raises(UnicodeDecodeError):
        content.decode()
    batch = table(content, plan(encoding=declared))
    assert named(batch) == BOTH
    assert all(unicodedata.is_normalized("NFC", name) for name in named(batch).values())


@pytest.mark.parametrize("declared", ["utf-16", ["utf-8", "utf-16"]])
@pytest.mark.parametrize("codec", ["utf-16", "utf-16-be"])
def test_utf_16(declared: object, codec: str) -> None:
    content = ("" if codec == "utf-16" else "\ufeff") + FILE
    assert named(table(content.encode(codec), plan(encoding=declared))) == BOTH


@pytest.mark.parametrize(
    ("content", "declared", "message"),
    [
        (windows_1258(FILE), "utf-8", "unexpected: not utf-8: invalid"),
        (FILE.encode(), "windows-1258", "unexpected: utf-8, not windows-1258"),
        (FILE.encode(), "windows-1250", "unexpected: utf-8, not windows-1250"),
        (b"a;b\n\x83;\x88\n", "windows-1250", "unexpected: not windows-1250: character maps to <undefined>"),
        (FILE.replace("Trạm Bình", "Tr\u00e9m").encode("cp1250", "ignore"), "windows-1250", "no header"),
        (FILE.encode("utf-16"), "utf-8", "protocol: no text: it holds NUL bytes"),
        (FILE.encode("utf-16-le"), "utf-16", "unexpected: not utf-16: it begins with no byte order mark"),
        ("é;è\n".encode(), "latin-1", "unexpected: utf-8, not latin-1"),
        (b"", "utf-8", "protocol: the document is empty"),
        (b" \r\n\n ", "utf-8", "protocol: the document is empty"),
        (b"\0" * 100, "utf-8", "protocol: no text"),
        (windows_1258(FILE), "auto", None),
        (b"PK\x03\x04\x14\x00\x06\x00\x08\x00", "auto", "protocol: no text: it holds NUL bytes"),
    ],
)
def test_other_encodings_are_refused(content: bytes, declared: str, message: str | None) -> None:
    if message is None:
        assert named(table(content, plan(encoding=declared))) == BOTH
    else:
        assert message in refused(content, plan(encoding=declared))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (FILE.replace("Vĩ độ", "Vi do"), "unexpected: no header: line 1 has no column 'Vĩ độ'"),
        (FILE.replace("Vĩ độ", "Vĩ độo"), "no column 'Vĩ độ'; did you mean 'vĩ độo'?"),
        (ROWS, "unexpected: no header: no line has column 'Công nghệ', 'Mã trạm', 'Tên trạm' and 2 more"),
        ("<p>Đăng nhập</p>\n", "unexpected: no header"),
        ("\n" * 40 + FILE, "unexpected: no header"),
        (FILE.replace("Kinh độ", "Vĩ độ;Kinh độ"), "unexpected: column 'Vĩ độ' is there twice"),
        ('"' + FILE, "unexpected: no header"),
    ],
)
def test_headers_that_are_none(content: str, message: str) -> None:
    assert message in refused(content, PLAN)


@pytest.mark.parametrize(
    ("row", "fault"),
    [
        ("3;QNI003;Trạm;4G;15.2", "row 4: columns: 5, but 6 in the header"),
        ("3;QNI003;Trạm;4G;15.2;108.9;7", "row 4: columns: 7, but 6 in the header"),
        ("Tổng cộng: 2 trạm", "row 4: columns: 1, but 6 in the header"),
        (HEADER.strip(), "row 4: the header again"),
        (HEADER.strip().upper(), "row 4: the header again"),
        ("3;QNI003;" + "x" * 5000 + ";4G;15.2;108.9", "row 4: a value of more than 4096 characters"),
        ('3;"QNI003"x;Trạm;4G;15.2;108.9', "row 4: ';' expected after '\"'"),
        ("3;QNI003;Trạm;4G;15,2;108,9", "row 4: lat: '15,2' is no number"),
        ("3;QNI003;Trạm;4G;;", None),
    ],
)
def test_rows_that_are_none_are_counted_and_left_out(row: str, fault: str | None) -> None:
    batch = table(FILE + row + "\n4;QNI004;Trạm Cuối;4G;15.3;108.5\n", PLAN)
    if fault is None:
        assert (batch.unreadable, len(batch.records)) == (0, 4)
        return
    assert named(batch) == {**BOTH, "QNI004/4G": "Trạm Cuối"}
    assert (batch.rows, batch.unreadable, batch.faults, batch.complete) == (4, 1, (fault,), True)


def test_a_quote_that_is_never_closed_takes_no_row_along_unseen() -> None:
    rows = "".join(f"{number};QNI{number:03d};Trạm;4G;15.1;108.8\n" for number in range(1, 101))
    batch = table(HEADER + rows.replace("QNI050;", 'QNI050;"'), PLAN)
    assert batch.rows == 100
    assert batch.unreadable == 51
    assert len(batch.records) == 49


@pytest.mark.parametrize("at", [1, 10, 20, 45])
def test_a_file_that_ends_within_a_line_is_cut(at: int) -> None:
    """Half a number is a number, too: the last line is not believed."""
    batch = table(FILE[:-at], PLAN)
    assert batch.complete is False
    assert set(named(batch)) < set(BOTH)
    assert batch.faults[-1] in {"row 3: the file ends within it", "row 2: the file ends within it"}


def test_files_that_never_end_their_last_line_may_be_declared() -> None:
    batch = table(FILE[:-1], plan(newline_at_end=False))
    assert (named(batch), batch.complete) == (BOTH, True)


def test_a_declared_end() -> None:
    layout = {"end": "(?i)^(hết|tổng cộng)"}
    batch = table(FILE + "Tổng cộng;2;;;;\nNgười lập;;\n", plan(**layout))
    assert (named(batch), batch.complete, batch.unreadable) == (BOTH, True, 0)
    assert table(FILE, plan(**layout)).complete is False


def test_lines_below() -> None:
    footer = ";\n(1) HS: ngừng hoạt động; (2) OK\n"
    batch = table(FILE + footer, plan(below=2))
    assert (named(batch), batch.complete, batch.unreadable) == (BOTH, True, 0)
    assert "a row where 2 lines are to end the table" in refused(FILE, plan(below=2))
    assert "the table is empty" in refused(HEADER, plan(below=2))
    assert table(FILE + footer[:-1], plan(below=2)).complete is False


def test_no_rows_is_an_empty_list() -> None:
    batch = table(HEADER, PLAN)
    assert (batch.records, batch.rows, batch.complete) == ((), 0, True)


COLUMNS = ["STT", "Mã trạm", "Tên trạm", "Công nghệ", "Vĩ độ", "Kinh độ"]


@pytest.mark.parametrize("header", ["none", "optional"])
def test_files_without_a_header(header: str) -> None:
    layout = plan(header=header, columns=COLUMNS)
    assert named(table(ROWS, layout)) == BOTH
    assert "no header, and no row of 6 columns" in refused("a;b;c\n" + ROWS, layout)
    assert "`columns` has no 'Kinh độ'" in refused(ROWS, plan(header=header, columns=COLUMNS[:-1]))


def test_a_header_that_need_not_be_there_may_be() -> None:
    batch = table(FILE, plan(header="optional", columns=COLUMNS))
    assert (named(batch), batch.unreadable) == (BOTH, 0)


def test_optional_columns() -> None:
    fields = {**PLAN["fields"], "height": {"column": "Chiều cao", "optional": True}}
    assert named(table(FILE, {**PLAN, "fields": fields})) == BOTH


def test_bounds() -> None:
    assert "too_large: more than 1 rows" in refused(FILE, plan(max_rows=1))
    assert table(FILE, plan(max_rows=2)).rows == 2
    assert "too_large: 6 columns" in refused(FILE, plan(max_columns=5))
    assert table("Bảng tổng hợp\n" + FILE, plan(max_columns=6)).rows == 2


@pytest.mark.parametrize("unit", ["ab;", ";", "abcdefgh", '"', '"";', '"\n', "ab;\n", "a;" * 300_000 + "\n", "\r"])
@pytest.mark.parametrize("layout", [{}, {"header": "none", "columns": COLUMNS}])
def test_what_is_no_table_takes_neither_memory_nor_time(unit: str, layout: dict[str, Any]) -> None:
    """A document of one line, of lines without end or of columns without end is refused: within 100 MB and 2 s."""
    content = unit.encode() * (16 * 1024**2 // len(unit))
    begun = time.thread_time()
    refused(content, plan(**layout))
    assert time.thread_time() - begun < 2
    tracemalloc.start()
    refused(content, plan(**layout))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 100_000_000


@pytest.mark.parametrize(
    ("by", "content"),
    [
        ({"by": "above", "pattern": r"Tính đến (\d+/\d+/\d+)"}, "Bảng;\n;Tính đến 23/11/2026;\n" + FILE),
        ({"by": "below", "pattern": r"ngày (\d+/\d+/\d+)"}, FILE + "Hết\nLập ngày 23/11/2026;\n"),
    ],
)
def test_the_time_of_the_data_beside_the_rows(by: dict[str, Any], content: str) -> None:
    times = {"times": {"formats": ["%d/%m/%Y"]}, "as_of": by}
    layout = plan(end="^Hết$") if by["by"] == "below" else PLAN
    assert table(content, {**layout, **times}).as_of == 1795366800.0
    wrong = content.replace("23/11/2026", "hôm nay")
    assert f"unexpected: no time of the data {by['by']} the rows" in refused(wrong, {**layout, **times})
    late = content.replace("23/11/2026", "31/11/2026")
    assert "unexpected: time of the data: '31/11/2026' is no time" in refused(late, {**layout, **times})


def test_the_time_of_the_data_by_its_document() -> None:
    fields = {**PLAN["fields"], "observed_at": "STT"}
    times = {"formats": ["unix", "%Y%m%d"], "zone": "UTC"}
    for by, expected in (
        ({"by": "modified"}, 1795392000.0),
        ({"by": "name", "pattern": r"(\d{8})"}, None),
        ({"by": "latest"}, 2.0),
    ):
        batch = table(FILE, {**PLAN, "fields": fields, "times": times, "as_of": by}, modified=1795392000.0)
        assert batch.as_of == expected


def test_an_outage_list_that_is_empty_says_when() -> None:
    plan = {"dataset": "outages", "fields": {"site": "site"}, "as_of": {"by": "modified"}}
    batch = table("site\n", plan, modified=1795392000.0)
    assert (batch.records, batch.as_of, batch.complete) == ((), 1795392000.0, True)
    assert table("site\na\n", plan).records == (Outage("viettel", site="a"),)


@given(
    st.lists(st.sampled_from([*FILE, '"', "\n", ";", "é", "\ufeff", "\r", "\x00"]), max_size=60),
    st.integers(0, len(FILE)),
)
@settings(deadline=None)
def test_whatever_is_put_into_a_file_it_is_refused_or_its_rows_are_counted(letters: list[str], at: int) -> None:
    content = FILE[:at] + "".join(letters) + FILE[at:]
    try:
        batch = table(content, PLAN)
    except ProbeFailed:
        return
    assert len(batch.records) <= batch.rows
    assert batch.unreadable <= batch.rows
