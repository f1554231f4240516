"""Ask a real Prometheus everything that the pages ask."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import urlopen

from dashboards.lint.walk import targets
from dashboards.words import Json


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
