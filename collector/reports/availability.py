"""A month of each system, from the journal."""

from __future__ import annotations

from collections.abc import Iterable

from collector.journal import Entry, Ledger
from collector.maintenance import carried, selected
from collector.nearest import nearest
from collector.reports.months import Month
from collector.reports.pieces import Piece, clipped, figures, outages, pieces, reaches_out, works
from collector.reports.records import Availability, Figures, Inventory

# How far beyond the window an outage is followed at first; then twice as far, and so on.
REACH = 31 * 86400.0


class NotKnown(ValueError):
    """What was asked for is not there; the text is for people."""


def availability(
    ledger: Ledger, inventory: Inventory, month: Month, now: float, names: Iterable[str] | None = None
) -> list[Availability]:
    """Figures of `month` up to `now`: of the systems `names`, or of all that are configured or were so in the month.

    Raises NotKnown for a month that has not begun and for a system that nobody knows; LedgerError.
    """
    if month.begins >= now:
        raise NotKnown(f"{month} has not begun")
    report = _Report(ledger, inventory, month, now)
    return [report.of(name) for name in (report.names() if names is None else names)]


def total(some: Iterable[Availability]) -> Figures:
    """Several systems together: their seconds are added before anything is divided."""
    return Figures.summed(one.figures for one in some)


class _Report:
    """What is asked of the ledger once for all systems."""

    def __init__(self, ledger: Ledger, inventory: Inventory, month: Month, now: float) -> None:
        self._ledger, self._inventory, self._month, self._now = ledger, inventory, month, now
        self._known = ledger.known()
        settled = ledger.saved().settled_until
        # One that is no longer configured was known until its time was last credited.
        self._left = {name: until for name, until in settled.items() if name not in inventory.systems}
        self._entries = _entries(ledger, inventory, month)

    def names(self) -> list[str]:
        """Every system that is configured, and those that were in the month."""
        month, known, left = self._month, self._known, self._left
        gone = (name for name in sorted(left) if known[name] < month.ends and left[name] > month.begins)
        return [*self._inventory.systems, *gone]

    def of(self, name: str) -> Availability:
        """One system. Raises NotKnown."""
        if name not in self._inventory.systems and name not in self._left:
            known = nearest(name, [*self._inventory.systems, *self._left])
            raise NotKnown(f"neither the configuration nor the journal knows a system {name!r}{known}")
        ends = min(self._month.ends, self._now, self._left.get(name, self._now))
        begins = min(max(self._month.begins, self._known.get(name, ends)), ends)
        whole = self._pieces(name, begins, ends)
        inside = clipped(whole, begins, ends)
        counted = figures(inside, begins, ends)
        corrections = self._ledger.corrections(name, begins, ends)
        entries = self._entries.get(name, ())
        return Availability(
            id=name,
            system=self._inventory.systems.get(name),
            begins=begins,
            ends=ends,
            figures=counted,
            measured=self._measured(name, begins, ends) if corrections else counted,
            outages=tuple(outages(whole, begins, ends, self._now)),
            works=tuple(works(inside, self._now)),
            entries=tuple(one for one in entries if one.starts < ends and (one.ends is None or one.ends > begins)),
            corrections=tuple(corrections),
        )

    def _pieces(self, name: str, begins: float, ends: float) -> list[Piece]:
        """What held in the window, and as far beyond it as an outage at its edge may reach."""
        known, reach = self._known.get(name, begins), REACH
        while True:
            some = pieces(
                self._ledger.changes(name, begins, ends),
                self._ledger.observed(begins, ends),
                self._ledger.corrections(name, begins, ends),
                begins,
                ends,
            )
            earlier = begins > known and reaches_out(some, back=True)
            later = ends < self._now and reaches_out(some, back=False)
            if not (earlier or later):
                return some
            begins = max(known, begins - reach) if earlier else begins
            ends = min(self._now, ends + reach) if later else ends
            reach *= 2

    def _measured(self, name: str, begins: float, ends: float) -> Figures:
        changes, observed = self._ledger.changes(name, begins, ends), self._ledger.observed(begins, ends)
        return figures(pieces(changes, observed, (), begins, ends), begins, ends)


def _entries(ledger: Ledger, inventory: Inventory, month: Month) -> dict[str, list[Entry]]:
    labels = carried(inventory.targets.values())
    found: dict[str, list[Entry]] = {}
    for entry in ledger.maintenance(month.begins):
        for name in selected(entry, inventory.systems, labels):
            found.setdefault(name, []).append(entry)
    return found
