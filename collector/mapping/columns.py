"""Where in a row the value of a field stands, as a map says it."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from typing import Annotated, Any, TypeAlias

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema, model_validator

from collector.fields import Regex
from collector.measures import fault
from collector.mobile import Numbering

_KEYS = frozenset({"column", "join", "const", "pattern", "scale", "optional"})


class Part(BaseModel):
    """Frozen; unknown keys are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)


def _listed(value: Any) -> Any:
    return (value,) if isinstance(value, str) else value


def _composed(names: tuple[str, ...]) -> tuple[str, ...]:
    # Vietnamese is written with combining marks by some and without by others.
    return tuple(unicodedata.normalize("NFC", name) for name in names)


ColumnName = Annotated[str, Field(min_length=1, max_length=1000)]
Names = Annotated[
    tuple[ColumnName, ...],
    BeforeValidator(_listed, json_schema_input_type=str | list[str]),
    AfterValidator(_composed),
]


class Column(Part):
    """Where a value comes from: a column (or the first of several that is not blank), several joined, or a constant."""

    column: Names = Field((), description="Name of the column; of several, the first that is not blank is taken.")
    join: Names = Field((), description="Columns whose texts are joined by `/`, blank ones included.")
    const: str | int | float | bool | None = Field(None, description="The same value for every row.")
    pattern: Regex | None = Field(
        None, description="RE2 expression to look for in the text: its first group, else all of it, is the value."
    )
    scale: float = Field(1.0, allow_inf_nan=False, description="For numbers: factor to the unit of the field.")

    optional: bool = Field(False, description="Tables: a header without any of these columns is a header, too.")

    @model_validator(mode="after")
    def _one_of(self) -> Column:
        if sum((bool(self.column), bool(self.join), self.const is not None)) != 1:
            raise fault("give one of `column`, `join` and `const`")
        if self.const is not None and self.pattern is not None:
            raise fault("`pattern` is for columns")
        return self

    @property
    def names(self) -> tuple[str, ...]:
        """All columns that it may read."""
        return self.column or self.join

    def parts(self) -> Iterator[Column]:
        """Itself: what a field is made of."""
        yield self


def _as_column(value: Any) -> Any:
    if isinstance(value, (str, list, tuple)):
        return {"column": value}
    return value


_INPUT: dict[str, Any] = {
    "anyOf": [
        {"type": "string", "description": "Name of the column."},
        {"type": "array", "items": {"type": "string"}, "description": "Names; the first that is not blank is taken."},
        {
            "type": "object",
            "properties": {
                "column": {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]},
                "join": {"type": "array", "items": {"type": "string"}},
                "const": {"type": ["string", "number", "boolean"]},
                "pattern": {"type": "string"},
                "scale": {"type": "number"},
                "optional": {"type": "boolean"},
            },
            "additionalProperties": False,
        },
    ]
}
AColumn: TypeAlias = Annotated[Column, BeforeValidator(_as_column), WithJsonSchema(_INPUT)]


class CellKey(Part):
    """What names a cell among those of its operator; its tracking or location area is no part of it, but in 2G."""

    id: AColumn = Field(description="The identity.")
    numbering: Numbering = Field(
        Numbering.TEXT,
        description="`eci`: E-UTRAN cell identity, 28 bits; `nci`: NR cell identity, 36 bits; `ucid`: RNC and cell, 28 "
        "bits; `cgi`: the one of these that the technology has, or CI and `area` in 2G; `text`: the operator's own.",
    )
    area: AColumn | None = Field(None, description="Location area code, or RNC, beside a number that needs it.")
    gnb_length: int | None = Field(None, ge=22, le=32, description="Bits of the gNB's id in an NCI (TS 38.413).")
    per_technology: bool = Field(
        False, description="For `text`: one identity stands for a cell of each technology (and band): they are added."
    )

    @model_validator(mode="after")
    def _consistent(self) -> CellKey:
        for wrong, message in (
            (
                self.area is not None and self.numbering not in {Numbering.CGI, Numbering.UCID},
                "`area` is for `numbering: cgi` and `ucid`",
            ),
            (
                self.gnb_length is not None and self.numbering not in {Numbering.CGI, Numbering.NCI},
                "`gnb_length` is for `numbering: nci` and `cgi`",
            ),
            (self.per_technology and self.numbering is not Numbering.TEXT, "`per_technology` is for `numbering: text`"),
        ):
            if wrong:
                raise fault(message)
        return self

    def parts(self) -> Iterator[Column]:
        """What it is made of."""
        yield self.id
        if self.area is not None:
            yield self.area


def _as_key(value: Any) -> Any:
    if isinstance(value, (str, list, tuple)) or (isinstance(value, dict) and value and _KEYS.issuperset(value)):
        return {"id": value}
    return value


AKey: TypeAlias = Annotated[CellKey, BeforeValidator(_as_key, json_schema_input_type=CellKey | AColumn)]
