"""The json feed: where rows are, how their fields are found, pages, totals, ends, and the time of the data."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from pydantic import ValidationError

from collector.feeds import json as module
from collector.feeds.json import KIND
from collector.mapping import RowMap
from collector.model import Outcome, Reason
from collector.places import Operator
from collector.records import Cell, CellState, Dataset, IndicatorValue, Outage, Sense, Technology
from collector.sources.fetched import Fetched
from tests.feeding import Handler, answer, batch, run, saying, shipped
from tests.http_peers import application
from tests.peers import leaving_nothing
from tests.probing import probing

FIELDS = {"cell": "id", "technology": "radio", "lat": "at.lat", "lon": "at.lon", "state": "state"}
MAP = {"dataset": "cells", "document": {}, "fields": FIELDS}
NAMED_BY_DAY = RowMap.model_validate(
    {
        **MAP,
        "as_of": {"by": "name", "pattern": r"(\d{8})"},
        "times": {"formats": ["%Y%m%d"], "zone": "UTC"},
    }
)
ROWS = [
    {"id": f"c{number}", "radio": "LTE", "at": {"lat": 15.1, "lon": 108.8}, "state": "active"} for number in range(7)
]


def a_map(**settings: Any) -> dict[str, Any]:
    """The map above with these settings."""
    return {**MAP, **settings}


def keys(records: Any) -> list[str]:
    """Keys of the cells."""
    return [record.key for record in records]


async def test_a_list_of_rows_is_read() -> None:
    async with leaving_nothing():
        found = await batch(KIND, saying(ROWS), map=MAP)
    assert found.dataset is Dataset.CELLS
    assert found.sense is Sense.POSITIVE
    assert (found.rows, found.unreadable, found.faults, found.complete, found.as_of) == (7, 0, (), True, None)
    assert found.records[0] == Cell("viettel", "c0", Technology.G4, lat=15.1, lon=108.8, state=CellState.ACTIVE)
    assert keys(found.records) == [row["id"] for row in ROWS]
    assert [content for _, content in found.raw] == [json.dumps(ROWS).encode()]


async def test_rows_may_be_anywhere_in_the_document() -> None:
    rows = "result.pages[].rows[]"
    document = {"result": {"pages": [{"rows": ROWS[:3]}, {"rows": ROWS[3:]}, {"none": 1}]}}
    found = await batch(KIND, saying(document), map=a_map(document={"rows": rows}))
    assert keys(found.records) == [row["id"] for row in ROWS]


async def test_the_key_of_a_map_of_rows_is_a_field_of_each() -> None:
    document = {row["id"]: {**row, "id": "another"} for row in ROWS}
    found = await batch(KIND, saying(document), map=a_map(document={"key": "id"}))
    assert keys(found.records) == [row["id"] for row in ROWS]


async def test_a_list_of_names_with_values_is_read_as_an_object() -> None:
    pairs = [{"name": "toạ độ", "value": 15.1}, {"name": "lon", "value": "108.8"}, 3, {"value": 4}, {"name": "lon"}]
    fields = {**FIELDS, "lat": 'traits."toa\u0323 đô\u0323"'.replace("đô", "đo\u0302"), "lon": "traits.lon"}
    layout = {"pairs": [{"field": "traits"}]}
    found = await batch(KIND, saying([{**ROWS[0], "traits": pairs}, 7]), map=a_map(document=layout, fields=fields))
    assert [(record.lat, record.lon) for record in found.records if isinstance(record, Cell)] == [(15.1, 108.8)]
    assert found.unreadable == 1


@pytest.mark.parametrize(
    ("document", "layout"),
    [
        ({"error": {"code": 60, "reason": "maintenance"}}, {}),
        ({"rows": None}, {"rows": "rows"}),
        ({"rows": "none"}, {"rows": "rows"}),
        ({"rows": 3}, {"rows": "rows", "key": "id"}),
        ({"rows": {"a": ROWS[0]}}, {"rows": "rows"}),
        ([], {"rows": "rows"}),
        ({"rows": 1}, {"rows": "keys(rows)"}),
        (None, {}),
    ],
)
async def test_a_document_of_another_shape_is_none(document: Any, layout: Mapping[str, Any]) -> None:
    result = await run(KIND, saying(document), map=a_map(document=layout))
    assert (result.outcome, result.reason) == (Outcome.FAIL, Reason.PROTOCOL), result
    assert result.batch is None


def paged(rows: list[Any], most: int, total: int | None = None) -> Handler:
    """A server of TM Forum's: `offset` and `limit`, of which it gives at most `most`."""

    async def handler(request: web.BaseRequest) -> web.StreamResponse:
        offset, limit = int(request.query.get("offset", 0)), min(int(request.query.get("limit", most)), most)
        part = rows[offset : offset + limit]
        said = {} if total is None else {"X-Total-Count": str(total), "X-Result-Count": str(len(part))}
        return answer(part, said)

    return handler


