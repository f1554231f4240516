"""The plan as a table for people, for spreadsheets and for programs; what is worst comes first."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from rich.console import Group, RenderableType
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from collector.plan import ZONE, Assessment, Judgement, Past, Plan, Status, Unit, Value, day_of
from collector.reports.forms import spreadsheet
from collector.reports.plan_words import COMPARED, DUE, HEAD, METHOD, ORIGINS, REPORTED_BY, STATUSES, Speech
from collector.reports.words import BASES, iso

_ORDER = (Status.MISSED, Status.BEHIND, Status.UNKNOWN, Status.ON_TRACK, Status.MET)
_COLOURS = {
    Status.MISSED: "red",
    Status.BEHIND: "yellow",
    Status.UNKNOWN: "magenta",
    Status.ON_TRACK: "cyan",
    Status.MET: "green",
}


@dataclass(frozen=True, slots=True)
class Line:
    """An indicator with one of its demands, or with none."""

    one: Assessment
    judgement: Judgement | None = None

    @property
    def rank(self) -> tuple[int, float]:
        """Worst first, and among equals the widest gap for what is demanded."""
        if self.judgement is None:
            return len(_ORDER) + 1 + self.one.ended, 0.0
        place = _ORDER.index(self.judgement.status) if self.judgement.status is not None else len(_ORDER)
        gaps = [gap for gap in (self.judgement.gap_lower, self.judgement.gap_upper) if gap is not None]
        return place, -max(gaps, default=0.0) / (abs(self.judgement.demand.value) or 1.0)


def lines(assessments: Iterable[Assessment]) -> list[Line]:
    """A line for each demand, and one for each indicator without any."""
    found = [Line(one, judgement) for one in assessments for judgement in one.judgements or (None,)]
    return sorted(found, key=lambda line: line.rank)


def plan_table(plan: Plan, assessments: Iterable[Assessment], now: float, speech: Speech) -> Group:
    """What is demanded, then what is only followed, then what is history; where it is from, and how it was reckoned."""
    every = lines(assessments)
    demanded = [line for line in every if line.judgement is not None]
    followed = [line for line in every if line.judgement is None and not line.one.ended]
    ended = [line for line in every if line.one.ended]
    title = speech.of(("Kế hoạch và thực hiện", "The plan and where it stands"))
    parts: list[RenderableType] = [Text(f"{title}, {speech.day(day_of(now))}", style="bold")]
    parts.append(_table([speech.of(words) for words in HEAD], [_row(line, speech) for line in demanded]))
    for some, words in (
        (followed, ("Số liệu không có mục tiêu", "Without target")),
        (ended, ("Số liệu đã chốt", "History")),
    ):
        if some:
            head = [speech.of(words), *(speech.of(HEAD[column]) for column in (2, 3, 8))]
            parts += [Text(""), _table(head, [_short(line.one, speech) for line in some])]
    parts.append(Text("\n".join(["", *_sources(plan, every, speech), speech.of(METHOD)]), style="dim"))
    return Group(*parts)


def _sources(plan: Plan, every: Iterable[Line], speech: Speech) -> list[str]:
    used = {line.one.observation.source for line in every if line.one.observation is not None}
    names = {one.id: speech.of((one.name_vi, one.name_en)) for one in plan.references}
    said = "; ".join(sorted(names.get(source, source) for source in used))
    return [f"{speech.of(REPORTED_BY)}: {said}."] if said else []


def plan_csv(assessments: Iterable[Assessment]) -> str:
    """A line for each demand, numbers in base units: ratios from 0 to 1, paces a day."""
    rows = [_record(line) for line in lines(assessments)]
    return spreadsheet([tuple(rows[0]) if rows else (), *(tuple(_flat(row).values()) for row in rows)])


def plan_json(plan: Plan, assessments: Iterable[Assessment], now: float) -> str:
    """All there is, and the report's figures that are not followed, with the reason."""
    found = {
        "at": iso(now, ZONE),
        "zone": ZONE.key,
        "indicators": [_record(line) for line in lines(assessments)],
        "references": {one.id: {"name_vi": one.name_vi, "name_en": one.name_en} for one in plan.references},
        "not_followed": [
            {"entry": one.entry, "metric": one.metric, "reason": one.reason} for one in plan.reported if one.reason
        ],
    }
    return json.dumps(found, ensure_ascii=False, indent=2)


