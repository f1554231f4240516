"""`python -m dashboards build|check|push`."""

from __future__ import annotations

import typer

from dashboards import components, output

app = typer.Typer(help="Grafana dashboards from definitions.", no_args_is_help=True, add_completion=False)


@app.command()
def build() -> None:
    """Write json/ anew from definitions/."""
    for path in output.write(output.files(_pages()), output.WRITTEN):
        typer.echo(f"{path.relative_to(output.WRITTEN)}{'' if path.exists() else ' (removed)'}")


def _pages() -> dict[str, components.Json]:
    try:
        return components.pages(components.definitions())
    except components.Faulty as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from None


if __name__ == "__main__":
    app()
