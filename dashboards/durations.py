"""Durations as Grafana and PromQL write them."""

from __future__ import annotations

import re
from typing import Final

# Queries that look further back read recorded series.
RAW_LIMIT: Final = 6 * 3600
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800, "y": 31536000}


def seconds(duration: str) -> int:
    """Seconds of `1d12h`."""
    parts = re.findall(r"(\d+)([smhdwy])", duration)
    if not parts or "".join(number + unit for number, unit in parts) != duration:
        raise ValueError(f"{duration!r} is no duration")
    return sum(int(number) * _UNITS[unit] for number, unit in parts)
