"""Faults of pages, found without Grafana. The rules are those of Grafana's own linter where they fit, and ours."""

from __future__ import annotations

from collections.abc import Mapping

from dashboards.lint import catalogue, links, pages, panels, parity, queries
from dashboards.words import Json


def faults(all_pages: Mapping[str, Json]) -> list[str]:
    """Everything that is wrong, page by page; empty when all is well."""
    found = [f"catalogue: {fault}" for fault in catalogue.faults(all_pages)]
    for uid, page in sorted(all_pages.items()):
        for rules in (pages.faults, panels.faults, queries.faults):
            found += [f"{uid}: {fault}" for fault in rules(page)]
        found += [f"{uid}: {fault}" for fault in links.faults(page, all_pages)]
    return found + parity.faults(all_pages)
