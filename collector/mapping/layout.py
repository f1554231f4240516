"""How a document is laid out around its rows: encodings, headers, ends, and where the time of the data stands."""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeAlias

from pydantic import BeforeValidator, Field, model_validator

from collector.fields import JmesPath, Regex, Size
from collector.mapping.columns import Names, Part
from collector.measures import fault

Encoding: TypeAlias = Literal["utf-8", "utf-16", "windows-1250", "windows-1252", "windows-1258", "latin-1"]
_TRIED: tuple[str, ...] = ("utf-8", "windows-1258", "windows-1250")


def _encodings(value: Any) -> Any:
    if value == "auto":
        return _TRIED
    return (value,) if isinstance(value, str) else value


class TableLayout(Part):
    """How a CSV file or a sheet is laid out. The header is found by the names of the map's columns."""

    format: Literal["csv", "xlsx", "xls"] = Field("csv", description="What the document is.")
    delimiter: str = Field(",", min_length=1, max_length=1, description="CSV: what separates columns.")
    quote: Annotated[str, Field(max_length=1)] = Field('"', description="CSV: what encloses a value; '' for nothing.")
    encoding: Annotated[
        tuple[Encoding, ...],
        BeforeValidator(_encodings, json_schema_input_type=Encoding | Literal["auto"] | list[Encoding]),
    ] = Field(
        ("utf-8",),
        min_length=1,
        description="CSV: encoding (a byte order mark is taken off); of several, the first in which the header is "
        "found; `auto`: utf-8, windows-1258, windows-1250.",
    )
    sheet: str | Annotated[int, Field(ge=1, le=1000)] = Field(
        1, description="XLSX, XLS: name of the sheet, or its number from 1."
    )
    header: Literal["required", "optional", "none"] = Field(
        "required", description="Whether there is a header; `optional` and `none` need `columns`."
    )
    header_rows: int = Field(1, ge=1, le=4, description="Rows of the header; the texts of a column are joined.")
    header_within: int = Field(30, ge=1, le=1000, description="Lines within which the header must begin.")
    columns: Names = Field((), description="Names of the columns in order, where there is no header.")
    below: int = Field(0, ge=0, le=1000, description="Lines at the end that are no rows; they must be there.")
    end: Regex | None = Field(
        None, description="RE2 expression for the line that ends the rows; without that line the file is incomplete."
    )
    newline_at_end: bool = Field(True, description="CSV: a file whose last line does not end was cut off.")
    ragged: bool = Field(
        False, description="CSV: rows may end in more or fewer blank values than the header; a shift shows less, then."
    )
    max_rows: int = Field(400_000, ge=1, le=2_000_000, description="Most rows; more are a failure.")
    max_columns: int = Field(500, ge=1, le=16_384, description="Most columns; more are a failure.")
    max_cell: int = Field(4096, ge=16, le=32_767, description="Longest value, in characters; a longer one is no row.")
    max_unpacked: Size = Field(256 * 1024**2, description="XLSX: most bytes that the workbook may unpack to.")
    max_memory: Annotated[Size, Field(ge=64 * 1024**2)] = Field(
        384 * 1024**2, description="XLSX, XLS: most memory of the process that reads it; 50,000 rows need 128 MiB."
    )

    @model_validator(mode="after")
    def _consistent(self) -> TableLayout:
        for wrong, message in (
            (self.header != "required" and not self.columns, f"`header: {self.header}` needs `columns`"),
            (self.header == "required" and self.columns, "`columns` is for tables without a header"),
            (self.header != "required" and self.header_rows > 1, "`header_rows` is for tables with a header"),
            (self.delimiter == self.quote, "`delimiter` and `quote` are the same"),
            (self.delimiter in "\r\n" or self.quote in ("\r", "\n"), "a line break separates rows"),
        ):
            if wrong:
                raise fault(message)
        return self


class Pairs(Part):
    """A list of names with values that is read as an object: `characteristic.lat` is the value of the one named lat."""

    field: str = Field(min_length=1, description="Field of the row that holds the list.")
    name: str = Field("name", min_length=1, description="Where an entry has its name.")
    value: str = Field("value", min_length=1, description="Where an entry has its value.")


class DocumentLayout(Part):
    """Where the rows of a JSON document are; the map's columns are then JMESPath expressions on a row."""

    rows: JmesPath | None = Field(None, description="JMESPath of the rows: a list, or a map of them; default all.")
    key: str | None = Field(None, min_length=1, description="Where rows are a map: name of the field to put keys in.")
    pairs: tuple[Pairs, ...] = Field((), max_length=20, description="Lists of names with values in a row.")
    complete: JmesPath | None = Field(
        None, description="JMESPath that must say `true` of each document; else the batch is incomplete."
    )
    total: JmesPath | None = Field(
        None, description="JMESPath of how many rows there are in all; fewer are incomplete (as by X-Total-Count)."
    )
    max_rows: int = Field(400_000, ge=1, le=2_000_000, description="Most rows; more are a failure.")
    max_values: int = Field(
        1_000_000,
        ge=1000,
        le=50_000_000,
        description="Most values of a document (an object counts four).",
    )


class AsOf(Part):
    """Where a feed says of what time its data is."""

    by: Literal["above", "below", "name", "modified", "latest", "document", "answer"] = Field(
        description="`above`, `below`: lines before the header or after the rows; `name`: the document's name; "
        "`modified`: Last-Modified, or the file's time; `latest`: the latest `observed_at`; `document`: `path`; "
        "`answer`: when we asked, for a server that makes its answer then."
    )
    pattern: Regex | None = Field(None, description="RE2 expression; its first group, else all of it, is the time.")
    path: JmesPath | None = Field(None, description="JMESPath of the time in a JSON document.")

    @model_validator(mode="after")
    def _consistent(self) -> AsOf:
        if (self.pattern is not None) != (self.by in {"above", "below", "name"}):
            raise fault("`pattern` is for `by: above`, `below` and `name`, which need it")
        if (self.path is not None) != (self.by == "document"):
            raise fault("`path` and `by: document` go together")
        return self
