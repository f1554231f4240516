"""`hatang coverage`: who has signal now, by operator and technology, and who would lose it."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

from collector import terminal
from collector.commands.options import DEFAULT_CONFIG, Configs, Form, Format, Listen, loaded, show
from collector.reports.forms import spreadsheet
from collector.settings import Config
from exporters.client import ask

Told = Mapping[str, Any]
ALL, BEST = ("Mọi nhà mạng", "all operators"), ("Nhà mạng tốt nhất", "best operator")
COLUMNS = ("operator", "technology", "covered_lower", "covered_upper", "villages", "synthetic")
LOST = ("technology", "what", "id", "name", "commune")
NAMED = 10
SIMULATED = "MÔ PHỎNG / SIMULATED"


def coverage(
    suppose: Annotated[
        str | None,
        typer.Option(
            "--what-if",
            help="Say who would lose signal if this failed: site=ID, operator=ID or commune=CODE; several with commas.",
        ),
    ] = None,
    form: Format = Form.TABLE,
    config: Configs = DEFAULT_CONFIG,
    listen: Listen = None,
) -> None:
    """Show who has signal now, by operator and technology, with its bounds: from the running service.

    At least: what is unknown counts as down, and links that are only assumed do not count. At most: the other way.
    """
    settings = loaded(config)
    address = listen or settings.monitor.web.listen
    if suppose is not None:
        _show_loss(_asked(address, "/api/v1/coverage/what-if", _parts(suppose)), form)
        return
    told = _asked(address, "/api/v1/coverage", {})
    if form is Form.JSON:
        typer.echo(json.dumps(told, ensure_ascii=False, indent=2))
    elif form is Form.CSV:
        typer.echo(spreadsheet([COLUMNS, *_rows(told)]), nl=False)
    else:
        for table in (_operators(told, settings), _villages(told), _zones(told), _feeds(told)):
            show(table)


def _parts(text: str) -> dict[str, str]:
    parts = dict(part.split("=", 1) for part in text.split(",") if "=" in part)
    if not parts or parts.keys() - {"site", "operator", "commune"} or text.count("=") != text.count(",") + 1:
        raise typer.BadParameter(f"{text!r} is not like site=ID, operator=ID or commune=CODE", param_hint="--what-if")
    return parts


def _asked(address: str, path: str, query: Mapping[str, str]) -> Told:
    try:
        found: Told | None = ask(address, path, query)
    except LookupError as error:
        terminal.complain(str(error))
        raise typer.Exit(2) from None
    if found is None:
        terminal.complain(f"no service answers on {address}: `hatang run` starts one, --listen says where it is")
        raise typer.Exit(2)
    return found


def _titled(told: Told, vi: str, en: str) -> str:
    when = time.strftime("%H:%M:%S", time.localtime(told["counted_at"]))
    return f"{vi} / {en}, {when}" + (f"  [{SIMULATED}]" if told["synthetic"] else "")


def _operators(told: Told, settings: Config) -> Table:
    levels: Told = told["technologies"]
    table = Table(title=escape(_titled(told, "Thôn có sóng", "villages with signal")))
    table.add_column("Nhà mạng / operator")
    for technology in levels:
        table.add_column(f"{technology} trở lên / or better", justify="right")
    table.add_row(" / ".join(ALL), *(_range(level["ratio"]) for level in levels.values()), style="bold")
    table.add_row(" / ".join(BEST), *(_range(level["best_operator"]) for level in levels.values()), end_section=True)
    for operator in dict.fromkeys(name for level in levels.values() for name in level["operators"]):
        system = settings.systems.get(operator)
        ranges = (_range(level["operators"].get(operator)) for level in levels.values())
        table.add_row(escape(system.name_vi if system else operator), *ranges)
    return table


def _range(bounds: Told | None) -> str:
    """A ratio with its bounds, as percentages; a dash where nothing is counted."""
    if bounds is None:
        return "-"
    lower, upper = (f"{100 * bounds[side]:.1f}" for side in ("lower", "upper"))
    return f"{lower} %" if lower == upper else f"[yellow]{lower}-{upper} %[/]"


_FIGURES = {
    "uncovered": "Không có sóng / uncovered",
    "single_operator": "Một nhà mạng / single operator",
    "single_site": "Một trạm / single site",
    "assumed": "Chỉ theo giả định / assumed only",
}


def _villages(told: Told) -> Table:
    table = Table(title=f"{told['villages']} thôn / villages")
    table.add_column("")
    for technology in told["technologies"]:
        table.add_column(technology, justify="right")
    for name, words in _FIGURES.items():
        table.add_row(words, *(str(level[name]) for level in told["technologies"].values()))
    shares = [level["freshness"]["known_share"] for level in told["technologies"].values()]
    table.add_row(
        "Trạng thái đã biết / state known", *("-" if share is None else f"{100 * share:.1f} %" for share in shares)
    )
    return table


def _zones(told: Told) -> Table:
    levels: Told = told["technologies"]
    table = Table(title="Khu vực có sóng / zones with signal")
    table.add_column("Loại / category")
    table.add_column("Số / count", justify="right")
    for technology in levels:
        table.add_column(technology, justify="right")
    for category, count in told["zones"].items():
        covered = (level["zones_covered"][category] for level in levels.values())
        table.add_row(category, str(count), *(_count(bounds) for bounds in covered))
    return table


def _count(bounds: Told) -> str:
    lower, upper = bounds["lower"], bounds["upper"]
    return f"{lower}" if lower == upper else f"[yellow]{lower}-{upper}[/]"


def _feeds(told: Told) -> Table:
    table = Table(title="Nguồn dữ liệu / feeds")
    for words in ("Nguồn / feed", "Nội dung / dataset", "Dòng / records", "Tuổi / age", "Từ chối / refused", ""):
        table.add_column(words)
    for feed in told["feeds"]:
        age = f"{told['counted_at'] - feed['as_of']:.0f} s" if feed["as_of"] is not None else "-"
        refused = ", ".join(f"{guard} {count}" for guard, count in feed["refused"].items()) or "0"
        why = feed["refusal"]["detail"] if feed["refusal"] else ""
        table.add_row(
            feed["target"],
            feed["dataset"],
            str(feed["records"]),
            age if feed["fresh"] else f"[red]{age}, quá cũ / stale[/]",
            refused,
            escape(why),
        )
    return table


def _rows(told: Told) -> Iterator[tuple[object, ...]]:
    for technology, level in told["technologies"].items():
        shares = {"all": level["ratio"], "best": level["best_operator"], **level["operators"]}
        for operator, bounds in shares.items():
            if bounds is not None:
                known = bounds["lower"], bounds["upper"], told["villages"], told["synthetic"]
                yield operator, technology, *known


def _show_loss(told: Told, form: Form) -> None:
    if form is Form.JSON:
        typer.echo(json.dumps(told, ensure_ascii=False, indent=2))
        return
    if form is Form.CSV:
        typer.echo(spreadsheet([LOST, *_losses(told)]), nl=False)
        return
    failing = ", ".join(f"{what} {name}" for what, name in told["failing"].items())
    table = Table(
        title=escape(f"Nếu mất {failing} / without {failing}: {told['sites']} trạm / sites, {told['cells']} ô / cells")
    )
    for words in (
        "Công nghệ / technology",
        "Thôn mất sóng / villages that lose it",
        "Khu vực / zones",
        "Dân số / people",
    ):
        table.add_column(words, overflow="fold")
    for technology, loss in told["technologies"].items():
        people = "-" if loss["population"] is None else f"{loss['population']:.0f}"
        table.add_row(technology, _listed(loss["villages"], "name"), _listed(loss["zones"], "name_vi"), people)
    show(table)


def _losses(told: Told) -> Iterator[tuple[object, ...]]:
    for technology, loss in told["technologies"].items():
        for one in loss["villages"]:
            yield technology, "village", one["id"], one["name"], one["commune"]
        for one in loss["zones"]:
            yield technology, "zone", one["id"], one["name_vi"], None


def _listed(places: Sequence[Told], name: str) -> str:
    shown = "; ".join(place[name] for place in places[:NAMED])
    more = f" … (+{len(places) - NAMED})" if len(places) > NAMED else ""
    return escape(f"{len(places)}: {shown}{more}") if places else "0"
