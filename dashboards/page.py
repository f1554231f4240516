"""A page around its panels: variables, annotations, links, time."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from grafana_foundation_sdk.models import dashboard as model

from dashboards import spec
from dashboards.layout import Box, bottom, shelves
from dashboards.looks import page_uid
from dashboards.panels import DATASOURCE, encoded, panel
from dashboards.queries import VARIABLES
from dashboards.queries.annotations import Track, tracks
from dashboards.queries.variables import variable_name
from dashboards.words import ALL, DATA_SOURCE, PAGES, Json, Language

SCHEMA_VERSION: Final = 39
TAG: Final = "hatang"
TIME_ZONE: Final = "Asia/Ho_Chi_Minh"


def page(stem: str, one: spec.Dashboard) -> Json:
    """The JSON of a page."""
    language = one.lang
    built = model.Dashboard(
        uid=page_uid(stem, language),
        title=one.title.of(language),
        description=one.description.of(language),
        tags=[TAG, f"{TAG}-{language.value}"],
        timezone=TIME_ZONE,
        editable=False,
        graph_tooltip=model.DashboardCursorSync.CROSSHAIR,
        time=model.DashboardDashboardTime(from_val=f"now-{one.past}", to="now"),
        week_start="monday",
        refresh=one.refresh,
        schema_version=SCHEMA_VERSION,
        version=1,
        templating=model.DashboardDashboardTemplating(list_val=[_datasource(language)]),
        annotations=model.AnnotationContainer(list_val=[_annotation(track) for track in tracks(one, language)]),
        links=[_pages(language)],
    )
    found = encoded(built)
    found["templating"]["list"] += [_variable(key, language) for key in one.variables]
    _strip(found)
    found["timepicker"] = {"hidden": one.kiosk}
    found["panels"] = _panels(one.rows, language)
    return found


def _strip(found: Json) -> None:
    """Leave out what the models add of their own: keys of interval variables, and what hides things in a menu."""
    found.pop("id", None)
    for part in (*found["links"], *found["annotations"]["list"]):
        part.pop("placement", None)
    for variable in found["templating"]["list"]:
        for key in ("auto", "auto_count", "auto_min"):
            variable.pop(key, None)


def _panels(rows: Iterable[spec.Row], language: Language) -> list[Json]:
    found: list[Json] = []
    number, top = 1, 0
    for row in rows:
        inside = top + 1 if row.title else top
        boxes = shelves([(one.w, one.h) for one in row.panels], inside)
        first = number + 1 if row.title else number
        panels = [
            panel(one, first + place, box, language)
            for place, (one, box) in enumerate(zip(row.panels, boxes, strict=True))
        ]
        if row.title:
            found.append(_row(row, number, Box(0, top, spec.COLUMNS, 1), panels, language))
        found += panels if not row.closed else []
        number, top = first + len(panels), inside if row.closed else bottom(boxes, inside)
    return found


def _row(row: spec.Row, number: int, box: Box, panels: list[Json], language: Language) -> Json:
    """A row's title; the panels of a closed one are inside it."""
    title = row.title.of(language) if row.title else ""
    place = model.GridPos(h=box.h, w=box.w, x=box.x, y=box.y)
    found = encoded(model.RowPanel(collapsed=row.closed, title=title, grid_pos=place, id_val=number))
    found["panels"] = panels if row.closed else []
    return found


def _datasource(language: Language) -> model.VariableModel:
    """Which Prometheus; our own API, which only looks like one, is not offered."""
    return model.VariableModel(
        type_val=model.VariableType.DATASOURCE,
        name="datasource",
        label=DATA_SOURCE.of(language),
        query="prometheus",
        regex="/^(?!hatang API)/",
        refresh=model.VariableRefresh.ON_DASHBOARD_LOAD,
    )


def _variable(key: str, language: Language) -> Json:
    one = VARIABLES[key]
    everything = {"selected": True, "text": [ALL.of(language)], "value": ["$__all"]}
    built = model.VariableModel(
        type_val=model.VariableType.QUERY,
        name=variable_name(key),
        label=one.label.of(language),
        datasource=DATASOURCE,
        query=one.query(),
        regex=one.pattern(language),
        multi=one.many,
        include_all=one.many,
        all_value=".+" if one.many and not one.some else None,
        refresh=model.VariableRefresh.ON_TIME_RANGE_CHANGED,
        sort=model.VariableSort.ALPHABETICAL_CASE_INSENSITIVE_ASC,
    )
    found = encoded(built)
    if one.many:
        found["current"] = everything
    return found


def _annotation(track: Track) -> model.AnnotationQuery:
    return model.AnnotationQuery(
        name=track.name,
        datasource=DATASOURCE,
        enable=True,
        icon_color=track.colour.value,
        expr=track.expr,
        title_format=track.title,
        text_format=track.text,
        tag_keys=track.tags,
        step="60s",
    )


def _pages(language: Language) -> model.DashboardLink:
    return model.DashboardLink(
        title=PAGES.of(language),
        type_val=model.DashboardLinkType.DASHBOARDS,
        icon="external link",
        tags=[f"{TAG}-{language.value}"],
        as_dropdown=True,
        keep_time=True,
        include_vars=False,
    )
