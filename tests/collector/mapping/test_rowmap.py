"""What a map may say, and what of it is refused when settings are checked."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from collector.mapping import RowMap
from collector.mapping.spec import MappedSpec
from collector.places import Operator
from collector.records import Dataset, Sense

CELLS: dict[str, Any] = {"site": "s", "technology": "t"}


def a_map(fields: dict[str, Any], dataset: str = "cells", **settings: Any) -> RowMap:
    """A map with these fields."""
    return RowMap.model_validate({"dataset": dataset, "fields": fields, **settings})


def complaint(fields: dict[str, Any], dataset: str = "cells", **settings: Any) -> str:
    """What is said of a bad map."""
    with pytest.raises(ValidationError) as caught:
        a_map(fields, dataset, **settings)
    return "; ".join(error["msg"] for error in caught.value.errors())


@pytest.mark.parametrize(
    ("fields", "settings", "message"),
    [
        ({"site": "s"}, {}, "cells need `technology`"),
        ({"technology": "t"}, {}, "cells need `cell` or `site`"),
        ({**CELLS, "value": "v"}, {}, "`value` is not for cells"),
        ({**CELLS, "lat": "a"}, {}, "`lat` and `lon` go together"),
        ({**CELLS, "x": "a"}, {}, "`x` and `y` go together"),
        ({**CELLS, "mcc": "a"}, {}, "`mcc` and `mnc` go together"),
        ({**CELLS, "lat": "a", "lon": "o", "x": "x", "y": "y"}, {}, "give `lat` and `lon`, or `x` and `y`"),
        ({**CELLS, "lat": "a", "lon": "o"}, {"crs": 5898}, "`crs` is for `x` and `y`"),
        ({**CELLS, "operator": "o", "mcc": "c", "mnc": "n"}, {}, "give `operator`, or `mcc` and `mnc`"),
        ({"reason": "r"}, {"dataset": "outages"}, "outages need `cell`, `site`, or a position"),
        ({"site": "r", "band": "b"}, {"dataset": "outages"}, "`band` is not for outages"),
        ({"indicator": "i", "day": "d"}, {"dataset": "indicators"}, "indicators need `value`"),
        ({"begin": "b", "period": "p"}, {"dataset": "downtime"}, "downtime needs `cell` or `site`"),
        ({**CELLS, "name": {"const": 1, "column": "c"}}, {}, "give one of `column`, `join` and `const`"),
        ({**CELLS, "name": {"const": "a", "pattern": "b"}}, {}, "`pattern` is for columns"),
        ({**CELLS, "name": {"column": "a", "pattern": "("}}, {}, "bad regular expression: missing ): ("),
        ({**CELLS, "cell": {"id": "c", "numbering": "eci", "area": "a"}}, {}, "`area` is for `numbering: cgi`"),
        ({**CELLS, "cell": {"id": "c", "numbering": "eci", "gnb_length": 24}}, {}, "`gnb_length` is for"),
        ({**CELLS, "cell": {"id": "c", "numbering": "nci", "per_technology": True}}, {}, "`per_technology` is for"),
        ({**CELLS, "name": {"column": "n", "scale": 2}}, {}, "`scale` is for numbers, not for `name`"),
        (CELLS, {"each": [{"when": "a", "when_any": ["b"]}]}, "give one of `when` and `when_any`"),
        (CELLS, {"where": [{"column": "a"}]}, "give one of `equals` and `matches`"),
        (CELLS, {"numbers": {"decimal": ".", "thousands": "."}}, "`decimal` and `thousands` are the same"),
        (CELLS, {"table": {}, "document": {}}, "give one of `table` and `document`"),
        ({"site": "a.[", "technology": "t"}, {"document": {}}, "bad JMESPath"),
        (CELLS, {"table": {"header": "none"}}, "`header: none` needs `columns`"),
        (CELLS, {"table": {"columns": ["a"]}}, "`columns` is for tables without a header"),
        (CELLS, {"table": {"delimiter": '"'}}, "`delimiter` and `quote` are the same"),
        (CELLS, {"table": {"delimiter": "\n"}}, "a line break separates rows"),
        (CELLS, {"table": {"header": "none", "columns": ["s"], "header_rows": 2}}, "`header_rows` is for tables with"),
        (CELLS, {"as_of": {"by": "above"}}, "`pattern` is for"),
        (CELLS, {"as_of": {"by": "modified", "pattern": "a"}}, "`pattern` is for"),
        (CELLS, {"as_of": {"by": "document"}}, "`path` and `by: document` go together"),
        (CELLS, {"states": {"on": "upp"}}, "Input should be 'active', 'down'"),
        (CELLS, {"crs": 1}, "greater than or equal to 1024"),
    ],
)
def test_bad_maps(fields: dict[str, Any], settings: dict[str, Any], message: str) -> None:
    assert message in complaint(fields, **settings)


def test_columns_in_short_and_in_long() -> None:
    plan = a_map(
        {**CELLS, "name": ["Tên", "Tên trạm"], "state": {"join": ["a", "b"]}, "cell": {"column": "c"}},
        each=[{"when": "w", "band": {"const": 700}, "unless": ["u"]}],
        where=[{"column": "k", "equals": ["1"]}],
    )
    assert plan.names == ("t", "s", "c", "Tên", "Tên trạm", "a", "b", "w", "u", "k")
    assert plan.fields.cell is not None
    assert plan.fields.cell.id.column == ("c",)


def test_keys_of_yaml_are_texts() -> None:
    plan = a_map(CELLS, states={1: "active", False: "down"}, bands={3: 1800}, booleans={"HS": True})
    assert set(plan.states) == {"1", "false"}
    assert plan.bands == {"3": 1800}


def test_auto_is_the_encodings_of_the_country() -> None:
    plan = a_map(CELLS, table={"encoding": "auto"})
    assert plan.table is not None
    assert plan.table.encoding == ("utf-8", "windows-1258", "windows-1250")


def feed(**settings: Any) -> MappedSpec:
    """A feed with these settings, validated as settings does it."""
    known = {"maps": {"cat": a_map({"site": "s"}, "outages"), "all": a_map(CELLS, name="all")}}
    operators = {"operators": (Operator("viettel", ("452-04",)),)}
    spec = {"source": {"folder": "/tmp"}, "period": "1h", **settings}
    return MappedSpec.model_validate(spec, context={**known, **operators})


def test_a_target_names_its_map_which_says_what_the_rows_are() -> None:
    assert (feed(map="cat").dataset, feed(map="cat").sense) == (Dataset.OUTAGES, Sense.NEGATIVE)
    assert (feed(map="all").dataset, feed(map="all").sense) == (Dataset.CELLS, Sense.POSITIVE)
    assert feed(map="cat", dataset="outages", sense="positive").sense is Sense.POSITIVE
    assert feed(map="all").model_dump(mode="json")["map"] == "all"


def test_a_target_knows_the_operators_that_rows_may_name() -> None:
    operators = feed(map="all").operators
    assert operators is not None
    assert operators.find("45204") == "viettel"
    assert feed(map="all") == feed(map="all")
    assert MappedSpec.model_validate({"source": {"folder": "/"}, "period": 1, "map": a_map(CELLS)}).operators is None


def test_faults_of_targets() -> None:
    with pytest.raises(ValidationError, match="unknown map 'cats'; did you mean 'cat'"):
        feed(map="cats")
    with pytest.raises(ValidationError, match="the rows of map 'map' are outages, not cells"):
        feed(map="cat", dataset="cells")


def test_it_can_be_described_to_editors() -> None:
    schema = RowMap.model_json_schema()
    assert schema["properties"]["fields"]
    assert MappedSpec.model_json_schema()["properties"]["map"]["type"] == "string"
