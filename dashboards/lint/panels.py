"""Rules for each panel."""

from __future__ import annotations

from collections.abc import Iterator

from dashboards.lint.walk import drawn
from dashboards.words import Json

_SOURCE = {"type": "prometheus", "uid": "${datasource}"}
# What Grafana from 10.4 to 13 draws without a plugin.
_TYPES = frozenset(
    {"stat", "gauge", "bargauge", "timeseries", "state-timeline", "status-history", "table", "text", "geomap"}
)
_WITH_UNIT = frozenset({"stat", "gauge", "bargauge", "timeseries", "status-history"})
_STABLE = frozenset({"merge", "organize", "filterFieldsByName", "convertFieldType"})


def faults(page: Json) -> Iterator[str]:
    """What is wrong with panels."""
    for one in drawn(page):
        for fault in (*_said(one), *_asked(one), *_shown(one)):
            yield f"panel {one.get('title')!r}: {fault}"


def _said(one: Json) -> Iterator[str]:
    if one["type"] not in _TYPES:
        yield f"is of type {one['type']}, which not every Grafana has"
    if not one.get("title") or (one["type"] != "text" and not one.get("description")):
        yield "lacks title or description"
    if not one.get("pluginVersion"):
        yield "lacks pluginVersion, so that limits get lost"


def _asked(one: Json) -> Iterator[str]:
    targets = one.get("targets") or []
    if one["type"] != "text" and not targets:
        yield "asks nothing"
    references = [target["refId"] for target in targets]
    if len(references) != len(set(references)):
        yield "two queries have the same refId"
    if any(part["datasource"] != _SOURCE for part in (one, *targets)):
        yield "does not ask ${datasource}"
    used = {step["id"] for step in one.get("transformations") or ()}
    yield from (f"transformation {name} is not of those that last" for name in sorted(used - _STABLE))


def _shown(one: Json) -> Iterator[str]:
    defaults = one["fieldConfig"]["defaults"]
    if one["type"] in _WITH_UNIT and not defaults.get("unit") and not defaults.get("mappings"):
        by_name = one["type"] == "stat" and one["options"]["textMode"] == "name"
        if not by_name:
            yield "lacks a unit"
    if one["type"] != "text" and not defaults.get("noValue"):
        yield "does not say what no data looks like"
    steps = defaults["thresholds"]["steps"]
    if not steps or steps[0].get("value") is not None:
        yield "its first limit does not begin at the beginning"
