"""Options that several commands take, and what they mean."""

from __future__ import annotations

import getpass
import os
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import typer
from rich.console import Console, RenderableType

from collector import terminal
from collector.fields import parse_duration
from collector.maintenance import DEFAULT_ZONE
from collector.settings import Config, SettingsError, load

Configs = Annotated[
    list[Path],
    typer.Option(
        "--config",
        "-c",
        help="Configuration directory; give it again for an overlay, which extends what came before.",
        exists=True,
        file_okay=False,
    ),
]
DEFAULT_CONFIG = [Path("config")]


Listen = Annotated[
    str | None, typer.Option(help="Address of the service, HOST:PORT (default: web.listen of monitor.yaml).")
]


class Form(StrEnum):
    """How a report is written."""

    TABLE = "table"
    CSV = "csv"
    JSON = "json"


JournalPath = Annotated[
    Path | None, typer.Option("--journal", help="File of the journal (default: journal.path of monitor.yaml).")
]
Format = Annotated[Form, typer.Option("--format", help="table for people, csv for spreadsheets, json for programs.")]
Zone = Annotated[str, typer.Option("--zone", help="Time zone of all times, by its IANA name.")]
ZONE = DEFAULT_ZONE
WIDE = 220


def loaded(directories: list[Path]) -> Config:
    """The configuration; its faults are shown, and end the command."""
    try:
        return load(directories)
    except SettingsError as error:
        terminal.show_faults(error.faults, directories)
        raise typer.Exit(1) from None


def zone_of(name: str) -> ZoneInfo:
    """A time zone; ends the command when there is none of that name."""
    try:
        return ZoneInfo(name)
    except (ValueError, OSError, LookupError):
        raise typer.BadParameter(f"{name!r} is not a time zone such as {DEFAULT_ZONE}", param_hint="--zone") from None


def moment(text: str, zone: ZoneInfo, option: str) -> float:
    """Unix seconds of `2026-11-23 22:00`, local or with an offset, or of `22:00`: the next time that it is so late."""
    now = datetime.now(zone)
    try:
        if "-" not in text:
            clock = datetime.strptime(text, "%H:%M").time()  # noqa: DTZ007  a time of day
            today = datetime.combine(now.date(), clock, zone)
            return (today if today > now else datetime.combine(now.date() + timedelta(days=1), clock, zone)).timestamp()
        given = datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(
            f"{text!r} is not a time such as '2026-11-23 22:00' or '22:00'", param_hint=option
        ) from None
    return (given if given.tzinfo is not None else given.replace(tzinfo=zone)).timestamp()


def seconds(text: str, option: str) -> float:
    """A duration; ends the command when it is none."""
    try:
        return parse_duration(text)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint=option) from None


def until(begins: float, ends: str | None, lasts: str | None, zone: ZoneInfo) -> float | None:
    """The end that --until or --for names; None without either."""
    if ends is not None and lasts is not None:
        raise typer.BadParameter("give one of --until and --for", param_hint="--for")
    if ends is not None:
        return moment(ends, zone, "--until")
    return begins + seconds(lasts, "--for") if lasts is not None else None


def who() -> str:
    """Whoever gives the command, as far as the system knows."""
    try:
        return os.environ.get("SUDO_USER") or getpass.getuser()
    except (KeyError, OSError):
        return str(os.getuid())


def show(what: RenderableType) -> None:
    """Print a table as wide as the terminal; into a file, as wide as it takes."""
    console = terminal.out if terminal.out.is_terminal else Console(width=WIDE)
    console.print(what)
