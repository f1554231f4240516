"""What the demo tells people: progress, addresses, faults as they come and go. Vietnamese with its English twin."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TaskID, TextColumn
from rich.table import Table

from collector.demo.faults import Fault

_STEPS = {
    "certificates": "Cấp chứng thư số / making certificates",
    "servers": "Mở máy chủ mô phỏng / opening simulated servers",
    "results": "Kết quả đầu tiên / first results",
    "systems": "Trạng thái hệ thống / states of systems",
    "prometheus": "Prometheus",
}
# Of what shows a fault, the table has all of so many, or the first of more.
MOST_SHOWN, SHOWN_OF_MANY = 12, 4
BEGINS, ENDS = "Bắt đầu / begins", "Kết thúc / ends"


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

    def addresses(self, rows: Iterable[tuple[str, str]]) -> None:
        """What to open."""
        self._console.print()
        for what, address in rows:
            self._console.print(f"{what:<30}[link={address}]{escape(address)}[/link]", highlight=False, soft_wrap=True)

    def ask(self, system: str, listen: str) -> None:
        """How to learn why something is as it is."""
        command = f"hatang explain {system} --listen {listen}"
        self._console.print(f"{'Vì sao, ai bị ảnh hưởng / why':<30}{command}", highlight=False, soft_wrap=True)

    def plays(self, seconds: float | None, faults: int) -> None:
        """How long, and how it ends."""
        until = f"{seconds:g} s" if seconds is not None else "Ctrl-C"
        self._console.print(f"{faults} sự cố mô phỏng / simulated faults; dừng / ends: {until}\n")

    def fault(self, fault: Fault, begins: bool) -> None:
        """A fault begins or ends."""
        word, colour = (BEGINS, "red") if begins else (ENDS, "green")
        self._console.print(
            f"[{colour}]{word}[/] [bold]{fault.id}[/]: {escape(fault.name_vi)} / {escape(fault.name_en)}"
            f" ({escape(fault.befalls)}; mô phỏng / simulated)",
            highlight=False,
            soft_wrap=True,
        )
        if begins:
            self._console.print(
                f"    {escape(fault.shows[0].expression)}", style="dim", highlight=False, soft_wrap=True
            )

    def end(self) -> None:
        """Everything is being stopped."""
        self._console.print("\nDừng / stopping …")


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
