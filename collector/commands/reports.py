"""`hatang availability` and `hatang history`: the past, from the journal."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import typer

from collector import reports, terminal
from collector.commands.options import (
    DEFAULT_CONFIG,
    ZONE,
    Configs,
    Form,
    Format,
    JournalPath,
    Zone,
    loaded,
    seconds,
    show,
    zone_of,
)
from collector.journal import Ledger, LedgerError, reading_ledger
from collector.nearest import nearest
from collector.reports import Month, NotKnown, forms, tables
from collector.settings import Config


def availability(  # noqa: PLR0913, PLR0917  each is an option that a user may want
    month: Annotated[str | None, typer.Option(help="Calendar month, such as 2026-11 (default: this one).")] = None,
    system: Annotated[str | None, typer.Option(help="Only this system.")] = None,
    centre: Annotated[str | None, typer.Option(help="A data centre, what runs in it, and the sum of that.")] = None,
    form: Format = Form.TABLE,
    journal: JournalPath = None,
    zone: Zone = ZONE,
    config: Configs = DEFAULT_CONFIG,
) -> None:
    """How available each system was in a calendar month: for its users, and for its owner.

    With outages and their causes, planned work, corrections, how much was observed, and how it was reckoned.
    """
    place, settings = zone_of(zone), loaded(config)
    names = _names(settings, system, centre)
    now = time.time()
    try:
        asked = Month.parse(month, place) if month else Month.of(now, place)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--month") from None
    with _reading(journal or settings.monitor.journal.path) as ledger:
        found = reports.availability(ledger, settings, asked, now, names)
    summed = reports.total(one for one in found if one.id != centre) if centre is not None else None
    if form is Form.CSV:
        typer.echo(forms.availability_csv(found, asked, summed), nl=False)
    elif form is Form.JSON:
        typer.echo(forms.availability_json(found, asked, now, summed))
    else:
        show(tables.availability_table(found, asked, now, summed))


def history(  # noqa: PLR0913, PLR0917  each is an option that a user may want
    system: str,
    last: Annotated[str, typer.Option("--last", help="How far back.")] = "30d",
    month: Annotated[str | None, typer.Option(help="A calendar month instead, such as 2026-11.")] = None,
    form: Format = Form.TABLE,
    journal: JournalPath = None,
    zone: Zone = ZONE,
    config: Configs = DEFAULT_CONFIG,
) -> None:
    """Everything that SYSTEM went through: each state, since when, for how long and why."""
    place, settings = zone_of(zone), loaded(config)
    since, until = _span(last, month, place)
    with _reading(journal or settings.monitor.journal.path) as ledger:
        found = reports.history(ledger, settings, system, since, until)
    if form is Form.CSV:
        typer.echo(forms.history_csv(found, place), nl=False)
    elif form is Form.JSON:
        typer.echo(forms.history_json(found, place))
    else:
        show(tables.history_table(found, place))


def _span(last: str, month: str | None, zone: ZoneInfo) -> tuple[float, float]:
    now = time.time()
    if month is None:
        return now - seconds(last, "--last"), now
    try:
        asked = Month.parse(month, zone)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--month") from None
    return asked.begins, min(asked.ends, now)


def _names(settings: Config, system: str | None, centre: str | None) -> list[str] | None:
    if centre is None:
        return [system] if system is not None else None
    centres = [name for name, one in settings.systems.items() if one.category == "data-centre"]
    if system is not None or centre not in centres:
        wrong = "give one of --system and --centre" if system else f"no data centre is called {centre!r}"
        raise typer.BadParameter(f"{wrong}{'' if system else nearest(centre, centres)}", param_hint="--centre")
    return [centre, *(name for name, one in settings.systems.items() if one.hosting == centre and name != centre)]


@contextmanager
def _reading(path: Path) -> Iterator[Ledger]:
    """The journal; what is wrong with it, or with the question, is said, and ends the command."""
    try:
        with reading_ledger(path) as ledger:
            yield ledger
    except (LedgerError, NotKnown) as error:
        terminal.complain(str(error))
        raise typer.Exit(1) from None
