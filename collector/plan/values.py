"""Live values of indicators, from what views, targets and feeds say."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from typing import NamedTuple

from collector.model import Sample, Target
from collector.plan.records import NOTHING_KNOWN, Figure, Measured, Plan, Stated, Value

Figures = Mapping[Figure, Value]
Samples = Callable[[str], Sequence[Sample] | None]
"""What the last good run of a target measured; None while it has no value in force."""


class Statement(NamedTuple):
    """What a feed states, as of Unix time `as_of`: `fresh` says whether the feed is still to be believed."""

    feed: str
    indicator: str
    day: date
    value: float
    fresh: bool
    as_of: float | None = None
    synthetic: bool = False


def live_values(
    plan: Plan,
    figures: Figures,
    targets: Iterable[Target],
    samples: Samples,
    statements: Iterable[Statement],
) -> dict[str, Value]:
    """The value of each indicator that has one. What should have one and has not is NOTHING_KNOWN.

    A figure that is not among `figures` is one that nothing was configured for: then the indicator is left out, like
    one of which no target and no feed ever spoke.
    """
    everything, stated = tuple(targets), latest(statements)
    found: dict[str, Value | None] = {}
    for indicator in plan.indicators:
        source = indicator.source
        if isinstance(source, Figure):
            found[indicator.id] = figures.get(source)
        elif isinstance(source, Measured):
            found[indicator.id] = measured(source, everything, samples)
        elif isinstance(source, Stated):
            found[indicator.id] = _stated(stated.get((indicator.id, source.feed)))
    return {name: value for name, value in found.items() if value is not None}


def measured(source: Measured, targets: Iterable[Target], samples: Samples) -> Value | None:
    """The sum over the series that fit; None where no target could give any.

    While a target is silent, what it would add may be anything that is not negative.
    """
    sums = [_sum(source, target, samples) for target in targets if meant(source, target)]
    if not sums:
        return None
    total = math.fsum(one for one in sums if one is not None)
    return Value(total, math.inf) if None in sums else Value.exactly(total)


def meant(source: Measured, target: Target) -> bool:
    """Whether a target gives such series, as far as its own labels say."""
    own = dict(target.labels)
    return (
        source.target in {"", target.id}
        and source.system in {"", target.system}
        and all(own.get(name, value) == value for name, value in source.labels)
    )


def _sum(source: Measured, target: Target, samples: Samples) -> float | None:
    """None while it has no such series."""
    labels = dict(set(source.labels) - set(target.labels))
    series = _fitting(source.name, labels, samples(target.id))
    return math.fsum(series) * source.scale if series else None


def _fitting(name: str, labels: Mapping[str, str], samples: Sequence[Sample] | None) -> list[float]:
    return [
        one.value
        for one in samples or ()
        if one.metric.name == name and labels.items() <= dict(zip(one.metric.labels, one.labels, strict=True)).items()
    ]


def latest(statements: Iterable[Statement]) -> dict[tuple[str, str], Statement]:
    """By indicator and feed ('' for any), what is stated of the latest day, by a fresh feed if there is any."""
    found: dict[tuple[str, str], Statement] = {}
    for one in statements:
        for key in ((one.indicator, one.feed), (one.indicator, "")):
            held = found.get(key)
            if held is None or (one.fresh, one.day) >= (held.fresh, held.day):
                found[key] = one
    return found


def _stated(one: Statement | None) -> Value | None:
    """Nothing is known where the feed is stale."""
    if one is None:
        return None
    return Value.exactly(one.value) if one.fresh else NOTHING_KNOWN
