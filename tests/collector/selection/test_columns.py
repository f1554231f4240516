"""Columns of rows: the quick ways give what JMESPath gives, and nothing but plain values comes out."""

from __future__ import annotations

from typing import Any

import jmespath
import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.fields import JmesPath
from collector.mapping.layout import DocumentLayout
from collector.model import ProbeFailed
from collector.selection.columns import Columns, getter, plain
from collector.selection.rows import rows

NAMES = st.sampled_from(["a", "b", "@id"])
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=12,
)


@given(st.lists(NAMES, min_size=1, max_size=4), VALUES)
def test_ways_along_fields_give_what_jmespath_gives(names: list[str], row: Any) -> None:
    text = ".".join(f'"{name}"' for name in names)
    assert getter(JmesPath.compile(text))(row) == jmespath.search(text, row)


@pytest.mark.parametrize(
    "text",
    ["a | [0]", "a[0].b", "[a, b]", "a || b", "to_string(a)", "{x: a}", "a[?b].b | [0]", "@", "'x'", "`3`", "a[*].b"],
)
@given(row=VALUES)
def test_other_expressions_give_what_jmespath_gives(text: str, row: Any) -> None:
    assert getter(JmesPath.compile(text))(row) == jmespath.search(text, row)


@given(VALUES)
def test_only_plain_values_come_out(row: Any) -> None:
    for name in ("a", "a.b", "@"):
        try:
            found = Columns([name]).get(row, name)
        except ValueError:
            continue
        hash(found)
        parts = found if isinstance(found, tuple) else (found,)
        assert all(isinstance(part, (str, int, float, bool, type(None))) for part in parts)


@pytest.mark.parametrize("value", ["\ud800", ["a", "\udfff"], {}, [{}], [[1]]])
def test_what_is_no_value_is_refused(value: Any) -> None:
    with pytest.raises(ValueError, match=r"value|characters"):
        plain(value)


def test_functions_that_do_not_take_what_is_there_say_so() -> None:
    with pytest.raises(ValueError, match="join"):
        Columns(["join('/', a)"]).get({"a": [1]}, "join('/', a)")


LAYOUTS: list[dict[str, Any]] = [
    {},
    {"key": "k"},
    {"rows": "a"},
    {"rows": "a", "key": "a"},
    {"rows": "values(@)", "pairs": [{"field": "a"}]},
    {"rows": "[].a[]"},
]


@given(VALUES, st.sampled_from(LAYOUTS))
def test_any_document_has_rows_or_is_refused(document: Any, layout: dict[str, Any]) -> None:
    before = repr(document)
    try:
        found = rows(document, DocumentLayout.model_validate(layout))
    except ProbeFailed:
        found = []
    assert isinstance(found, list)
    assert repr(document) == before
