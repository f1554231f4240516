"""Section 9 of the design once more, in fractions and without any care for speed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction

Points = list[tuple[int, Fraction]]


@dataclass
class Case:
    """An indicator with one dated demand of at least (or, `falling`, at most) so much.

    `means` are daily means by day; `today` has one, too; times are in days since `today` began.
    """

    today: date
    moment: Fraction
    demanded: Fraction
    falling: bool
    due: date
    means: dict[date, tuple[Fraction, Fraction]]
    observed: dict[date, Fraction]


@dataclass
class Said:
    """What follows; `near` says that a hair decides."""

    status: str
    gaps: tuple[Fraction, Fraction]
    required: Fraction | None
    paces: tuple[Fraction, Fraction] | None
    near: bool


def said(case: Case) -> Said:
    """All of it."""
    lower, upper = _mean(case)
    gaps = _gap(case, lower), _gap(case, upper)
    left = (case.due - case.today).days + 1 - case.moment
    worse, better = (upper, lower) if case.falling else (lower, upper)
    sign = -1 if case.falling else 1
    paces = _paces(case)
    required = sign * _gap(case, worse) / left if left > 0 else None
    return Said(_status(case, worse, better, left, paces), gaps, required, paces, _near(case, gaps, paces, left))


def _mean(case: Case) -> tuple[Fraction, Fraction]:
    # Days of the test are observed whole, so that each weighs the same.
    last = [case.means[day] for day in (case.today - timedelta(1), case.today) if day in case.means]
    return sum((a for a, _ in last), Fraction(0)) / len(last), sum((b for _, b in last), Fraction(0)) / len(last)


def _gap(case: Case, value: Fraction) -> Fraction:
    return max(Fraction(0), value - case.demanded if case.falling else case.demanded - value)


def _status(
    case: Case, worse: Fraction, better: Fraction, left: Fraction, paces: tuple[Fraction, Fraction] | None
) -> str:
    if not _gap(case, worse):
        return "met"
    if not _gap(case, better):
        return "unknown"
    if left <= 0:
        return "missed"
    if paces is None:
        return "unknown"
    slow, fast = (paces[1], paces[0]) if case.falling else paces
    arrives = [_arrives(case, value, pace, left) for value, pace in ((worse, slow), (better, fast))]
    return {(True, True): "on-track", (False, False): "behind"}.get((arrives[0], arrives[1]), "unknown")


def _arrives(case: Case, value: Fraction, pace: Fraction, left: Fraction) -> bool:
    forward = -pace if case.falling else pace
    return forward > 0 and _gap(case, value) <= forward * left


def _paces(case: Case) -> tuple[Fraction, Fraction] | None:
    since = case.today - timedelta(180)
    low: Points = [(day.toordinal(), a) for day, (a, _) in case.means.items() if since <= day < case.today]
    high: Points = [(day.toordinal(), b) for day, (_, b) in case.means.items() if since <= day < case.today]
    seen = [(day.toordinal(), value) for day, value in sorted(case.observed.items()) if day <= case.today]
    recent = [point for point in seen if point[0] >= since.toordinal()]
    days = [day for day, _ in (*low, *recent)]
    if len(days) > 1 and max(days) - min(days) >= 7:
        return _line([*low, *recent]), _line([*high, *recent])
    if len(seen) < 2:
        return None
    (first, before), (last, after) = seen[-2:]
    return (after - before) / (last - first), (after - before) / (last - first)


def _line(points: Points) -> Fraction:
    """By the normal equations."""
    n = len(points)
    x, y = sum(day for day, _ in points), sum((value for _, value in points), Fraction(0))
    xx, xy = sum(day * day for day, _ in points), sum((day * value for day, value in points), Fraction(0))
    return (n * xy - x * y) / Fraction(n * xx - x * x)


def _near(case: Case, gaps: tuple[Fraction, Fraction], paces: tuple[Fraction, Fraction] | None, left: Fraction) -> bool:
    hair = Fraction(1, 10**7)
    pairs = zip(gaps, paces, strict=True) if paces is not None else ()
    return any(0 < gap < hair for gap in gaps) or any(
        0 < abs(pace) < hair / 1000 or abs(gap - abs(pace) * left) < hair for gap, pace in pairs
    )
