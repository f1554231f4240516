"""The model of device profiles: what a file may say, and what is refused in which words."""

from __future__ import annotations

import pickle
import re

import pytest
from pydantic import ValidationError

from collector.devices import DeviceProfile, plan_of
from collector.model import MetricType
from tests.device_profiles import SHIPPED, profile

TABLE = """
tables:
  - name: t
    index: [i]
    labels: [i]
    columns: [{name: c, oid: 1.3.6.1.9.1.1, help: h}]
"""


def scalar(**settings: object) -> DeviceProfile:
    fields = {"name": "m", "oid": "1.3.6.1.9.0", "help": "h", **settings}
    return DeviceProfile.model_validate({"name": "d", "title": "t", "scalars": [fields]})


def table(**settings: object) -> DeviceProfile:
    fields: dict[str, object] = {
        "name": "t",
        "index": ["i"],
        "labels": ["i"],
        "columns": [{"name": "c", "oid": "1.3.6.1.9.1", "help": "h"}],
        **settings,
    }
    return DeviceProfile.model_validate({"name": "d", "title": "t", "tables": [fields]})


def refused(error: pytest.ExceptionInfo[ValidationError]) -> list[str]:
    return [each["msg"] for each in error.value.errors()]


@pytest.mark.parametrize(
    ("oid", "message"),
    [
        ("1.3.6.1.two.0", "bad OID '1.3.6.1.two.0': expected numbers joined by dots, such as 1.3.6.1.2.1.1.3.0"),
        ("sysUpTime.0", "bad OID 'sysUpTime.0': expected numbers joined by dots, such as 1.3.6.1.2.1.1.3.0"),
        ("1.3.6.", "bad OID '1.3.6.': expected numbers joined by dots, such as 1.3.6.1.2.1.1.3.0"),
        ("", "bad OID '': expected numbers joined by dots, such as 1.3.6.1.2.1.1.3.0"),
        ("3.6.1", "bad OID '3.6.1': a number is out of range (X.660)"),
        ("1.40.1", "bad OID '1.40.1': a number is out of range (X.660)"),
        ("1.3.4294967296", "bad OID '1.3.4294967296': a number is out of range (X.660)"),
        ("1.3" + ".1" * 127, f"bad OID '1.3{'.1' * 127}': a number is out of range (X.660)"),
    ],
)
def test_a_bad_oid_is_refused_when_it_is_loaded(oid: str, message: str) -> None:
    with pytest.raises(ValidationError) as error:
        scalar(oid=oid)
    assert refused(error) == [message]


