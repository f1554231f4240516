"""What Grafana asks when a person opens a page: the ranges, steps and values that it puts into the queries."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from dashboards.durations import seconds
from dashboards.lint.walk import targets
from dashboards.words import Json
from tests.bench.past import SCRAPE

PIXELS = 1000
ANNOTATION = "annotation"
# Prometheus refuses more points of a series than this.
_POINTS = 11_000
# Below the first number of seconds between two points, Grafana takes the second.
_ROUNDED = (
    *((7.5, 5), (12.5, 10), (17.5, 15), (25, 20), (45, 30), (90, 60), (210, 120), (450, 300), (750, 600)),
    *((1050, 900), (1500, 1200), (2700, 1800), (5400, 3600), (9000, 7200), (16200, 10800), (32400, 21600)),
    *((86400, 43200), (604800, 86400)),
)


@dataclass(frozen=True, slots=True)
class Ask:
    """One query: over the `past` seconds before the end, a point each `step`; without step at the end, or for labels.

    `source` is how it stands in the page.
    """

    where: str
    source: str
    expr: str
    past: int = 0
    step: int = 0
    labels: bool = False

    def request(self, end: int) -> tuple[str, dict[str, str]]:
        """Path below /api/v1 and form of the request. Grafana begins and ends at multiples of the step."""
        if self.labels:
            return "series", {"match[]": self.expr, "start": str(end - self.past), "end": str(end)}
        if not self.step:
            return "query", {"query": self.expr, "time": str(end)}
        first, last = ((moment // self.step) * self.step for moment in (end - self.past, end))
        return "query_range", {"query": self.expr, "start": str(first), "end": str(last), "step": str(self.step)}


def step(past: int, points: int, least: int) -> int:
    """Seconds between two points."""
    rough = past / points
    return max(least, next((rounded for below, rounded in _ROUNDED if rough < below), 604800))


def filled(expr: str, past: int, every: int, chosen: Mapping[str, str]) -> str:
    """With what Grafana puts in."""
    rate = max(every + SCRAPE, 4 * SCRAPE)
    for name, value in (("__rate_interval", f"{rate}s"), ("__interval", f"{every}s"), ("__range", f"{past}s")):
        expr = expr.replace(f"${name}", value)
    return re.sub(r"\$([a-z_]\w*)", lambda match: chosen[match[1]], expr)


def asks(page: Json, chosen: Mapping[str, str]) -> Iterator[Ask]:
    """Every panel, annotation and variable, with these values of the variables."""
    whole = seconds(page["time"]["from"].removeprefix("now-"))
    for panel, target in targets(page):
        past = seconds(panel["timeFrom"]) if panel.get("timeFrom") else whole
        least = seconds(panel["interval"]) if panel.get("interval") else SCRAPE
        every = step(past, min(panel.get("maxDataPoints") or PIXELS, PIXELS), least)
        expr = filled(target["expr"], past, every, chosen)
        where = f"{panel['title']} {target['refId']}"
        yield Ask(where, target["expr"], expr, past, 0 if target.get("instant") else every)
    for one in page["annotations"]["list"]:
        every = max(seconds(one["step"]), whole // _POINTS + 1)
        yield Ask(f"{ANNOTATION} {one['name']}", one["expr"], filled(one["expr"], whole, every, chosen), whole, every)
    for choice in choices(page):
        expr = filled(choice.series, whole, SCRAPE, chosen)
        yield Ask(f"${choice.name}", choice.series, expr, whole, labels=choice.in_range)


@dataclass(frozen=True, slots=True)
class Choice:
    """A variable of a page: a label of series, now or `in_range` of the page; `many`: all may be chosen."""

    name: str
    label: str
    series: str
    in_range: bool
    many: bool
    all_of_them: str | None

    def everything(self, values: Iterable[str]) -> str:
        """What stands for all of the values, which are ids."""
        return self.all_of_them or f"({'|'.join(sorted(set(values)))})"


def choices(page: Json) -> Iterator[Choice]:
    """The variables, but for the data source."""
    for one in page["templating"]["list"][1:]:
        yield Choice(one["name"], *_source(one), one["multi"], one.get("allValue"))


def _source(one: Mapping[str, Any]) -> tuple[str, str, bool]:
    named = re.fullmatch(r"label_values\((.*), (\w+)\)", one["query"])
    if named:
        return named[2], named[1], True
    label = re.search(r'(\w+)="\(\?<value>', one["regex"])
    series = re.fullmatch(r"query_result\((.*)\)", one["query"])
    if label is None or series is None:
        raise ValueError(f"what does Grafana make of {one['query']!r}?")
    return label[1], series[1], False
