"""The demo's script of faults: what each does to the simulated province, and what of it Prometheus then shows.

The script is compressed in time, the collector's clock never is: a fault shows when the target is next polled and the
service next scraped. A seed chooses what each fault befalls, and in which order they come.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from collector.demo.agents.descriptions import Description
from collector.demo.casting import Cast, NothingFits
from collector.demo.effects import Effect
from collector.demo.happenings import HAPPENINGS, Happening
from collector.demo.shows import Show
from collector.model import Target
from collector.nearest import nearest

SETTLES = 5.0  # seconds until the first results have been scraped
NEXT_AFTER = 3.0
LASTS = 35.0
ROUND = 300.0  # then the same again
NONE = "none"


class UnknownFault(Exception):
    """Somebody asked for a fault that there is none of; the message is for people."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault of the script. `begins` and `lasts` are seconds, from when the stage is set.

    `targets` are those that it befalls: no series of any other changes. `interval` is the longest of theirs.
    """

    id: str
    name_vi: str
    name_en: str
    begins: float
    lasts: float
    befalls: str
    targets: tuple[str, ...]
    interval: float
    effects: tuple[Effect, ...]
    shows: tuple[Show, ...]

    def described(self) -> dict[str, Any]:
        """For --list-faults."""
        return {
            "id": self.id,
            "name_vi": self.name_vi,
            "name_en": self.name_en,
            "begins_seconds": self.begins,
            "lasts_seconds": self.lasts,
            "befalls": self.befalls,
            "targets": list(self.targets),
            "interval_seconds": self.interval,
            "shows": [show.described() for show in self.shows],
        }


def chosen(words: str | None) -> Collection[str] | None:
    """Ids out of `id,id` or `none`; None when all are meant. Raises UnknownFault."""
    if words is None:
        return None
    ids = [word.strip() for word in words.split(",") if word.strip()]
    if ids == [NONE]:
        return ()
    known = [happening.id for happening in HAPPENINGS]
    for word in ids:
        if word not in known:
            raise UnknownFault(f"no fault is called {word!r}{nearest(word, known)}; they are {', '.join(known)}")
    return frozenset(ids)


def script(
    targets: Mapping[str, Target], devices: Mapping[str, Description], seed: int, wanted: Collection[str] | None
) -> tuple[Fault, ...]:
    """The faults in the order in which they begin; `wanted` ids only, unless None.

    What a fault befalls does not depend on which others are wanted. A fault that nothing in the configuration fits
    is left out.
    """
    cast = Cast(targets, devices, seed)
    found = [(happening, made) for happening in HAPPENINGS if (made := _befall(happening, cast)) is not None]
    played = [pair for pair in cast.shuffle(found) if wanted is None or pair[0].id in wanted]
    return tuple(
        Fault(
            id=happening.id,
            name_vi=happening.name_vi,
            name_en=happening.name_en,
            begins=SETTLES + number * NEXT_AFTER,
            lasts=LASTS,
            befalls=made.befalls,
            targets=made.targets,
            interval=max(targets[name].interval for name in made.targets),
            effects=made.effects,
            shows=made.shows,
        )
        for number, (happening, made) in enumerate(played)
    )


def _befall(happening: Happening, cast: Cast) -> Any:
    try:
        return happening.befall(cast)
    except NothingFits:
        return None
