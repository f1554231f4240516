"""Ask a real Prometheus everything that the pages ask."""

from __future__ import annotations

import asyncio
import json
import re
import shutil
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import urlopen

import yaml

from dashboards.known import RULES
from dashboards.lint.walk import targets
from dashboards.queries import CATALOGUE
from dashboards.words import Json, Language
from tests.mosquitto import free_port

# What a demo of a few minutes cannot have, and why.
MAY_BE_EMPTY = {
    "no alert of the kind fires": ["system-firing", "centre-firing", "operator-firing", "firing"],
    "everything is well": [
        "operator-sites-down",
        "operator-communes-down",
        "worst-systems",
        "targets-reason",
        "failing-reasons",
    ],
    "nothing was measured for long enough": [
        *(
            f"plan-{table}-{column}"
            for table in ("ratio", "number", "coverage")
            for column in ("observed", "projected")
        ),
        *("outage-1d", "outage-30d", "zones-days", "operator-coverage-days"),
    ],
    "nobody has reported it yet": [f"plan-number-{column}" for column in ("lower", "upper", "gap", "required")],
    "nothing happened": ["systems-changed", "traps-received"],
}


@dataclass(frozen=True, slots=True)
class Question:
    """One expression as Grafana would send it, with every variable at its widest."""

    where: str
    expr: str


def widened(expr: str) -> str:
    """An expression with all of everything chosen."""
    expr = re.sub(r'=~?"\$[a-z_]\w*"', '=~".+"', expr)
    return expr.replace("$__rate_interval", "1m").replace("$__range", "1h").replace("$__interval", "15s")


def questions(pages: Mapping[str, Json]) -> Iterator[Question]:
    """Every expression of every panel, annotation and variable."""
    for uid, page in sorted(pages.items()):
        for panel, target in targets(page):
            yield Question(f"{uid}: {panel['title']!r} {target['refId']}", widened(target["expr"]))
        for one in page["annotations"]["list"]:
            yield Question(f"{uid}: annotation {one['name']!r}", widened(one["expr"]))
        for one in page["templating"]["list"][1:]:
            inner = re.fullmatch(r"(?:label_values\((.*), \w+\)|query_result\((.*)\))", one["query"])
            assert inner is not None, one["query"]
            yield Question(f"{uid}: variable {one['name']}", widened(inner[1] or inner[2]))


def excused() -> set[str]:
    """Expressions that may give nothing."""
    names = (name for some in MAY_BE_EMPTY.values() for name in some)
    return {widened(CATALOGUE[name].expression(language)) for name in names for language in Language}


def asked(url: str, expr: str) -> tuple[list[Json], str]:
    """The series that an instant query gives, or what Prometheus says is wrong with it."""
    body = urlencode({"query": expr}).encode()
    try:
        with urlopen(f"{url}/api/v1/query", data=body, timeout=10) as answer:
            return json.load(answer)["data"]["result"], ""
    except HTTPError as error:
        with error:
            return [], error.read().decode(errors="replace")
    except OSError as error:
        return [], str(error)


@asynccontextmanager
async def prometheus(
    program: str, scraped: str, work: Path, rules: Mapping[str, Json] | None = None
) -> AsyncIterator[str]:
    """A Prometheus with our rules, all evaluated every 5 s, and perhaps with data in `work` already; its address."""
    shipped = {file.name: yaml.safe_load(file.read_text(encoding="utf-8")) for file in sorted(RULES.glob("*.yaml"))}
    for name, content in (shipped if rules is None else rules).items():
        often = [{**group, "interval": "5s"} for group in content["groups"]]
        (work / name).write_text(json.dumps({"groups": often}), encoding="utf-8")
    jobs = [{"job_name": "hatang", "static_configs": [{"targets": [scraped] if scraped else []}]}]
    times = {"scrape_interval": "5s", "scrape_timeout": "4s", "evaluation_interval": "5s"}
    config = {"global": times, "rule_files": [f"{work}/*.yaml"], "scrape_configs": jobs}
    (work / "prometheus.json").write_text(json.dumps(config), encoding="utf-8")
    listen = f"127.0.0.1:{free_port()}"
    process = await asyncio.create_subprocess_exec(
        program,
        f"--config.file={work / 'prometheus.json'}",
        f"--storage.tsdb.path={work / 'data'}",
        f"--web.listen-address={listen}",
        "--storage.tsdb.retention.time=90d",
        "--log.level=error",
    )
    try:
        yield f"http://{listen}"
    finally:
        process.terminate()
        await process.wait()
        shutil.rmtree(work / "data", ignore_errors=True)
