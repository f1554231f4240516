"""What an operator's system has to say: rows, as they are or spoilt, before they are put into a form."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from zoneinfo import ZoneInfo

from collector.demo.mobile.air import Air
from collector.demo.mobile.land import Point
from collector.demo.mobile.network import Station
from collector.records import CellState

HERE = ZoneInfo("Asia/Ho_Chi_Minh")
MOVED = 0.03  # degrees: some three kilometres
TENTH = 10


class Twist(StrEnum):
    """What is wrong with a feed."""

    STALE = "stale"  # the same as before, for ever
    CUT = "cut"  # a tenth of it
    DOUBLED = "doubled"  # every row twice
    MOVED = "moved"  # everything three kilometres to the north-east
    LOGIN = "login"  # a page to log in, with status 200


@dataclass(frozen=True, slots=True)
class Row:
    """A station as its operator's system has it; `since` when it failed (Unix seconds), `downtime` in seconds."""

    station: Station
    place: Point
    state: CellState
    since: float | None = None
    downtime: float = 0.0

    @property
    def is_out(self) -> bool:
        """Whether it is off the air."""
        return self.state is not CellState.ACTIVE


@dataclass(frozen=True, slots=True)
class Listing:
    """All rows at a time (Unix seconds)."""

    rows: Sequence[Row]
    at: float


def listing(air: Air, operator: str, begin: float, end: float) -> Listing:
    """All stations of an operator now; downtime is counted between two times (Unix seconds)."""
    rows = [
        Row(one, one.mast.place, air.state(one), air.since(one), air.downtime(one, begin, end))
        for one in air.stations(operator)
    ]
    return Listing(rows, air.clock())


def spoilt(sound: Listing, twist: Twist | None) -> Listing:
    """What comes of it; stale listings and log-in pages are the desk's."""
    rows = sound.rows
    if twist is Twist.CUT:
        rows = rows[: len(rows) // TENTH]
    elif twist is Twist.DOUBLED:
        rows = [*rows, *rows]
    elif twist is Twist.MOVED:
        rows = [replace(row, place=Point(row.place.lat + MOVED, row.place.lon + MOVED)) for row in rows]
    return Listing(rows, sound.at)


def clock_time(moment: float) -> str:
    """As people here write it: 23/11/2026 18:30:05."""
    return datetime.fromtimestamp(moment, HERE).strftime("%d/%m/%Y %H:%M:%S")


def stamp(moment: float) -> str:
    """ISO 8601 with the offset."""
    return datetime.fromtimestamp(moment, HERE).isoformat(timespec="seconds")
