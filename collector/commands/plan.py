"""`hatang plan`: where the province stands against its plan, from configuration and journal."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer

from collector import terminal
from collector.commands.options import DEFAULT_CONFIG, Configs, Form, Format, JournalPath, loaded, show
from collector.journal import LedgerError, reading_ledger
from collector.plan import Day, compute, day_of, days_of
from collector.plan.means import KEPT
from collector.reports.plan import plan_csv, plan_json, plan_table
from collector.reports.plan_words import Language, Speech

Lang = Annotated[Language, typer.Option("--lang", help="Language of the table: vi or en.")]


def plan(
    lang: Lang = Language.VI,
    form: Format = Form.TABLE,
    journal: JournalPath = None,
    config: Configs = DEFAULT_CONFIG,
) -> None:
    """Where each indicator of the plan stands: value, target, gap, pace and status, what is worst first.

    Values are the daily means that the service wrote into its journal, else what was last reported.
    """
    settings, now = loaded(config), time.time()
    found = compute(settings.plan, None, _days(journal or settings.monitor.journal.path, now), now)
    if form is Form.CSV:
        typer.echo(plan_csv(found), nl=False)
    elif form is Form.JSON:
        typer.echo(plan_json(settings.plan, found, now))
    else:
        show(plan_table(settings.plan, found, now, Speech(lang)))


def _days(path: Path, now: float) -> Mapping[str, Sequence[Day]]:
    """What the journal holds; without one, everything is as it was reported."""
    today = day_of(now)
    try:
        with reading_ledger(path) as ledger:
            return days_of(ledger.days(today - timedelta(days=KEPT.days), today))
    except LedgerError as error:
        terminal.complain(f"only reported values: {error}")
        return {}
