"""A value against a demand: satisfied, not satisfied, or not to be told; and how much is missing."""

from __future__ import annotations

import math

from collector.plan.records import Comparator, Demand, Value
from collector.plan.results import Verdict

# What a mean loses by being added up is no shortfall: relative to the demand where that is more than 1.
TOLERANCE = 1e-9
UPWARD = frozenset({Comparator.GE, Comparator.GT})
DOWNWARD = frozenset({Comparator.LE, Comparator.LT})


def satisfied(value: float, demand: Demand) -> bool:
    """Whether an exact value does."""
    slack = _slack(demand)
    short = demand.value - value if demand.comparator in UPWARD else value - demand.value
    if demand.comparator in {Comparator.GE, Comparator.LE}:
        return short <= slack
    if demand.comparator in {Comparator.GT, Comparator.LT}:
        return short < -slack
    return abs(short) <= slack


def verdict(value: Value, demand: Demand) -> Verdict:
    """Met if the worse bound does, unmet only if not even the better one does."""
    if satisfied(worse(value, demand), demand):
        return Verdict.MET
    return Verdict.UNKNOWN if satisfied(better(value, demand), demand) else Verdict.UNMET


def worse(value: Value, demand: Demand) -> float:
    """The bound that is farther from what is demanded."""
    if demand.comparator in UPWARD:
        return value.lower
    if demand.comparator in DOWNWARD:
        return value.upper
    return max(value.lower, value.upper, key=lambda bound: abs(bound - demand.value))


def better(value: Value, demand: Demand) -> float:
    """The bound that is nearer to it; of an exact demand, the demand itself where it lies between the bounds."""
    if demand.comparator in UPWARD:
        return value.upper
    if demand.comparator in DOWNWARD:
        return value.lower
    return min(max(demand.value, value.lower), value.upper)


def missing(value: float, demand: Demand) -> float:
    """The change that would satisfy the demand: 0 where nothing is missing, negative where the value must fall."""
    if satisfied(value, demand):
        return 0.0
    change = demand.value - value
    if abs(change) > _slack(demand):
        return change
    # More than what is there already, by however little.
    return math.copysign(_slack(demand), 1.0 if demand.comparator in UPWARD else -1.0)


def _slack(demand: Demand) -> float:
    return TOLERANCE * max(1.0, abs(demand.value))
