"""Rules for a page as a whole."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

from dashboards.lint.walk import every_panel, texts
from dashboards.page import SCHEMA_VERSION, TAG
from dashboards.palette import Colour
from dashboards.spec import COLUMNS
from dashboards.words import Json

# Grafana 12 and later refuses others.
_UID = re.compile(r"hatang-[a-z0-9-]{1,33}")
_SOURCE = "${datasource}"


def faults(page: Json) -> Iterator[str]:
    """What is wrong with the envelope, the grid, the variables or the colours."""
    if not _UID.fullmatch(page["uid"]):
        yield f"the uid is not hatang-... in at most 40 small letters, digits and hyphens: {page['uid']}"
    wanted = {"schemaVersion": SCHEMA_VERSION, "editable": False, "timezone": "Asia/Ho_Chi_Minh"}
    yield from (f"{key} is {page.get(key)!r}, not {value!r}" for key, value in wanted.items() if page.get(key) != value)
    if "id" in page:
        yield "has an id, which is another's in another Grafana"
    if TAG not in page["tags"]:
        yield f"lacks the tag {TAG}"
    yield from _grid(page)
    yield from _variables(page)
    yield from _written(page)


def _grid(page: Json) -> Iterator[str]:
    numbers = [one["id"] for one in every_panel(page)]
    if len(numbers) != len(set(numbers)):
        yield "two panels have the same id"
    taken: dict[tuple[int, int], str] = {}
    for one in page["panels"]:
        box, name = one["gridPos"], one.get("title") or one["type"]
        if box["x"] + box["w"] > COLUMNS:
            yield f"{name!r} is wider than the page"
        cells = [(x, y) for x in range(box["x"], box["x"] + box["w"]) for y in range(box["y"], box["y"] + box["h"])]
        others = {taken[cell] for cell in cells if cell in taken}
        yield from (f"{name!r} covers {other!r}" for other in sorted(others))
        taken |= dict.fromkeys(cells, name)


def _variables(page: Json) -> Iterator[str]:
    variables = page["templating"]["list"]
    if variables[0]["name"] != "datasource" or variables[0]["query"] != "prometheus":
        yield "the first variable is not `datasource`"
    for one in variables[1:]:
        if one["refresh"] != 2:
            yield f"variable {one['name']} is not asked anew when the time changes"
        if one["datasource"].get("uid") != _SOURCE:
            yield f"variable {one['name']} does not ask {_SOURCE}"
        if one["multi"]:
            yield from _everything(one)


def _everything(variable: Json) -> Iterator[str]:
    """All of a label is cheapest as .+; but where others' series have it, too, Grafana has to say which are meant."""
    some = variable["name"] == "system" and 'category="' in variable["query"]
    if some and variable.get("allValue") is not None:
        yield f"variable {variable['name']}: all is {variable['allValue']}, which is more than those that it lists"
    if not some and variable.get("allValue") != ".+":
        yield f"variable {variable['name']}: all is not .+"


def _written(page: Json) -> Iterator[str]:
    palette = {colour.value for colour in Colour}
    for text in texts(page):
        if unicodedata.normalize("NFC", text) != text:
            yield f"not in NFC: {text!r}"
        if "{lang}" in text or "LANG" in text:
            yield f"the language is not filled in: {text!r}"
        for colour in re.findall(r"#[0-9a-fA-F]{6}\b", text):
            if colour not in palette:
                yield f"{colour} is not of the palette"
