"""Tables for tests: one read by a map, outside of any kind."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from collector.mapping import RowMap, Translation, Translator
from collector.mobile import Operators
from collector.model import ProbeFailed
from collector.places import Operator
from collector.records import Batch
from collector.sources.fetched import Fetched
from collector.tables.reading import TableReader

OPERATORS = Operators(
    (
        Operator("viettel", ("452-04",), ("Viettel", "Viễn thông Quân đội")),
        Operator("vinaphone", ("452-02",), ("VinaPhone", "VNPT")),
        Operator("mobifone", ("452-01",), ("MobiFone",)),
        Operator("vietnamobile", ("452-05",), ("Vietnamobile", "Vietnam Mobile")),
    )
)


def a_map(plan: RowMap | Mapping[str, Any]) -> RowMap:
    """`plan`, validated as settings does it."""
    return plan if isinstance(plan, RowMap) else RowMap.model_validate(plan)


def table(
    content: bytes | str, plan: RowMap | Mapping[str, Any], operator: str | None = "viettel", **about: Any
) -> Batch:
    """What a document of this content says."""
    checked = a_map(plan)
    document = Fetched("bang.csv", content.encode() if isinstance(content, str) else content, **about)
    return TableReader(checked, checked.lists, operator, OPERATORS).read((document,))


def refused(content: bytes | str, plan: RowMap | Mapping[str, Any]) -> str:
    """Reason and detail of a document that is none such."""
    try:
        found = table(content, plan)
    except ProbeFailed as failed:
        return f"{failed.reason}: {failed.detail}"
    raise AssertionError(f"not refused: {found}")


def translated(
    rows: Any, plan: Mapping[str, Any] | None = None, operator: str | None = "viettel", /, **more: Any
) -> Translation:
    """What these rows give by a map."""
    return Translator(RowMap.model_validate({**(plan or {}), **more}), operator, OPERATORS).translate(rows)


def the_fault(rows: Any, plan: Mapping[str, Any] | None = None, /, **more: Any) -> str:
    """The one fault of rows that have one."""
    (fault,) = translated(rows, plan, **more).faults
    return fault
