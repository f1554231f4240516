"""How fast an indicator moves: by its daily means and dated observations."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import date, timedelta

from collector.plan.records import Indicator
from collector.plan.results import Day, Pace

LOOKED_BACK = timedelta(days=180)
# Points nearer together say more of the week than of the way.
LEAST_SPAN = 7


def observed_pace(indicator: Indicator, days: Sequence[Day], today: date) -> Pace | None:
    """Change a day of each bound: least squares over the last 180 days, today left out because it is not over.

    Without two points there that are a week apart, the slope between the last two observations, however old they are.
    None without those.
    """
    since = today - LOOKED_BACK
    seen = [one for one in indicator.observations if one.day <= today]
    recent = [(one.day.toordinal(), one.value, one.value) for one in seen if one.day >= since]
    recent += [(one.day.toordinal(), one.lower, one.upper) for one in days if since <= one.day < today]
    ordinals = [point[0] for point in recent]
    if len(recent) > 1 and max(ordinals) - min(ordinals) >= LEAST_SPAN:
        lower = slope([(day, low) for day, low, _ in recent])
        upper = slope([(day, high) for day, _, high in recent])
        return Pace(lower, upper, fitted=True, points=len(recent))
    if len(seen) < 2:
        return None
    before, last = seen[-2:]
    change = (last.value - before.value) / (last.day - before.day).days
    return Pace(change, change, fitted=False, points=2)


def slope(points: Sequence[tuple[int, float]]) -> float:
    """Ordinary least squares of value over day; at least two days must differ."""
    count = len(points)
    middle = math.fsum(day for day, _ in points) / count
    mean = math.fsum(value for _, value in points) / count
    spread = math.fsum((day - middle) ** 2 for day, _ in points)
    return math.fsum((day - middle) * (value - mean) for day, value in points) / spread
