"""Panels: from what a definition says to Grafana's own model. Plain functions of their arguments."""

from __future__ import annotations

import json
import string
from collections.abc import Callable, Mapping
from typing import Any, Final

from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models import (
    bargauge,
    common,
    gauge,
    prometheus,
    stat,
    statetimeline,
    statushistory,
    table,
    timeseries,
)
from grafana_foundation_sdk.models import dashboard as model
from grafana_foundation_sdk.models import text as prose

from dashboards import looks, spec
from dashboards.layout import Box
from dashboards.maps import geomap_options
from dashboards.palette import Colour
from dashboards.queries import CATALOGUE
from dashboards.queries.query import LANGUAGE
from dashboards.words import Json, Language, Text

# Below this, the single-value panels take options for those of Grafana 6 and lose their limits.
PLUGIN_VERSION: Final = "11.6.0"
DATASOURCE = common.DataSourceRef(type_val="prometheus", uid="${datasource}")
LINES = (Colour.GOOD, Colour.WARNING, Colour.PLANNED, Colour.NEUTRAL, Colour.BAD, Colour.UNKNOWN)
AT_ONCE = (spec.Stat, spec.Gauge, spec.BarGauge, spec.Table, spec.Geomap)
AS_TABLE = (spec.Table, spec.Geomap)


def encoded(part: object) -> Json:
    """Grafana's model as JSON."""
    found: Json = json.loads(json.dumps(part, cls=JSONEncoder))
    return found


def panel(one: spec.AnyPanel, number: int, box: Box, language: Language) -> Json:
    """The JSON of one panel."""
    options, custom = _MAKERS[type(one)](one, language)
    built = model.Panel(
        type_val=_TYPES[type(one)],
        id_val=number,
        plugin_version=PLUGIN_VERSION,
        title=one.title.of(language),
        description=one.description.of(language) if one.description else None,
        datasource=DATASOURCE,
        grid_pos=model.GridPos(h=box.h, w=box.w, x=box.x, y=box.y),
        targets=targets(one, language) or None,
        interval=one.every,
        max_data_points=_points(one),
        time_from=one.past,
        transformations=_transformations(one, language),
        options=options,
        field_config=model.FieldConfigSource(
            defaults=_defaults(one, language, custom), overrides=_overrides(one, language)
        ),
    )
    found = encoded(built)
    found["options"].pop("footer", None)  # of no use, and gone from Grafana 13
    if one.links:
        links = looks.data_links(one.links, language, table=isinstance(one, AS_TABLE))
        found["fieldConfig"]["defaults"]["links"] = links
    return found


def targets(one: spec.Panel, language: Language) -> list[Any]:
    """The panel's queries, A, B, ..."""
    at_once = isinstance(one, AS_TABLE) or (isinstance(one, AT_ONCE) and not getattr(one, "graph", False))
    shape = prometheus.PromQueryFormat.TABLE if isinstance(one, AS_TABLE) else prometheus.PromQueryFormat.TIME_SERIES
    return [
        prometheus.Dataquery(
            datasource=DATASOURCE,
            expr=CATALOGUE[name].expression(language),
            legend_format=CATALOGUE[name].name(language),
            format_val=shape,
            instant=at_once,
            range_val=not at_once,
            ref_id=reference(place),
        )
        for place, name in enumerate(one.queries)
    ]


def reference(place: int) -> str:
    """A, B, ..."""
    return string.ascii_uppercase[place]


def field(one: spec.Panel, name: str, language: Language) -> str:
    """Name of the field of a table that holds a label, or the value of a query."""
    if name not in one.queries:
        return name.replace(LANGUAGE, language.value)
    return "Value" if len(one.queries) == 1 else f"Value #{reference(one.queries.index(name))}"


def _defaults(one: spec.Panel, language: Language, custom: object) -> model.FieldConfig:
    found = looks.defaults(one, language, one.no_value.of(language) if one.no_value else None)
    found.custom = custom
    return found


def _points(one: spec.Panel) -> float | None:
    # The panel of days refuses to draw when there are more points than half its width.
    return 50 if isinstance(one, spec.StatusHistory) else None


def _transformations(one: spec.Panel, language: Language) -> list[model.DataTransformerConfig] | None:
    if not isinstance(one, spec.Table | spec.Geomap):
        return None
    names = [field(one, column.of, language) for column in one.columns]
    steps: list[tuple[str, Json]] = [("merge", {})] if len(one.queries) > 1 else []
    if isinstance(one, spec.Geomap):
        numbers = [{"targetField": name, "destinationType": "number"} for name in ("lat", "lon")]
        steps.append(("convertFieldType", {"fields": {}, "conversions": numbers}))
        names = ["lat", "lon", *names]
    steps.append(("filterFieldsByName", {"include": {"names": names}}))
    steps.append(
        (
            "organize",
            {"indexByName": {name: place for place, name in enumerate(names)}, "excludeByName": {}, "renameByName": {}},
        )
    )
    return [model.DataTransformerConfig(id_val=name, options=options) for name, options in steps]


def _overrides(one: spec.Panel, language: Language) -> list[looks.Override]:
    if isinstance(one, spec.Table | spec.Geomap):
        return [looks.column(column, field(one, column.of, language), language) for column in one.columns]
    if isinstance(one, spec.TimeSeries):
        return [found for name in one.queries if (found := _line(one, name, language))]
    return []


