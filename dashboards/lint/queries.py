"""Rules for what a page asks of Prometheus."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from dashboards.durations import RAW_LIMIT, seconds
from dashboards.known import known
from dashboards.lint.promql import Use, uses, variables
from dashboards.lint.walk import targets
from dashboards.words import Json

_RATES = frozenset({"rate", "irate", "increase", "resets"})
# Numbers of the configuration, a series each and the same for weeks: drawn as lines beside recorded ones.
_LEVEL = frozenset({"hatang_plan_target", "hatang_system_objective_ratio"})


@dataclass(frozen=True, slots=True)
class _Asked:
    """One expression: where it stands, over how many seconds, and whether it is drawn over them."""

    where: str
    expr: str
    past: int
    over_time: bool


def faults(page: Json) -> Iterator[str]:
    """What is wrong with queries of panels, annotations and variables."""
    declared = {one["name"] for one in page["templating"]["list"]}
    for one in _asked(page):
        yield from (f"{one.where}: {fault}" for fault in _faults(one, declared))


def _asked(page: Json) -> Iterator[_Asked]:
    whole = _past(page["time"]["from"])
    for panel, target in targets(page):
        past = seconds(panel["timeFrom"]) if panel.get("timeFrom") else whole
        where = f"panel {panel['title']!r} query {target['refId']}"
        yield _Asked(where, target["expr"], past, not target.get("instant"))
    for one in page["annotations"]["list"]:
        yield _Asked(f"annotation {one['name']!r}", one["expr"], whole, over_time=True)
    for one in page["templating"]["list"][1:]:
        inner = re.fullmatch(r"(?:label_values\((.*), \w+\)|query_result\((.*)\))", one["query"])
        if inner is None:
            yield _Asked(f"variable {one['name']}", "unreadable(", whole, over_time=False)
        else:
            yield _Asked(f"variable {one['name']}", inner[1] or inner[2], whole, over_time=False)


def _past(begin: str) -> int:
    return seconds(begin.removeprefix("now-"))


def _faults(one: _Asked, declared: set[str]) -> Iterator[str]:
    yield from (f"${name} is no variable of the page" for name in sorted(variables(one.expr) - declared))
    try:
        found = uses(one.expr.replace("$__range", f"{one.past}s"))
    except ValueError as error:
        yield f"is no PromQL: {error}"
        return
    for use in found:
        yield from (f"{use.name}: {fault}" for fault in _misused(use, one))


def _misused(use: Use, one: _Asked) -> Iterator[str]:
    names = known()
    if use.name not in names:
        yield "no such series"
        return
    labels = names[use.name]
    if labels is not None and use.labels - labels:
        yield f"has no label {', '.join(sorted(use.labels - labels))}"
    if use.name.endswith("_total") and not _RATES & set(use.inside):
        yield "a counter, outside rate and increase"
    if use.window and _RATES & set(use.inside) and one.over_time and "$__rate_interval" not in one.expr:
        yield "a rate over time whose window does not fit the zoom: $__rate_interval"
    if ":" in use.name or use.name in _LEVEL or use.name == "ALERTS":
        return
    if use.back > RAW_LIMIT:
        yield f"looks {use.back / 3600:g} h back, and is not recorded"
    if one.over_time and one.past > RAW_LIMIT:
        yield f"is drawn over {one.past / 3600:g} h, and is not recorded"
