"""The catalogue of PromQL: definitions name queries, and never write them.

A query that looks at more than 6 hours reads recorded series only (rules/README.md).
"""

from __future__ import annotations

from dashboards.queries import collector, coverage, devices, network, plan, sites, stations, systems, targets
from dashboards.queries.query import Query
from dashboards.queries.variables import VARIABLES, Variable

__all__ = ["CATALOGUE", "VARIABLES", "Query", "Variable"]

_PARTS = (collector, coverage, devices, network, plan, sites, stations, systems, targets)


def _joined() -> dict[str, Query]:
    found: dict[str, Query] = {}
    for part in _PARTS:
        twice = found.keys() & part.QUERIES.keys()
        if twice:
            raise ValueError(f"queries are named twice: {', '.join(sorted(twice))}")
        found |= part.QUERIES
    return found


CATALOGUE = _joined()
