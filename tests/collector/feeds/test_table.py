"""The table feed: over HTTP and from a folder, what is refused, what is not read again, and that none waits for it."""

from __future__ import annotations

import asyncio
import os
import time
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from collector.feeds.table import KIND, TableSpec
from collector.model import Outcome, Reason
from collector.places import Operator
from collector.records import Cell, CellState, Dataset, Outage, Sense, Technology
from tests import tables_of_others as others
from tests.feeding import batch, run, saying, shipped
from tests.http_peers import application
from tests.lag import Hold
from tests.peers import leaving_nothing
from tests.probing import probing
from tests.workbooks import workbook

FIELDS = {"site": "site", "technology": "radio", "lat": "lat", "lon": "lon", "state": "state"}
MAP: dict[str, Any] = {"dataset": "cells", "table": {}, "fields": FIELDS}
FILE = b"site,radio,lat,lon,state\nQNI001,4G,15.1,108.8,active\nQNI002,4G,15.2,108.9,down\n"
FIRST = Cell("viettel", "QNI001/4G", Technology.G4, "QNI001", "", 15.1, 108.8, state=CellState.ACTIVE)
# Read here: in the loop, files are not opened.
FREE, OPENCELLID = shipped("free-outages"), shipped("opencellid")
MODIFIED = {"Last-Modified": "Mon, 23 Nov 2026 00:00:00 GMT"}


def sheet() -> bytes:
    """The same in a workbook."""
    return workbook([line.split(",") for line in FILE.decode().splitlines()])


async def test_a_csv_file_over_http() -> None:
    async with leaving_nothing():
        found = await batch(KIND, saying(FILE, MODIFIED, "text/csv"), map={**MAP, "as_of": {"by": "modified"}})
    assert (found.dataset, found.sense, found.as_of) == (Dataset.CELLS, Sense.POSITIVE, 1795392000.0)
    assert (found.rows, found.unreadable, found.complete) == (2, 0, True)
    assert found.records[0] == FIRST
    assert [content for _, content in found.raw] == [FILE]


async def test_a_workbook_over_http() -> None:
    async with leaving_nothing():
        content_type = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
        found = await batch(KIND, saying(sheet(), None, content_type), map={**MAP, "table": {"format": "xlsx"}})
    assert found.records[0] == FIRST


async def test_outages_by_a_shipped_map() -> None:
    found = await batch(KIND, saying(others.FREE.encode(), MODIFIED, "text/csv"), map=FREE, operator="free")
    assert found.sense is Sense.NEGATIVE
    assert found.records[0] == Outage("free", lat=46.2052, lon=5.2255)


async def test_a_web_page_is_no_table() -> None:
    page = b"<!doctype html><p>"
    for content_type in ("text/html", "text/csv"):
        result = await run(KIND, saying(page, None, content_type), "/tram.csv", map=MAP)
        assert (result.outcome, result.reason) == (Outcome.FAIL, Reason.UNEXPECTED)
        assert result.documents == (("tram.csv", page),)


@pytest.mark.parametrize(
    ("content", "layout", "reason", "detail"),
    [
        (b"a,b\n1,2\n", {}, Reason.UNEXPECTED, "no header: no line has column 'radio', 'site', 'lat' and 2 more"),
        (b"\xff\xfe\x00", {}, Reason.PROTOCOL, "no text: it holds NUL bytes"),
        (FILE, {"format": "xlsx"}, Reason.PROTOCOL, "no XLSX workbook"),
        (FILE, {"max_rows": 1}, Reason.TOO_LARGE, "more than 1 rows"),
        (b"", {}, Reason.PROTOCOL, "the document is empty"),
    ],
)
async def test_documents_that_are_refused(content: bytes, layout: Any, reason: Reason, detail: str) -> None:
    result = await run(KIND, saying(content, None, "text/csv"), map={**MAP, "table": layout})
    assert (result.outcome, result.reason, result.detail) == (Outcome.FAIL, reason, detail)


