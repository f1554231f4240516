"""Good documents of JSON, made bad: what comes out is the good one's, or nothing, in little time and memory."""

from __future__ import annotations

import json
import random
import time
import tracemalloc
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.features.reading import Form, GeoJsonReader
from collector.mapping import RowMap
from collector.model import ProbeFailed
from collector.records import Batch, Cell, Outage, Sense
from collector.selection.reading import JsonReader
from collector.sources.fetched import Fetched
from tests.feeding import shipped

MIB = 1024**2
TMF, ALARMS = shipped("tmf639-v5-cells"), shipped("tmf642-v4-alarms")
POINTS, AREAS = shipped("geojson-cells"), shipped("geojson-coverage")
RNG = random.Random(4)


def resource(number: int) -> dict[str, Any]:
    """A cell."""
    traits = {"lat": 15 + number * 1e-4, "lon": 108.5, "technology": "5G", "band": 3700, "site": f"QN{number // 3}"}
    return {
        "id": f"cell-{number}",
        "name": f"Trạm {number}",
        "category": "RadioCell",
        "administrativeState": "unlocked",
        "operationalState": "enabled",
        "resourceCharacteristic": [{"name": name, "value": value} for name, value in traits.items()],
    }


def alarm(number: int) -> dict[str, Any]:
    """An outage."""
    return {
        "id": str(number),
        "alarmedObject": {"id": f"cell-{number}"},
        "state": "raised",
        "alarmRaisedTime": "2026-11-23T03:00:00Z",
    }


def feature(number: int) -> dict[str, Any]:
    """A cell as a point."""
    point = {"type": "Point", "coordinates": [108.5, 15 + number * 1e-4]}
    return {"type": "Feature", "id": number, "geometry": point, "properties": {"technology": "4G"}}


def area(number: int) -> dict[str, Any]:
    """A declared area."""
    west, south = 108 + number * 1e-3, 15.0
    ring = [[west, south], [west + 0.1, south], [west + 0.1, south + 0.1], [west, south + 0.1], [west, south]]
    shape = {"type": "Polygon", "coordinates": [ring]}
    return {"type": "Feature", "id": number, "geometry": shape, "properties": {"technology": "4G"}}


def collected(features: list[Any]) -> Any:
    """Features as a collection."""
    return {"type": "FeatureCollection", "features": features, "numberReturned": len(features)}


def as_they_are(rows: list[Any]) -> Any:
    """Rows as a list."""
    return rows


class Case:
    """A map with a document of many rows."""

    def __init__(self, plan: RowMap, row: Callable[[int], Any], wrap: Callable[[list[Any]], Any], many: int) -> None:
        self.plan, self.wrap = plan, wrap
        self.rows = [row(number) for number in range(many)]
        self.body = json.dumps(wrap(self.rows), ensure_ascii=False).encode()

    def read(self, *bodies: bytes) -> Batch:
        """What is made of these pages. Raises ProbeFailed."""
        document = tuple(Fetched("a.json", body) for body in bodies)
        if self.wrap is collected:
            return GeoJsonReader(self.plan, self.plan.lists, Form(), "viettel").read(document)
        return JsonReader(self.plan, self.plan.lists, "viettel").read(document)


CASES = {
    "tmf639": Case(TMF, resource, as_they_are, 600),
    "tmf642": Case(ALARMS, alarm, as_they_are, 600),
    "points": Case(POINTS, feature, collected, 600),
    "areas": Case(AREAS, area, collected, 300),
}
GOOD = {name: case.read(case.body) for name, case in CASES.items()}


def believed(batch: Batch) -> bool:
    """Whether the guards on form let it pass: those on numbers of rows and on doubled keys come behind them."""
    if batch.sense is Sense.NEGATIVE:
        return batch.complete and batch.unreadable == 0
    return batch.complete and batch.unreadable <= 0.05 * batch.rows and len(batch.records) > 0


def outcome(case: Case, *bodies: bytes) -> Batch | None:
    """What is believed of these pages, within 2 s of CPU and 100 MB."""
    tracemalloc.start()
    begun = time.thread_time()
    try:
        batch = case.read(*bodies)
    except ProbeFailed:
        batch = None
    spent = time.thread_time() - begun
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert spent < 2 * 4  # tracing makes it some four times as slow
    assert peak < 100 * MIB
    return batch if batch is not None and believed(batch) else None


def rowed(case: Case, rows: list[Any]) -> bytes:
    """The document with these rows."""
    return json.dumps(case.wrap(rows)).encode()


def named(name: str) -> tuple[Case, Batch]:
    """A case, and what it gives."""
    return CASES[name], GOOD[name]


every = pytest.mark.parametrize("name", CASES)


@every
def test_the_good_document_is_read_whole(name: str) -> None:
    case, good = named(name)
    assert len(good.records) == len(case.rows)
    assert (good.unreadable, good.complete, good.faults) == (0, True, ())


@every
def test_a_document_that_is_cut_off_is_nothing(name: str) -> None:
    case, _ = named(name)
    for length in {0, 1, len(case.body) - 1, *(RNG.randrange(len(case.body)) for _ in range(20))}:
        assert outcome(case, case.body[:length]) is None


@every
def test_rows_in_another_order_are_the_same_rows(name: str) -> None:
    case, good = named(name)
    found = outcome(case, rowed(case, RNG.sample(case.rows, len(case.rows))))
    assert found is not None
    assert sorted(map(repr, found.records)) == sorted(map(repr, good.records))


