"""Rules for the catalogue: nothing in it is idle."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from dashboards.lint.walk import targets
from dashboards.queries import CATALOGUE, VARIABLES
from dashboards.words import Json, Language


def faults(all_pages: Mapping[str, Json]) -> Iterator[str]:
    """Queries and variables that no page uses."""
    asked = {target["expr"] for page in all_pages.values() for _, target in targets(page)}
    for name, query in CATALOGUE.items():
        if query.expression(Language.VI) not in asked:
            yield f"no page uses the query {name}"
    shown = {variable["query"] for page in all_pages.values() for variable in page["templating"]["list"]}
    for name, variable in VARIABLES.items():
        if variable.query() not in shown:
            yield f"no page uses the variable {name}"