async def test_all_files_of_a_folder_are_one_batch(tmp_path: Path) -> None:
    for number, text in enumerate((FILE, FILE.replace(b"QNI", b"QNJ").replace(b"15.2", b"north"))):
        (tmp_path / f"{number}.csv").write_bytes(text)
        os.utime(tmp_path / f"{number}.csv", (1_795_392_000 + number,) * 2)
    settings: dict[str, Any] = {"source": {"folder": tmp_path, "take": "all"}, "period": "1h", "operator": "viettel"}
    async with probing(KIND) as prober:
        result = await prober.run(map={**MAP, "as_of": {"by": "modified"}}, **settings)
        assert result.batch is not None
        assert (result.batch.rows, result.batch.unreadable, result.batch.as_of) == (4, 1, 1795392000.0)
        assert result.batch.faults == ("row 3 of 1.csv: lat: 'north' is no number",)
        assert [name for name, _ in result.batch.raw] == ["0.csv", "1.csv"]
        (tmp_path / "1.csv").write_bytes(b"what?\n")
        os.utime(tmp_path / "1.csv", (1_795_392_000,) * 2)
        result = await prober.run(map=MAP, **settings)
        assert result.detail.startswith("1.csv: no header")
        assert result.documents == (("1.csv", b"what?\n"),)


async def test_what_did_not_change_is_not_read_again(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(FILE)
    os.utime(tmp_path / "a.csv", (1_795_392_000,) * 2)
    spec = TableSpec.model_validate({"source": {"folder": tmp_path}, "period": "1h", "operator": "viettel", "map": MAP})
    async with probing(KIND) as prober:
        first, again = await prober.run_spec(spec), await prober.run_spec(spec)
        assert first.batch is not None
        assert again.batch is first.batch


async def test_rows_name_their_operators_as_they_like() -> None:
    plan = {**MAP, "fields": {**FIELDS, "operator": "op"}}
    content = b"site,radio,lat,lon,state,op\nQNI001,4G,15.1,108.8,active,45204\nQNI002,4G,15.1,108.8,down,Viettel\n"
    operators = (Operator("viettel", ("452-04",), ("Viettel",)),)
    async with application(saying(content, None, "text/csv")) as port, probing(KIND) as prober:
        source = {"url": f"http://127.0.0.1:{port}/"}
        result = await prober.run(source=source, period="1h", map=plan, context={"operators": operators})
    assert result.batch is not None
    assert {record.operator for record in result.batch.records if isinstance(record, Cell)} == {"viettel"}


@pytest.mark.parametrize(
    ("plan", "message"),
    [
        ({"table": None}, "has no `table`: it is not for tables"),
        ({"as_of": {"by": "document", "path": "at"}}, "is for JSON"),
        ({"as_of": {"by": "answer"}}, "map 'map': `as_of: {by: answer}` is for sources with `url`"),
        ({"crs": 32767, "fields": {"site": "s", "technology": "t", "x": "x", "y": "y"}}, "EPSG:32767 is no coordinate"),
    ],
)
def test_maps_that_are_not_for_tables(plan: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        TableSpec.model_validate({"source": {"folder": "/"}, "period": "1h", "map": {**MAP, **plan}})


def many(count: int) -> bytes:
    """An export of so many cells."""
    rows = (
        f"LTE,452,{number % 3 + 1},20011,{128_000_000 + number},{number % 500},108.{number % 1000:03d},"
        f"15.{number % 1000:03d},1000,3,1,1459742520,{1_609_459_400 + number},0\r\n"
        for number in range(count)
    )
    return (others.OPENCELLID_HEADER + "".join(rows)).encode()


async def test_fifty_thousand_rows_keep_nobody_waiting() -> None:
    """They are read in a thread that lets the loop run."""
    content, hold = many(50_000), Hold()
    async with application(saying(content, None, "text/csv")) as port, probing(KIND) as prober:
        source = {"url": f"http://127.0.0.1:{port}/"}
        watch = asyncio.create_task(hold.watch())
        begun = time.process_time()
        result = await prober.run(source=source, period="1h", map=OPENCELLID, timeout=15.0)
        took = time.process_time() - begun
        watch.cancel()
    assert result.batch is not None, result
    assert (result.batch.rows, result.batch.unreadable, len(result.batch.records)) == (50_000, 0, 50_000)
    assert hold.longest < 0.05
    assert took < 4.0  # it takes less than half of it where nothing else runs
