"""How far back pages and rules look, and what they are asked as."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

import yaml

from dashboards import components
from dashboards.durations import RAW_LIMIT, seconds
from dashboards.known import RULES
from dashboards.lint.promql import Use, uses
from dashboards.lint.walk import targets
from dashboards.words import Json
from tests.backfill import HOUR
from tests.bench.past import DAY, Reach


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule: where it stands, and how often it is evaluated."""

    file: str
    name: str
    expr: str
    every: int
    records: bool


def rules() -> list[Rule]:
    """All of them, as Prometheus loads them."""
    found = []
    for file in sorted(RULES.glob("*.yaml")):
        for group in yaml.safe_load(file.read_text(encoding="utf-8"))["groups"]:
            every = seconds(group["interval"])
            for rule in group["rules"]:
                name = rule.get("record") or rule["alert"]
                found.append(Rule(file.stem, name, rule["expr"], every, "record" in rule))
    return found


def pages() -> dict[str, Json]:
    """The pages in Vietnamese; those in English ask the same, which lint proves."""
    every = components.pages(components.definitions())
    return {uid: page for uid, page in every.items() if uid.endswith("-vi")}


def reach() -> Reach:
    """What is read raw, for how long; what is read of so long ago that every scrape would be too much to make."""
    dense: dict[str, int] = defaultdict(lambda: HOUR)
    long = set()
    for use, past in _read():
        whole = round(use.window) + past
        if whole <= DAY:
            dense[use.name] = max(dense[use.name], whole)
        if max(use.back, past) > RAW_LIMIT or use.name.startswith("hatang_system_"):
            long.add(use.name)
    return Reach(dict(dense), frozenset(long))


def _read() -> Iterator[tuple[Use, int]]:
    for rule in rules():
        yield from ((use, 0) for use in uses(rule.expr))
    for page in pages().values():
        for expr, past in _drawn(page):
            yield from ((use, past) for use in uses(expr))


def _drawn(page: Json) -> Iterator[tuple[str, int]]:
    whole = seconds(page["time"]["from"].removeprefix("now-"))
    for panel, target in targets(page):
        past = seconds(panel["timeFrom"]) if panel.get("timeFrom") else whole
        yield target["expr"], 0 if target.get("instant") else past
    for one in page["annotations"]["list"]:
        yield one["expr"], whole