def _line(one: spec.TimeSeries, name: str, language: Language) -> looks.Override | None:
    """What is special about the lines of one query."""
    place = one.queries.index(name)
    found: Json = {}
    if len(one.queries) > 1 or isinstance(CATALOGUE[name].legend, Text):
        found["color"] = {"mode": "fixed", "fixedColor": LINES[place % len(LINES)].value}
    if name in one.dashed:
        found |= {"custom.lineStyle": {"fill": "dash", "dash": [10, 10]}, "custom.fillOpacity": 0}
    if name in one.mirrored:
        found["custom.transform"] = "negative-Y"
    if one.band is not None and name == one.band[1]:
        found |= {"custom.fillBelowTo": CATALOGUE[one.band[0]].name(language), "custom.fillOpacity": 25}
    return looks.override("byFrameRefID", reference(place), found) if found else None


def _last(*, values: bool = False) -> common.ReduceDataOptions:
    return common.ReduceDataOptions(values=values, calcs=["lastNotNull"], fields="")


Made = tuple[object, object]


def _stat(one: spec.Stat, _: Language) -> Made:
    return stat.Options(
        graph_mode=common.BigValueGraphMode.AREA if one.graph else common.BigValueGraphMode.NONE,
        color_mode=common.BigValueColorMode.BACKGROUND if one.fill else common.BigValueColorMode.VALUE,
        justify_mode=common.BigValueJustifyMode.AUTO,
        text_mode=common.BigValueTextMode(one.show),
        reduce_options=_last(),
        orientation=common.VizOrientation.AUTO,
    ), None


def _gauge(_: spec.Gauge, __: Language) -> Made:
    return gauge.Options(reduce_options=_last(), orientation=common.VizOrientation.AUTO), None


def _bar_gauge(_: spec.BarGauge, __: Language) -> Made:
    return bargauge.Options(
        display_mode=common.BarGaugeDisplayMode.BASIC,
        reduce_options=_last(),
        orientation=common.VizOrientation.HORIZONTAL,
    ), None


def _legend(*, shown: bool = True) -> common.VizLegendOptions:
    return common.VizLegendOptions(
        display_mode=common.LegendDisplayMode.LIST,
        placement=common.LegendPlacement.BOTTOM,
        show_legend=shown,
        calcs=[],
    )


def _tooltip() -> common.VizTooltipOptions:
    return common.VizTooltipOptions(mode=common.TooltipDisplayMode.MULTI, sort=common.SortOrder.DESCENDING)


def _time_series(one: spec.TimeSeries, _: Language) -> Made:
    stacking = common.StackingConfig(mode=common.StackingMode.NORMAL, group="A") if one.stack else None
    custom = common.GraphFieldConfig(
        draw_style=common.GraphDrawStyle.LINE,
        line_width=1,
        fill_opacity=40 if one.stack else 8,
        show_points=common.VisibilityMode.AUTO,
        span_nulls=False,
        insert_nulls=False,
        stacking=stacking,
    )
    return timeseries.Options(legend=_legend(), tooltip=_tooltip()), custom


def _state_timeline(_: spec.StateTimeline, __: Language) -> Made:
    options = statetimeline.Options(
        show_value=common.VisibilityMode.AUTO,
        align_value=common.TimelineValueAlignment.LEFT,
        legend=_legend(),
        tooltip=common.VizTooltipOptions(mode=common.TooltipDisplayMode.SINGLE, sort=common.SortOrder.NONE),
        row_height=0.9,
    )
    # A gap is longer than three scrapes: shown as one, in milliseconds.
    return options, statetimeline.FieldConfig(span_nulls=False, insert_nulls=180_000)


def _status_history(_: spec.StatusHistory, __: Language) -> Made:
    options = statushistory.Options(
        show_value=common.VisibilityMode.AUTO,
        legend=_legend(shown=False),
        tooltip=common.VizTooltipOptions(mode=common.TooltipDisplayMode.SINGLE, sort=common.SortOrder.NONE),
    )
    return options, statushistory.FieldConfig()


def _table(one: spec.Table, language: Language) -> Made:
    titles = {column.of: column.title.of(language) for column in one.columns}
    order = [common.TableSortByFieldState(display_name=titles[one.sort], desc=one.descending)] if one.sort else []
    return table.Options(sort_by=order, cell_height=common.TableCellHeight.SM), common.TableFieldOptions(
        align=common.FieldTextAlignment.AUTO, cell_options=common.TableAutoCellOptions(), inspect=False, filterable=True
    )


def _text(one: spec.Words, language: Language) -> Made:
    return prose.Options(mode=prose.TextMode.MARKDOWN, content=one.content.of(language)), None


def _geomap(one: spec.Geomap, language: Language) -> Made:
    return geomap_options(one, field(one, one.queries[0], language), language), None


_MAKERS: Mapping[type[spec.Panel], Callable[[Any, Language], Made]] = {
    spec.Stat: _stat,
    spec.Gauge: _gauge,
    spec.BarGauge: _bar_gauge,
    spec.TimeSeries: _time_series,
    spec.StateTimeline: _state_timeline,
    spec.StatusHistory: _status_history,
    spec.Table: _table,
    spec.Words: _text,
    spec.Geomap: _geomap,
}
_TYPES: Mapping[type[spec.Panel], str] = {
    spec.Stat: "stat",
    spec.Gauge: "gauge",
    spec.BarGauge: "bargauge",
    spec.TimeSeries: "timeseries",
    spec.StateTimeline: "state-timeline",
    spec.StatusHistory: "status-history",
    spec.Table: "table",
    spec.Words: "text",
    spec.Geomap: "geomap",
}
