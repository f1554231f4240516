"""Calendar months of a time zone as moments."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

_MONTH = re.compile(r"(\d{4})-(0[1-9]|1[0-2])")


@dataclass(frozen=True, slots=True)
class Month:
    """A calendar month by the clock on the wall in `zone`."""

    year: int
    month: int
    zone: ZoneInfo

    @classmethod
    def parse(cls, text: str, zone: ZoneInfo) -> Month:
        """From `2026-11`. Raises ValueError with words for whoever wrote it."""
        match = _MONTH.fullmatch(text)
        if match is None or not 2000 <= int(match[1]) <= 2200:
            raise ValueError(f"{text!r} is not a month such as 2026-11")
        return cls(int(match[1]), int(match[2]), zone)

    @classmethod
    def of(cls, moment: float, zone: ZoneInfo) -> Month:
        """The one in which a moment (Unix seconds) lies."""
        local = datetime.fromtimestamp(moment, zone)
        return cls(local.year, local.month, zone)

    @property
    def begins(self) -> float:
        """Unix seconds of its first moment. What lies between two such moments is real time, whatever clocks do."""
        return datetime(self.year, self.month, 1, tzinfo=self.zone).timestamp()

    @property
    def ends(self) -> float:
        """Unix seconds of the first moment of the next one."""
        return datetime(self.year + self.month // 12, self.month % 12 + 1, 1, tzinfo=self.zone).timestamp()

    def __str__(self) -> str:
        return f"{self.year}-{self.month:02}"