@every
def test_doubled_rows_are_all_there_to_be_guarded(name: str) -> None:
    case, good = named(name)
    found = outcome(case, rowed(case, [row for row in case.rows for _ in range(2)]))
    assert found is not None
    assert len(found.records) == 2 * len(good.records)


@every
def test_ten_times_the_rows_are_read_in_time(name: str) -> None:
    case, good = named(name)
    count = len(case.rows)
    make = {"tmf639": resource, "tmf642": alarm, "points": feature, "areas": area}[name]
    begun = time.thread_time()
    found = case.read(rowed(case, [make(number % 900 if name == "areas" else number) for number in range(10 * count)]))
    assert time.thread_time() - begun < 2
    assert len(found.records) == 10 * len(good.records)


@every
@pytest.mark.parametrize("encoding", ["utf-16", "utf-32-le", "utf-8-sig"])
def test_other_encodings_of_unicode_give_the_same(name: str, encoding: str) -> None:
    case, good = named(name)
    found = outcome(case, case.body.decode().encode(encoding))
    assert found is not None
    assert found.records == good.records


def test_an_encoding_that_is_not_json_s_is_nothing() -> None:
    case, _ = named("tmf639")
    assert outcome(case, case.body.decode().encode("windows-1258", "replace").replace(b"?", b"\xe1")) is None
    assert outcome(case, case.body.replace("ạ".encode(), b"\xed\xa0\x80")) is None  # half a surrogate pair


@every
@pytest.mark.parametrize("text", ["<!DOCTYPE html><html></html>", "", " ", "null", "0", '"x"', "[", "{}", "{]", "[[]]"])
def test_other_documents_are_nothing(name: str, text: str) -> None:
    case, _ = named(name)
    assert outcome(case, text.encode()) is None


@every
@pytest.mark.parametrize("constant", [b"NaN", b"Infinity", b"-Infinity"])
def test_numbers_that_are_none_make_no_document(name: str, constant: bytes) -> None:
    case, _ = named(name)
    assert outcome(case, case.body.replace(b"15.0", constant).replace(b'"0"', constant, 1)) is None


@every
@pytest.mark.parametrize("depth", [2000, 200_000])
@pytest.mark.parametrize("ends", ["[]", '{"a":}'])
def test_deep_nesting_is_nothing(name: str, depth: int, ends: str) -> None:
    case, _ = named(name)
    begin, end = (ends[0], ends[1]) if ends == "[]" else ('{"a":', "}")
    nested = begin * depth + "1" + end * depth
    assert outcome(case, nested.encode()) is None
    row = json.dumps(case.rows[0])
    assert outcome(case, rowed(case, [{}]).replace(b"{}", f'{row[:-1]}, "x": {nested}}}'.encode(), 1)) is None


@pytest.mark.parametrize(
    "unit", [b"[],", b'{"":0},', b'"ab",', b"0.1,", b'{"a":{},"b":[]},', b"[[[]]],", '"ể",'.encode()]
)
def test_documents_that_swell_in_memory_are_nothing(unit: bytes) -> None:
    body = b"[" + unit * (8 * MIB // len(unit)) + b"1]"
    for name in ("tmf642", "points"):
        case, _ = named(name)
        assert outcome(case, body) is None


@pytest.mark.parametrize("name", ["tmf639", "points"])
def test_pages_take_the_memory_of_one(name: str) -> None:
    """Whatever else their rows hold, and however many there are."""
    case, good = named(name)
    row = json.dumps(case.rows[0])
    large = rowed(case, [{}]).replace(b"{}", f'{row[:-1]}, "x": [{"[]," * 150_000}1]}}'.encode(), 1)
    assert outcome(case, large) is not None
    found = outcome(case, *[large] * 20)
    assert found is not None
    assert found.records == good.records[:1] * 20


@pytest.mark.parametrize("name", ["tmf639", "points"])
@given(data=st.data())
def test_a_byte_that_was_changed_changes_at_most_its_row(name: str, data: st.DataObject) -> None:
    case, good = named(name)
    rows = case.rows[:40]
    body = bytearray(rowed(case, rows))
    body[data.draw(st.integers(0, len(body) - 1))] = data.draw(st.integers(0, 255))
    try:
        found = case.read(bytes(body))
    except ProbeFailed:
        return
    if believed(found):
        expected = set(map(repr, good.records[: len(rows)]))
        assert len(set(map(repr, found.records)) - expected) <= 1
        assert all(isinstance(record, Cell) for record in found.records)


@given(st.data())
def test_an_outage_is_never_lost_by_one_wrong_value(data: st.DataObject) -> None:
    case, _ = named("tmf642")
    rows = json.loads(rowed(case, case.rows[:5]))
    field = data.draw(st.sampled_from(["id", "alarmedObject", "state", "alarmRaisedTime", "plannedOutageIndicator"]))
    value: Any = data.draw(
        st.none() | st.booleans() | st.integers() | st.text(max_size=4) | st.just([]) | st.just({}) | st.just([{}])
    )
    rows[2][field] = value
    found = case.read(rowed(case, rows))
    others = {f"cell-{number}" for number in (0, 1, 3, 4)}
    if believed(found):
        cells = {record.cell for record in found.records if isinstance(record, Outage)}
        assert others <= cells
        assert len(cells) == 5 or field == "alarmedObject" or value == "cleared"
