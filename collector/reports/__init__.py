"""What the journal says of the past, reckoned for people: months, outages, histories. Reads nothing but the ledger."""

from collector.reports.availability import NotKnown, availability, total
from collector.reports.history import History, history
from collector.reports.months import Month
from collector.reports.records import Availability, Figures, Inventory, Outage, Work

__all__ = [
    "Availability",
    "Figures",
    "History",
    "Inventory",
    "Month",
    "NotKnown",
    "Outage",
    "Work",
    "availability",
    "history",
    "total",
]
