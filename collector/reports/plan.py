"""The plan as a table for people, and for spreadsheets; what is worst comes first."""

from __future__ import annotations

import math
from datetime import date
from typing import Any

from rich.console import Group, RenderableType
from rich.markup import escape
from rich.text import Text

from collector.plan import ZONE, Origin, Status, Unit, Value
from collector.reports.forms import spreadsheet
from collector.reports.plan_lines import Line, Told
from collector.reports.plan_words import (
    COMPARED,
    DUE,
    HEAD,
    METHOD,
    ORIGINS,
    REPORTED_BY,
    SIMULATED,
    STATUSES,
    WAS,
    Speech,
)
from collector.reports.tables import plain_table
from collector.reports.words import BASES

_COLOURS = {
    Status.MISSED: "red",
    Status.BEHIND: "yellow",
    Status.UNKNOWN: "magenta",
    Status.ON_TRACK: "cyan",
    Status.MET: "green",
}


def plan_table(told: Told, speech: Speech, read_from: str) -> Group:
    """What is demanded, then what is only followed, then what is history; where it is from, and how it was reckoned."""
    every = told.indicators
    demanded = [line for line in every if line.target is not None]
    followed = [line for line in every if line.target is None and not line.history]
    ended = [line for line in every if line.history]
    title = speech.of(("Kế hoạch và thực hiện", "The plan and where it stands"))
    parts: list[RenderableType] = [Text(f"{title}, {speech.moment(told.at.astimezone(ZONE))}", style="bold")]
    parts.append(plain_table([speech.of(words) for words in HEAD], [_row(line, speech) for line in demanded]))
    for some, words in (
        (followed, ("Số liệu không có mục tiêu", "Without target")),
        (ended, ("Số liệu đã chốt", "History")),
    ):
        if some:
            head = [speech.of(words), *(speech.of(HEAD[column]) for column in (2, 3, 8))]
            parts += [Text(""), plain_table(head, [_short(line, speech) for line in some])]
    below = ["", read_from, *_sources(told, speech), speech.of(METHOD)]
    parts.append(Text("\n".join(below), style="dim"))
    return Group(*parts)


def _sources(told: Told, speech: Speech) -> list[str]:
    used = {line.source for line in told.indicators if line.source is not None}
    names = {name: speech.of((one.name_vi, one.name_en)) for name, one in told.references.items()}
    said = "; ".join(sorted(names.get(source, source) for source in used))
    return [f"{speech.of(REPORTED_BY)}: {said}."] if said else []


def plan_csv(told: Told) -> str:
    """A line for each demand, numbers in base units: ratios from 0 to 1, paces a day."""
    rows = [_flat(line) for line in told.indicators]
    return spreadsheet([tuple(rows[0]) if rows else (), *(tuple(row.values()) for row in rows)])


def plan_json(told: Told) -> str:
    """All there is, and the report's figures that are not followed, with the reason."""
    return told.model_dump_json(indent=2)


def _row(line: Line, speech: Speech) -> list[str]:
    unit, target, comparator = line.unit, line.target, line.comparator
    assert target is not None  # noqa: S101  only such lines come here
    assert comparator is not None  # noqa: S101
    digits = _digits(target, unit)
    wanted = f"{COMPARED[comparator]} {speech.bounds(Value.exactly(target), unit, digits)}"
    return [
        _status(line, speech),
        escape(speech.of((line.name_vi, line.name_en))),
        speech.bounds(_mean(line), unit, max(digits, 2)),
        _as_of(line, speech),
        (wanted if line.confirmed else f"{wanted} ?") + _was(line, speech),
        _due(line.due, speech),
        speech.gap((line.gap_lower, line.gap_upper), unit, digits),
        speech.pace(line.required_pace_per_day, unit),
        _pace(line, speech),
        speech.day(line.projected),
        escape(": ".join(filter(None, (speech.of(BASES[line.basis]) if line.basis else "", line.act or "")))),
    ]


def _short(line: Line, speech: Speech) -> list[str]:
    return [
        escape(speech.of((line.name_vi, line.name_en))),
        speech.bounds(_mean(line), line.unit),
        _as_of(line, speech),
        _pace(line, speech),
    ]


def _mean(line: Line) -> Value:
    lower, upper = line.mean_lower, line.mean_upper
    return Value(-math.inf if lower is None else lower, math.inf if upper is None else upper)


def _due(label: str | None, speech: Speech) -> str:
    named = DUE.get(label or "none")
    return speech.of(named) if named is not None else speech.day(date.fromisoformat(label or ""))


def _was(line: Line, speech: Speech) -> str:
    """What the target was before an act changed it last."""
    if not line.revisions:
        return ""
    last = line.revisions[-1]
    before = speech.bounds(Value.exactly(last.target), line.unit, _digits(last.target, line.unit))
    words = f"{COMPARED[last.comparator]} {before}, {_due(last.due, speech)}"
    return f"\n[dim]{speech.of(WAS)} {speech.day(last.until)}: {words}[/]"


def _status(line: Line, speech: Speech) -> str:
    if line.status is None:
        return "–"
    said = f"[{_COLOURS[line.status]}]{speech.of(STATUSES[line.status])}[/]"
    past = line.past
    return f"{said}\n[dim]{past.period}: {speech.of(STATUSES[past.status])}[/]" if past is not None else said


def _as_of(line: Line, speech: Speech) -> str:
    """When, and how: of what is measured the oldest of it, to the minute."""
    origin = speech.of(ORIGINS[line.origin])
    if line.how.synthetic:
        origin = f"{origin}, {speech.of(SIMULATED)}"
    if line.origin is Origin.LIVE and line.how.oldest is not None:
        return f"{speech.moment(line.how.oldest.astimezone(ZONE))} ({origin})"
    return f"{speech.day(line.as_of)} ({origin})" if line.as_of is not None else origin


def _pace(line: Line, speech: Speech) -> str:
    if line.observed_pace_per_day is None:
        return "–"
    return speech.pace(line.observed_pace_per_day, line.unit) + ("" if line.pace_fitted else " *")


def _digits(demanded: float, unit: Unit) -> int:
    """As many as what is demanded has, and at least one: 99.741 % is not to be told by 99.7."""
    if unit is not Unit.RATIO:
        return 1
    return next((digits for digits in (1, 2, 3) if abs(demanded * 100 - round(demanded * 100, digits)) < 1e-9), 3)


def _flat(line: Line) -> dict[str, Any]:
    """In one row: what is within goes into a cell, or beside the rest."""
    row = line.model_dump(mode="json")
    past, how = row["past"], row.pop("how")
    row["past"] = f"{past['period']} {past['status']}" if past is not None else None
    row["revisions"] = "; ".join(
        f"{one['until']}: {one['comparator']} {one['target']} {one['due']} {one['act'] or ''}".rstrip()
        for one in row["revisions"]
    )
    how["made_by"] = " ".join(f"{name}={count}" for name, count in how["made_by"].items())
    return row | {"how": how.pop("by"), **how}