def test_an_oid_may_begin_with_a_dot_and_is_kept_without() -> None:
    assert scalar(oid=".1.3.6.1.02.0").scalars[0].oid == "1.3.6.1.2.0"


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"name": "probe_success"}, "the name 'probe_success' is taken by the service itself or by Prometheus"),
        ({"name": "snmp_scrape_x"}, "the name 'snmp_scrape_x' is taken by the service itself or by Prometheus"),
        ({"name": "hatang_x"}, "the name 'hatang_x' is taken by the service itself or by Prometheus"),
        ({"name": "9x"}, "String should match pattern '^[a-zA-Z_][a-zA-Z0-9_]*$'"),
        ({"labels": {"target": "x"}}, "the label 'target' is reserved"),
        ({"labels": {"__x": "x"}}, "the label '__x' is reserved"),
        ({"labels": dict.fromkeys("abcd", "x")}, "Dictionary should have at most 3 items after validation, not more"),
        ({"type": "states"}, "m: `type: states` needs `enum`"),
        ({"syntax": "bits"}, "m: `syntax: bits` needs `type: states`"),
        ({"type": "info"}, "m: a metric of `type: info` ends in _info"),
        ({"syntax": "date-text"}, "m: `date-text` and `date_format` go together"),
        ({"date_format": "%Y"}, "m: `date-text` and `date_format` go together"),
        ({"label": "x"}, "m: `label` is for `states` and `info`"),
        ({"syntax": "text"}, "m: a text is no number: use `type: info`, or `extract`"),
        ({"type": "info", "name": "m_info", "scale": 2}, "m_info: scale, offset, unsigned and extract are for numbers"),
        ({"scale": "ten"}, "Input should be a valid number, unable to parse string as a number"),
        ({"unit": "V"}, "Extra inputs are not permitted"),
        ({"help": ""}, "String should have at least 1 character"),
        ({"extract": [{"regex": "("}]}, "bad regular expression: missing ): ("),
        ({"extract": [{"regex": "x"}]}, "the expression has no group 1"),
        ({"only_if": {"index": "i", "values": [1]}}, "m: `only_if` needs `oid`"),
        (
            {"only_if": {"oid": "1.3.6", "label": "x", "values": [1]}},
            "a row filter judges one of `oid`, `index`, `label`",
        ),
        (
            {"only_if": {"oid": "1.3.6"}},
            "a row filter needs `values`, `not_values`, `matches` or `not_matches`",
        ),
        (
            {"type": "states", "enum": {1: "a"}, "labels": dict.fromkeys("abc", "x")},
            "m: with its own label 'm' there are more than 3 labels",
        ),
        ({"type": "states", "enum": {1: "a"}, "label": "a", "labels": {"a": "x"}}, "m: the label 'a' twice"),
    ],
)
def test_a_value_that_makes_no_sense_is_refused(settings: dict[str, object], message: str) -> None:
    with pytest.raises(ValidationError) as error:
        scalar(**settings)
    assert refused(error) == [message]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"labels": ["x"]}, "table t: 'x' is none of i"),
        ({"labels": []}, "at least one entry is needed"),
        ({"labels": ["i", "i"]}, "table t: label 'i' twice"),
        ({"index": ["i", "i"]}, "table t: index 'i' twice"),
        (
            {"index": ["i", *"jkl"], "labels": ["i", *"jkl"]},
            "Tuple should have at most 3 items after validation, not 4",
        ),
        ({"rows": [{"index": "x", "values": [1]}]}, "table t: 'x' is none of i"),
        ({"rows": [{"label": "x", "values": [1]}]}, "table t: 'x' is none of i"),
        ({"labels": [{"name": "l", "oid": "1.3.6", "index": ["x"]}]}, "table t: 'x' is none of i"),
        (
            {"index": [{"name": "i", "type": "oid", "implied": True}, "j"]},
            "table t: only the last part of the index can be `implied`",
        ),
        ({"index": [{"name": "i", "length": 3}]}, "i: `length` is for string, hex and oid"),
        ({"index": [{"name": "i", "implied": True}]}, "i: `implied` is for string, hex, oid and inet"),
        ({"index": [{"name": "i", "type": "mac", "enum": {1: "a"}}]}, "i: `enum` is for integers"),
        ({"labels": [{"name": "i", "syntax": "hex"}]}, "label i: this needs `oid`"),
        (
            {"labels": [{"name": "l", "oid": "1.3.6", "via": "1.3.7", "index": ["i"]}]},
            "label l: either `via` or `index`",
        ),
        (
            {"labels": [{"name": "l", "oid": "1.3.6", "otherwise": ["index", "1.3.7"]}]},
            "label l: `index` comes last, it is never empty",
        ),
    ],
)
def test_a_table_that_makes_no_sense_is_refused(settings: dict[str, object], message: str) -> None:
    with pytest.raises(ValidationError) as error:
        table(**settings)
    assert refused(error) == [message]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("description: x", "a profile needs `scalars` or `tables`"),
        (
            f"scalars: [{{name: c, oid: 1.3.6.0, help: h}}]{TABLE}",
            "c twice: a metric belongs to one table",
        ),
        (
            "scalars: [{name: m, oid: 1.3.6.0, help: h}, {name: m, oid: 1.3.7.0, help: other}]",
            "m twice: give each the same help, type and labels, with other label values",
        ),
        (
            (
                "scalars:\n"
                "  - {name: m, oid: 1.3.6.0, help: h, labels: {l: x}}\n"
                "  - {name: m, oid: 1.3.7.0, help: h, labels: {l: x}}"
            ),
            "m twice with the labels {'l': 'x'}",
        ),
        (
            "tables:\n" + 2 * TABLE.removeprefix("\ntables:\n"),
            "c twice: a metric belongs to one table",
        ),
    ],
)
def test_a_profile_defines_each_metric_once(text: str, message: str) -> None:
    with pytest.raises(ValidationError) as error:
        profile(text)
    assert refused(error) == [message]


