"""Where the province stands against its plan: pure arithmetic over values, days and demands."""

from collector.plan.days import ZONE, day_of
from collector.plan.figures import FIGURES
from collector.plan.records import (
    NOTHING_KNOWN,
    Comparator,
    Demand,
    Figure,
    Goal,
    Indicator,
    Measured,
    Observation,
    Plan,
    Recurring,
    Reference,
    Reported,
    Revision,
    Stated,
    Unit,
    Value,
)
from collector.plan.results import Assessment, Day, Judgement, Origin, Pace, Past, Status

__all__ = [
    "FIGURES",
    "NOTHING_KNOWN",
    "ZONE",
    "Assessment",
    "Comparator",
    "Day",
    "Demand",
    "Figure",
    "Goal",
    "Indicator",
    "Judgement",
    "Measured",
    "Observation",
    "Origin",
    "Pace",
    "Past",
    "Plan",
    "Recurring",
    "Reference",
    "Reported",
    "Revision",
    "Stated",
    "Status",
    "Unit",
    "Value",
    "day_of",
]
