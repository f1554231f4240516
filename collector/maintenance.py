"""Planned work: when a window is open, and which systems it covers. Reckons only; reads nothing.

All moments are Unix seconds; a window itself is in local time, and keeps to the clock on the wall.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from threading import Lock
from typing import NamedTuple, Protocol
from zoneinfo import ZoneInfo

from collector.model import Labels, System, Target
from collector.recurrence import parsed, times

DEFAULT_ZONE = "Asia/Ho_Chi_Minh"
# Local time may jump by as much as a day (a zone that changes sides of the date line).
_JUMP = 2 * 86400.0
_KNOWN_WINDOWS = 4096
_ALWAYS = float("inf")


@dataclass(frozen=True, slots=True)
class Window:
    """Announced work, once or by a rule. `starts`, `ends` and `until` are local times in `zone`, and say no zone.

    It lasts to `ends` by the wall clock, each time that it comes again, or for `duration` seconds. `rule` is an RRULE
    of RFC 5545, empty for once. `reason_vi` and `reason_en` are for people; the English may be empty.
    It covers all that any of `systems`, `centres`, `owners` and `labels` selects, as `covered` has it.
    """

    id: str
    starts: datetime
    ends: datetime | None = None
    duration: float | None = None
    rule: str = ""
    until: datetime | None = None
    zone: str = DEFAULT_ZONE
    reason_vi: str = ""
    reason_en: str = ""
    systems: tuple[str, ...] = ()
    centres: tuple[str, ...] = ()
    owners: tuple[str, ...] = ()
    labels: Labels = ()
    synthetic: bool = False

    @property
    def reason(self) -> str:
        """Why, in Vietnamese and, where it is given, in English."""
        return " / ".join(filter(None, (self.reason_vi, self.reason_en)))


class Spell(NamedTuple):
    """From when until when."""

    begins: float
    ends: float


def spells(window: Window, begins: float, ends: float) -> list[Spell]:
    """When the window is open between two moments: in order, apart from each other, none beyond the two.

    Raises ValueError or KeyError for a rule or a zone that there is not; settings let none through.
    """
    return _merged(_clipped(_calendar(window).between(begins, ends), begins, ends))


def active(windows: Iterable[Window], now: float) -> list[Window]:
    """The windows that are open now."""
    return [window for window in windows if _holds(_calendar(window).between(now, now), now)]


def prepare(windows: Iterable[Window], until: float) -> None:
    """Reckon up to a moment. An old rule takes a while; after this, questions about that time are answered at once."""
    for window in windows:
        _calendar(window).between(until, until)


class _Calendar:
    """The spells of one window, reckoned once and only as far as somebody asked. For any thread."""

    def __init__(self, window: Window) -> None:
        zone = ZoneInfo(window.zone)
        again = times(parsed(window.rule), window.starts, zone, window.until) if window.rule else iter([window.starts])
        self._upcoming: Iterator[Spell] = (_spell(window, zone, at) for at in again)
        self._spells: list[Spell] = []
        self._reached, self._whole = float("-inf"), False
        span = window.duration or ((window.ends or window.starts) - window.starts).total_seconds()
        self._longest = span + _JUMP
        self._lock = Lock()

    def between(self, begins: float, ends: float) -> list[Spell]:
        """Every spell that touches the time between two moments, and perhaps some beside it."""
        with self._lock:
            # A time that the clock skips comes after the hour that follows it: look beyond.
            while self._reached <= ends + _JUMP and not self._whole:
                self._reach(next(self._upcoming, None))
            first = bisect_left(self._spells, (begins - self._longest,))
            return self._spells[first : bisect_right(self._spells, (ends, _ALWAYS))]

    def _reach(self, spell: Spell | None) -> None:
        if spell is None:
            self._whole = True
        else:
            insort(self._spells, spell)
            self._reached = spell.begins


_calendar = lru_cache(maxsize=_KNOWN_WINDOWS)(_Calendar)


def _spell(window: Window, zone: ZoneInfo, starts: datetime) -> Spell:
    # RFC 5545, section 3.3.5: of a time that comes twice, the first is meant; one that is skipped counts by the
    # offset before. PEP 495 has the same with fold=0.
    begins = starts.replace(tzinfo=zone).timestamp()
    if window.ends is None:
        return Spell(begins, begins + (window.duration or 0))
    span = window.ends - window.starts
    ends = (starts + span).replace(tzinfo=zone).timestamp()
    # What begins in a skipped hour and ends just after it must not vanish.
    return Spell(begins, ends if ends > begins else begins + span.total_seconds())


def _clipped(some: Iterable[Spell], begins: float, ends: float) -> Iterator[Spell]:
    for spell in some:
        clipped = Spell(max(spell.begins, begins), min(spell.ends, ends))
        if clipped.begins < clipped.ends:
            yield clipped


def _merged(some: Iterable[Spell]) -> list[Spell]:
    found: list[Spell] = []
    for spell in sorted(some):
        if found and spell.begins <= found[-1].ends:
            found[-1] = Spell(found[-1].begins, max(found[-1].ends, spell.ends))
        else:
            found.append(spell)
    return found


def _holds(some: Iterable[Spell], now: float) -> bool:
    return any(spell.begins <= now < spell.ends for spell in some)


# ---------------------------------------------------------------- which systems


def carried(targets: Iterable[Target]) -> dict[str, frozenset[tuple[str, str]]]:
    """By system, the labels that all of its required targets carry; of one that has none, all its supporting ones."""
    required: dict[str, list[set[tuple[str, str]]]] = defaultdict(list)
    supporting: dict[str, list[set[tuple[str, str]]]] = defaultdict(list)
    for target in targets:
        (required if target.required else supporting)[target.system].append(set(target.labels))
    return {name: frozenset(set.intersection(*labels)) for name, labels in {**supporting, **required}.items()}


def covered(
    window: Window, systems: Mapping[str, System], labels: Mapping[str, frozenset[tuple[str, str]]]
) -> set[str]:
    """Ids of the systems that a window covers; `labels` is what `carried` gives."""
    found = {name for name in window.systems if name in systems}
    for centre in window.centres:
        found |= _in_centre(centre, systems)
    found |= {name for name, system in systems.items() if system.owner in window.owners}
    if window.labels:
        found |= {name for name, own in labels.items() if own.issuperset(window.labels)}
    return found


def _in_centre(centre: str, systems: Mapping[str, System]) -> set[str]:
    return {name for name, system in systems.items() if centre in {name, system.hosting}}


class Unplanned(Protocol):
    """Work that nobody announced in a file: entered by command, perhaps after it had begun.

    `scope` is system, centre, owner or label; `subject` is an id, or `name=value`. `ends` is None while it goes on.
    It counts from `applies_from`, never before it was entered.
    """

    @property
    def scope(self) -> str: ...

    @property
    def subject(self) -> str: ...

    @property
    def reason(self) -> str: ...

    @property
    def applies_from(self) -> float: ...

    @property
    def ends(self) -> float | None: ...


class Planner:
    """Which planned work covers which system, for one inventory and what was entered by command so far."""

    def __init__(
        self,
        windows: Iterable[Window],
        systems: Mapping[str, System],
        targets: Mapping[str, Target],
        unplanned: Iterable[Unplanned] = (),
    ) -> None:
        windows, unplanned = list(windows), list(unplanned)
        by_label = any(window.labels for window in windows) or any(entry.scope == "label" for entry in unplanned)
        labels = carried(targets.values()) if by_label else {}
        self._windows: dict[str, list[Window]] = defaultdict(list)
        self._unplanned: dict[str, list[Unplanned]] = defaultdict(list)
        for window in windows:
            for name in covered(window, systems, labels):
                self._windows[name].append(window)
        for entry in unplanned:
            for name in selected(entry, systems, labels):
                self._unplanned[name].append(entry)

    def windows(self, system_id: str, begins: float, ends: float) -> list[Spell]:
        """When work on the system is planned between two moments: in order, apart from each other, within the two."""
        found = [spell for window in self._windows.get(system_id, ()) for spell in spells(window, begins, ends)]
        entered = (_entered(entry) for entry in self._unplanned.get(system_id, ()))
        return _merged([*found, *_clipped(entered, begins, ends)])

    def reasons(self, system_id: str, moment: float) -> list[str]:
        """Why work on the system is under way at a moment; empty when none is."""
        open_now = [window.reason for window in active(self._windows.get(system_id, ()), moment)]
        entries = [entry for entry in self._unplanned.get(system_id, ()) if _holds([_entered(entry)], moment)]
        return open_now + [entry.reason for entry in entries]


def _entered(entry: Unplanned) -> Spell:
    return Spell(entry.applies_from, entry.ends if entry.ends is not None else _ALWAYS)


def selected(
    entry: Unplanned, systems: Mapping[str, System], labels: Mapping[str, frozenset[tuple[str, str]]]
) -> set[str]:
    """Ids of the systems that an entry is about; `labels` is what `carried` gives."""
    if entry.scope == "system":
        return {entry.subject} & systems.keys()
    if entry.scope == "centre":
        return _in_centre(entry.subject, systems)
    if entry.scope == "owner":
        return {name for name, system in systems.items() if system.owner == entry.subject}
    name, _, value = entry.subject.partition("=")
    return {system for system, own in labels.items() if (name, value) in own}
