"""Reports for spreadsheets (CSV) and programs (JSON)."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Sequence
from typing import Any
from zoneinfo import ZoneInfo

from collector.journal import Correction, Entry
from collector.model import Objective, SystemState
from collector.reports.history import History
from collector.reports.months import Month
from collector.reports.records import Availability, Figures, Outage
from collector.reports.words import iso, method

# Spreadsheets take UTF-8 for what it is only with this before it.
BYTE_ORDER_MARK = "\ufeff"
# A cell that begins so is a formula to a spreadsheet; texts of devices must not become one.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_ONE = ("system", "name_vi", "name_en", "owner", "centre", "from", "until")
_SHARES = ("users_ratio", "owner_ratio", "observed_ratio", "sufficient")
_OBJECTIVE = ("objective_ratio", "objective_due", "objective_basis", "objective_act")


def availability_csv(some: Iterable[Availability], month: Month, summed: Figures | None) -> str:
    """A line for each system, and below, as comments, how it was reckoned."""
    zone = month.zone
    rows: list[Sequence[Any]] = [
        (
            *_ONE,
            *_SHARES,
            *_OBJECTIVE,
            *(f"{state}_seconds" for state in SystemState),
            "users_ratio_measured",
            "owner_ratio_measured",
            "outages",
            "maintenance",
            "corrections",
        )
    ]
    for one in some:
        found = _availability(one, zone)
        figures = found["figures"]
        rows.append(
            (
                *(found[name] for name in _ONE),
                *(figures[name] for name in _SHARES),
                *(found[name] for name in _OBJECTIVE),
                *figures["seconds"].values(),
                found["measured"]["users_ratio"],
                found["measured"]["owner_ratio"],
                *(_listed(found[name]) for name in ("outages", "maintenance", "corrections")),
            )
        )
    if summed is not None:
        figures = _figures(summed)
        rows.append(("TOTAL", *[""] * 6, *(figures[name] for name in _SHARES), *[""] * 4, *figures["seconds"].values()))
    rows += [(f"# {line}",) for text in method(zone) for line in text.split("\n")]
    return spreadsheet(rows)


def availability_json(some: Iterable[Availability], month: Month, now: float, summed: Figures | None) -> str:
    """All there is, times with their offset from UTC, shares from 0 to 1."""
    zone = month.zone
    vi, en = method(zone)
    found = {
        "month": str(month),
        "zone": zone.key,
        "from": iso(month.begins, zone),
        "until": iso(min(month.ends, now), zone),
        "complete": now >= month.ends,
        "systems": [_availability(one, zone) for one in some],
        "total": _figures(summed) if summed is not None else None,
        "method_vi": vi,
        "method_en": en,
    }
    return json.dumps(found, ensure_ascii=False, indent=2)


def history_csv(past: History, zone: ZoneInfo) -> str:
    """A line for each state."""
    rows: list[Sequence[Any]] = [("from", "until", "seconds", "state", "reason", "source", "observed", "correction")]
    rows += [tuple(piece.values()) for piece in _history(past, zone)["pieces"]]
    return spreadsheet(rows)


def history_json(past: History, zone: ZoneInfo) -> str:
    """All there is."""
    return json.dumps(_history(past, zone), ensure_ascii=False, indent=2)


def _availability(one: Availability, zone: ZoneInfo) -> dict[str, Any]:
    system = one.system
    return {
        "system": one.id,
        "name_vi": system.name_vi if system else None,
        "name_en": system.name_en if system else None,
        "owner": system.owner if system else None,
        "centre": system.hosting if system else None,
        "from": iso(one.begins, zone),
        "until": iso(one.ends, zone),
        **_objective(system.objective if system else None),
        "figures": _figures(one.figures),
        "measured": _figures(one.measured),
        "outages": [_outage(outage, zone) for outage in one.outages],
        "maintenance": [
            {"from": iso(work.begins, zone), "until": _until(work.ends, zone), "reason": work.reason}
            for work in one.works
        ],
        "entries": [_entry(entry, zone) for entry in one.entries],
        "corrections": [_correction(correction, zone) for correction in one.corrections],
    }


def _objective(objective: Objective | None) -> dict[str, Any]:
    if objective is None:
        return dict.fromkeys(_OBJECTIVE)
    values = objective.ratio, objective.recurring, objective.basis.value, objective.act or None
    return dict(zip(_OBJECTIVE, values, strict=True))


def _outage(outage: Outage, zone: ZoneInfo) -> dict[str, Any]:
    return {
        "from": iso(outage.begins, zone),
        "until": _until(outage.ends, zone),
        "seconds": round(outage.seconds, 3),
        "state": outage.state,
        "reason": outage.reason,
        "source": outage.source,
    }


def _entry(entry: Entry, zone: ZoneInfo) -> dict[str, Any]:
    return {
        "number": entry.id,
        "from": iso(entry.starts, zone),
        "until": _until(entry.ends, zone),
        "reason": entry.reason,
        "who": entry.who,
        "entered": iso(entry.entered_at, zone),
        "late": entry.late,
    }


def _correction(correction: Correction, zone: ZoneInfo) -> dict[str, Any]:
    return {
        "from": iso(correction.starts, zone),
        "until": iso(correction.ends, zone),
        "state": correction.state,
        "reason": correction.reason,
        "who": correction.who,
        "entered": iso(correction.entered_at, zone),
    }


def _figures(figures: Figures) -> dict[str, Any]:
    return {
        "users_ratio": figures.users,
        "owner_ratio": figures.owner,
        "observed_ratio": figures.observed,
        "sufficient": figures.sufficient,
        "window_seconds": round(figures.window, 3),
        "seconds": {state.value: round(spent, 3) for state, spent in figures.seconds.items()},
    }


def _history(past: History, zone: ZoneInfo) -> dict[str, Any]:
    return {
        "system": past.id,
        "name_vi": past.system.name_vi if past.system else None,
        "name_en": past.system.name_en if past.system else None,
        "from": iso(past.begins, zone),
        "until": iso(past.ends, zone),
        "zone": zone.key,
        "pieces": [
            {
                "from": iso(piece.begins, zone),
                "until": iso(piece.ends, zone),
                "seconds": round(piece.seconds, 3),
                "state": piece.state,
                "reason": piece.reason,
                "source": piece.source,
                "observed": piece.observed,
                "correction": piece.correction,
            }
            for piece in past.pieces
        ],
    }


def _until(ends: float | None, zone: ZoneInfo) -> str | None:
    return iso(ends, zone) if ends is not None else None


def _listed(some: Iterable[dict[str, Any]]) -> str:
    """Several things in one cell: from/until state reason; ..."""
    return "; ".join(
        f"{one['from']}/{one['until'] or ''} {one.get('state', '')} {one['reason']}".replace("  ", " ").strip()
        for one in some
    )


def spreadsheet(rows: Iterable[Sequence[Any]]) -> str:
    """Rows as CSV that spreadsheets open as it is meant: UTF-8, and no cell is a formula."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    for row in rows:
        writer.writerow([_cell(value) for value in row])
    return BYTE_ORDER_MARK + text.getvalue()


def _cell(value: Any) -> Any:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str) and value.startswith(_FORMULA):
        return f"'{value}"
    return value
