"""`hatang explain`: why a target or a system is as it is, who is affected, and where each setting comes from."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import typer
from rich.markup import escape
from rich.table import Table

from collector import terminal
from collector.commands.options import DEFAULT_CONFIG, Configs, Listen, loaded
from collector.derive.systems import dependents
from collector.maintenance import DEFAULT_ZONE
from collector.model import Objective, System, SystemState, Target, Verdict
from collector.nearest import nearest
from collector.reports.tables import state_words, stated
from collector.reports.words import BASES, DUE, MEANINGS, VERDICTS, lasting, local
from collector.scheduler import next_after, slot_of
from collector.settings import Config, Origin, system_origins
from collector.terminal import COLOURS, out
from exporters.client import ask_service

ROLES = {True: ("bắt buộc", "required"), False: ("phụ trợ", "supporting")}
MATTERS = {
    True: ("ngừng thì hệ thống ngừng", "while it is down, its system is down"),
    False: ("ngừng thì hệ thống suy giảm", "while it is down, its system is degraded"),
}
SHOWN = 3
ZONE = ZoneInfo(DEFAULT_ZONE)
Told = dict[str, Any]
NO_SERVICE = (
    "không rõ: không có dịch vụ nào trả lời ở {address} / unknown: no service answers on {address}; "
    "`hatang run` starts one, --listen HOST:PORT says where it is"
)
NOT_THERE = (
    "dịch vụ đang chạy chưa biết mục này / the running service does not know it: was the file saved and accepted?"
)


def explain(
    name: Annotated[str, typer.Argument(help="Id of a target or of a system.")],
    config: Configs = DEFAULT_CONFIG,
    listen: Listen = None,
) -> None:
    """Show why the target or system NAME is as it is, since when, whose fault that is, and who is affected.

    Then each resolved setting with the file and line it came from. States come from the running service, when there
    is one on the listen address.
    """
    settings = loaded(config)
    address = listen or settings.monitor.web.listen
    target, told = settings.targets.get(name), ask_service(address, "target", name)
    system = target.system if target is not None else (told or {}).get("system", name)
    stands = ask_service(address, "system", system)
    if target is None and not told and system not in settings.systems and not stands:
        near = nearest(name, [*settings.targets, *settings.systems])
        terminal.complain(f"no target or system is called {name!r}{near}")
        raise typer.Exit(2)
    if target is not None or told:
        _show_target(settings, target, told, address)
    _show_system(settings.systems.get(system), stands, address)
    _show_affected(settings, system, stands)
    if target is None and not told:
        _show_members(stands)
        if system in settings.systems:
            _show_settings(system_origins(settings.systems[system], settings.documents.values()))


def _show_target(settings: Config, target: Target | None, told: Told | None, address: str) -> None:
    kind = target.kind if target is not None else (told or {})["kind"]
    name = target.id if target is not None else (told or {})["id"]
    out.print(f"[bold]{name}[/]  {kind}", highlight=False)
    if target is not None:
        _show_settings(settings.origin(target.id))
        upcoming = next_after(slot_of(target), time.time_ns() // 1000) / 1e6
        _say("Lần chạy tới / next run", f"{local(upcoming, ZONE)} (mỗi / every {target.interval:g} s)")
    else:
        _say("Cấu hình / settings", "không có trong --config / not in what --config names")
    if not told:
        _say("Trạng thái / state", NOT_THERE if told is not None else NO_SERVICE.format(address=address))
        return
    _say("Lần chạy cuối / last run", _run(told["last"]))
    _say("Kết luận / verdict", _verdict(told))
    role, (vi, en) = " / ".join(ROLES[told["required"]]), MATTERS[told["required"]]
    _say("Vai trò / role", f"{role}: {vi} / {en}")


def _run(last: Told | None) -> str:
    if last is None:
        return "chưa chạy / not yet run"
    reason = f" {last['reason']}: {escape(last['detail'])}" if last["reason"] else ""
    ours = " (lỗi phía giám sát hoặc chưa đủ dữ liệu / our side, or too early to tell)"
    ago = f"{time.time() - last['started']:.0f} s"
    colour = COLOURS[last["outcome"]]
    told = f"[{colour}]{last['outcome']}[/]{reason}{ours if last['outcome'] == 'error' else ''}"
    return f"{told}, {ago} ago / trước"


def _verdict(told: Told) -> str:
    vi, en = VERDICTS[Verdict(told["verdict"])]
    if told["unsettled"]:
        vi, en = f"{vi} (đang xác nhận thay đổi)", f"{en} (a change is being confirmed)"
    return f"{vi} / {en}"


def _show_system(system: System | None, stands: Told | None, address: str) -> None:
    names = {"name_vi": system.name_vi, "name_en": system.name_en} if system is not None else stands or {}
    name = system.id if system is not None else names["id"]
    out.print(f"\n[bold]{name}[/]  {escape(names['name_vi'])} / {escape(names['name_en'])}", highlight=False)
    if not stands:
        _say("Trạng thái / state", NOT_THERE if stands is not None else NO_SERVICE.format(address=address))
    else:
        state = SystemState(stands["state"])
        lasts = lasting(time.time() - stands["since"])
        _say("Trạng thái / state", f"{state_words(state)}, từ / since {local(stands['since'], ZONE)} ({lasts})")
        for line in MEANINGS[state]:
            _say("", line)
        for line in _why(stands, state):
            _say("Vì sao / why", line)
    if system is not None and system.objective is not None:
        _say("Mục tiêu / objective", _objective(system.objective))


def _why(stands: Told, state: SystemState) -> Iterable[str]:
    """What the state comes from: whose fault it is, and what was seen."""
    if state is SystemState.MAINTENANCE:
        until = f", đến / until {local(stands['until'], ZONE)}" if stands["until"] else ""
        yield f"{escape(stands['reason'])}{until}"
    for one in stands["caused_by"]:
        yield f"{_brief(one)}: {', '.join(_first(escape(one['reason']).split(', ')))}"
    if state is SystemState.UNKNOWN:
        for cause in stands["observer_impaired"]:
            yield f"phía giám sát không nhìn thấy / we ourselves cannot see: {cause}"
    if state in DECIDES:
        yield from _first([f"{one['id']}: {_run(one['last'])}" for one in stands["targets"] if DECIDES[state](one)])


# Which targets give a system its state.
DECIDES: dict[SystemState, Callable[[Told], bool]] = {
    SystemState.DOWN: lambda one: one["required"] and one["verdict"] == Verdict.DOWN,
    SystemState.DEGRADED: lambda one: one["verdict"] == Verdict.DOWN,
    SystemState.UNKNOWN: lambda one: one["verdict"] == Verdict.UNKNOWN,
}


def _first(some: Sequence[str]) -> list[str]:
    """A few of many."""
    more = len(some) - SHOWN
    return [*some[:SHOWN], *([f"… +{more}"] if more > 0 else [])]


def _objective(objective: Objective) -> str:
    due, basis = (" / ".join(words) for words in (DUE[objective.recurring], BASES[objective.basis]))
    act = f": {escape(objective.act)}" if objective.act else ""
    return f"{stated(objective)} mỗi / in each {due} ({basis}{act})"


def _show_affected(settings: Config, system: str, stands: Told | None) -> None:
    below: Sequence[Told]
    if stands:
        below = stands["affects"]
    else:
        known = settings.systems
        names = dependents(known).get(system, [])
        below = [{"id": name, "name_vi": known[name].name_vi, "owner": known[name].owner} for name in names]
    well = [one["id"] for one in below if one.get("state") == SystemState.UP]
    rows = [[one["id"], _state(one), escape(one["name_vi"]), one["owner"]] for one in below if one["id"] not in well]
    _say("Ảnh hưởng / affects", f"{len(below)} hệ thống phụ thuộc vào nó / systems depend on it")
    if rows:
        _table(["Hệ thống / system", "Trạng thái / state", "", "Chủ quản / owner"], rows)
    if well:
        _say(f"  {len(well)} đang hoạt động / are up", ", ".join(well))


def _show_members(stands: Told | None) -> None:
    if not stands:
        return
    for group in stands["depends_on"]:
        what = "một trong / any of" if group["any"] else "tất cả / all of"
        _say("Phụ thuộc / depends on", f"{what} {', '.join(map(_brief, group['systems']))}")
    rows = [
        [one["id"], " / ".join(ROLES[one["required"]]), _verdict(one), _run(one["last"])]
        for one in sorted(stands["targets"], key=lambda one: not one["required"])
    ]
    out.print()
    _table(["Mục tiêu đo / target", "Vai trò / role", "Kết luận / verdict", "Lần chạy cuối / last run"], rows)


def _brief(one: Told) -> str:
    return f"[bold]{one['id']}[/] ({_state(one)})"


def _state(one: Told) -> str:
    return state_words(SystemState(one["state"])) if "state" in one else "–"


def _show_settings(origins: dict[str, Origin]) -> None:
    out.print()
    rows = [[name, escape(value), where] for name, (value, where) in origins.items()]
    _table(["Thiết lập / setting", "Giá trị / value", "Từ / from"], rows)
    out.print()


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    table = Table(box=None, header_style="bold")
    for title in head:
        table.add_column(title, overflow="fold")
    for row in rows:
        table.add_row(*row)
    out.print(table)


def _say(what: str, text: str) -> None:
    label = f"{what}: " if what else "  "
    out.print(f"{label}{text}", highlight=False, soft_wrap=True)
