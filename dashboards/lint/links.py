"""Rules for ways between pages."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from dashboards.lint.walk import drawn, values
from dashboards.words import Json


def faults(page: Json, all_pages: Mapping[str, Json]) -> Iterator[str]:
    """Links that lead nowhere, set what is not there, or leave the language."""
    for one in drawn(page):
        for url in _urls(one):
            yield from (f"panel {one['title']!r}: {fault}" for fault in _faults(url, one, page, all_pages))


def _urls(one: Json) -> Iterator[str]:
    yield from (url for url in values(one["fieldConfig"], "url") if isinstance(url, str))


def _faults(url: str, panel: Json, page: Json, all_pages: Mapping[str, Json]) -> Iterator[str]:
    found = re.match(r"/d/([\w-]+)\?", url)
    if found is None or found[1] not in all_pages:
        yield f"a link leads to no page of ours: {url}"
        return
    if found[1].rpartition("-")[2] != page["uid"].rpartition("-")[2]:
        yield f"a link changes the language: {url}"
    there = {one["name"] for one in all_pages[found[1]]["templating"]["list"]}
    given = re.findall(r"&var-(\w+)=\$\{__(?:data\.fields|field\.labels)\.(\w+)\}", url)
    yield from (f"a link sets {name}, which {found[1]} does not have" for name, _ in given if name not in there)
    if "${datasource:queryparam}" not in url or "${__url_time_range}" not in url:
        yield "a link loses data source or time"
    kept = _kept(panel)
    if kept is not None:
        yield from (f"a link takes {label}, which is no column" for _, label in given if label not in kept)


def _kept(panel: Json) -> set[str] | None:
    """Columns that are left in a table."""
    for step in panel.get("transformations") or ():
        if step["id"] == "filterFieldsByName":
            return set(step["options"]["include"]["names"])
    return None
