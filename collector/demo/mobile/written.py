"""Villages and zones as YAML for the overlay."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

from collector.demo.mobile.figures import Figures
from collector.demo.mobile.land import Land
from collector.demo.mobile.settling import outline, settle, zone
from collector.places import Places, Village, Zone

WIDTH = 112
HEAD = """\
# MÔ PHỎNG / SIMULATED: {what}
# {more}
# Written by `python -m collector.demo.mobile`; do not edit.
synthetic: true
{key}:
"""


def written(places: Places, wanted: Figures) -> dict[str, str]:
    """Texts by path in a configuration directory."""
    land = Land.of(places.communes, places.territory)
    return {
        "inventory.d/thon.yaml": _document(
            "villages",
            "thôn, tổ dân phố và dân số bịa ra / villages and populations, all made up.",
            "Nobody published where the villages are; communes and their centres are real.",
            map(_village, settle(land)),
        ),
        "inventory.d/khu-vuc.yaml": _document(
            "zones",
            "khu, cụm công nghiệp, nhà ga, cảng, bến xe, đô thị bịa ra / zones, all made up.",
            "As many of each category as the report counts; it names none, nor where they are.",
            map(_zone, zone(land, wanted.shares)),
        ),
    }


def _document(key: str, what: str, more: str, entries: Iterable[Iterator[tuple[str, Any]]]) -> str:
    return HEAD.format(key=key, what=what, more=more) + "".join(map(_lines, entries))


def _lines(entry: Iterator[tuple[str, Any]]) -> str:
    """As a flow mapping; as many keys on a line as there is room for."""
    text, width = "", 0
    for name, value in entry:
        word = f"{name}: {json.dumps(value, ensure_ascii=False)}"
        if len(word) > WIDTH:
            word = word.replace("], [", "],\n      [")
        if width + len(word) > WIDTH:
            text, width = f"{text},\n     {word}", len(word)
        else:
            text, width = f"{text}, {word}", width + len(word) + 2
    return f"  - {{{text.removeprefix(', ')}}}\n"


def _village(one: Village) -> Iterator[tuple[str, Any]]:
    yield "id", one.id
    yield "commune", one.commune
    yield "lat", one.lat
    yield "lon", one.lon
    yield "population", one.population
    yield "official", one.official
    yield "name", one.name


def _zone(one: Zone) -> Iterator[tuple[str, Any]]:
    yield "id", one.id
    yield "category", one.category
    yield "name_vi", one.name_vi
    yield "name_en", one.name_en
    yield "lat", one.lat
    yield "lon", one.lon
    if corners := outline(one):
        yield "polygon", [[place.lon, place.lat] for place in corners]
