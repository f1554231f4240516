"""The model of one file in `config/feeds.d/`: which column of a row is which field of a record."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from pydantic import BeforeValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from collector.fields import JmesPath, Regex, ZoneName
from collector.mapping.columns import AColumn, AKey, CellKey, Column, Part
from collector.mapping.layout import AsOf, DocumentLayout, TableLayout
from collector.measures import fault
from collector.records import CellState, Dataset, Sense, Technology

WGS84 = 4326
_EVERYWHERE = frozenset({"operator", "mcc", "mnc"})
_PLACE = frozenset({"lat", "lon", "x", "y"})
_HAPPENING = frozenset({"state", "planned", "since", "until", "reason", "observed_at"})
_CELL = frozenset({"technology", "site", "cell", "band"})
FIELDS: Mapping[Dataset, frozenset[str]] = {
    Dataset.CELLS: _EVERYWHERE | _PLACE | _HAPPENING | _CELL | {"name", "height", "azimuth", "villages"},
    Dataset.OUTAGES: _EVERYWHERE | _PLACE | _HAPPENING | _CELL - {"band"},
    Dataset.DOWNTIME: _EVERYWHERE
    | {"technology", "cell", "site", "begin", "period", "unplanned", "planned", "suspect"},
    Dataset.AREAS: _EVERYWHERE | {"technology", "observed_at"},
    Dataset.INDICATORS: frozenset({"indicator", "day", "value"}),
}
_NUMBERS = _PLACE | {"band", "height", "azimuth", "period", "unplanned", "value"}
_NEEDED: Mapping[Dataset, tuple[str, ...]] = {
    Dataset.CELLS: ("technology",),
    Dataset.OUTAGES: (),
    Dataset.DOWNTIME: ("begin", "period"),
    Dataset.AREAS: ("technology",),
    Dataset.INDICATORS: ("indicator", "day", "value"),
}


class Fields(Part):
    """Fields of a record and the columns they come from."""

    operator: AColumn | None = Field(None, description="PLMN (452-02, 45202), id or alias of the operator.")
    mcc: AColumn | None = Field(None, description="Mobile country code, where it has a column of its own.")
    mnc: AColumn | None = Field(None, description="Mobile network code, beside `mcc`.")
    technology: AColumn | None = Field(None, description="Generation or radio; several in one text are several cells.")
    site: AColumn | None = Field(None, description="Code of the site.")
    cell: AKey | None = Field(None, description="Identity of the cell; without it, site with technology and band.")
    name: AColumn | None = Field(None, description="Name, for people.")
    lat: AColumn | None = Field(None, description="Latitude: decimal degrees, or degrees, minutes and seconds.")
    lon: AColumn | None = Field(None, description="Longitude.")
    x: AColumn | None = Field(None, description="Easting (or longitude) in `crs`. Vietnamese surveyors call it Y.")
    y: AColumn | None = Field(None, description="Northing (or latitude) in `crs`. Vietnamese surveyors call it X.")
    band: AColumn | None = Field(None, description="Frequency in MHz, or a word of `bands`.")
    height: AColumn | None = Field(None, description="Height of the antenna over ground, metres.")
    azimuth: AColumn | None = Field(None, description="Direction of the antenna, degrees from north.")
    villages: AColumn | None = Field(None, description="Ids of the villages served, separated by `;` or `,`.")
    state: AColumn | None = Field(None, description="State, a word of `states`.")
    planned: AColumn | None = Field(None, description="Outages: whether planned. Downtime: planned seconds.")
    since: AColumn | None = Field(None, description="When it began.")
    until: AColumn | None = Field(None, description="When it is to end; a day alone is meant whole.")
    reason: AColumn | None = Field(None, description="Why, for people.")
    observed_at: AColumn | None = Field(None, description="When this row was true.")
    begin: AColumn | None = Field(None, description="Downtime: when the period began.")
    period: AColumn | None = Field(None, description="Downtime: length of the period, seconds.")
    unplanned: AColumn | None = Field(None, description="Downtime: seconds out of service, not planned.")
    suspect: AColumn | None = Field(None, description="Downtime: whether the counter is suspect.")
    indicator: AColumn | None = Field(None, description="Indicators: id in the plan.")
    day: AColumn | None = Field(None, description="Indicators: the day the value is of.")
    value: AColumn | None = Field(None, description="Indicators: a number, a percentage (0-1) or a fraction (4/5, ½).")

    def given(self) -> Iterator[tuple[str, Column | CellKey]]:
        """Fields with what they come from."""
        for name in Fields.model_fields:
            column: Column | CellKey | None = getattr(self, name)
            if column is not None:
                yield name, column


class Variant(Fields):
    """One of several records that a row gives: its own fields stand before those of the map.

    Without `when` it is one where any of its own columns is not blank.
    """

    when: AColumn | None = Field(None, description="The record is there where this is true (`booleans`).")
    when_any: tuple[AColumn, ...] = Field((), description="The record is there where any of these is true.")
    unless: tuple[AColumn, ...] = Field((), description="The record is not there where any of these is true.")

    @model_validator(mode="after")
    def _consistent(self) -> Variant:
        if self.when is not None and self.when_any:
            raise fault("give one of `when` and `when_any`")
        return self

    @property
    def conditions(self) -> tuple[Column, ...]:
        """Columns of which one must be true; empty where none was given."""
        return self.when_any if self.when is None else (self.when,)


class Where(Part):
    """A condition that rows of the table must meet to be rows of the feed."""

    column: AColumn = Field(description="Column to look at.")
    equals: tuple[str, ...] = Field((), description="Texts, one of which it must be (case does not matter).")
    matches: Regex | None = Field(None, description="RE2 expression that must match somewhere in it.")
    negate: bool = Field(False, description="Take the rows that do not meet it.")

    @model_validator(mode="after")
    def _one_of(self) -> Where:
        if bool(self.equals) == (self.matches is not None):
            raise fault("give one of `equals` and `matches`")
        return self


class NumberFormat(Part):
    """How numbers are written in texts."""

    decimal: Literal[".", ","] = Field(".", description="Decimal mark.")
    thousands: Literal["", ".", ",", " ", "'"] = Field("", description="What groups digits by three; '' for nothing.")

    @model_validator(mode="after")
    def _consistent(self) -> NumberFormat:
        if self.decimal == self.thousands:
            raise fault("`decimal` and `thousands` are the same")
        return self


def _is_layout(text: str) -> bool:
    some = datetime(2026, 11, 23, 8, 30, 59, tzinfo=UTC)
    try:
        return datetime.strptime(some.strftime(text), text).date() == some.date()  # noqa: DTZ007  only the day counts
    except ValueError:
        return False


class TimeFormat(Part):
    """How times are written in texts and numbers."""

    formats: tuple[str, ...] = Field(
        ("iso",),
        min_length=1,
        description="In the order to try: `iso` (ISO 8601), `unix`, `unix-ms`, `excel` (days since 1899-12-30), or a "
        "layout of strptime such as %d/%m/%Y %H:%M.",
    )
    zone: ZoneName = Field("Asia/Ho_Chi_Minh", description="IANA time zone of times that name none.")

    @model_validator(mode="after")
    def _layouts(self) -> TimeFormat:
        for text in self.formats:
            if text not in {"iso", "unix", "unix-ms", "excel"} and not _is_layout(text):
                raise fault(f"bad format '{text}': expected iso, unix, unix-ms, excel, or a layout such as %d/%m/%Y")
        return self

    @property
    def tz(self) -> ZoneInfo:
        """The zone."""
        return ZoneInfo(self.zone)


def _texts(mapping: Any) -> Any:
    # A key of YAML may be a number or a truth value; here it is the text of a cell.
    if not isinstance(mapping, dict):
        return mapping
    return {str(key).lower() if isinstance(key, bool) else str(key): value for key, value in mapping.items()}


Words = BeforeValidator(_texts)


class RowMap(Part):
    """One layout of rows and what records they are; named by its file."""

    name: str = Field("map", pattern=r"^[a-z0-9][a-z0-9._-]*$", description="The file's name without .yaml.")
    title: str = Field("", description="What it is, for people.")
    description: str = Field("", description="Where it comes from and what is odd about it.")
    dataset: Dataset = Field(description="What the rows are.")
    sense: Sense | None = Field(
        None, description="What is listed, where the target does not say; default `negative` for outages."
    )
    table: TableLayout | None = Field(None, description="Layout of a CSV file or a sheet.")
    document: DocumentLayout | None = Field(None, description="Where the rows are in JSON.")
    as_of: AsOf | None = Field(None, description="Where the time of the data stands; without it, it is not known.")
    fields: Fields = Field(description="Fields of the records and their columns.")
    each: tuple[Variant, ...] = Field((), description="Several records a row, such as one a technology.")
    where: tuple[Where, ...] = Field((), description="Conditions, all of which a row must meet.")
    states: Annotated[dict[str, CellState], Words] = Field(
        default_factory=dict, description="Text -> state, first match; `*` stands for any text. `LOCKED/*`: planned."
    )
    technologies: Annotated[dict[str, Technology | None], Words] = Field(
        default_factory=dict, description="Text -> generation, beside the usual ones; null: such rows are left out."
    )
    booleans: Annotated[dict[str, bool], Words] = Field(
        default_factory=dict, description="Text -> true or false, beside the usual ones."
    )
    bands: Annotated[dict[str, int], Words] = Field(default_factory=dict, description="Text -> MHz.")
    indicators: Annotated[dict[str, str], Words] = Field(
        default_factory=dict, description="Text -> id of an indicator; without any, the text is the id."
    )
    blanks: tuple[str, ...] = Field(
        ("-", "--", "n/a", "#n/a", "nan", "null", "none", "\\N"), description="Texts that mean: nothing (any case)."
    )
    numbers: NumberFormat = Field(default_factory=NumberFormat, description="How numbers are written.")
    times: TimeFormat = Field(default_factory=TimeFormat, description="How times are written.")
    crs: int = Field(
        WGS84, ge=1024, le=32_767, description="EPSG number of `x` and `y`; 5898 is VN-2000 / TM-3 108-00."
    )

    @model_validator(mode="after")
    def _consistent(self) -> RowMap:
        allowed, given = FIELDS[self.dataset], {name for name, _ in self.fields.given()}
        varied = [{name for name, _ in variant.given()} for variant in self.each]
        for name in sorted(given.union(*varied) - allowed):
            raise fault(f"`{name}` is not for {self.dataset}")
        for name in _NEEDED[self.dataset]:
            if name not in given and not (varied and all(name in own for own in varied)):
                raise fault(f"{self.dataset} need `{name}`")
        self._check_scales()
        self._check_position(given)
        self._check_identity(given)
        self._check_paths()
        return self

    def _check_scales(self) -> None:
        numbers = _NUMBERS | ({"planned"} if self.dataset is Dataset.DOWNTIME else set())
        for name, source in (given for part in (self.fields, *self.each) for given in part.given()):
            if name not in numbers and any(column.scale != 1 for column in source.parts()):
                raise fault(f"`scale` is for numbers, not for `{name}`")

    def _check_position(self, given: set[str]) -> None:
        for one, other in (("lat", "lon"), ("x", "y"), ("mcc", "mnc")):
            if (one in given) != (other in given):
                raise fault(f"`{one}` and `{other}` go together")
        if "lat" in given and "x" in given:
            raise fault("give `lat` and `lon`, or `x` and `y`")
        if self.crs != WGS84 and "x" not in given:
            raise fault("`crs` is for `x` and `y`")

    def _check_identity(self, given: set[str]) -> None:
        if self.dataset is Dataset.CELLS and not given & {"cell", "site"}:
            raise fault("cells need `cell` or `site`")
        if self.dataset is Dataset.OUTAGES and not given & {"cell", "site", "lat", "x"}:
            raise fault("outages need `cell`, `site`, or a position")
        if self.dataset is Dataset.DOWNTIME and not given & {"cell", "site"}:
            raise fault("downtime needs `cell` or `site`")
        if {"operator", "mcc"} <= given:
            raise fault("give `operator`, or `mcc` and `mnc`")

    def _check_paths(self) -> None:
        if self.document is not None:
            if self.table is not None:
                raise fault("give one of `table` and `document`")
            for name in self.names:
                try:
                    JmesPath.compile(name)
                except PydanticCustomError as error:
                    raise fault(f"column '{name}': {error.message()}") from None

    @property
    def lists(self) -> Sense:
        """What is listed: everything, or only what does not work."""
        return self.sense or (Sense.NEGATIVE if self.dataset is Dataset.OUTAGES else Sense.POSITIVE)

    @property
    def columns(self) -> tuple[Column, ...]:
        """All that is read of a row."""
        sources = [source for part in (self.fields, *self.each) for _, source in part.given()]
        found = [column for source in sources for column in source.parts()]
        found += [column for each in self.each for column in (*each.conditions, *each.unless)]
        return (*found, *(where.column for where in self.where))

    @property
    def names(self) -> tuple[str, ...]:
        """Names of all columns that rows may have, once each."""
        return tuple(dict.fromkeys(name for column in self.columns for name in column.names))
