"""From rows to records: cells, outages, downtime and indicators; what is wrong with rows, and what is made of it."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collector.mapping import RowMap, Translation, Translator, Unread
from collector.records import Cell, CellState, Downtime, IndicatorValue, Outage, Technology
from tests.tabling import OPERATORS, the_fault, translated

CELLS: dict[str, Any] = {
    "dataset": "cells",
    "fields": {
        "site": "site",
        "technology": "radio",
        "lat": "lat",
        "lon": "lon",
        "state": "state",
        "band": "band",
        "height": "height",
        "observed_at": "seen",
    },
    "states": {"on": "active", "off": "down"},
}
ROW = {"site": "QNI001", "radio": "LTE", "lat": "15.1", "lon": "108.8", "state": "on", "band": "1800", "height": "35"}
CELL = Cell("viettel", "QNI001/4G/1800", Technology.G4, "QNI001", "", 15.1, 108.8, 1800, 35.0, state=CellState.ACTIVE)


def cells(found: Translation) -> list[Cell]:
    """The cells that rows gave."""
    return [record for record in found.records if isinstance(record, Cell)]


def outages(fields: dict[str, Any] | None = None, **settings: Any) -> dict[str, Any]:
    """A map of outages."""
    given = fields or {"site": "site", "lat": "lat", "lon": "lon", "technology": "radio", "state": "state"}
    return {"dataset": "outages", "fields": given, **settings}


def test_a_row_becomes_a_cell() -> None:
    found = translated([ROW], CELLS)
    assert found.records == (CELL,)
    assert (found.rows, found.unreadable, found.faults) == (1, 0, ())


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"lat": "abc"}, "row 1: lat: 'abc' is no number"),
        ({"lat": "151"}, "row 1: lat: '151' is not within -90 to 90"),
        ({"lat": "inf"}, "row 1: lat: 'inf' is no number"),
        ({"lat": float("inf")}, "row 1: lat: 'inf' is not finite"),
        ({"lat": "nan"}, "row 1: lat: blank"),
        ({"lat": float("nan")}, "row 1: lat: blank"),
        ({"lon": ""}, "row 1: lon: blank"),
        ({"radio": "WiMAX"}, "row 1: technology: 'WiMAX' is none of 2g, gsm, gprs, edge, gsm 2g, 3g, umts, wcdma"),
        ({"radio": "-"}, "row 1: technology: blank"),
        ({"site": None}, "row 1: cell: blank"),
        ({"site": "x" * 200}, f"row 1: site: '{'x' * 35}...' is over 120 characters"),
    ],
)
def test_rows_that_cannot_be_read_are_left_out_and_counted(change: dict[str, Any], fault: str) -> None:
    found = translated([{**ROW, **change}, ROW], CELLS)
    assert found.records == (CELL,)
    assert (found.rows, found.unreadable, found.faults) == (2, 1, (fault,))


@pytest.mark.parametrize(
    ("change", "fault", "made"),
    [
        ({"state": "blue"}, "state: 'blue' is none of active, down, planned, sleeping, unknown, on, off", "unknown"),
        ({"height": "tall"}, "height: 'tall' is no number", None),
        ({"height": "-1"}, "height: '-1' is not within 0 to 1000", None),
        ({"band": "B99"}, "band: 'B99' is no number", None),
        ({"band": "0"}, "band: '0' MHz is no band", None),
        ({"seen": "yesterday"}, "observed_at: 'yesterday' is no time (iso)", None),
    ],
)
def test_what_is_beside_the_point_makes_a_cell_unknown_in_part(change: Any, fault: str, made: str | None) -> None:
    found = translated([{**ROW, **change}], CELLS)
    (cell,) = cells(found)
    assert found.faults == (f"row 1: {fault}",)
    assert (found.rows, found.unreadable) == (1, 0)
    name = fault.partition(":")[0]
    assert getattr(cell, name) == made
    assert cell.lat == CELL.lat


def test_only_the_first_twenty_faults_are_kept() -> None:
    found = translated([{**ROW, "lat": "x"}] * 1000, CELLS)
    assert (found.rows, found.unreadable, len(found.faults), found.records) == (1000, 1000, 20, ())
    assert found.faults[19].startswith("row 20:")


def test_a_place_at_zero_is_none() -> None:
    (cell,) = cells(translated([{**ROW, "lat": "0", "lon": "0.0"}], CELLS))
    assert (cell.lat, cell.lon) == (None, None)


def test_technologies_in_one_text_are_several_cells() -> None:
    found = translated([{**ROW, "radio": "3G/4G/5G", "band": None}], CELLS)
    assert [cell.key for cell in cells(found)] == ["QNI001/3G", "QNI001/4G", "QNI001/5G"]


def test_one_identity_for_several_technologies_must_be_meant() -> None:
    fields: dict[str, Any] = {"technology": "radio", "cell": "id"}
    rows = [{"radio": "3G, 4G", "id": "QNI001-1"}]
    assert the_fault(rows, dataset="cells", fields=fields) == (
        "row 1: cell: 2 technologies and one identity; is it meant `per_technology`?"
    )
    fields["cell"] = {"id": "id", "per_technology": True}
    found = translated(rows, dataset="cells", fields=fields)
    assert [cell.key for cell in cells(found)] == ["QNI001-1/3G", "QNI001-1/4G"]


def test_technologies_that_the_map_leaves_out_give_nothing() -> None:
    found = translated([{**ROW, "radio": "CDMA"}], CELLS, technologies={"CDMA": None})
    assert (found.records, found.rows, found.unreadable) == ((), 1, 0)


def test_columns_of_technologies_are_several_cells() -> None:
    each = [
        {"technology": {"const": "3G"}, "when": "3g"},
        {"technology": {"const": "4G"}, "when": "4g", "band": {"const": 1800}},
        {"technology": {"const": "4G"}, "when": "4g", "unless": ["4g"]},
        {"technology": {"const": "5G"}, "state": "5g"},
    ]
    plan = {"dataset": "cells", "fields": {"site": "s"}, "each": each, "states": {"on": "active"}}
    rows = [{"s": "a", "3g": "1", "4g": "x", "5g": "on"}, {"s": "b", "3g": "0", "4g": "", "5g": None}]
    found = translated(rows, plan)
    assert found.unreadable == 0
    assert [(cell.key, cell.state) for cell in cells(found)] == [
        ("a/3G", None),
        ("a/4G/1800", None),
        ("a/5G", CellState.ACTIVE),
    ]
    assert the_fault([{"s": "a", "3g": "perhaps"}], plan).startswith("row 1: when: 'perhaps' is none of")


def test_identities_of_3gpp() -> None:
    fields = {
        "mcc": "mcc",
        "mnc": "net",
        "technology": "radio",
        "cell": {"id": "cell", "numbering": "cgi", "area": "area"},
    }
    rows: list[dict[str, Any]] = [
        {"mcc": "452", "net": "4", "radio": "LTE", "area": "7", "cell": "128121198"},
        {"mcc": 452, "net": 2.0, "radio": "GSM", "area": "7", "cell": "9"},
        {"mcc": "452", "net": "04", "radio": "NR", "area": "", "cell": "68719476735"},
        {"mcc": "452", "net": "99", "radio": "UMTS", "area": "7", "cell": "65537"},
    ]
    found = translated(rows, {"dataset": "cells", "fields": fields}, None)
    assert [(cell.operator, cell.key) for cell in cells(found)] == [
        ("viettel", "4G-500473-110"),
        ("vinaphone", "2G-7-9"),
        ("viettel", "5G-68719476735"),
        ("452-99", "3G-1-1"),
    ]
    for change, fault in (
        ({"cell": "268435456"}, "row 1: ECI: 268435456 is over 268435455"),
        ({"net": "x"}, "row 1: mcc, mnc: network code: 'x' is no whole number"),
        ({"mcc": "", "net": ""}, "row 1: operator: blank"),
    ):
        assert translated([{**rows[0], **change}], {"dataset": "cells", "fields": fields}, None).faults == (fault,)


def test_operators_by_any_name() -> None:
    plan = {"dataset": "cells", "fields": {"site": "s", "technology": "t", "operator": "op"}}
    names = ["Viettel", " viễn thông  quân đội ", "45204", 45204.0, "452-04", "Viettel"]
    rows = [{"s": f"a{at}", "t": "4G", "op": name} for at, name in enumerate(names)]
    found = translated(rows, plan, None)
    assert {cell.operator for cell in cells(found)} == {"viettel"}
    (strange,) = cells(translated([{"s": "a", "t": "4G", "op": "Beeline"}], plan, None))
    assert strange.operator == "Beeline"


def test_an_operators_feed_speaks_of_its_own_network_only() -> None:
    plan = {"dataset": "cells", "fields": {"site": "s", "technology": "t", "operator": "op"}}
    row = {"s": "a", "t": "4G", "op": "VNPT"}
    assert translated([row], plan, "viettel").faults == ("row 1: operator: 'VNPT' is not viettel",)
    assert cells(translated([{**row, "op": ""}], plan, "viettel"))[0].operator == "viettel"


def test_outages_stay_outages_when_only_their_details_are_not_understood() -> None:
    """An outage that is left out says that all is well."""
    fields = {"site": "site", "state": "state", "since": "from", "until": "to"}
    rows = [
        {"site": "a", "state": "blue", "from": "2026-11-23", "to": "soon"},
        {"site": "b", "state": "down", "from": "?"},
        {"site": "c", "state": "active"},
    ]
    found = translated(rows, outages(fields))
    assert found.records == (
        Outage("viettel", site="a", state=CellState.UNKNOWN, since=1795366800.0),
        Outage("viettel", site="b"),
    )
    assert (found.rows, found.unreadable) == (3, 0)
    assert [fault[:13] for fault in found.faults] == ["row 1: state:", "row 2: since:"]


@pytest.mark.parametrize("row", [{"lat": "x", "lon": "108.8"}, {"lat": "15.1"}, {"radio": "6G"}])
def test_outages_of_nobody_knows_what_are_unreadable(row: dict[str, str]) -> None:
    found = translated([{"site": "a", **row}], outages())
    assert (found.records, found.unreadable) == ((), 1)


def test_an_outage_of_nothing_is_unreadable() -> None:
    found = translated([{"lat": "x", "lon": "y"}, {}], outages())
    assert (found.records, found.unreadable) == ((), 2)
    assert found.faults[1] == "row 2: no cell, site or position"


def test_an_outage_whose_service_nobody_understands_is_unknown() -> None:
    plan = outages({"site": "s"}, each=[{"when_any": ["voice", "data"]}], booleans={"HS": True, "OK": False})
    rows = [
        {"s": "a", "voice": "OK", "data": "HS"},
        {"s": "b", "voice": "OK", "data": "OK"},
        {"s": "c", "voice": "OK", "data": "DG"},
        {"s": "d", "voice": "HS", "data": "DG"},
        {"s": "e", "voice": "", "data": ""},
    ]
    found = translated(rows, plan)
    assert [(each.site, each.state) for each in found.records if isinstance(each, Outage)] == [
        ("a", CellState.DOWN),
        ("c", CellState.UNKNOWN),
        ("d", CellState.UNKNOWN),
    ]
    assert found.unreadable == 0
    assert len(found.faults) == 2


def test_planned_outages_and_their_times() -> None:
    fields = {"site": "s", "planned": "planned", "since": "from", "until": "to", "reason": {"join": ["r", "d"]}}
    row = {"s": "a", "planned": "có", "from": "23/11/2026 08:00", "to": "24/11/2026", "r": "Bảo trì", "d": None}
    times = {"formats": ["%d/%m/%Y %H:%M", "%d/%m/%Y"]}
    (outage,) = translated([row], outages(fields, times=times)).records
    assert outage == Outage(
        "viettel", site="a", state=CellState.PLANNED, since=1795395600, until=1795539600, reason="Bảo trì/"
    )


def test_downtime() -> None:
    fields = {"cell": "id", "begin": "t", "period": "s", "unplanned": "u", "planned": "p", "suspect": "bad"}
    row = {"id": "c1", "t": "2026-11-23T01:00:00Z", "s": "900", "u": "30", "p": "", "bad": "false"}
    found = translated([row, {**row, "u": "901"}, {**row, "s": None}], dataset="downtime", fields=fields)
    assert found.records == (Downtime("viettel", "c1", 1795395600.0, 900.0, 30.0, None),)
    assert found.faults == (
        "row 2: more seconds out of service than the period has",
        "row 3: period: blank",
    )


def test_indicators_by_name_and_by_column() -> None:
    fields = {"indicator": "Chỉ tiêu", "day": "Ngày", "value": "Giá trị"}
    settings = {"numbers": {"decimal": ","}, "indicators": {"Phủ sóng 5G khu công nghiệp": "5g-kcn"}}
    rows = [
        {"Chỉ tiêu": "phủ sóng 5G  khu công nghiệp", "Ngày": "2026-11-23", "Giá trị": "½"},
        {"Chỉ tiêu": "Phủ sóng 5G khu công nghiệp", "Ngày": "2026-11-22", "Giá trị": "13,3 %"},
        {"Chỉ tiêu": "Khác", "Ngày": "2026-11-22", "Giá trị": "1"},
        {"Chỉ tiêu": "Phủ sóng 5G khu công nghiệp", "Ngày": "2026-11-22", "Giá trị": ""},
    ]
    found = translated(rows, dataset="indicators", fields=fields, **settings)
    assert found.records == (
        IndicatorValue("5g-kcn", date(2026, 11, 23), 0.5),
        IndicatorValue("5g-kcn", date(2026, 11, 22), 0.133),
    )
    assert found.faults == (
        "row 3: indicator: 'Khác' is none of phủ sóng 5g khu công nghiệp",
        "row 4: value: blank",
    )
    wide = [{"indicator": {"const": name}, "value": {"column": name, "scale": 0.01}} for name in ("a", "b")]
    plan = {"dataset": "indicators", "fields": {"day": "d"}, "each": wide}
    rows = [{"d": "2026-11-23", "a": "80", "b": "90"}]
    assert [each.value for each in translated(rows, plan).records if isinstance(each, IndicatorValue)] == [0.8, 0.9]


def test_only_rows_that_meet_the_conditions_are_the_feeds() -> None:
    where = [
        {"column": "STT", "matches": "^[0-9]+$"},
        {"column": "province", "equals": ["Quảng Ngãi", "51"]},
        {"column": "site", "matches": "^TEST", "negate": True},
    ]
    rows = [
        {**ROW, "STT": "1", "province": "quảng  ngãi"},
        {**ROW, "STT": 2.0, "province": 51},
        {**ROW, "STT": "Tổng cộng", "province": "51"},
        {**ROW, "STT": "3", "province": "Kon Tum"},
        {**ROW, "STT": "4", "province": "51", "site": "TEST1"},
        {**ROW, "STT": None, "province": None},
    ]
    assert translated(rows, CELLS, where=where).rows == 2


def test_parts_of_texts_scales_and_words_of_bands() -> None:
    fields = {
        "site": "s",
        "technology": {"column": "t", "pattern": "^([234]G|5G)"},
        "band": "b",
        "height": {"column": "h", "scale": 0.01},
    }
    rows = [{"s": "a", "t": "4G FDD", "b": "B3", "h": "3500"}, {"s": "b", "t": "WiMAX", "b": 2100, "h": 3000}]
    found = translated(rows, dataset="cells", fields=fields, bands={"B3": 1800})
    assert found.records == (Cell("viettel", "a/4G/1800", Technology.G4, "a", band=1800, height=35.0),)
    assert found.faults == ("row 2: technology: blank",)


def test_projected_positions() -> None:
    fields = {"site": "s", "technology": "t", "x": "Y", "y": "X"}
    plan = {"dataset": "cells", "fields": fields, "crs": 5898, "numbers": {"decimal": ",", "thousands": "."}}
    row = {"s": "a", "t": "4G", "X": "1.671.000", "Y": "588.000,0"}
    (cell,) = cells(translated([row], plan))
    assert cell.lat == pytest.approx(15.107544, abs=1e-5)
    assert cell.lon == pytest.approx(108.820503, abs=1e-5)
    assert cells(translated([{**row, "X": None, "Y": None}], plan))[0].lat is None
    assert the_fault([{**row, "X": None}], plan) == "row 1: y: blank"
    assert the_fault([{**row, "X": "9e30"}], plan).startswith("row 1: x, y: 588000, 9e+30 is nowhere in EPSG:5898")


def test_positions_in_millionths_of_a_degree() -> None:
    fields = {
        "site": "s",
        "technology": "t",
        "lat": {"column": "a", "scale": 1e-6},
        "lon": {"column": "o", "scale": 1e-6},
    }
    rows = [{"s": "a", "t": "4G", "a": "15121300", "o": 108800000}, {"s": "b", "t": "4G", "a": 91e6, "o": 1}]
    found = translated(rows, dataset="cells", fields=fields)
    assert cells(found)[0].lat == pytest.approx(15.1213)
    assert found.faults == ("row 2: lat: '91000000.0' is not within -90 to 90",)


def test_rows_that_nobody_could_read_are_counted() -> None:
    plan = RowMap.model_validate(CELLS)
    found = Translator(plan, "viettel", OPERATORS).translate_numbered([(7, ROW), (8, Unread("torn"))])
    assert (found.rows, found.unreadable, found.faults) == (2, 1, ("row 8: torn",))


def test_columns_may_be_read_in_another_way() -> None:
    plan = RowMap.model_validate(CELLS)
    names = list(ROW)
    get = Translator(plan, "viettel", get=lambda row, name: row[names.index(name)] if name in names else None)
    assert get.translate([list(ROW.values())]).records == (CELL,)


def test_the_first_column_that_is_not_blank_is_taken() -> None:
    fields = {"site": ["shared", "own"], "technology": "t"}
    rows = [{"shared": "S", "own": "a", "t": "4G"}, {"shared": "", "own": "b", "t": "4G"}, {"own": "c", "t": "4G"}]
    found = translated(rows, dataset="cells", fields=fields)
    assert [cell.site for cell in cells(found)] == ["S", "b", "c"]


VALUES = st.one_of(
    st.none(),
    st.text(max_size=12),
    st.floats(),
    st.integers(),
    st.booleans(),
    st.dates(),
    st.datetimes(),
    st.sampled_from(["15.1", "108.8", "4G", "LTE", "on", "QNI001", "nan", "-", "2026-11-23"]),
    st.lists(st.text(max_size=3), max_size=2),
)


@given(st.lists(st.dictionaries(st.sampled_from([*ROW, "seen"]), VALUES), max_size=8))
@settings(deadline=None)
def test_whatever_rows_hold_they_give_sound_records_or_faults(rows: list[dict[str, Any]]) -> None:
    for plan in (CELLS, outages()):
        found = translated(rows, plan)
        assert found.rows == len(rows)
        assert len(found.records) >= 0
        assert len(found.faults) <= found.rows
        assert found.unreadable <= found.rows
        for record in found.records:
            assert isinstance(record, (Cell, Outage))
            assert record.operator == "viettel"
            assert (record.lat is None) == (record.lon is None)
            assert record.lat is None or abs(record.lat) <= 90
            assert record.lon is None or abs(record.lon) <= 180
            assert record.technology is None or record.technology in Technology
