"""Where in a row the value of a field stands, as a map says it."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema, model_validator

from collector.fields import Regex
from collector.measures import fault

_KEYS = frozenset({"column", "join", "const", "pattern", "scale"})


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
    """Where a value comes from: a column (or the first that is there of several), several joined, or a constant."""

    column: Names = Field((), description="Name of the column; of several, the first that the row has is taken.")
    join: Names = Field((), description="Columns whose texts are joined by `/`, blank ones included.")
    const: str | int | float | bool | None = Field(None, description="The same value for every row.")
    pattern: Regex | None = Field(
        None, description="RE2 expression to look for in the text: its first group, else all of it, is the value."
    )
    scale: float = Field(1.0, allow_inf_nan=False, description="For numbers: factor to the unit of the field.")

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


def _as_column(value: Any) -> Any:
    if isinstance(value, (str, list, tuple)):
        return {"column": value}
    return value


_INPUT: dict[str, Any] = {
    "anyOf": [
        {"type": "string", "description": "Name of the column."},
        {"type": "array", "items": {"type": "string"}, "description": "Names; the first that the row has is taken."},
        {
            "type": "object",
            "properties": {
                "column": {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]},
                "join": {"type": "array", "items": {"type": "string"}},
                "const": {"type": ["string", "number", "boolean"]},
                "pattern": {"type": "string"},
                "scale": {"type": "number"},
            },
            "additionalProperties": False,
        },
    ]
}
AColumn: TypeAlias = Annotated[Column, BeforeValidator(_as_column), WithJsonSchema(_INPUT)]
KeyForm: TypeAlias = Literal["text", "eci", "nci", "cgi", "uc-id", "by-technology"]


class CellKey(Part):
    """What names a cell among those of its operator (TS 23.003): never its tracking or location area, but in 2G."""

    form: KeyForm = Field(
        "text",
        description="`eci`: E-UTRAN cell identity, 28 bits; `nci`: NR cell identity, 36 bits; `cgi`: CI with `area`; "
        "`uc-id`: RNC and cell, 28 bits; `by-technology`: the one of these that the row's technology has; `text`: "
        "the operator's own name.",
    )
    id: AColumn = Field(description="The identity.")
    area: AColumn | None = Field(None, description="Location area code, for `cgi` and for 2G.")
    gnb_length: int | None = Field(None, ge=22, le=32, description="Bits of the gNB's id in an NCI (TS 38.413).")
    per_technology: bool = Field(
        False, description="For `text`: one identity stands for a cell of each technology; the technology is added."
    )

    @model_validator(mode="after")
    def _consistent(self) -> CellKey:
        for wrong, message in (
            (self.area is None and self.form == "cgi", "`form: cgi` needs `area`"),
            (self.area is not None and self.form not in {"cgi", "by-technology"}, "`area` is for `form: cgi`"),
            (self.gnb_length is not None and self.form not in {"nci", "by-technology"}, "`gnb_length` is for an NCI"),
            (self.per_technology and self.form != "text", "`per_technology` is for `form: text`"),
        ):
            if wrong:
                raise fault(message)
        return self

    def columns(self) -> Iterator[Column]:
        """What it reads."""
        yield self.id
        if self.area is not None:
            yield self.area


def _as_key(value: Any) -> Any:
    if isinstance(value, (str, list, tuple)) or (isinstance(value, dict) and value and _KEYS.issuperset(value)):
        return {"id": value}
    return value


AKey: TypeAlias = Annotated[CellKey, BeforeValidator(_as_key)]
