"""`python -m dashboards build|check|push`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from dashboards import components, manifests, output
from dashboards.grafana import Grafana, Refused
from dashboards.lint import faults
from dashboards.push import Place
from dashboards.push import push as put
from dashboards.words import Language

TOKEN: Final = "HATANG_GRAFANA_TOKEN"  # noqa: S105  name of the variable that holds it

app = typer.Typer(help="Grafana dashboards from definitions.", no_args_is_help=True, add_completion=False)


@app.command()
def build() -> None:
    """Write json/ anew from definitions/; nothing when anything is wrong."""
    pages = _pages()
    _stop_at(faults(pages))
    for wanted, folder in _files(pages):
        for path in output.write(wanted, folder):
            typer.echo(f"{path.name}{'' if path.exists() else ' (removed)'}")


@app.command()
def check() -> None:
    """Say what is wrong, or not as `build` would write it."""
    pages = _pages()
    stale = [fault for wanted, folder in _files(pages) for fault in output.differing(wanted, folder)]
    _stop_at([*faults(pages), *stale])
    typer.echo(f"{len(pages)} pages are well")


@app.command()
def push(
    url: Annotated[str, typer.Option(help="Address of Grafana.")],
    token_file: Annotated[Path | None, typer.Option(help=f"File with the token; else {TOKEN} has it.")] = None,
    lang: Annotated[list[Language] | None, typer.Option(help="Only this language.")] = None,
    tiles: Annotated[str | None, typer.Option(help="URL of tiles for maps, with {z}, {x} and {y}.")] = None,
    api: Annotated[str | None, typer.Option(help="Where browsers find hatang, if not through Grafana.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be done.")] = False,
) -> None:
    """Put the pages into a Grafana: only those that differ, each language into its folder."""
    pages = _pages()
    _stop_at(faults(pages))
    try:
        grafana = Grafana(url, _token(token_file))
        for line in put(grafana, pages, lang or list(Language), Place(tiles, api), dry=dry_run):
            typer.echo(f"{line}{' (dry run)' if dry_run else ''}")
    except Refused as error:
        _stop_at([str(error)])


def _token(file: Path | None) -> str:
    """Never from the command line, which everybody on the machine can read. Raises Refused."""
    try:
        token = file.read_text(encoding="utf-8").strip() if file else os.environ.get(TOKEN, "")
    except (OSError, UnicodeDecodeError) as error:
        raise Refused(f"{file}: {getattr(error, 'strerror', None) or 'is no text'}") from None
    if not token or not token.isascii() or not token.isprintable():
        raise Refused(f"no usable token: put that of a service account into {TOKEN}, or name a file by --token-file")
    return token


def _files(pages: dict[str, dict[str, Any]]) -> list[tuple[dict[Path, str], Path]]:
    return [(output.files(pages), output.WRITTEN), (manifests.files(pages), manifests.FOLDER)]


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
