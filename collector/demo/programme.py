"""What the demo tells people: progress, addresses, faults as they come and go. Vietnamese with its English twin."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TaskID, TextColumn
from rich.table import Table

from collector.demo.alarms.chronicle import Course, News
from collector.demo.alarms.notices import Notice
from collector.demo.faults import Fault
from collector.model import SystemState
from collector.reports.words import STATES

_STEPS = {
    "certificates": "Cấp chứng thư số / making certificates",
    "servers": "Mở máy chủ mô phỏng / opening simulated servers",
    "results": "Kết quả đầu tiên / first results",
    "systems": "Trạng thái hệ thống / states of systems",
    "alertmanager": "Alertmanager",
    "prometheus": "Prometheus",
}
# Of what shows a fault, the table has all of so many, or the first of more.
MOST_SHOWN, SHOWN_OF_MANY = 12, 4
BEGINS, ENDS = "Bắt đầu / begins", "Kết thúc / ends"
STILL = "Đang diễn ra / still on"
TOLD, OVER = "Thông báo / notification", "Khôi phục / resolved"
# Of one notification so many alerts are told, and of one fault so many systems by name.
MOST_ALERTS, MOST_NAMED = 3, 3
_SEVERITIES = {
    "critical": ("NGHIÊM TRỌNG / critical", "bold red"),
    "warning": ("CẢNH BÁO / warning", "bold yellow"),
    "info": ("THÔNG TIN / info", "bold cyan"),
}


class Steps:
    """The bars of what is being set up."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._bars: dict[str, TaskID] = {}

    def __call__(self, step: str, done: int, of: int) -> None:
        """Show that `done` of `of` parts of a step are there."""
        if step not in self._bars:
            self._bars[step] = self._progress.add_task(_STEPS[step], total=of)
        self._progress.update(self._bars[step], completed=done, total=of)


class Programme:
    """Prints on a console."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._begun = time.monotonic()
        self._ended = False

    def title(self) -> None:
        """What this is."""
        self._console.rule("[bold]hatang demo: MÔ PHỎNG / SIMULATED")
        self._console.print(
            "Máy chủ, thiết bị và sự cố dưới đây là mô phỏng trên máy này; việc thăm dò là thật.\n"
            "Servers, devices and faults below are simulated on this machine; the polling is real.\n"
        )

    @contextmanager
    def steps(self) -> Iterator[Steps]:
        """Bars, as long as the block lasts."""
        columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
        with Progress(*columns, console=self._console) as progress:
            yield Steps(progress)

    def without(self, why: str) -> None:
        """Something is not installed, and the demo goes on."""
        self._console.print(f"[yellow]{escape(why)}[/]")

    def unknown(self, systems: Sequence[str]) -> None:
        """Systems that nothing is known of although there was time."""
        if systems:
            names = f"{', '.join(systems[:MOST_NAMED])}{' …' if len(systems) > MOST_NAMED else ''}"
            self._print(f"[yellow]Chưa rõ / not known yet: {len(systems)} hệ thống / systems: {names}[/]")

    def addresses(self, rows: Iterable[tuple[str, str]]) -> None:
        """What to open."""
        self._console.print()
        for what, address in rows:
            self._console.print(f"{what:<30}[link={address}]{escape(address)}[/link]", highlight=False, soft_wrap=True)

    def ask(self, system: str, listen: str) -> None:
        """How to learn why something is as it is."""
        command = f"hatang explain {system} --listen {listen}"
        self._console.print(f"{'Vì sao, ai bị ảnh hưởng / why':<30}{command}", highlight=False, soft_wrap=True)

    def hastened(self, pace: int) -> None:
        """How much sooner than in use somebody is told."""
        self._print(
            f"Luật và thông báo chờ ngắn hơn {pace} lần, 1 phút ở đây là {pace} phút / rules and notifications wait "
            f"{pace} times as short, a minute here is {pace} minutes"
        )

    def plays(self, seconds: float | None, faults: int) -> None:
        """How long, and how it ends."""
        self._begun = time.monotonic()
        until = f"{seconds:g} s" if seconds is not None else "Ctrl-C"
        self._console.print(f"{faults} sự cố mô phỏng / simulated faults; dừng / ends: {until}\n")

    def fault(self, fault: Fault, begins: bool) -> None:
        """A fault begins or ends."""
        word, colour = (BEGINS, "red") if begins else (ENDS, "green")
        self._happened(word, colour, fault)
        if begins:
            self._line(f"[dim]{escape(fault.shows[0].expression)}[/]")

    def _happened(self, word: str, colour: str, fault: Fault) -> None:
        self._event(
            f"[{colour}]{word}[/] [bold]{fault.id}[/]: {escape(fault.name_vi)} / {escape(fault.name_en)}"
            f" ({escape(fault.befalls)}; mô phỏng / simulated)"
        )

    def course(self, course: Course) -> None:
        """What a fault led to."""
        for line in _led_to(course):
            self._line(f"→ {line}")

    def news(self, news: News) -> None:
        """Somebody was told something; what they knew already is left out."""
        if self._ended:
            return
        begun, over = ([pair for pair in news.alerts if pair[0].firing is firing] for firing in (True, False))
        told = f"{_title(news.notice)} → {escape(', '.join(news.notice.receivers))} (mô phỏng / simulated)"
        if begun:
            self._event(f"[magenta]{TOLD}[/] {told}")
            for alert, fault in begun[:MOST_ALERTS]:
                self._line(f"• {escape(alert.vi)}{_because([fault])}")
            if len(begun) > MOST_ALERTS:
                self._line(f"… và {len(begun) - MOST_ALERTS} cảnh báo nữa / more alerts")
        if over:
            self._event(f"[green]{OVER}[/] {told}{_because(fault for _, fault in over)}")

    def alive(self) -> None:
        """The dead-man's switch was heard."""
        self._event(
            "[magenta]Watchdog[/] luật, Alertmanager và hộp thư thông suốt / from rules to inbox all works"
            " (mô phỏng / simulated)"
        )

    def _event(self, text: str) -> None:
        minutes, seconds = divmod(int(time.monotonic() - self._begun), 60)
        self._print(f"[dim]{minutes:02}:{seconds:02}[/] {text}")

    def _line(self, text: str) -> None:
        self._print(f"        {text}")

    def _print(self, text: str) -> None:
        self._console.print(text, highlight=False, soft_wrap=True, emoji=False)

    def result(self, unended: Iterable[Course], faults: int, notices: int) -> None:
        """What all of it came to, and what faults that are still on have led to."""
        for course in unended:
            self._happened(STILL, "yellow", course.fault)
            self.course(course)
        self._print(f"\nĐã mô phỏng / simulated: {faults} sự cố / faults → {notices} thông báo / notifications")
        self.end()

    def end(self) -> None:
        """Everything is being stopped; nothing more is told."""
        if not self._ended:
            self._ended = True
            self._print("\nDừng / stopping …")