def test_numbered_values_may_share_a_metric_with_other_labels() -> None:
    text = """
    scalars:
      - {name: volts, oid: 1.3.6.1.0, help: h, labels: {line: A}}
      - {name: volts, oid: 1.3.6.2.0, help: h, labels: {line: B}}
    """
    plan = plan_of((profile(text),))
    assert [metric.name for metric in plan.metrics] == ["volts"]
    assert plan.metrics[0].labels == ("line",)


def test_a_counter_is_exposed_as_unknown_unless_its_name_says_total() -> None:
    text = """
    scalars:
      - {name: ifHCInOctets, oid: 1.3.6.1.0, help: h, type: counter}
      - {name: door_openings_total, oid: 1.3.6.2.0, help: h, type: counter}
      - {name: level, oid: 1.3.6.3.0, help: h, type: unknown}
      - {name: heat, oid: 1.3.6.4.0, help: h}
      - {name: sysName_info, oid: 1.3.6.5.0, help: h, type: info}
    """
    types = {metric.name: metric.type for metric in plan_of((profile(text),)).metrics}
    assert types == {
        "ifHCInOctets": MetricType.UNKNOWN,
        "door_openings_total": MetricType.COUNTER,
        "level": MetricType.UNKNOWN,
        "heat": MetricType.GAUGE,
        "sysName_info": MetricType.INFO,
    }


def test_the_meaning_of_a_plain_enum_is_in_the_help() -> None:
    (metric,) = plan_of((scalar(enum={1: "up", 2: "down"}, help="State of it."),)).metrics
    assert metric.help == "State of it. 1: up, 2: down."


def test_a_profile_that_is_loaded_again_is_the_same_and_a_changed_one_is_not() -> None:
    text = f"scalars: [{{name: m, oid: 1.3.6.0, help: h, enum: {{1: a}}, extract: [{{regex: (x)}}]}}]{TABLE}"
    first, again, changed = profile(text), profile(text), profile(text.replace("help: h", "help: other"))
    assert first == again
    assert hash(first) == hash(again)
    assert first != changed
    assert plan_of((first,)) is plan_of((again,))
    assert plan_of((first,)) is not plan_of((changed,))


def test_two_profiles_that_define_a_metric_alike_share_it_and_others_clash() -> None:
    up = "{name: sysUpTime, oid: 1.3.6.1.2.1.1.3.0, scale: 0.01, help: h}"
    one = profile(f"scalars: [{up}]{TABLE}", "one")
    two = profile(f"scalars: [{up}, {{name: x, oid: 1.3.6.0, help: h}}]{TABLE}", "two")
    plan = plan_of((one, two))
    assert plan.gets == ("1.3.6.1.2.1.1.3.0", "1.3.6.0")
    assert [table.profile for table in plan.tables] == ["one"]
    assert [metric.name for metric in plan.metrics] == ["sysUpTime", "x", "c"]
    other = profile("scalars: [{name: sysUpTime, oid: 1.3.6.1.2.1.1.3.0, help: ticks}]", "other")
    clash = "profiles 'one' and 'other' both define sysUpTime, in different ways"
    with pytest.raises(ValueError, match=re.escape(clash)):
        plan_of((one, other))


def test_the_schema_names_every_key_with_its_meaning() -> None:
    schema = DeviceProfile.model_json_schema()
    assert schema["$defs"]["Scalar"]["properties"]["oid"]["pattern"] == r"^\.?\d+(?:\.\d+)+$"
    for definition in (schema, *schema["$defs"].values()):
        for key, field in definition["properties"].items():
            assert field.get("description"), key


def test_a_profile_can_be_sent_to_another_process() -> None:
    original = profile(TABLE)
    assert pickle.loads(pickle.dumps(original)) == original


def test_the_description_of_the_format_names_every_key() -> None:
    text = (SHIPPED / "README.md").read_text()
    schema = DeviceProfile.model_json_schema()
    keys = {key for part in (schema, *schema["$defs"].values()) for key in part["properties"]}
    assert {key for key in keys if f"`{key}`" not in text and f"\n{key}:" not in text} <= {"value", "name"}
    example = text.split("```yaml\n")[1].split("```")[0]
    assert [metric.name for metric in plan_of((profile(example),)).metrics][-1] == "fanState"
