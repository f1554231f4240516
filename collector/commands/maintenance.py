"""`hatang maintenance` and `hatang correct`: what people say beside what was measured."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from collector import journal as ledgers
from collector import terminal
from collector.commands.options import (
    DEFAULT_CONFIG,
    ZONE,
    Configs,
    JournalPath,
    Zone,
    loaded,
    moment,
    show,
    until,
    who,
    zone_of,
)
from collector.journal import Correction, Entry, LedgerError, Scope, reading_ledger
from collector.model import SystemState
from collector.nearest import nearest
from collector.reports.words import local
from collector.settings import Config

app = typer.Typer(
    help="Planned work that no file announces: it counts from when it is entered, and nothing of it is ever erased.",
    no_args_is_help=True,
)
Reason = Annotated[str, typer.Option(help="Why; it stands in the reports.")]


@app.command()
def start(  # noqa: PLR0913, PLR0917  each is an option that a user may want
    reason: Reason,
    system: Annotated[str | None, typer.Option(help="Work on this system.")] = None,
    centre: Annotated[str | None, typer.Option(help="Work on this data centre and all that runs in it.")] = None,
    owner: Annotated[str | None, typer.Option(help="Work on all systems of this owner.")] = None,
    label: Annotated[
        str | None, typer.Option(help="Work on the systems of which all targets have this label, name=value.")
    ] = None,
    begins: Annotated[
        str | None, typer.Option("--from", help="When: '2026-11-23 22:00' or '22:00' (default: now).")
    ] = None,
    ends: Annotated[str | None, typer.Option("--until", help="The end, if it is known.")] = None,
    lasts: Annotated[str | None, typer.Option("--for", help="How long, such as 2h30m, if it is known.")] = None,
    journal: JournalPath = None,
    zone: Zone = ZONE,
    config: Configs = DEFAULT_CONFIG,
) -> None:
    """Announce work that begins now, or later. The running service takes it up within seconds."""
    place, settings, now = zone_of(zone), loaded(config), time.time()
    given = {Scope.SYSTEM: system, Scope.CENTRE: centre, Scope.OWNER: owner, Scope.LABEL: label}
    scope, subject = _subject(settings, given)
    starts = moment(begins, place, "--from") if begins else now
    entry = Entry(0, scope, subject, starts, until(starts, ends, lasts, place), reason, who(), now)
    with _saying():
        entry = ledgers.start_maintenance(journal or settings.monitor.journal.path, entry)
    end = f" – {local(entry.ends, place)}" if entry.ends else ""
    terminal.out.print(f"{entry.id}: {entry.scope} {entry.subject}, {local(entry.starts, place)}{end}", highlight=False)
    if entry.late:
        terminal.out.print("[yellow]Nhập muộn: chỉ tính từ bây giờ. / Entered late: it counts from now on only.[/]")


@app.command()
def stop(
    number: Annotated[int, typer.Argument(help="Its number: `hatang maintenance list`.")],
    journal: JournalPath = None,
    zone: Zone = ZONE,
    config: Configs = DEFAULT_CONFIG,
) -> None:
    """End work now, whenever its end was to be; work that has not begun is called off."""
    place, settings = zone_of(zone), loaded(config)
    with _saying():
        entry = ledgers.stop_maintenance(journal or settings.monitor.journal.path, number, who(), time.time())
    ended = local(entry.ends or entry.starts, place)
    terminal.out.print(f"{entry.id}: {entry.scope} {entry.subject}, kết thúc / ended {ended}", highlight=False)


@app.command(name="list")
def list_all(
    over: Annotated[bool, typer.Option("--all", help="With all that is over.")] = False,
    journal: JournalPath = None,
    zone: Zone = ZONE,
    config: Configs = DEFAULT_CONFIG,
) -> None:
    """Show what was announced by command and is not over. (`hatang check` shows what files announce.)"""
    place, settings, now = zone_of(zone), loaded(config), time.time()
    with _saying(), reading_ledger(journal or settings.monitor.journal.path) as ledger:
        entries = ledger.maintenance(0.0 if over else now)
    table = Table("Số\nNo", "Phạm vi\nScope", "Từ\nFrom", "Đến\nUntil", "Lý do\nReason", "Ai\nWho", box=None)
    for entry in entries:
        end = local(entry.ends, place) if entry.ends is not None else "–"
        late = " (muộn / late)" if entry.late else ""
        scope = f"{entry.scope} {escape(entry.subject)}"
        begun = local(entry.starts, place)
        table.add_row(str(entry.id), scope, begun + late, end, escape(entry.reason), escape(entry.who))
    show(table)


def correct(  # noqa: PLR0913, PLR0917  each is an option that a user may want
    system: str,
    state: Annotated[SystemState, typer.Option(help="What its state was.")],
    begins: Annotated[str, typer.Option("--from", help="From when: '2026-11-23 22:00'.")],
    reason: Reason,
    ends: Annotated[str | None, typer.Option("--until", help="Until when.")] = None,
    lasts: Annotated[str | None, typer.Option("--for", help="Or how long, such as 2h30m.")] = None,
    journal: JournalPath = None,
    zone: Zone = ZONE,
    config: Configs = DEFAULT_CONFIG,
) -> None:
    """State what the state of SYSTEM was in a time that is past. Reports count with it, and show what was measured."""
    place, settings, now = zone_of(zone), loaded(config), time.time()
    _known(system, settings.systems, "system", "SYSTEM")
    starts = moment(begins, place, "--from")
    end = until(starts, ends, lasts, place)
    if end is None:
        raise typer.BadParameter("give --until or --for", param_hint="--until")
    if end > now:
        raise typer.BadParameter("only what is past can be corrected", param_hint="--until")
    wanted = Correction(0, system, starts, end, state, reason, who(), now)
    with _saying():
        given = ledgers.correct(journal or settings.monitor.journal.path, wanted)
    span = f"{local(given.starts, place)} – {local(given.ends, place)}"
    terminal.out.print(f"{given.id}: {system} {given.state}, {span}", highlight=False)


def _subject(settings: Config, given: dict[Scope, str | None]) -> tuple[Scope, str]:
    chosen = [(scope, subject) for scope, subject in given.items() if subject]
    if len(chosen) != 1:
        raise typer.BadParameter("give one of --system, --centre, --owner and --label", param_hint="--system")
    ((scope, subject),) = chosen
    if scope is Scope.LABEL:
        labels = {f"{name}={value}" for target in settings.targets.values() for name, value in target.labels}
        _known(subject, labels, "label", "--label")
    elif scope is Scope.OWNER:
        _known(subject, settings.owners, "owner", "--owner")
    elif scope is Scope.CENTRE:
        centres = [name for name, one in settings.systems.items() if one.category == "data-centre"]
        _known(subject, centres, "data centre", "--centre")
    else:
        _known(subject, settings.systems, "system", "--system")
    return scope, subject


def _known(name: str, known: Collection[str], what: str, option: str) -> None:
    if name not in known:
        raise typer.BadParameter(f"no {what} is called {name!r}{nearest(name, known)}", param_hint=option)


@contextmanager
def _saying() -> Iterator[None]:
    try:
        yield
    except LedgerError as error:
        terminal.complain(str(error))
        raise typer.Exit(1) from None
