"""An inventory and a journal whose months were reckoned by hand."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from collector.fields import Host
from collector.journal import Change, reading_ledger
from collector.model import Spec, System, SystemState, Target
from collector.reports import Availability, Month, availability

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
HOUR = 3600.0
DAY = 24 * HOUR


def at(text: str, zone: ZoneInfo = ZONE) -> float:
    """Unix seconds of a local time such as `2026-11-01 00:00`."""
    return datetime.fromisoformat(text).replace(tzinfo=zone).timestamp()


def system(name: str, **more: object) -> System:
    """One with that id."""
    known = {"category": "portal", "owner": "so-khcn", "hosting": "ttdl-tinh", "tier": 1, "source_section": ""}
    return System(id=name, name_vi=f"Hệ thống {name}", name_en=f"System {name}", **{**known, **more})  # type: ignore[arg-type]


class Nowhere(Spec):
    """A spec that nothing runs."""

    host: Host = "a.example"


def target(name: str, of: str, **labels: str) -> Target:
    """One of a system, with labels."""
    return Target(name, of, "tcp", Nowhere(), 30.0, 5.0, labels=tuple(labels.items()))


@dataclass(slots=True)
class Configured:
    """The part of a configuration that reports read."""

    systems: dict[str, System] = field(default_factory=dict)
    targets: dict[str, Target] = field(default_factory=dict)


def configured(*names: str) -> Configured:
    """Systems by name."""
    return Configured({name: system(name) for name in names})


def became(moment: str, state: SystemState, reason: str = "", name: str = "portal", source: str = "poll") -> Change:
    """A change at a local time."""
    return Change(name, at(moment), None, state, reason, source)


def report(
    path: Path, month: str = "2026-11", now: str = "2026-12-10 00:00", inventory: Configured | None = None
) -> Availability:
    """The month of the only system."""
    with reading_ledger(path) as ledger:
        (found,) = availability(ledger, inventory or configured("portal"), Month.parse(month, ZONE), at(now))
    return found