OFFSET = {"by": "offset", "items": "@", "parameter": "offset", "size": 3, "size_parameter": "limit"}


@pytest.mark.parametrize("total", [None, 7, 6])
async def test_pages_by_offset_are_joined(total: int | None) -> None:
    found = await batch(KIND, paged(ROWS, 3, total), map=MAP, paging=OFFSET)
    assert keys(found.records) == [row["id"] for row in ROWS]
    assert found.complete
    assert len(found.raw) == 3


async def test_fewer_rows_than_the_server_counts_are_incomplete() -> None:
    found = await batch(KIND, paged(ROWS, 3, 8), map=MAP, paging=OFFSET)
    assert (len(found.records), found.complete) == (7, False)
    # A server that gives smaller pages than it was asked for looks as if it were at its end.
    found = await batch(KIND, paged(ROWS, 2, 7), map=MAP, paging=OFFSET)
    assert (len(found.records), found.complete) == (2, False)


@pytest.mark.parametrize(("total", "complete"), [(7, True), ("7", True), (8, False), (None, True), ("many", True)])
async def test_a_total_in_the_document_counts_too(total: Any, complete: bool) -> None:
    layout = {"rows": "rows", "total": "total"}
    found = await batch(KIND, saying({"rows": ROWS, "total": total}), map=a_map(document=layout))
    assert found.complete is complete


async def test_pages_by_cursor_link_and_header_are_joined() -> None:
    async def handler(request: web.BaseRequest) -> web.StreamResponse:
        at = int(request.query.get("after", request.query.get("page", 0)))
        more = at + 3 < len(ROWS)
        link = f"/?page={at + 3}"
        document = {"rows": ROWS[at : at + 3], "cursor": at + 3 if more else None, "next": link if more else None}
        return answer(document, {"Link": f'<{link}>; rel="next"'} if more else {})

    plan = a_map(document={"rows": "rows"})
    for paging in (
        {"by": "cursor", "next": "cursor", "parameter": "after"},
        {"by": "next-link", "next": "next"},
        {"by": "link-header"},
    ):
        found = await batch(KIND, handler, map=plan, paging=paging)
        assert keys(found.records) == [row["id"] for row in ROWS], paging


async def test_each_document_must_say_that_it_is_whole() -> None:
    layout = {"rows": "rows", "complete": "status == 'ok'"}
    for document, complete in (
        ({"rows": ROWS, "status": "ok"}, True),
        ({"rows": ROWS, "status": "partial"}, False),
        ({"rows": ROWS}, False),
        ({"rows": ROWS, "status": {"a": [1]}}, False),
    ):
        found = await batch(KIND, saying(document), map=a_map(document=layout))
        assert found.complete is complete, document


OUTAGES = {"dataset": "outages", "document": {"rows": "rows"}, "fields": {"site": "site"}}


async def test_a_negative_list_without_rows_says_when_it_was_so() -> None:
    by_document = {**OUTAGES, "as_of": {"by": "document", "path": "made"}}
    found = await batch(KIND, saying({"rows": [], "made": "2026-11-23T10:00:00+07:00"}), map=by_document)
    assert found == found.__class__(Dataset.OUTAGES, Sense.NEGATIVE, (), as_of=1795402800.0, raw=found.raw)
    begun = time.time()
    found = await batch(KIND, saying({"rows": []}), map={**OUTAGES, "as_of": {"by": "answer"}})
    assert found.as_of is not None
    assert begun <= found.as_of <= time.time()
    found = await batch(KIND, saying({"rows": []}), map=OUTAGES)
    assert found.as_of is None


@pytest.mark.parametrize("made", ["yesterday", 3, {}, True, "9999-99-99"])
async def test_data_of_a_time_that_cannot_be_read_is_refused(made: Any) -> None:
    plan = {**OUTAGES, "as_of": {"by": "document", "path": "made"}}
    result = await run(KIND, saying({"rows": [], "made": made}), map=plan)
    assert (result.outcome, result.reason) == (Outcome.FAIL, Reason.UNEXPECTED), result


