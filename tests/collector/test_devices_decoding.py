"""Raw answers to samples: what the options of a profile do, without a device."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from collector.devices import SINGLE, DeviceProfile, TablePlan, Tally, plan_of
from collector.devices.objects import IndexPart
from collector.devices.rows import Index
from collector.model import Metric
from tests.device_profiles import profile

OID = "1.3.6.1.9.0"


class Taken(dict[str, float]):
    """Takes samples as `name{values}` -> value; a second one of the same series fails."""

    def __call__(self, metric: Metric, value: float, *labels: str) -> None:
        assert len(labels) == len(metric.labels)
        name = f"{metric.name}{{{','.join(labels)}}}" if labels else metric.name
        assert name not in self
        self[name] = value


def read(answers: Any, **settings: Any) -> tuple[dict[str, float], Tally]:
    """What a single value with these settings makes of the answers by OID, or of the answer."""
    fields = {"name": "m", "oid": OID, "help": "h", **settings}
    plan = plan_of((DeviceProfile.model_validate({"name": "d", "title": "t", "scalars": [fields]}),))
    taken, tally = Taken(), Tally()
    plan.emit(answers if isinstance(answers, Mapping) else {OID: answers}, taken, tally)
    return dict(taken), tally


@pytest.mark.parametrize(
    ("raw", "settings", "expected"),
    [
        (3, {"scale": 0.1}, 0.3),
        (273, {"scale": 0.1}, 27.3),
        (54016, {"scale": 0.001}, 54.016),
        (2, {"scale": 1024}, 2048),
        (1, {"scale": 0.3}, 0.3),
        (0, {"scale": 0}, 0),
        (212, {"scale": 0.5555555555555556, "offset": -17.77777777777778}, pytest.approx(100)),
        (100, {"offset": -40}, 60),
        (-1, {"unsigned": True}, 2**32 - 1),
        (-(2**31), {"unsigned": True, "scale": 4096}, 2**31 * 4096),
        (2**53, {"type": "counter"}, 2**53),
        (2**53 + 1, {"type": "counter"}, 1),
        (2**64 - 1, {"type": "counter"}, 2**53 - 1),
        (b"0.42", {}, 0.42),
        (b"12,5 V", {"extract": [{"regex": r"(\d+),"}]}, 12),
        (b"Temp 21.5C", {"extract": [{"regex": "^(X)"}, {"regex": r"(-?\d+\.\d)(C)"}]}, 21.5),
        (b"fan OK", {"extract": [{"regex": "OK", "value": "1"}, {"regex": "", "value": "0"}]}, 1),
        (b"fan bad", {"extract": [{"regex": "OK", "value": "1"}, {"regex": "", "value": "0"}]}, 0),
        (b"a=1 b=2", {"extract": [{"regex": r"a=(\d) b=(\d)", "value": "$2"}]}, 2),
        (b"7", {"extract": [{"regex": r"\d", "value": "$0"}], "scale": 10}, 70),
        (bytes.fromhex("07b2010200000a00"), {"syntax": "date-and-time"}, 86410),
        (b"02.01.1970", {"syntax": "date-text", "date_format": "%d.%m.%Y"}, 86400),
        (b"\x40\x00\x00\x00", {"syntax": "float32"}, 2),
    ],
)
def test_a_number_is_read_scaled_and_shifted(raw: Any, settings: dict[str, Any], expected: float) -> None:
    found, tally = read(raw, **settings)
    assert found == {"m": expected}
    assert (tally.missing, tally.unreadable) == (0, 0)


@pytest.mark.parametrize("raw", [2147483647, -1, b"N/A", b" --- "])
def test_an_answer_that_means_no_value_has_no_sample(raw: Any) -> None:
    found, tally = read(raw, absent=[2147483647, -1, "N/A", "---"])
    assert found == {}
    assert tally.unreadable == 0


@pytest.mark.parametrize(
    ("raw", "settings"),
    [
        (b"up", {}),
        ("1.3.6", {}),
        (b"none", {"extract": [{"regex": r"(\d+)"}]}),
        (b"ab", {"extract": [{"regex": "(a)"}]}),
        (b"x", {"syntax": "date-and-time"}),
        (b"x", {"type": "states", "enum": {1: "up"}}),
        (7, {"type": "states", "syntax": "bits", "enum": {0: "a"}}),
        (7, {"type": "info", "name": "m_info", "syntax": "mac"}),
    ],
)
def test_an_answer_that_does_not_fit_is_counted_and_left_out(raw: Any, settings: dict[str, Any]) -> None:
    found, tally = read(raw, **settings)
    assert found == {}
    assert tally.unreadable == 1


def test_an_object_that_the_device_lacks_is_counted() -> None:
    found, tally = read({})
    assert (found, tally.missing) == ({}, 1)


def test_states_are_one_series_each_and_a_new_state_is_shown_too() -> None:
    settings: dict[str, Any] = {"type": "states", "enum": {1: "up", 2: "down", 3: "down"}}
    assert read(2, **settings)[0] == {"m{up}": 0, "m{down}": 1}
    assert read(9, **settings)[0] == {"m{up}": 0, "m{down}": 0, "m{9}": 1}
    words: dict[str, Any] = {"type": "states", "syntax": "text", "enum": {"ON": "up", "OFF": "down"}, "label": "state"}
    assert read(b"OFF", **words)[0] == {"m{up}": 0, "m{down}": 1}
    assert read(0, absent=[0], **settings)[0] == {}


def test_bits_are_one_series_each() -> None:
    found, _ = read(b"\xa0", type="states", syntax="bits", enum={0: "onBattery", 1: "lowBattery", 2: "bypass"})
    assert found == {"m{onBattery}": 1, "m{lowBattery}": 0, "m{bypass}": 1}


@pytest.mark.parametrize(
    ("raw", "settings", "label"),
    [
        (b"Tram Tra Bong\0", {}, "Tram Tra Bong"),
        (b"\x00\x01\x02\x03\x04\xff", {"syntax": "mac"}, "00:01:02:03:04:ff"),
        (b"\xff4", {"syntax": "hex"}, "0xff34"),
        ("10.0.0.1", {"syntax": "ip"}, "10.0.0.1"),
        ("1.3.6.1.4.1.9", {"syntax": "oid"}, "1.3.6.1.4.1.9"),
        (2, {"enum": {1: "router", 2: "switch"}}, "switch"),
        (3, {"enum": {1: "router", 2: "switch"}}, "3"),
    ],
)
def test_a_text_is_a_label_of_a_series_that_is_one(raw: Any, settings: dict[str, Any], label: str) -> None:
    assert read(raw, name="m_info", type="info", **settings)[0] == {f"m_info{{{label}}}": 1}


def test_an_empty_text_and_one_that_means_nothing_have_no_series() -> None:
    assert read(b"", name="m_info", type="info")[0] == {}
    assert read(b"n/a", name="m_info", type="info", absent=["n/a"])[0] == {}


@pytest.mark.parametrize(("setting", "expected"), [({"1.3.6.2.0": 0}, 63), ({"1.3.6.2.0": 1}, 6.3), ({}, 6.3)])
def test_a_factor_may_stand_in_another_object(setting: dict[str, Any], expected: float) -> None:
    scale = [{"oid": "1.3.6.2.0", "map": {0: 1, 1: 0.1}, "otherwise": 0.1}]
    assert read({OID: 63, **setting}, scale_from=scale)[0] == {"m": expected}


def test_a_value_without_its_factor_is_left_out() -> None:
    assert read({OID: 63, "1.3.6.2.0": 7}, scale_from=[{"oid": "1.3.6.2.0", "map": {1: 2}}])[0] == {}
    assert read({OID: 63}, scale_from=[{"oid": "1.3.6.2.0"}])[0] == {}
    assert read({OID: 63, "1.3.6.2.0": b"x"}, scale_from=[{"oid": "1.3.6.2.0"}])[0] == {}
    assert read({OID: 63, "1.3.6.2.0": 0}, scale_from=[{"oid": "1.3.6.2.0", "divide": True}])[0] == {}
    assert read({OID: 63, "1.3.6.2.0": 2}, scale_from=[{"oid": "1.3.6.2.0", "divide": True}])[0] == {"m": 31.5}


@pytest.mark.parametrize(("factor", "divide"), [(b"1e308", False), (b"5e-324", True), (b"1e-308", True)])
def test_a_factor_that_leads_beyond_all_numbers_makes_no_value(factor: bytes, divide: bool) -> None:
    """A device may say what it likes: that is neither infinity nor a fault of ours."""
    scale = [{"oid": "1.3.6.2.0", "divide": divide}]
    taken, tally = read({OID: 63, "1.3.6.2.0": factor}, scale_from=scale, scale=1000)
    assert (taken, tally.unreadable) == ({}, 1)


def test_a_value_may_depend_on_another_object() -> None:
    only_if = {"oid": "1.3.6.2.0", "not_values": [4, 6]}
    assert read({OID: 18, "1.3.6.2.0": 1}, only_if=only_if)[0] == {"m": 18}
    assert read({OID: 0, "1.3.6.2.0": 4}, only_if=only_if)[0] == {}
    assert read({OID: 0}, only_if=only_if)[0] == {}


@pytest.mark.parametrize(
    ("parts", "key", "expected"),
    [
        (["a"], "7", ["7"]),
        (["a", "b"], "7.8", ["7", "8"]),
        ([{"name": "a", "enum": {1: "in", 2: "out"}}], "2", ["out"]),
        ([{"name": "a", "enum": {1: "in"}}], "2", ["2"]),
        ([{"name": "a", "type": "string"}, "b"], "3.101.116.104.5", ["eth", "5"]),
        ([{"name": "a", "type": "string", "length": 3}, "b"], "101.116.104.5", ["eth", "5"]),
        (["b", {"name": "a", "type": "string", "implied": True}], "5.101.116.104", ["5", "eth"]),
        ([{"name": "a", "type": "string"}], "0", [""]),
        ([{"name": "a", "type": "hex"}], "2.255.52", ["0xff34"]),
        ([{"name": "a", "type": "mac"}, "b"], "0.1.2.3.4.255.9", ["00:01:02:03:04:ff", "9"]),
        ([{"name": "a", "type": "ipv4"}, "b"], "10.0.0.1.443", ["10.0.0.1", "443"]),
        ([{"name": "a", "type": "ipv6"}], "254.128" + ".0" * 13 + ".1", ["fe80::1"]),
        ([{"name": "a", "type": "inet"}, "b"], "1.4.10.0.0.1.5", ["10.0.0.1", "5"]),
        ([{"name": "a", "type": "inet"}], "2.16.254.128" + ".0" * 13 + ".1", ["fe80::1"]),
        ([{"name": "a", "type": "inet"}], "3.8.10.0.0.1.0.0.0.7", ["10.0.0.1"]),
        ([{"name": "a", "type": "inet"}], "16.3.97.46.98", ["a.b"]),
        ([{"name": "a", "type": "inet"}], "0.0", ["0x"]),
        ([{"name": "a", "type": "inet"}], "1.2.10.0", ["0x0a00"]),
        (
            [
                {"name": "a", "type": "inet", "implied": True},
            ],
            "1.10.0.0.1",
            ["10.0.0.1"],
        ),
        ([{"name": "a", "type": "oid"}, "b"], "3.1.3.6.9", ["1.3.6", "9"]),
        ([{"name": "a", "type": "oid", "implied": True}], "1.3.6.9", ["1.3.6.9"]),
        ([{"name": "a", "type": "oid", "length": 2}, "b"], "1.3.6", ["1.3", "6"]),
    ],
)
def test_an_index_is_taken_apart(parts: list[Any], key: str, expected: list[str]) -> None:
    index = Index(tuple(IndexPart.model_validate(part if isinstance(part, dict) else {"name": part}) for part in parts))
    decoded = index.decode(key)
    assert [part.text for part in decoded] == expected
    assert ".".join(part.key for part in decoded) == key


@pytest.mark.parametrize(
    ("parts", "key"),
    [
        (["a"], "1.2"),
        (["a", "b"], "1"),
        (["a", "b"], "1.2.3"),
        ([{"name": "a", "type": "string"}], "5.101.116"),
        ([{"name": "a", "type": "string"}], "2.101.300"),
        ([{"name": "a", "type": "string"}, "b"], "2.101.102"),
        ([{"name": "a", "type": "mac"}], "1.2.3"),
        ([{"name": "a", "type": "ipv4"}], "1.2.3"),
        ([{"name": "a", "type": "ipv4"}], "1.2.3.256"),
        ([{"name": "a", "type": "inet"}], "1"),
        ([{"name": "a", "type": "inet"}], "1.4.10.0"),
        ([{"name": "a", "type": "inet", "implied": True}], "2.1.2"),
        (["b", {"name": "a", "type": "string", "implied": True}], "5"),
    ],
)
def test_an_index_that_is_not_what_the_profile_says_is_refused(parts: list[Any], key: str) -> None:
    index = Index(tuple(IndexPart.model_validate(part if isinstance(part, dict) else {"name": part}) for part in parts))
    with pytest.raises(ValueError, match=r"index|number|octets|bytes|address|IP"):
        index.decode(key)


def rows(text: str, cells: dict[str, dict[str, Any]]) -> tuple[dict[str, float], Tally]:
    """Samples of the only table of a profile, of which all columns were read."""
    (table,) = plan_of((profile(text),)).tables
    taken, tally = Taken(), Tally()
    first: dict[str, Any] = next((cells[reading.oid] for reading in table.readings if reading.oid in cells), {})
    kept = table.labelled(table.accepted(first, tally), cells, tally)
    for key, labels in kept.items():
        table.emit(key, labels, cells, taken, tally)
    return dict(taken), tally


def test_labels_come_from_the_index_from_columns_and_from_other_tables() -> None:
    text = """
    tables:
      - name: t
        index: [unit, slot]
        labels:
          - slot
          - {name: unitName, oid: 1.3.6.1.7, index: [unit]}
          - {name: port, via: 1.3.6.1.2, oid: 1.3.6.1.8, enum: {uplink: core}}
        columns: [{name: amps, oid: 1.3.6.1.1, help: h}]
    """
    cells: dict[str, dict[str, Any]] = {
        "1.3.6.1.1": {"1.5": 10, "2.5": 20},
        "1.3.6.1.2": {"1.5": 77, "2.5": 78},
        "1.3.6.1.7": {"1": b"left", "2": b"right"},
        "1.3.6.1.8": {"77": b"uplink"},
    }
    assert rows(text, cells)[0] == {"amps{5,left,core}": 10, "amps{5,right,}": 20}


def test_a_label_may_be_a_part_of_the_index_under_another_name() -> None:
    text = """
    tables:
      - name: t
        index: [upsOutputLineIndex]
        labels: [{name: phase, index: [upsOutputLineIndex]}]
        columns: [{name: volts, oid: 1.3.6.1.1, help: h}]
    """
    assert rows(text, {"1.3.6.1.1": {"1": 230}})[0] == {"volts{1}": 230}


def test_an_empty_label_is_looked_for_elsewhere_and_ends_as_the_row_number() -> None:
    text = """
    tables:
      - name: t
        index: [ifIndex]
        labels: [{name: ifName, oid: 1.3.6.1.2, otherwise: [1.3.6.1.3, index]}]
        columns: [{name: octets, oid: 1.3.6.1.1, help: h}]
    """
    cells: dict[str, dict[str, Any]] = {
        "1.3.6.1.1": {"1": 1, "2": 2, "3": 3},
        "1.3.6.1.2": {"1": b"Gi0/1", "2": b""},
        "1.3.6.1.3": {"2": b"port 2"},
    }
    assert rows(text, cells)[0] == {"octets{Gi0/1}": 1, "octets{port 2}": 2, "octets{3}": 3}


def test_of_rows_with_the_same_labels_the_first_is_kept_and_the_others_are_counted() -> None:
    text = """
    tables:
      - name: t
        index: [i]
        labels: [{name: name, oid: 1.3.6.1.2}]
        columns: [{name: octets, oid: 1.3.6.1.1, help: h}]
    """
    cells: dict[str, dict[str, Any]] = {
        "1.3.6.1.1": {"1": 1, "2": 2, "3": 3},
        "1.3.6.1.2": {"1": b"a", "2": b"a", "3": b"a"},
    }
    found, tally = rows(text, cells)
    assert found == {"octets{a}": 1}
    assert tally.dropped == {"limit": 0, "duplicate": 2, "index": 0}


def test_a_row_whose_index_does_not_fit_is_counted() -> None:
    text = "tables: [{name: t, index: [i], labels: [i], columns: [{name: c, oid: 1.3.6.1.1, help: h}]}]"
    found, tally = rows(text, {"1.3.6.1.1": {"1": 1, "2.3": 2}})
    assert found == {"c{1}": 1}
    assert tally.dropped == {"limit": 0, "duplicate": 0, "index": 1}


@pytest.mark.parametrize(
    ("condition", "kept"),
    [
        ("{index: i, values: [1, 3]}", "13"),
        ("{index: i, not_values: [1]}", "23"),
        ("{index: i, matches: '[23]'}", "23"),
        ("{label: name, matches: '^Gi'}", "12"),
        ("{label: name, not_matches: '2$'}", "13"),
        ("{label: name, values: [Vlan1, Gi1]}", "13"),
    ],
)
def test_rows_are_chosen_by_index_and_by_label(condition: str, kept: str) -> None:
    text = f"""
    tables:
      - name: t
        index: [i]
        labels: [i, {{name: name, oid: 1.3.6.1.2}}]
        rows: [{condition}]
        columns: [{{name: c, oid: 1.3.6.1.1, help: h}}]
    """
    cells: dict[str, dict[str, Any]] = {
        "1.3.6.1.1": {"1": 1, "2": 2, "3": 3},
        "1.3.6.1.2": {"1": b"Gi1", "2": b"Gi2", "3": b"Vlan1"},
    }
    assert [name[2] for name in rows(text, cells)[0]] == list(kept)


def test_only_a_list_of_numbers_for_the_whole_index_fixes_the_rows() -> None:
    def fixed(index: str, condition: str) -> tuple[str, ...] | None:
        column = "{name: c, oid: 1.3.6, help: h}"
        text = f"tables: [{{name: t, index: {index}, labels: [i], rows: [{condition}], columns: [{column}]}}]"
        (table,) = profile(text).tables
        return TablePlan("p", table).fixed

    assert fixed("[i]", "{index: i, values: [1, 3]}") == ("1", "3")
    assert fixed("[i, j]", "{index: i, values: [1, 3]}") is None
    assert fixed("[i]", "{index: i, not_values: [1, 3]}") is None


def test_factors_of_a_row_come_from_its_columns_and_from_single_objects() -> None:
    text = """
    tables:
      - name: t
        index: [i]
        labels: [i]
        columns:
          - name: amps
            oid: 1.3.6.1.1
            help: h
            scale_from: [{oid: 1.3.6.1.2}, {oid: 1.3.6.9.0, map: {0: 1, 1: 0.1}}]
    """
    plan = plan_of((profile(text),))
    assert plan.gets == ("1.3.6.9.0",)
    cells: dict[str, dict[str, Any]] = {"1.3.6.1.1": {"1": 31, "2": 5}, "1.3.6.1.2": {"1": 3}, "1.3.6.9.0": {SINGLE: 1}}
    assert rows(text, cells)[0] == {"amps{1}": 9.3}
