"""Everything that happened to one system, in order."""

from __future__ import annotations

from dataclasses import dataclass

from collector.journal import Ledger
from collector.model import System
from collector.nearest import nearest
from collector.reports.availability import NotKnown
from collector.reports.pieces import Piece, pieces
from collector.reports.records import Inventory


@dataclass(frozen=True, slots=True)
class History:
    """What held from `begins` to `ends`, without a gap. `system` is None for one that is no longer configured."""

    id: str
    system: System | None
    begins: float
    ends: float
    pieces: tuple[Piece, ...]


def history(ledger: Ledger, inventory: Inventory, name: str, since: float, until: float) -> History:
    """The past of a system between two moments, from when it was first known.

    Raises NotKnown for a system that nobody knows, or that was not yet known; LedgerError.
    """
    known = ledger.known()
    if name not in known:
        raise NotKnown(f"the journal knows no system {name!r}{nearest(name, known)}")
    begins = max(since, known[name])
    if begins >= until:
        raise NotKnown(f"system {name!r} was not known by then")
    corrections = ledger.corrections(name, begins, until)
    found = pieces(ledger.changes(name, begins, until), ledger.observed(begins, until), corrections, begins, until)
    return History(name, inventory.systems.get(name), begins, until, tuple(found))
