"""`hatang plan`: where the province stands against its plan, by the running service, else by the journal."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer
from pydantic import ValidationError
from rich.markup import escape

from collector import terminal
from collector.commands.options import DEFAULT_CONFIG, Configs, Form, Format, JournalPath, Listen, loaded, show
from collector.journal import LedgerError, reading_ledger
from collector.plan import Day, compute, day_of, days_of
from collector.plan.means import KEPT
from collector.reports.plan import plan_csv, plan_json, plan_table
from collector.reports.plan_lines import Told, told
from collector.reports.plan_words import ASKED_JOURNAL, JOURNAL, REPORTS, SERVICE, Language, Speech
from collector.settings import Config
from exporters.client import ask

Lang = Annotated[Language, typer.Option("--lang", help="Language of the table: vi or en.")]


def plan(
    lang: Lang = Language.VI,
    form: Format = Form.TABLE,
    journal: JournalPath = None,
    config: Configs = DEFAULT_CONFIG,
    listen: Listen = None,
) -> None:
    """Where each indicator of the plan stands: value, target, gap, pace and status, what is worst first.

    Values are those of the running service, when there is one on the listen address and --journal is not given; else
    the daily means that it wrote into its journal, else what was last reported. It says which of them.
    """
    settings = loaded(config)
    address, path = listen or settings.monitor.web.listen, journal or settings.monitor.journal.path
    found = _asked(address) if journal is None else None
    found = found if found is not None else _read(settings, path)
    words = {"service": SERVICE, "reports": REPORTS, "journal": JOURNAL if journal is None else ASKED_JOURNAL}
    speech = Speech(lang)
    read_from = speech.of(words[found.read_from]).format(address=address, path=path)
    if form is Form.TABLE:
        show(plan_table(found, speech, read_from))
        return
    terminal.err.print(escape(read_from), highlight=False, soft_wrap=True)
    typer.echo(plan_csv(found) if form is Form.CSV else plan_json(found), nl=form is Form.JSON)


def _asked(address: str) -> Told | None:
    """What the running service says; None when none answers, or it cannot tell."""
    try:
        answer = ask(address, "/api/v1/plan", {})
        return Told.model_validate(answer) if answer is not None else None
    except LookupError as error:
        terminal.complain(f"the service on {address}: {error}")
    except ValidationError:
        terminal.complain(f"what answers on {address} is no hatang, or one of another version")
    return None


def _read(settings: Config, path: Path) -> Told:
    now = time.time()
    days = _days(path, now)
    assessments = compute(settings.plan, None, days or {}, now)
    return told(settings.plan, assessments, now, "journal" if days is not None else "reports")


def _days(path: Path, now: float) -> Mapping[str, Sequence[Day]] | None:
    """What the journal holds; without one, everything is as it was reported."""
    today = day_of(now)
    try:
        with reading_ledger(path) as ledger:
            return days_of(ledger.days(today - timedelta(days=KEPT.days), today))
    except LedgerError as error:
        terminal.complain(f"only reported values: {error}")
        return None
