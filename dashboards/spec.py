"""What a definition may say. Nothing else: an unknown key is a fault."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from dashboards.palette import SCALES, STATES
from dashboards.words import Language, Text

COLUMNS = 24


class Part(BaseModel):
    """Strict and frozen."""

    model_config = ConfigDict(frozen=True, extra="forbid", coerce_numbers_to_str=True)


class Link(Part):
    """A way to another page: `set` gives its variables the values of labels (fields of tables) of what is clicked."""

    to: str
    title: Text
    set: dict[str, str] = {}


class Look(Part):
    """How values are shown."""

    unit: str | None = None
    decimals: int | None = None
    min: float | None = None
    max: float | None = None
    states: str | None = None
    scale: str | None = None
    links: list[Link] = []

    @model_validator(mode="after")
    def _known(self) -> Look:
        if self.states is not None and self.states not in STATES:
            raise ValueError(f"no words for states {self.states!r}: there are {', '.join(STATES)}")
        if self.scale is not None and self.scale not in SCALES:
            raise ValueError(f"no scale {self.scale!r}: there are {', '.join(SCALES)}")
        return self


class Column(Look):
    """A column of a table: a label, or the value of a query, by name."""

    of: str
    title: Text
    width: int | None = None
    bar: bool = False


class Panel(Look):
    """What all panels have. `queries` are names in the catalogue."""

    title: Text
    description: Text | None = None
    queries: list[str] = []
    w: int = Field(default=6, ge=2, le=COLUMNS)
    h: int = Field(default=8, ge=2, le=40)
    no_value: Text | None = None
    # A longer or shorter time than the page's: 30d.
    past: str | None = None
    # Points no closer than this: for series that are recorded or daily.
    every: str | None = None


class Stat(Panel):
    """Numbers or states as tiles."""

    kind: Literal["stat"]
    w: int = Field(default=4, ge=2, le=COLUMNS)
    h: int = Field(default=4, ge=2, le=40)
    show: Literal["value", "name", "value_and_name"] = "value"
    fill: bool = True
    graph: bool = False


class Gauge(Panel):
    """A dial."""

    kind: Literal["gauge"]


class BarGauge(Panel):
    """A bar each."""

    kind: Literal["bar-gauge"]


class TimeSeries(Panel):
    """Lines over time. `dashed` are queries that are limits; `mirrored` are drawn below the axis."""

    kind: Literal["time-series"]
    w: int = Field(default=12, ge=2, le=COLUMNS)
    stack: bool = False
    dashed: list[str] = []
    mirrored: list[str] = []
    # From one query to another, filled: lower and upper bound.
    band: tuple[str, str] | None = None


class StateTimeline(Panel):
    """States over time; equal ones merge."""

    kind: Literal["state-timeline"]
    w: int = Field(default=24, ge=2, le=COLUMNS)


class StatusHistory(Panel):
    """A cell a day."""

    kind: Literal["status-history"]
    w: int = Field(default=24, ge=2, le=COLUMNS)


class Table(Panel):
    """Rows of the labels that all queries share; only what `columns` names is shown, in their order."""

    kind: Literal["table"]
    w: int = Field(default=24, ge=2, le=COLUMNS)
    columns: list[Column]
    sort: str | None = None
    descending: bool = False


class Words(Panel):
    """Explanations, in Markdown."""

    kind: Literal["text"]
    content: Text
    h: int = Field(default=3, ge=2, le=40)


class MapLayer(Part):
    """A layer of our own API: one of its collections, coloured by a property that is a technology."""

    path: str
    title: Text
    by: str
    size: int = 4


class Geomap(Panel):
    """A map: points of a query with the labels lat and lon, over layers of our own API."""

    kind: Literal["geomap"]
    w: int = Field(default=24, ge=2, le=COLUMNS)
    lat: float
    lon: float
    zoom: int
    layers: list[MapLayer] = []
    columns: list[Column]


AnyPanel = Annotated[
    Stat | Gauge | BarGauge | TimeSeries | StateTimeline | StatusHistory | Table | Words | Geomap,
    Field(discriminator="kind"),
]


class Row(Part):
    """Panels side by side, 24 columns; a row with a title can be closed."""

    title: Text | None = None
    closed: bool = False
    panels: list[AnyPanel] = []


class Dashboard(Part):
    """One page."""

    lang: Language
    title: Text
    description: Text
    refresh: str
    past: str
    variables: list[str] = []
    # Limits which systems' maintenance is shown.
    maintenance: Literal["all", "system", "none"] = "all"
    kiosk: bool = False
    rows: list[Row]
