"""`python -m dashboards build|check|push`."""

from __future__ import annotations

from typing import Any

import typer

from dashboards import components, output
from dashboards.lint import faults

app = typer.Typer(help="Grafana dashboards from definitions.", no_args_is_help=True, add_completion=False)


@app.command()
def build() -> None:
    """Write json/ anew from definitions/; nothing when anything is wrong."""
    pages = _pages()
    _stop_at(faults(pages))
    for path in output.write(output.files(pages), output.WRITTEN):
        typer.echo(f"{path.relative_to(output.WRITTEN)}{'' if path.exists() else ' (removed)'}")


@app.command()
def check() -> None:
    """Say what is wrong, or not as `build` would write it."""
    pages = _pages()
    _stop_at([*faults(pages), *output.differing(output.files(pages), output.WRITTEN)])
    typer.echo(f"{len(pages)} pages are well")


def _pages() -> dict[str, dict[str, Any]]:
    try:
        return components.pages(components.definitions())
    except components.Faulty as error:
        _stop_at([str(error)])
        raise


def _stop_at(found: list[str]) -> None:
    for fault in found:
        typer.echo(fault, err=True)
    if found:
        raise typer.Exit(1)


if __name__ == "__main__":
    app()
