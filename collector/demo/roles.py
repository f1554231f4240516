"""What a fault befalls, what it does, and what shows it: the form in which every fault is cast."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from collector.demo.effects import Effect
from collector.demo.shows import Show, failing
from collector.model import Target, Verdict

if TYPE_CHECKING:
    from collector.demo.casting import Cast

# Long enough for three runs at the usual interval to confirm it.
LASTS = 48.0


class NothingFits(Exception):
    """The configuration has nothing that this fault could befall."""


@dataclass(frozen=True, slots=True)
class Casting:
    """What a fault befalls, what is done to it, and what shows it, but for the states of systems.

    `failing` and `unseen` are targets that come to be down and unknown. `planned` are systems under maintenance,
    which ends `reserve` seconds after the fault, and `steady` such as stay as they are. `keeps` holds meanwhile.
    `polled_within` is seconds; None for the targets' own interval. What fails does so `late` seconds after it began.
    """

    befalls: str
    targets: tuple[str, ...]
    effects: tuple[Effect, ...]
    shows: tuple[Show, ...] = ()
    failing: tuple[str, ...] = ()
    unseen: tuple[str, ...] = ()
    planned: tuple[str, ...] = ()
    reserve: float = 0.0
    steady: tuple[str, ...] = ()
    keeps: tuple[Show, ...] = ()
    polled_within: float | None = None
    late: float = 0.0

    @property
    def verdicts(self) -> dict[str, Verdict]:
        """Of the targets that are not up meanwhile."""
        return dict.fromkeys(self.failing, Verdict.DOWN) | dict.fromkeys(self.unseen, Verdict.UNKNOWN)


@dataclass(frozen=True, slots=True)
class Happening:
    """A kind of fault; `befall` raises NothingFits.

    It lasts `lasts` seconds, is about `systems` more than about their targets, or leaves room for no other: `alone`.
    """

    id: str
    name_vi: str
    name_en: str
    befall: Callable[[Cast], Casting]
    lasts: float = LASTS
    systems: bool = False
    alone: bool = False


def one(target: Target, effect: Effect, *shows: Show) -> Casting:
    """Something about a target that answers all the same."""
    return Casting(target.id, (target.id,), (effect,), shows)


def several(befalls: str, targets: Sequence[Target], effects: Sequence[Effect], reason: str, *shows: Show) -> Casting:
    """Targets that fail for one reason."""
    names = tuple(target.id for target in targets)
    fails = tuple(show for name in names for show in failing(name, reason))
    return Casting(befalls, names, tuple(effects), (*fails, *shows), names)


def broken(target: Target, effect: Effect, reason: str, *shows: Show) -> Casting:
    """A target that fails."""
    return several(target.id, [target], [effect], reason, *shows)