async def test_the_oldest_page_says_how_old_the_data_is() -> None:
    moments = [300, 100, 200]

    async def handler(request: web.BaseRequest) -> web.StreamResponse:
        at = int(request.query.get("page", 0))
        return answer({"rows": [ROWS[at]], "made": moments[at], "next": f"/?page={at + 1}" if at < 2 else None})

    plan = a_map(document={"rows": "rows"}, as_of={"by": "document", "path": "made"}, times={"formats": ["unix"]})
    found = await batch(KIND, handler, map=plan, paging={"by": "next-link", "next": "next"})
    assert found.as_of == 100


async def test_the_time_may_stand_in_a_header_a_name_or_the_rows(tmp_path: Path) -> None:
    modified = {"Last-Modified": "Mon, 23 Nov 2026 03:00:00 GMT"}
    found = await batch(KIND, saying(ROWS, modified), map=a_map(as_of={"by": "modified"}))
    assert found.as_of == 1795402800
    rows = [{**row, "seen": 1000 + number} for number, row in enumerate(ROWS)]
    plan = a_map(as_of={"by": "latest"}, fields={**FIELDS, "observed_at": "seen"}, times={"formats": ["unix"]})
    found = await batch(KIND, saying(rows), map=plan)
    assert found.as_of == 1006
    file = tmp_path / "cells-20261123.json"
    file.write_text(json.dumps(ROWS))
    os.utime(file, (1000, 1000))
    async with probing(KIND) as prober:
        result = await prober.run(source={"folder": str(tmp_path)}, map=NAMED_BY_DAY, operator="viettel", period="5m")
    assert result.batch is not None
    assert result.batch.as_of == 1795392000


async def test_what_did_not_change_is_read_once() -> None:
    asked: list[str | None] = []

    async def handler(request: web.BaseRequest) -> web.StreamResponse:
        asked.append(request.headers.get("If-None-Match"))
        if asked[-1]:
            return web.Response(status=304)
        return answer(ROWS, {"ETag": '"1"'})

    async with application(handler) as port, probing(KIND) as prober:
        spec = KIND.spec.model_validate(
            {
                "source": {"url": f"http://127.0.0.1:{port}/"},
                "map": a_map(as_of={"by": "answer"}),
                "operator": "viettel",
                "period": "5m",
            }
        )
        results = [await prober.run_spec(spec) for _ in range(3)]
    batches = [result.batch for result in results]
    assert asked == [None, '"1"', '"1"']
    first, *others = batches
    for other in others:
        assert first is not None
        assert other is not None
        assert other.records is first.records  # nothing that counts on them counts again
        assert other.as_of is not None
        assert first.as_of is not None
        assert other.as_of > first.as_of  # but it is known to be so now


async def test_an_operator_and_rows_that_name_theirs() -> None:
    fields = {**FIELDS, "operator": "owner"}
    rows = [{**ROWS[0], "owner": "mobifone"}, {**ROWS[1], "owner": ["a"]}, {**ROWS[2], "owner": {"a": 1}}]
    found = await batch(KIND, saying(rows), map=a_map(fields=fields), operator=None)
    assert [record.operator for record in found.records if isinstance(record, Cell)] == ["mobifone"]
    assert found.unreadable == 2


@pytest.mark.parametrize(
    "value",
    [{}, {"a": 1}, [[]], [{}], "\ud800", 1e999, 10**400, True, None, "", "a" * 100_000, [1, "x"], -0.0],
)
@pytest.mark.parametrize("field", ["id", "radio", "state", "lat"])
async def test_values_of_any_kind_are_read_or_counted(field: str, value: Any) -> None:
    odd = {**ROWS[0], "at": {"lat": value, "lon": 108.8}} if field == "lat" else {**ROWS[0], field: value}
    found = await batch(KIND, saying(json.dumps([odd, *ROWS[1:]]).replace("Infinity", "1e999").encode()), map=MAP)
    assert keys(found.records)[-6:] == [row["id"] for row in ROWS[1:]]
    assert found.rows == 7
    for record in found.records:
        repr(record).encode()


async def test_operators_are_known_by_their_codes_and_aliases() -> None:
    known = Operator("viettel", ("452-04",), ("Viettel Telecom",))
    spec = KIND.spec.model_validate(
        {
            "source": {"folder": "x"},
            "map": a_map(fields={**FIELDS, "operator": "owner"}),
            "period": "5m",
        },
        context={"operators": (known,)},
    )
    rows = [{**ROWS[0], "owner": owner} for owner in ("45204", "viettel telecom", "Viettel", "mobifone")]
    found = module._read(spec, (Fetched("a", json.dumps(rows).encode()),))
    owners = [record.operator for record in found.records if isinstance(record, Cell)]
    assert owners == ["viettel", "viettel", "viettel", "mobifone"]


