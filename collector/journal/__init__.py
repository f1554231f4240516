"""The ledger of the service: what it knew, when, and what people said of it, over restarts and damage."""

from collector.journal.entries import correct, start_maintenance, stop_maintenance
from collector.journal.journal import Journal
from collector.journal.ledger import Ledger, reading_ledger
from collector.journal.reading import Interval
from collector.journal.records import (
    Change,
    Correction,
    Daily,
    Entry,
    Event,
    Keeping,
    LedgerError,
    Saved,
    Scope,
    surviving,
)

__all__ = [
    "Change",
    "Correction",
    "Daily",
    "Entry",
    "Event",
    "Interval",
    "Journal",
    "Keeping",
    "Ledger",
    "LedgerError",
    "Saved",
    "Scope",
    "correct",
    "reading_ledger",
    "start_maintenance",
    "stop_maintenance",
    "surviving",
]
