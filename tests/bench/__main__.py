"""Measure the service against its budgets and its peers: `python -m tests.bench --help`."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

import uvloop
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from tests.bench import coverage, fleet, history, latency, rows, scrape
from tests.bench.children import Broken, Unavailable
from tests.bench.effort import Effort
from tests.bench.figures import Figure, table, verdict, write
from tests.bench.polls import CONTESTS

RESULTS = Path("build/bench.json")
Measure = Callable[[Path, Effort], Awaitable[list[Figure]]]
BENCHES: Mapping[str, Measure] = {
    **{contest.key: contest.measure for contest in CONTESTS},
    "scrape": scrape.measure,
    "latency": latency.measure,
    "fleet": fleet.measure,
    "rows": rows.measure,
    "coverage": coverage.measure,
    "history": history.measure,
}


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser("tests.bench", description="Speed against the budgets and the peers, in one run.")
    parser.add_argument("--rounds", type=int, default=None, metavar="N", help="rounds of each figure (3; quick: 2)")
    parser.add_argument("--only", action="append", choices=sorted(BENCHES), help="measure only this; may be repeated")
    parser.add_argument("--quick", action="store_true", help="a minute instead of five, less steady")
    return parser.parse_args()


async def _measure(wanted: list[str], effort: Effort, done: Callable[[], None]) -> list[Figure]:
    figures: list[Figure] = []
    for name in wanted:
        with tempfile.TemporaryDirectory(prefix="hatang-bench-") as folder:
            try:
                figures += await BENCHES[name](Path(folder), effort)
            except Unavailable as error:
                figures.append(Figure(name, "", (), note=str(error)))
            except Broken as error:
                figures.append(Figure(name, "", (), note=str(error), sound=False))
        done()
    return figures


def main() -> int:
    """Measure, tell, and return the exit status: 0 when every budget held."""
    given = _arguments()
    console = Console(width=None if sys.stdout.isatty() else 200)
    wanted = [name for name in BENCHES if not given.only or name in given.only]
    columns = (
        SpinnerColumn(),
        BarColumn(20),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.description}"),
    )
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("", total=len(wanted))
        effort = Effort(
            given.rounds or (2 if given.quick else 3),
            3.0 if given.quick else 4.0,
            given.quick,
            lambda text: progress.update(task, description=text),
        )
        figures = uvloop.run(_measure(wanted, effort, lambda: progress.advance(task)))
    write(figures, RESULTS)
    console.print(table(figures))
    well, words = verdict(figures, strict=os.environ.get("CI") == "true")
    console.print(words, style="green" if well else "bold red", highlight=False)
    return 0 if well else 1


if __name__ == "__main__":
    sys.exit(main())
