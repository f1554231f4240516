"""Times and durations as performance files write them (XML Schema part 2: dateTime, duration)."""

from __future__ import annotations

import re
from datetime import datetime

_DURATION = re.compile(r"P(?:(\d{1,3})D)?(?:T(?:(\d{1,5})H)?(?:(\d{1,6})M)?(?:(\d{1,7}(?:\.\d{1,6})?)S)?)?")
_SECONDS = (86_400.0, 3600.0, 60.0, 1.0)
_LONGEST = 7 * 86_400.0


def moment(text: str) -> float:
    """Unix seconds of `2026-11-23T09:15:00+07:00`, also with `+0700` or `Z`. Raises ValueError, as without a zone."""
    try:
        found = datetime.fromisoformat(text)
        if found.tzinfo is not None:
            return found.timestamp()
    except (ValueError, OverflowError):
        raise ValueError(f"{text[:40]!r} is no time") from None
    raise ValueError(f"{text[:40]!r} has no time zone")


def duration(text: str) -> float:
    """Seconds of `PT900S`, `PT15M` or `P1D`. Raises ValueError for what is none, or none of a counter's period."""
    match = _DURATION.fullmatch(text)
    seconds = sum(float(part or 0) * unit for part, unit in zip(match.groups(), _SECONDS, strict=True)) if match else 0
    if not 0 < seconds <= _LONGEST:
        raise ValueError(f"{text[:40]!r} is no duration of a period")
    return seconds
