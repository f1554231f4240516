"""The command line. Each command is a few lines over the part that does the work."""

from __future__ import annotations

import json
from typing import Annotated

import typer
import uvloop

from collector import __version__, registry, terminal
from collector.commands import maintenance, plan, reports
from collector.commands.coverage import coverage
from collector.commands.explain import explain
from collector.commands.options import DEFAULT_CONFIG, Configs, Listen, loaded
from collector.fields import parse_duration
from collector.logs import LogFormat, LogLevel, configure
from collector.nearest import nearest
from collector.settings import Config, schema
from exporters.app import run_once, serve

app = typer.Typer(
    name="hatang",
    help="Watch a province's digital infrastructure (hạ tầng) against its plan.\n\n"
    "Start with [bold]hatang demo[/bold]: a simulated province, polled for real.",
    rich_markup_mode="rich",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"hatang {__version__}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Options that every command takes."""


def _known(config: Config, target: str) -> None:
    if target not in config.targets:
        terminal.complain(f"no target is called {target!r}{nearest(target, config.targets)}")
        raise typer.Exit(2)


@app.command()
def run(
    config: Configs = DEFAULT_CONFIG,
    listen: Listen = None,
    log_format: Annotated[LogFormat, typer.Option(help="How log lines look.")] = LogFormat.CONSOLE,
    log_level: Annotated[LogLevel, typer.Option(help="Least severe line to print.")] = LogLevel.INFO,
) -> None:
    """Poll the configured targets and serve their metrics, until stopped.

    Reloads when a file changes, on SIGHUP and on POST /-/reload: what did not change is not disturbed, and a
    faulty file changes nothing. SIGTERM and Ctrl-C stop in order.
    """
    configure(log_format, log_level)
    loaded(config)  # faults are shown as `check` shows them, before anything starts
    try:
        uvloop.run(serve(config, listen))
    except OSError as error:
        terminal.complain(f"{error.strerror or error}; choose another address with --listen HOST:PORT")
        raise typer.Exit(1) from None


@app.command()
def check(config: Configs = DEFAULT_CONFIG) -> None:
    """Read the configuration and show every fault of every file at once. Exit status 1 when there is any.

    Regular expressions, JMESPath, OIDs and secrets are tried too; nothing is contacted.
    """
    settings = loaded(config)
    terminal.show_faults(settings.warnings, config, warning=True)
    terminal.show_summary(settings)


@app.command()
def once(target: str, config: Configs = DEFAULT_CONFIG) -> None:
    """Run one TARGET now and show what it measured.

    Exit status: 0 it is well, 1 it is not, 2 we could not tell.
    """
    configure(LogFormat.CONSOLE, LogLevel.WARNING)
    settings = loaded(config)
    _known(settings, target)
    result = uvloop.run(run_once(config, settings, target))
    terminal.show_result(result)
    raise typer.Exit({"ok": 0, "fail": 1, "error": 2}[result.outcome])


@app.command()
def kinds(kind: Annotated[str | None, typer.Argument(help="Show this kind's settings and metrics.")] = None) -> None:
    """List the kinds of targets, or everything about one KIND."""
    if kind is None:
        terminal.show_kinds()
        return
    if kind not in registry.BY_NAME:
        terminal.complain(f"no kind is called {kind!r}{nearest(kind, registry.BY_NAME)}")
        raise typer.Exit(2)
    terminal.show_kind(registry.BY_NAME[kind])


@app.command(name="schema")
def print_schema() -> None:
    """Print the JSON Schema of the configuration files, so that editors complete and check them."""
    typer.echo(json.dumps(schema(), ensure_ascii=False, indent=2))


@app.command()
def demo(  # noqa: PLR0913, PLR0917  each is an option that a user may want
    config: Configs = DEFAULT_CONFIG,
    play_for: Annotated[
        str | None, typer.Option("--for", help="Stop after this long, e.g. 60s (default: Ctrl-C).")
    ] = None,
    listen: Annotated[str, typer.Option(help="Address of the service.")] = "127.0.0.1:9464",
    prometheus_port: Annotated[
        int | None, typer.Option(help="Port of the Prometheus that is started (default: 9090, or any that is free).")
    ] = None,
    alertmanager_port: Annotated[
        int | None, typer.Option(help="Port of the Alertmanager that is started (default: 9093, or any that is free).")
    ] = None,
    faults: Annotated[str | None, typer.Option(help="Faults to play, by id with commas; `none` for none.")] = None,
    seed: Annotated[int, typer.Option(help="Seed of what is invented.")] = 57,
    prometheus: Annotated[
        bool, typer.Option(help="Start a Prometheus that scrapes the service, and an Alertmanager beside it.")
    ] = True,
    list_them: Annotated[
        bool, typer.Option("--list-faults", help="Show the faults and what shows each; start nothing.")
    ] = False,
    list_format: Annotated[str, typer.Option("--format", help="Form of --list-faults: table or json.")] = "table",
) -> None:
    """Play a simulated province on this machine: real servers, real polling, real Prometheus and Alertmanager.

    Faults come and go by a script. Each says what it led to: states and figures that changed, and who was told of it.
    The waits of rules and notifications are 60 times as short. Everything it makes says that it is simulated.
    """
    from collector.demo.stage import DemoOptions, list_faults, play  # noqa: PLC0415  `run` needs no simulators

    configure(LogFormat.CONSOLE, LogLevel.ERROR)  # the service's warnings are what is being played
    if list_them:
        raise typer.Exit(list_faults(list_format, config, seed, faults))
    try:
        seconds = parse_duration(play_for) if play_for else None
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--for") from None
    options = DemoOptions(tuple(config), seconds, listen, prometheus_port, alertmanager_port, faults, seed, prometheus)
    raise typer.Exit(uvloop.run(play(options)))


app.command()(explain)
app.command()(reports.availability)
app.command()(reports.history)
app.command()(coverage)
app.command()(plan.plan)
app.command()(maintenance.correct)
app.add_typer(maintenance.app, name="maintenance")


def main() -> None:
    """Entry point of the console script."""
    app()


if __name__ == "__main__":
    main()