def _because(faults: Iterable[Fault | None]) -> str:
    causes = sorted({fault.id for fault in faults if fault is not None})
    return f" [dim]⇐ {', '.join(causes)}[/]" if causes else ""


def _title(notice: Notice) -> str:
    what = f"{escape(notice.vi)} / {escape(notice.en)}"
    if notice.severity not in _SEVERITIES:  # of several
        return what
    word, colour = _SEVERITIES[notice.severity]
    return f"[{colour}]{escape(f'[{word}]')}[/] {what}"


def _led_to(course: Course) -> Iterator[str]:
    changes: dict[tuple[SystemState, SystemState], list[str]] = {}
    for name, change in course.states.items():
        changes.setdefault(change, []).append(name)
    for change, names in changes.items():
        of = ", ".join(names) if len(names) <= MOST_NAMED else f"{len(names)} hệ thống / systems"
        (before, after), (was, now) = zip(*(STATES[state] for state in change), strict=True)
        yield f"{of}: {before} → [bold]{after}[/] / {was} → [bold]{now}[/]"
    for figure in course.figures:
        yield f"[dim]{escape(figure.query)}[/]: {_number(figure.before)} → [bold]{_number(figure.after)}[/]"
    yield from _spoken(course)


def _spoken(course: Course) -> Iterator[str]:
    for told in course.told.values():
        receivers = ", ".join(told.notice.receivers)
        yield f"{_title(told.notice)} → {escape(receivers)} (sau / after {told.after:.0f} s)"
    if course.held:
        yield f"chưa gửi, hoặc đã có nguyên nhân / not sent yet, or explained by another: {', '.join(course.held)}"
    if course.pending:
        yield f"chưa đủ lâu để báo / not for long enough to be told: {', '.join(course.pending)}"
    if not (course.told or course.held or course.pending):
        yield "không báo ai / nobody is told"


def _number(value: float | None) -> str:
    if value is None:
        return "–"
    return f"{value:,.0f}" if abs(value) >= 10_000 else f"{value:.4g}"


def print_faults(console: Console, faults: Iterable[Fault], form: str) -> None:
    """The list of faults, as `table` or `json`."""
    if form == "json":
        text = json.dumps([fault.described() for fault in faults], ensure_ascii=False, indent=2)
        console.print(text, markup=False, highlight=False, soft_wrap=True, emoji=False)
        return
    faults = list(faults)
    table = Table("fault", "sự cố / name", "befalls", "from", "to", title="MÔ PHỎNG / SIMULATED")
    table.columns[2].overflow = "fold"
    for fault in faults:
        name = f"{fault.name_vi}\n{fault.name_en}"
        table.add_row(fault.id, escape(name), fault.befalls, f"{fault.begins:g} s", f"{fault.ends:g} s")
    console.print(table)
    console.print("\nThấy được bằng / shown by (PromQL):")
    for fault in faults:
        console.print(f"\n[bold]{fault.id}[/]")
        for line in _shown_by(fault):
            console.print(f"  {escape(line)}", highlight=False, soft_wrap=True)


def _shown_by(fault: Fault) -> Iterator[str]:
    """What shows a fault, cut short where it is very much; what stays as it is."""
    few = fault.shows if len(fault.shows) <= MOST_SHOWN else fault.shows[:SHOWN_OF_MANY]
    yield from (show.expression for show in few)
    if len(few) < len(fault.shows):
        yield f"… và {len(fault.shows) - len(few)} biểu thức nữa / more: --format json"
    yield from (f"vẫn / still: {show.expression}" for show in fault.keeps)
