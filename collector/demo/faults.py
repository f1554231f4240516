"""The demo's script of faults: what each does to the simulated province, and what of it Prometheus then shows.

The script is compressed in time, the collector's clock never is: a fault shows when the target is next polled and the
service next scraped, and makes a system change its state when enough runs have confirmed it. A seed chooses what each
fault befalls, and in which order they come.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from collector.demo.agents.descriptions import Description
from collector.demo.casting import Cast
from collector.demo.effects import Effect
from collector.demo.happenings import HAPPENINGS
from collector.demo.mobile.happenings import MOBILE
from collector.demo.roles import Casting, Happening, NothingFits
from collector.demo.scenes import SCENES
from collector.demo.shows import Show, series
from collector.model import SystemState, Target
from collector.nearest import nearest
from collector.service import RECHECK_AFTER
from collector.settings import Config
from collector.standing import CODES

SETTLES = 5.0  # seconds until what is known at first has been scraped
NEXT_AFTER = 1.5
RECOVERS = 30.0  # until nothing is left of a fault
ROUND = 300.0  # then the same again
ADVANCES = 1.0  # the service brings the states of systems up to date so often
NONE = "none"
# What befalls most is cast first, while all is still free.
ALL = (*SCENES, *MOBILE, *HAPPENINGS)


class UnknownFault(Exception):
    """Somebody asked for a fault that there is none of; the message is for people."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault of the script. `begins` and `lasts` are seconds, from when the stage is set.

    `targets` are those that it befalls: no series of any other changes, but for the systems' in `shows`. All of them
    are polled within `polled_within` seconds. `keeps` holds from beginning to end.
    """

    id: str
    name_vi: str
    name_en: str
    begins: float
    lasts: float
    befalls: str
    targets: tuple[str, ...]
    polled_within: float
    effects: tuple[Effect, ...]
    shows: tuple[Show, ...]
    keeps: tuple[Show, ...]

    @property
    def ends(self) -> float:
        """Seconds from when the stage is set."""
        return self.begins + self.lasts

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
            "polled_within_seconds": self.polled_within,
            "shows": [show.described() for show in self.shows],
            "keeps": [show.described() for show in self.keeps],
        }


def chosen(words: str | None) -> Collection[str] | None:
    """Ids out of `id,id` or `none`; None when all are meant. Raises UnknownFault."""
    if words is None:
        return None
    ids = [word.strip() for word in words.split(",") if word.strip()]
    if ids == [NONE]:
        return ()
    known = [happening.id for happening in ALL]
    for word in ids:
        if word not in known:
            raise UnknownFault(f"no fault is called {word!r}{nearest(word, known)}; they are {', '.join(known)}")
    return frozenset(ids)


def script(
    config: Config, devices: Mapping[str, Description], seed: int, wanted: Collection[str] | None
) -> tuple[Fault, ...]:
    """The faults in the order in which they begin; `wanted` ids only, unless None.

    What a fault befalls does not depend on which others are wanted. A fault that nothing in the configuration fits
    is left out.
    """
    cast = Cast(config, devices, seed)
    found = [(happening, made) for happening in ALL if (made := _befall(happening, cast)) is not None]
    played = [pair for pair in cast.shuffle(found) if wanted is None or pair[0].id in wanted]
    # What is about systems first, if it is no longer than others: it is longer to be seen.
    played.sort(key=lambda pair: (pair[0].alone, pair[0].lasts, not pair[0].systems))
    return tuple(
        _fault(happening, made, begins, cast)
        for (happening, made), begins in zip(played, _beginnings([it for it, _ in played]), strict=True)
    )


def _befall(happening: Happening, cast: Cast) -> Casting | None:
    try:
        while True:
            made = happening.befall(cast)
            if happening.alone or cast.agree(made):
                return made
    except NothingFits:
        return None


def _beginnings(played: Iterable[Happening]) -> Iterator[float]:
    begins, over = SETTLES, SETTLES
    for happening in played:
        if happening.alone:
            begins = over + RECOVERS if over > SETTLES else SETTLES
        yield begins
        over = max(over, begins + happening.lasts)
        begins += NEXT_AFTER


def _fault(happening: Happening, made: Casting, begins: float, cast: Cast) -> Fault:
    members = [cast.whole[name] for name in made.targets]
    states = tuple(_states(made, members, cast))
    steady = (Show(_state_of(name), "==", CODES[SystemState.UP]) for name in made.steady)
    return Fault(
        id=happening.id,
        name_vi=happening.name_vi,
        name_en=happening.name_en,
        begins=begins,
        lasts=happening.lasts,
        befalls=made.befalls,
        targets=made.targets,
        polled_within=made.polled_within or max(target.interval for target in members),
        effects=made.effects,
        shows=(*states, *made.shows) if happening.systems else (*made.shows, *states),
        keeps=(*made.keeps, *steady),
    )


def _states(made: Casting, members: Sequence[Target], cast: Cast) -> Iterator[Show]:
    """What the states of systems become, with the time that it takes to confirm it."""
    disturbed = cast.consequences(made)
    # What we see nothing of, we only say so of when we have looked at ourselves.
    confirm = max(cast.whole[name].timeout for name in cast.uplink) if made.unseen else 0.0
    confirm = max([confirm, *(_more(target, target.confirm) for target in members if target.id in made.failing)])
    confirm += made.late
    recover = max((_more(target, target.recover) for target in members), default=0.0)
    if made.planned:
        confirm, recover = 0.0, made.reserve
    # The system that the fault is about comes first.
    for name in sorted(disturbed, key=lambda name: (name != made.befalls, name)):
        yield Show(_state_of(name), "==", CODES[disturbed[name]], confirm + ADVANCES, recover + ADVANCES)


def _more(target: Target, runs: int) -> float:
    """Seconds at most from the first of so many runs in a row to the last."""
    return (runs - 1) * min(target.interval, RECHECK_AFTER + target.timeout)


def _state_of(system: str) -> str:
    return series("hatang_system_state", system=system)
