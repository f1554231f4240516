"""What people see of a running demo: of each fault on a page, and in print; and what pages let them choose."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from collector.demo.shows import Show
from dashboards.lint.walk import targets
from dashboards.words import Json
from tests.dashboards.executing import widened
from tests.system.demo_run import ROOT, Demo, Samples, Timing

EVERY = 2.5  # half as long as Prometheus waits between two scrapes
PAGES = ROOT / "dashboards" / "json" / "en"
TABLE = Path(__file__).parent / "seen.yaml"
SELECTOR = re.compile(r"\{([^}]*)\}")
LABEL = re.compile(r'(\w+)="([^"]*)"')
OVER = re.compile(r"(?:ends|still on) ([a-z-]+):")
NOTICE = re.compile(r"notification \[.*\] .* / (.+?) → ")
LED_TO = re.compile(r" +→ \[.*\] .* / (.+?) → ")
CAUSE = re.compile(r"⇐ ([a-z-]+)$")
THEN = re.compile(r"(==|<|>) (\S+)")


@dataclass(frozen=True, slots=True)
class Row:
    """What shows a fault: a panel, what a series of it is while the fault lasts, and the title of a notification."""

    page: str
    panel: str
    then: str
    ref: str = ""
    told: str | None = None
    set: Mapping[str, str] = field(default_factory=dict)
    series: Mapping[str, str] = field(default_factory=dict)

    def filled(self, fault: Mapping[str, Any]) -> Row:
        """With what the fault befalls in place of the placeholders."""
        words = {"befalls": fault["befalls"]}
        for show in fault["shows"]:
            for labels in map(LABEL.findall, SELECTOR.findall(show["query"])):
                words = dict(labels) | words
        chosen, series = ({name: text.format(**words) for name, text in it.items()} for it in (self.set, self.series))
        return replace(self, set=chosen, series=series)

    def expressions(self) -> Iterator[str]:
        """What the panel asks."""
        for panel, target in targets(page(self.page)):
            if panel["title"] == self.panel and self.ref in {"", target["refId"]}:
                yield widened(_chosen(target["expr"], self.set))

    def holds(self, value: float) -> bool:
        """Whether a value is as it is while the fault lasts."""
        match = THEN.fullmatch(self.then)
        assert match is not None, self.then
        return Show("", match[1], float(match[2])).holds(value)


@lru_cache
def table() -> dict[str, Row]:
    """By fault."""
    return {fault: Row(**row) for fault, row in yaml.safe_load(TABLE.read_text()).items()}


@lru_cache
def page(name: str) -> Json:
    """A committed page."""
    found: Json = json.loads((PAGES / f"hatang-{name}-en.json").read_text())
    return found


def _chosen(expr: str, variables: Mapping[str, str]) -> str:
    for name, value in variables.items():
        expr = expr.replace(f'"${name}"', f'"{value}"')
    return expr


async def shown(it: Demo, fault: Mapping[str, Any], span: tuple[float, float]) -> list[Samples]:
    """The series of the panel that is to show the fault, each with what it was in that time."""
    row = table()[fault["id"]].filled(fault)
    found = [one for expr in row.expressions() for one in await it.values(expr, *span, step=EVERY)]
    return [samples for labels, samples in found if row.series.items() <= labels.items()]


def complaints_of_panel(fault: Mapping[str, Any], timing: Timing, series: list[Samples]) -> Iterator[str]:
    """A panel that does not tell when the fault is from when it is not."""
    row = table()[fault["id"]].filled(fault)
    where = f"{fault['id']}: {row.page}, {row.panel!r} {dict(row.series)}"
    if not series:
        yield f"{where} has no series"
    latest = max(timing.gone_by(show) for show in fault["shows"])
    for samples in series:
        before = [row.holds(value) for moment, value in samples if moment <= timing.begins]
        meanwhile = [row.holds(value) for moment, value in samples if timing.begins < moment <= latest]
        if any(meanwhile) and not any(before):
            return
    yield f"{where} is never {row.then}, or was so before"


def told(said: str) -> set[tuple[str, str]]:
    """Faults, and titles of notifications that came of them, as the demo printed it."""
    found, fault, title = set(), "", ""
    for line in said.splitlines():
        if not line.startswith(" "):
            over, notice = OVER.search(line), NOTICE.search(line)
            fault, title = over[1] if over else "", notice[1] if notice else ""
        elif fault and (match := LED_TO.match(line)):
            found.add((fault, match[1]))
        elif title and (match := CAUSE.search(line)):
            found.add((match[1], title))
    return found


def complaints_of_notices(faults: Iterable[Mapping[str, Any]], said: str) -> Iterator[str]:
    """A fault of which somebody was told too little, or too much."""
    notices = told(said)
    for fault in faults:
        titles = {title for cause, title in notices if cause == fault["id"]}
        wanted = table()[fault["id"]].told
        if (wanted and wanted not in titles) or (wanted == "" and titles):
            yield f"{fault['id']}: people are to be told {wanted!r}, and were {sorted(titles)}"


async def offered(it: Demo, name: str, variable: str, **variables: str) -> set[str]:
    """What a variable of a page lets people choose."""
    (one,) = (one for one in page(name)["templating"]["list"] if one["name"] == variable)
    match = re.fullmatch(r"label_values\((?P<expr>.*), (?P<label>\w+)\)|query_result\((?P<all>.*)\)", one["query"])
    assert match is not None, one["query"]
    found = await it.query(widened(_chosen(match["expr"] or match["all"], variables)))
    if match["label"]:
        return {series["metric"][match["label"]] for series in found}
    # As Grafana writes a series before it looks for what the variable wants of it.
    lines = (",".join(f'{key}="{value}"' for key, value in sorted(series["metric"].items())) for series in found)
    wanted = re.compile(one["regex"].strip("/").replace("(?<", "(?P<"))
    return {hit["value"] for line in lines if (hit := wanted.search(f"series{{{line}}} 1 0"))}
