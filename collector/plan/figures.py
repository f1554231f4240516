"""The figures of views that an indicator may be measured by."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class Choice(NamedTuple):
    """What a figure is, and the keys that choose which one; those of `needed` must be given."""

    says: str
    needed: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()


FIGURES: Mapping[str, Mapping[str, Choice]] = {
    "coverage": {
        "villages": Choice("share of villages that a technology or a better one covers", ("technology",)),
        "population": Choice("share of people that a technology or a better one covers", ("technology",)),
        "zones": Choice("share of the zones of a category that a technology covers", ("technology", "category")),
        "base-stations": Choice("base stations, or those of a technology", (), ("technology",)),
        "positions": Choice("tower positions"),
        "shared-positions": Choice("share of tower positions that two operators or more use"),
    },
    "systems": {
        "count": Choice("systems that are watched", (), ("category", "objective", "part_of")),
        "available": Choice(
            "share of systems that are available to their users now", (), ("category", "objective", "part_of")
        ),
    },
}
CHOOSERS = ("technology", "category", "objective", "part_of")
