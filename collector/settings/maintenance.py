"""Planned work: windows that files announce, each checked by itself, then against the inventory."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from itertools import islice, pairwise
from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from collector.fields import Duration, ZoneName
from collector.maintenance import DEFAULT_ZONE, Window, carried, covered
from collector.model import System, Target
from collector.recurrence import parsed, times
from collector.settings.credentials import Credentials
from collector.settings.faults import Fault
from collector.settings.gather import Gathered
from collector.settings.inventory import Id, LabelName
from collector.settings.moments import LocalTime, LocalTimeOrDay, RecurrenceRule
from collector.settings.monitor import Section
from collector.settings.source import Node
from collector.settings.systems import centres_of, missing
from collector.settings.validation import checked

SELECTORS = ("systems", "centres", "owners", "labels")
LONGEST_DAYS = 3650
_DAY = timedelta(days=1)
# A rule shows within so many times how often it comes.
_HOURS, _LOOKED_AT = 24, 100


def _bounded(seconds: float) -> float:
    if seconds > LONGEST_DAYS * 86400:
        raise PydanticCustomError("duration", f"must be at most {LONGEST_DAYS}d")
    return seconds


class MaintenanceKeys(Section):
    """Planned work. While it lasts, the systems that it covers are in `maintenance`: their outages are expected."""

    id: Id = Field(description="Stable for ever. In a later directory, the same id extends the window.")
    reason: str | None = Field(None, min_length=1, description="The same as `reason_vi`.")
    reason_vi: str | None = Field(None, min_length=1, description="Why, for people, in Vietnamese.")
    reason_en: str | None = Field(None, min_length=1, description="The same in English.")
    starts: LocalTime = Field(
        description="Local date and time at which it begins, such as `2026-11-23 22:00`; with `rrule` at every time "
        "that fits the rule, from this one on."
    )
    ends: LocalTime | None = Field(
        None, description="Local date and time at which it ends; each time that it comes again by the same wall clock."
    )
    duration: Annotated[Duration, AfterValidator(_bounded)] | None = Field(
        None, description="How long it lasts, instead of `ends`."
    )
    rrule: RecurrenceRule | None = Field(
        None,
        max_length=500,
        description="How it comes again: a rule of RFC 5545, such as `FREQ=MONTHLY;BYDAY=-1SA`, at most hourly.",
    )
    until: LocalTimeOrDay = Field(
        None, description="Local date (all of it) or time after which it does not begin again, if the rule has no end."
    )
    zone: ZoneName = Field(DEFAULT_ZONE, description="Time zone of all its times, by its IANA name.")
    systems: tuple[str, ...] = Field((), description="Ids of systems that it covers.")
    centres: tuple[str, ...] = Field((), description="Ids of data centres: covered with everything that runs in them.")
    owners: tuple[str, ...] = Field((), description="Ids of owners: everything that they answer for is covered.")
    labels: dict[LabelName, str] = Field(
        {},
        description="Labels of targets: the systems are covered of which all required targets carry all of these (of "
        "a system without required ones, all supporting ones).",
    )
    note: str | None = Field(None, description="For readers of the file.")


def planned(gathered: Gathered, credentials: Credentials, faults: list[Fault], *, whole: bool) -> tuple[Window, ...]:
    """The windows without fault; what is wrong with the others is added to `faults`.

    Without `whole` some files could not be read, and a name may stand in one of them.
    """
    for what, node in gathered.nameless:
        if what == "window":
            faults += checked(MaintenanceKeys, credentials.children(node), node)[1]
    found = []
    for written in gathered.windows.values():
        node = written.node
        keys, wrong = checked(MaintenanceKeys, credentials.children(node), node)
        wrong += _references(node, gathered) if whole else ()
        wrong += _together(keys, node) if keys is not None else ()
        faults += wrong
        if keys is not None and not wrong:
            found.append(_window(keys, written.synthetic))
    return tuple(found)


def idle(
    windows: Sequence[Window], gathered: Gathered, systems: Mapping[str, System], targets: Mapping[str, Target]
) -> Iterator[Fault]:
    """A warning for each window that covers nothing."""
    labels = carried(targets.values()) if any(window.labels for window in windows) else {}
    for window in windows:
        if not covered(window, systems, labels):
            yield gathered.windows[window.id].node.fault("covers no system")


def _window(keys: MaintenanceKeys, synthetic: bool) -> Window:
    return Window(
        id=keys.id,
        starts=keys.starts,
        ends=keys.ends,
        duration=keys.duration,
        rule=keys.rrule or "",
        until=keys.until,
        zone=keys.zone,
        reason_vi=keys.reason_vi or keys.reason or "",
        reason_en=keys.reason_en or "",
        systems=keys.systems,
        centres=keys.centres,
        owners=keys.owners,
        labels=tuple(sorted(keys.labels.items())),
        synthetic=synthetic,
    )


def _references(node: Node, gathered: Gathered) -> Iterator[Fault]:
    centres = centres_of(gathered)
    others = gathered.systems.keys() - centres.keys()
    for place in _listed(node, "systems"):
        yield from missing(place, "system", gathered.systems)
    for place in _listed(node, "owners"):
        yield from missing(place, "owner", gathered.owners)
    for place in _listed(node, "centres"):
        if place.value in others:
            yield place.fault(f"system '{place.value}' is no data-centre: name it under systems")
        else:
            yield from missing(place, "data centre", centres)


def _listed(node: Node, key: str) -> list[Node]:
    """The texts of a list."""
    listed = node.get(key)
    return [item for item in listed.items if isinstance(item.value, str)] if listed is not None else []


def _together(keys: MaintenanceKeys, node: Node) -> Iterator[Fault]:
    """What is wrong although each key by itself is right."""
    if keys.reason and keys.reason_vi:
        yield node.children["reason"].fault("reason_vi says it already: give one of the two", key=True)
    if not (keys.reason or keys.reason_vi):
        yield node.fault("missing key 'reason_vi'")
    if not any(getattr(keys, name) for name in SELECTORS):
        yield node.fault(f"covers nothing: name some of {', '.join(SELECTORS)}")
    if keys.ends is None and keys.duration is None:
        yield node.fault("missing key 'ends' or 'duration'")
    elif keys.ends is not None and keys.duration is not None:
        yield node.children["duration"].fault("ends says it already: give one of the two", key=True)
    elif keys.ends is not None and keys.ends <= keys.starts:
        yield node.children["ends"].fault(f"must be after starts ({keys.starts})")
    else:
        yield from _again(keys, node)


def _again(keys: MaintenanceKeys, node: Node) -> Iterator[Fault]:
    """What is wrong with how it comes again."""
    if keys.rrule is None:
        if keys.until is not None:
            yield node.children["until"].fault("is for work that comes again: add rrule", key=True)
        return
    rule, place = parsed(keys.rrule), node.children["rrule"]
    if keys.until is not None and (rule.count is not None or rule.until is not None):
        yield node.children["until"].fault("the rule says itself when it ends: give one of the two", key=True)
        return
    try:
        first = list(islice(times(rule, keys.starts, ZoneInfo(keys.zone), keys.until), _LOOKED_AT))
    except ValueError:
        first = []
    lasts = keys.ends - keys.starts if keys.ends is not None else timedelta(seconds=keys.duration or 0)
    if not first:
        yield place.fault("never comes")
    elif any(later - earlier < _DAY for earlier, later in zip(first, first[_HOURS:], strict=False)):
        yield place.fault("comes more often than hourly")
    elif any(later - earlier < lasts for earlier, later in pairwise(first)):
        yield place.fault("comes again before it has ended")
