"""Where the province stands against its plan: pure arithmetic over values, days and demands."""

from collector.plan.days import ZONE, day_of
from collector.plan.figures import FIGURES
from collector.plan.judging import compute
from collector.plan.means import DailyMeans, days_of
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
from collector.plan.results import Assessment, Day, Footing, Judgement, Origin, Pace, Past, Status
from collector.plan.values import Statement, latest, live_values, meant

__all__ = [
    "FIGURES",
    "NOTHING_KNOWN",
    "ZONE",
    "Assessment",
    "Comparator",
    "DailyMeans",
    "Day",
    "Demand",
    "Figure",
    "Footing",
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
    "Statement",
    "Status",
    "Unit",
    "Value",
    "compute",
    "day_of",
    "days_of",
    "latest",
    "live_values",
    "meant",
]