def _row(line: Line, speech: Speech) -> list[str]:
    one, judgement = line.one, line.judgement
    assert judgement is not None  # noqa: S101  only such lines come here
    unit, demand = one.indicator.unit, judgement.demand
    digits = _digits(demand.value, unit)
    due = DUE.get(demand.label)
    wanted = f"{COMPARED[demand.comparator]} {speech.bounds(Value.exactly(demand.value), unit, digits)}"
    return [
        _status(judgement, speech),
        escape(speech.of((one.indicator.name_vi, one.indicator.name_en))),
        speech.bounds(one.mean, unit, max(digits, 2)),
        _as_of(one, speech),
        wanted if demand.confirmed else f"{wanted} ?",
        speech.of(due) if due is not None else speech.day(demand.due),
        speech.gap((judgement.gap_lower, judgement.gap_upper), unit, digits),
        speech.pace(judgement.required, unit),
        _pace(one, speech),
        speech.day(_day(judgement.projected)),
        escape(": ".join(filter(None, (speech.of(BASES[demand.basis]), demand.act)))),
    ]


def _short(one: Assessment, speech: Speech) -> list[str]:
    return [
        escape(speech.of((one.indicator.name_vi, one.indicator.name_en))),
        speech.bounds(one.mean, one.indicator.unit),
        _as_of(one, speech),
        _pace(one, speech),
    ]


def _status(judgement: Judgement, speech: Speech) -> str:
    if judgement.status is None:
        return "–"
    said = f"[{_COLOURS[judgement.status]}]{speech.of(STATUSES[judgement.status])}[/]"
    past = judgement.past
    return f"{said}\n[dim]{past.period}: {speech.of(STATUSES[past.status])}[/]" if past is not None else said


def _as_of(one: Assessment, speech: Speech) -> str:
    origin = speech.of(ORIGINS[one.origin])
    return f"{speech.day(one.as_of)} ({origin})" if one.as_of is not None else origin


def _pace(one: Assessment, speech: Speech) -> str:
    if one.pace is None:
        return "–"
    return speech.pace(one.pace.lower, one.indicator.unit) + ("" if one.pace.fitted else " *")


def _digits(demanded: float, unit: Unit) -> int:
    """As many as what is demanded has, and at least one: 99.741 % is not to be told by 99.7."""
    if unit is not Unit.RATIO:
        return 1
    return next((digits for digits in (1, 2, 3) if abs(demanded * 100 - round(demanded * 100, digits)) < 1e-9), 3)


def _day(moment: float | None) -> date | None:
    return day_of(moment) if moment is not None else None


def _record(line: Line) -> dict[str, Any]:
    one, judgement = line.one, line.judgement
    indicator, pace = one.indicator, one.pace
    return {
        "indicator": indicator.id,
        "name_vi": indicator.name_vi,
        "name_en": indicator.name_en,
        "unit": indicator.unit.value,
        "origin": one.origin.value,
        "as_of": one.as_of.isoformat() if one.as_of is not None else None,
        "source": one.observation.source if one.observation is not None else None,
        "actual_lower": _finite(one.actual.lower) if one.actual is not None else None,
        "actual_upper": _finite(one.actual.upper) if one.actual is not None else None,
        "mean_lower": _finite(one.mean.lower) if one.mean is not None else None,
        "mean_upper": _finite(one.mean.upper) if one.mean is not None else None,
        "observed_pace_per_day": pace.lower if pace is not None else None,
        "pace_fitted": pace.fitted if pace is not None else None,
        "history": one.ended,
        **_demanded(judgement),
    }


def _demanded(judgement: Judgement | None) -> dict[str, Any]:
    demand = judgement.demand if judgement is not None else None
    return {
        "target": demand and demand.value,
        "comparator": demand and demand.comparator.value,
        "due": demand and demand.label,
        "status": judgement and judgement.status and judgement.status.value,
        "gap_lower": judgement and judgement.gap_lower,
        "gap_upper": judgement and judgement.gap_upper,
        "required_pace_per_day": judgement and judgement.required,
        "projected": _projected(judgement),
        "basis": demand and demand.basis.value,
        "official": demand and demand.official,
        "act": demand.act or None if demand else None,
        "confirmed": demand and demand.confirmed,
        "period": judgement.period or None if judgement else None,
        "past": _past(judgement.past) if judgement is not None and judgement.past is not None else None,
    }


def _projected(judgement: Judgement | None) -> str | None:
    day = _day(judgement.projected) if judgement is not None else None
    return day.isoformat() if day is not None else None


def _past(past: Past) -> dict[str, Any]:
    value = past.value
    return {
        "period": past.period,
        "status": past.status.value,
        "lower": _finite(value.lower) if value is not None else None,
        "upper": _finite(value.upper) if value is not None else None,
    }


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _flat(record: dict[str, Any]) -> dict[str, Any]:
    past = record["past"]
    return {**record, "past": f"{past['period']} {past['status']}" if past is not None else None}


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Table:
    table = Table(*head, box=None, header_style="bold")
    for row in rows:
        table.add_row(*row)
    return table
