"""Reports for a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from zoneinfo import ZoneInfo

from rich.console import Group, RenderableType
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from collector.model import Basis, Objective, SystemState
from collector.reports.history import History
from collector.reports.months import Month
from collector.reports.records import Availability, Figures
from collector.reports.words import BASES, DUE, INSUFFICIENT, PROPOSED_MARK, STATES, lasting, local, method, percent

_COLOURS = {
    SystemState.UP: "green",
    SystemState.DEGRADED: "yellow",
    SystemState.DOWN: "red",
    SystemState.UNREACHABLE: "magenta",
    SystemState.MAINTENANCE: "blue",
    SystemState.UNKNOWN: "dim",
}


def availability_table(some: Sequence[Availability], month: Month, now: float, summed: Figures | None) -> Group:
    """Figures, a line each and the sum; then outages, planned work and corrections; then how it was reckoned."""
    zone = month.zone
    until = "" if now >= month.ends else f", đến {local(now, zone)} / so far"
    title = f"Khả dụng tháng {month.month}/{month.year}{until}  Availability {month}"
    objectives = {one.id: one.system.objective for one in some if one.system and one.system.objective is not None}
    rows = [_row(one.id, _name(one), one.figures, _objective(objectives, one.id)) for one in some]
    if summed is not None:
        what = "giây của các hệ thống trong trung tâm / seconds of what it hosts"
        rows.append(_row("Cộng / total", what, summed, _objective(objectives, "")))
    head = ["Hệ thống\nSystem", "", "Người dùng\nUsers", "Chủ quản\nOwner", "Quan sát\nObserved"]
    head += ["Mục tiêu\nObjective"] if objectives else []
    head += [f"{vi}\n{en}" for vi, en in STATES.values()]
    parts: list[RenderableType] = [Text(title, style="bold"), plain_table(head, rows)]
    parts += [*_outages(some, zone), *_works(some, zone), *_corrections(some, zone), *_bases(objectives)]
    if any(not one.figures.sufficient and one.figures.window for one in some):
        parts.append(Text("\n" + "\n".join(INSUFFICIENT), style="yellow"))
    parts.append(Text("\n" + "\n\n".join(method(zone)), style="dim"))
    return Group(*parts)


def history_table(past: History, zone: ZoneInfo) -> Group:
    """What held when, a line each, the newest last."""
    name = f"{past.system.name_vi} / {past.system.name_en}" if past.system else ""
    rows = [
        [
            local(piece.begins, zone),
            lasting(piece.seconds),
            state_words(piece.state),
            piece.source if piece.observed or piece.correction else "",
            escape(piece.reason),
        ]
        for piece in past.pieces
    ]
    head = ["Từ\nFrom", "Trong\nFor", "Trạng thái\nState", "Nguồn\nSource", "Lý do\nReason"]
    return Group(Text(f"{past.id}  {name}", style="bold"), plain_table(head, rows))


def _row(name: str, title: str, figures: Figures, objective: Sequence[str]) -> list[str]:
    users, owner = percent(figures.users), percent(figures.owner)
    if not figures.sufficient and figures.users is not None:
        users, owner = f"[dim]{users} *[/]", f"[dim]{owner} *[/]"
    seconds = (lasting(spent) if spent >= 0.5 else "–" for spent in (figures.seconds[state] for state in STATES))
    return [escape(name), escape(title), users, owner, percent(figures.observed, 2), *objective, *seconds]


def _objective(objectives: Mapping[str, Objective], name: str) -> list[str]:
    """A cell of a column that is there only if any system has an objective."""
    objective = objectives.get(name)
    return [stated(objective) if objective else percent(None)] if objectives else []


def stated(objective: Objective) -> str:
    """The share, marked if it is only proposed."""
    mark = f" {PROPOSED_MARK}" if objective.basis is Basis.PROPOSED else ""
    return f"{percent(objective.ratio)}{mark}"


def _bases(objectives: Mapping[str, Objective]) -> list[RenderableType]:
    """On whose word each objective stands."""
    rows = []
    for objective in dict.fromkeys(objectives.values()):
        due, basis = (" / ".join(words) for words in (DUE[objective.recurring], BASES[objective.basis]))
        rows.append([stated(objective), due, basis, escape(objective.act) or "–"])
    return _part(["Mục tiêu\nObjectives", "Mỗi\nIn each", "Căn cứ\nBasis", "Văn bản\nAct"], rows)


def _outages(some: Iterable[Availability], zone: ZoneInfo) -> list[RenderableType]:
    rows = [
        [
            escape(one.id),
            local(outage.begins, zone),
            local(outage.ends, zone) if outage.ends is not None else "còn tiếp diễn / open",
            lasting(outage.seconds),
            state_words(outage.state),
            escape(outage.reason or outage.source),
        ]
        for one in some
        for outage in one.outages
    ]
    head = ["Sự cố\nOutages", "Từ\nFrom", "Đến\nUntil", "Trong kỳ\nIn window", "Trạng thái\nState", "Lý do\nCause"]
    return _part(head, rows)


def _works(some: Iterable[Availability], zone: ZoneInfo) -> list[RenderableType]:
    rows = []
    for one in some:
        for work in one.works:
            ends = local(work.ends, zone) if work.ends is not None else "còn tiếp diễn / open"
            rows.append([escape(one.id), local(work.begins, zone), ends, escape(work.reason)])
        for entry in one.entries:
            if entry.late:
                ends = local(entry.ends, zone) if entry.ends is not None else "–"
                entered = local(entry.entered_at, zone)
                said = f"nhập muộn lúc {entered}, chỉ tính từ đó / entered late, counts from then: "
                rows.append([escape(one.id), local(entry.starts, zone), ends, said + escape(entry.reason)])
    return _part(["Bảo trì\nMaintenance", "Từ\nFrom", "Đến\nUntil", "Lý do\nReason"], rows)


def _corrections(some: Iterable[Availability], zone: ZoneInfo) -> list[RenderableType]:
    rows = [
        [
            escape(one.id),
            local(correction.starts, zone),
            local(correction.ends, zone),
            state_words(correction.state),
            f"{escape(correction.reason)} ({escape(correction.who)}, {local(correction.entered_at, zone)})",
            f"{percent(one.measured.users)} / {percent(one.measured.owner)}",
        ]
        for one in some
        for correction in one.corrections
    ]
    head = ["Điều chỉnh\nCorrections", "Từ\nFrom", "Đến\nUntil", "Thành\nTo", "Lý do\nReason", "Số đo\nMeasured"]
    return _part(head, rows)


def _part(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[RenderableType]:
    return [Text(""), plain_table(head, rows)] if rows else []


def plain_table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Table:
    """Columns under bold heads, without lines."""
    table = Table(*head, box=None, header_style="bold")
    for row in rows:
        table.add_row(*row)
    return table


def _name(one: Availability) -> str:
    if one.system is None:
        return "không còn được cấu hình / no longer configured"
    return one.system.name_vi


def state_words(state: SystemState) -> str:
    """A state in its colour, in both languages."""
    vi, en = STATES[state]
    return f"[{_COLOURS[state]}]{vi} / {en}[/]"