async def test_faults_say_which_row_and_why() -> None:
    rows: list[Any] = [ROWS[0], {**ROWS[1], "radio": "6G?"}, "text", {**ROWS[3], "at": {"lat": "abc", "lon": 1}}]
    found = await batch(KIND, saying(rows), map=MAP)
    assert found.unreadable == 3
    assert sorted(fault.split(":")[0] for fault in found.faults) == ["row 2", "row 3", "row 4"]
    assert "row 4: lat: 'abc' is no number" in found.faults


async def test_too_many_rows_or_values_are_a_failure() -> None:
    for layout in ({"max_rows": 6}, {"max_values": 1000}):
        document = ROWS * 200 if "max_values" in layout else ROWS
        result = await run(KIND, saying(document), map=a_map(document=layout))
        assert (result.outcome, result.reason) == (Outcome.FAIL, Reason.TOO_LARGE), result


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"map": {"dataset": "cells", "fields": FIELDS}}, "has no `document`"),
        ({"map": MAP, "source": {"folder": "x"}, "paging": OFFSET}, "`paging` is for sources with `url`"),
        ({"map": a_map(document={"rows": "a["})}, "bad JMESPath"),
        ({"map": a_map(fields={**FIELDS, "name": "a b"})}, "column 'a b': bad JMESPath"),
        ({"map": a_map(as_of={"by": "below", "pattern": "x"})}, "is for tables"),
        ({"map": a_map(crs=9999, fields={"cell": "id", "technology": "r", "x": "x", "y": "y"})}, "EPSG:9999 is no"),
        ({"map": a_map(as_of={"by": "document"})}, "`by: document`"),
        ({"map": a_map(as_of={"by": "answer"}), "source": {"folder": "x"}}, "is for sources with `url`"),
        ({"map": "nowhere"}, "unknown map 'nowhere'"),
        ({"map": MAP, "dataset": "outages"}, "are cells, not outages"),
    ],
)
def test_settings_that_do_not_fit_are_refused(settings: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError) as caught:
        KIND.spec.model_validate({"source": {"url": "http://a/"}, "operator": "a", "period": "5m", **settings})
    assert words in str(caught.value)


async def test_indicators_are_read_as_people_write_them() -> None:
    rows = [
        {"indicator": "5g-khu-cong-nghiep", "date": "2026-11-01", "value": "13,3 %"},
        {"indicator": "5g-khu-cong-nghiep", "date": "01/12/2026", "value": "4/5"},
        {"indicator": "5g-khu-cong-nghiep", "date": "2026-12-15", "value": None},
        {"indicator": "so-thon", "date": "2026-11-01", "value": 0},
    ]
    for document in (rows, {"data": rows}):
        found = await batch(KIND, saying(document), map=shipped("kpi-list"), operator=None)
        values = [
            (each.indicator, each.day.isoformat(), each.value)
            for each in found.records
            if isinstance(each, IndicatorValue)
        ]
        assert values == [
            ("5g-khu-cong-nghiep", "2026-11-01", pytest.approx(0.133)),
            ("5g-khu-cong-nghiep", "2026-12-01", 0.8),
            ("so-thon", "2026-11-01", 0.0),
        ]
        assert (found.rows, found.unreadable) == (3, 0)


async def test_a_login_page_is_no_feed() -> None:
    page = b"<!DOCTYPE html><html><body>Login</body></html>"
    for content_type in ("text/html", "application/json"):
        result = await run(KIND, saying(page, content_type=content_type), map=OUTAGES)
        assert (result.outcome, result.reason) == (Outcome.FAIL, Reason.UNEXPECTED), result


async def test_outages_of_sites_are_read() -> None:
    found = await batch(KIND, saying({"rows": [{"site": "QN1"}]}), map=OUTAGES)
    assert found.records == (Outage("viettel", site="QN1"),)
    assert found.sense is Sense.NEGATIVE
    settings: dict[str, Any] = {"sense": "positive", "dataset": "outages", "max_age": "1h", "min_ratio": 0.1}
    found = await batch(KIND, saying({"rows": []}), map=OUTAGES, **settings)
    assert found.sense is Sense.POSITIVE


async def test_pages_that_swell_in_memory_are_refused_before_they_are_read() -> None:
    body = b"[" + b'{"":0},' * 600_000 + b"1]"
    for paging in (None, OFFSET):
        result = await run(KIND, saying(body), map=MAP, paging=paging)
        assert (result.outcome, result.reason) == (Outcome.FAIL, Reason.TOO_LARGE), result
