"""What the commands show in a terminal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from collector import registry
from collector.model import Kind, Result
from collector.settings import Config, Fault

COLOURS = {"ok": "green", "fail": "red", "error": "magenta"}
out = Console()
err = Console(stderr=True)


def complain(message: str) -> None:
    """One line of what went wrong."""
    err.print(f"[bold red]hatang:[/] {escape(message)}", highlight=False)


def show_faults(faults: Iterable[Fault], directories: Sequence[Path], warning: bool = False) -> None:
    """Each fault on a line of its own: `file:line:column: path: message`, as editors and grep read it.

    Faults of a single directory name their files within it: here they are named as a click can open them.
    """
    colour = "yellow" if warning else "red"
    for fault in faults:
        if len(directories) == 1 and directories[0].is_dir():
            fault = replace(fault, file=str(directories[0] / fault.file))  # noqa: PLW2901
        word = "warning: " if warning else ""
        err.print(f"[{colour}]{word}[/]{escape(str(fault))}", highlight=False, soft_wrap=True)


def show_summary(config: Config) -> None:
    """How much a configuration holds."""
    table = Table("kind", "targets", box=None, header_style="bold")
    for kind, count in sorted(Counter(target.kind for target in config.targets.values()).items()):
        table.add_row(kind, str(count))
    out.print(table)
    out.print(f"[green]good:[/] {len(config.targets)} targets of {len(config.systems)} systems")


def show_result(result: Result) -> None:
    """A run: verdict, then what it measured."""
    verdict = f"[{COLOURS[result.outcome]}]{result.outcome}[/]"
    if result.reason:
        verdict += f" {result.reason}: {escape(result.detail)}"
    out.print(f"{verdict}  {result.duration * 1000:.2f} ms", highlight=False)
    table = Table("metric", "labels", "value", box=None, header_style="bold")
    for sample in result.samples:
        labels = ", ".join(f"{name}={value}" for name, value in zip(sample.metric.labels, sample.labels, strict=True))
        table.add_row(sample.metric.name, escape(labels), f"{sample.value:g}")
    out.print(table)


def show_kinds() -> None:
    """All kinds, a line each."""
    table = Table("kind", "what it checks", box=None, header_style="bold")
    for kind in registry.KINDS:
        table.add_row(kind.name, kind.summary)
    out.print(table)
    out.print("\nhatang kinds KIND shows its settings and metrics.", style="dim")


def show_kind(kind: Kind[Any, Any]) -> None:
    """Settings and metrics of one kind."""
    out.print(f"[bold]{kind.name}[/]: {kind.summary}\n")
    settings = Table("setting", "default", "meaning", box=None, header_style="bold")
    for name, field in kind.spec.model_fields.items():
        settings.add_row(field.alias or name, default_text(field), escape(field.description or ""))
    out.print(settings)
    metrics = Table("metric", "labels", "meaning", box=None, header_style="bold")
    for metric in kind.metrics:
        metrics.add_row(metric.name, ", ".join(metric.labels), escape(metric.help))
    out.print(metrics)


def default_text(field: FieldInfo) -> str:
    """A field's default as YAML would have it."""
    if field.is_required():
        return "required"
    default = field.get_default(call_default_factory=True)
    if default is None or default in ((), {}, ""):
        return "–"
    if isinstance(default, BaseModel):
        return " ".join(f"{name}={value}" for name, value in default)
    return str(default).lower() if isinstance(default, bool) else str(default)
