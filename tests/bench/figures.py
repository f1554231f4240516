"""What the benchmarks found, against what was promised."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from rich.table import Table


@dataclass(frozen=True, slots=True)
class Budget:
    """The most that a figure may be: `absolute` in its unit, or `ratio` times its peer. Either is enough.

    The ratio is for machines that are slower than the one the absolute bound was written on.
    """

    absolute: float
    ratio: float | None = None

    def holds(self, value: float, ratio: float | None) -> bool:
        """Whether `value` is within; `ratio` is to the peer of the same run, None when there was none."""
        return value <= self.absolute or (self.ratio is not None and ratio is not None and ratio <= self.ratio)


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured thing, as it came in each round; `peers` are those of a peer in the same rounds.

    No rounds: it could not be measured, and `note` says why. Not sound: what was measured is not what was meant.
    Without a budget it is for information.
    """

    name: str
    unit: str
    rounds: Sequence[float]
    budget: Budget | None = None
    peers: Sequence[float] = ()
    peer_name: str = ""
    note: str = ""
    sound: bool = True

    @property
    def value(self) -> float | None:
        """Median of the rounds."""
        return median(self.rounds) if self.rounds else None

    @property
    def peer(self) -> float | None:
        """Median of the peer's rounds."""
        return median(self.peers) if self.peers else None

    @property
    def ratio(self) -> float | None:
        """Median of the rounds' ratios: both sides of a round met the same load of the machine."""
        pairs = list(zip(self.rounds, self.peers, strict=False))
        return median(own / peer for own, peer in pairs) if pairs else None

    @property
    def ok(self) -> bool:
        """Whether it was measured, soundly, within its budget."""
        if self.value is None or not self.sound:
            return False
        return self.budget is None or self.budget.holds(self.value, self.ratio)

    def as_json(self) -> dict[str, Any]:
        """The figure as `build/bench.json` holds it."""
        return {
            "name": self.name,
            "value": self.value,
            "unit": self.unit,
            "budget": self.budget.absolute if self.budget else None,
            "budget_ratio": self.budget.ratio if self.budget else None,
            "ok": self.ok,
            "peer_name": self.peer_name,
            "peer": self.peer,
            "ratio": self.ratio,
            "rounds": list(self.rounds),
            "peer_rounds": list(self.peers),
            "note": self.note,
        }


def write(figures: Iterable[Figure], path: Path) -> None:
    """All figures as JSON."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps([figure.as_json() for figure in figures], indent=2) + "\n", encoding="utf-8")


def table(figures: Iterable[Figure]) -> Table:
    """All figures for people."""
    shown = Table("figure", "ours", "unit", "peer", "ratio", "budget", "ok", "note", title="Benchmarks")
    for figure in figures:
        peer = f"{_number(figure.peer)} ({figure.peer_name})" if figure.peers else "-"
        mark = "[green]yes[/]" if figure.ok else "[yellow]not measured[/]" if _absent(figure) else "[red]NO[/]"
        row = (figure.name, _number(figure.value), figure.unit, peer, _number(figure.ratio), _allowed(figure), mark)
        shown.add_row(*row, figure.note)
    return shown


def verdict(figures: Sequence[Figure], strict: bool) -> tuple[bool, str]:
    """Whether all is well, and that in words; `strict`: what could not be measured counts as missed."""
    missed = [figure.name for figure in figures if not figure.ok and not _absent(figure)]
    absent = [figure.name for figure in figures if _absent(figure)]
    held = sum(figure.ok and figure.budget is not None for figure in figures)
    parts = [f"{held} budgets held"]
    parts += [f"MISSED: {', '.join(missed)}"] if missed else []
    parts += [f"not measured: {', '.join(absent)}"] if absent else []
    well = not missed and not (strict and absent)
    return well, ("Every measured budget held: " if well else "NOT every budget held: ") + "; ".join(parts)


def _absent(figure: Figure) -> bool:
    return figure.sound and not figure.rounds


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.3g}" if value < 100 else f"{value:.0f}"


def _allowed(figure: Figure) -> str:
    budget = figure.budget
    if budget is None:
        return "for information"
    bound = f"<= {_number(budget.absolute)} {figure.unit}"
    return bound if budget.ratio is None else f"{bound} or <= {budget.ratio} x"
