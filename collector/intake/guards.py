"""Whether a batch may be believed: pure checks, each with a name that is counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from itertools import chain

from collector.intake.distance import metres
from collector.records import Area, Batch, Cell, Dataset, Outage, Record, Sense


class Guard(StrEnum):
    """Why a batch was refused. Closed, because it is a label."""

    SHAPE = "shape"  # no such document at all: a login page, a broken file
    INCOMPLETE = "incomplete"
    UNREADABLE = "unreadable"
    EMPTY = "empty"
    AGE = "age"
    FUTURE = "future"
    ROWS = "rows"
    DUPLICATES = "duplicates"
    OPERATOR = "operator"
    PLACE = "place"
    MOVED = "moved"


# What a sound feed may have of rows that cannot be read, of doubled keys, and of coordinates that are wrong.
UNREADABLE_SHARE = 0.05
DUPLICATE_SHARE = 0.01
ELSEWHERE_SHARE = 0.02
MOVED_SHARE = 0.1
# Masts do not walk: a position that is farther from where it was is a wrong one.
MOVED_BY = 1000.0
# Clocks of others may be ahead by so much (seconds).
AHEAD = 600.0


@dataclass(frozen=True, slots=True)
class Box:
    """Latitudes and longitudes, in degrees, between which everything of the province lies."""

    south: float
    north: float
    west: float
    east: float

    @classmethod
    def around(cls, points: Iterable[tuple[float, float]], margin: float) -> Box | None:
        """Around all points (latitude, longitude), by `margin` degrees; None of nothing."""
        known = list(points)
        if not known:
            return None
        lats, lons = zip(*known, strict=True)
        return cls(min(lats) - margin, max(lats) + margin, min(lons) - margin, max(lons) + margin)

    def holds(self, lat: float, lon: float) -> bool:
        """Whether a point is inside; NaN is not."""
        return self.south <= lat <= self.north and self.west <= lon <= self.east


@dataclass(frozen=True, slots=True)
class Rules:
    """What batches of a feed are held against: operators and where they are (None: any), age and size.

    `oldest` is in seconds; `min_ratio` is the least share of the last good batch's rows.
    """

    operators: frozenset[str] | None
    box: Box | None
    oldest: float
    min_ratio: float


@dataclass(frozen=True, slots=True)
class Refusal:
    """Which guard refused, and why, for people."""

    guard: Guard
    detail: str


def refusal(batch: Batch, rules: Rules, last: Batch | None, now: float) -> Refusal | None:
    """Why `batch`, which arrived at `now` (Unix seconds), is refused after the `last` good one; None: it is good."""
    for guard, check in _CHECKS:
        detail = check(batch, rules, last, now)
        if detail is not None:
            return Refusal(guard, detail)
    return None


def _incomplete(batch: Batch, _: Rules, _last: Batch | None, _now: float) -> str | None:
    return None if batch.complete else "its end is missing"


def _unreadable(batch: Batch, _: Rules, _last: Batch | None, _now: float) -> str | None:
    # A negative feed's row that cannot be read is an outage that would be taken for health.
    allowed = 0 if batch.sense is Sense.NEGATIVE else UNREADABLE_SHARE * batch.rows
    if batch.unreadable <= allowed:
        return None
    return f"{batch.unreadable} of {batch.rows} rows cannot be read: {'; '.join(batch.faults[:3])}"


def _empty(batch: Batch, _: Rules, _last: Batch | None, _now: float) -> str | None:
    if batch.records:
        return None
    if batch.sense is Sense.POSITIVE:
        return "it has no rows"
    return "no rows, and it does not say of when it is" if batch.as_of is None else None


def _age(batch: Batch, rules: Rules, last: Batch | None, now: float) -> str | None:
    if batch.dated is not None and now - batch.dated > rules.oldest:
        what = "its last file" if batch.as_of is None else "its data"
        return f"{what} is {now - batch.dated:.0f} s old; at most {rules.oldest:.0f} s are allowed"
    if batch.as_of is not None and last is not None and last.as_of is not None and batch.as_of < last.as_of:
        return f"its data is {last.as_of - batch.as_of:.0f} s older than what came before"
    return None


def _future(batch: Batch, _: Rules, _last: Batch | None, now: float) -> str | None:
    observed = (getattr(record, "observed_at", None) for record in batch.records)
    latest = max((moment for moment in chain((batch.as_of,), observed) if moment is not None), default=now)
    return f"it is of {latest - now:.0f} s ahead of now" if latest > now + AHEAD else None


def _rows(batch: Batch, rules: Rules, last: Batch | None, _: float) -> str | None:
    if last is None or batch.sense is Sense.NEGATIVE:
        return None
    before, here = len(last.records), len(batch.records)
    if here < rules.min_ratio * before:
        return f"{here} rows after {before}: fewer than {rules.min_ratio:.0%}"
    if here * rules.min_ratio > before:
        return f"{here} rows after {before}: more than {1 / rules.min_ratio:g} times as many"
    return None


def _duplicates(batch: Batch, _: Rules, _last: Batch | None, _now: float) -> str | None:
    keys = Counter((record.operator, record.key) for record in batch.records if isinstance(record, Cell))
    doubled = sum(keys.values()) - len(keys)
    if doubled <= DUPLICATE_SHARE * len(keys):
        return None
    (operator, key), times = keys.most_common(1)[0]
    return f"{doubled} rows are of cells that it has already; {operator} {key} stands there {times} times"


def _operator(batch: Batch, rules: Rules, _last: Batch | None, _now: float) -> str | None:
    if rules.operators is None:
        return None
    named = Counter(operator for record in batch.records if (operator := getattr(record, "operator", None)) is not None)
    strange = sorted(named.keys() - rules.operators)
    return f"unknown operator {strange[0]!r}" if strange else None


def _place(batch: Batch, rules: Rules, _last: Batch | None, _now: float) -> str | None:
    box = rules.box
    if box is None:
        return None
    placed = list(_positions(batch.records))
    outside = [(lat, lon) for lat, lon in placed if not box.holds(lat, lon)]
    if len(outside) <= ELSEWHERE_SHARE * len(placed):
        return None
    lat, lon = outside[0]
    return f"{len(outside)} of {len(placed)} positions are outside the province, such as {lat:.4f}, {lon:.4f}"


def _positions(records: tuple[Record, ...]) -> Iterator[tuple[float, float]]:
    for record in records:
        if isinstance(record, (Cell, Outage)) and record.lat is not None and record.lon is not None:
            yield record.lat, record.lon
        elif isinstance(record, Area):
            west, south, east, north = record.geometry.bounds
            yield south, west
            yield north, east


def _moved(batch: Batch, _: Rules, last: Batch | None, _now: float) -> str | None:
    if last is None or batch.dataset is not Dataset.CELLS:
        return None
    before, here = _by_key(last), _by_key(batch)
    common = before.keys() & here.keys()
    moved = sum(metres(before[key], here[key]) > MOVED_BY for key in common)
    if moved <= MOVED_SHARE * len(common):
        return None
    return f"{moved} of {len(common)} cells are more than {MOVED_BY:.0f} m from where they were"


def _by_key(batch: Batch) -> dict[tuple[str, str], tuple[float, float]]:
    return {
        (record.operator, record.key): (record.lat, record.lon)
        for record in batch.records
        if isinstance(record, Cell) and record.lat is not None and record.lon is not None
    }


Check = Callable[[Batch, Rules, Batch | None, float], str | None]
# The first that objects names the refusal: what is simplest to understand comes first.
_CHECKS: tuple[tuple[Guard, Check], ...] = (
    (Guard.INCOMPLETE, _incomplete),
    (Guard.UNREADABLE, _unreadable),
    (Guard.EMPTY, _empty),
    (Guard.AGE, _age),
    (Guard.FUTURE, _future),
    (Guard.DUPLICATES, _duplicates),
    (Guard.OPERATOR, _operator),
    (Guard.PLACE, _place),
    (Guard.ROWS, _rows),
    (Guard.MOVED, _moved),
)


def within(batch: Batch, box: Box | None) -> tuple[Record, ...]:
    """The records of an accepted batch without the few that lie elsewhere."""
    if box is None:
        return batch.records
    return tuple(record for record in batch.records if all(box.holds(*point) for point in _positions((record,))))
