"""What every base station of the simulated networks does now, and did a while ago."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from collector.demo.mobile.network import Network, Station
from collector.records import CellState

# For how long it is remembered what was out (seconds): longer than any counter's period.
REMEMBERED = 120.0


@dataclass(slots=True)
class _Life:
    """Times out of service (Unix seconds), the last of which may still last; `causes` that keep it out."""

    causes: set[str] = field(default_factory=set)
    out: list[tuple[float, float]] = field(default_factory=list)


class Air:
    """All stations that are on the air, or ought to be. `clock` gives Unix seconds."""

    def __init__(self, network: Network, clock: Callable[[], float] = time.time) -> None:
        self.network = network
        self.clock = clock
        self._coming = False
        self._lives: dict[Station, _Life] = {}

    def stations(self, operator: str) -> Iterator[Station]:
        """Those of an operator, with one that was switched on."""
        yield from self.network.of(operator)
        if self._coming and self.network.coming.operator == operator:
            yield self.network.coming

    def switch_on(self, on: bool) -> None:
        """Put the station on the air that is to come, or take it off again."""
        self._coming = on

    def fail(self, stations: Iterable[Station], cause: str, failed: bool) -> None:
        """Something takes stations off the air, or does so no longer; they are back when nothing does."""
        now = self.clock()
        for station in stations:
            life = self._lives.setdefault(station, _Life())
            before = bool(life.causes)
            (life.causes.add if failed else life.causes.discard)(cause)
            if life.causes and not before:
                life.out = [span for span in life.out if span[1] > now - REMEMBERED] + [(now, float("inf"))]
            elif before and not life.causes:
                life.out[-1] = life.out[-1][0], now

    def since(self, station: Station) -> float | None:
        """Since when a station is out (Unix seconds); None while it works."""
        life = self._lives.get(station)
        return life.out[-1][0] if life is not None and life.causes else None

    def state(self, station: Station) -> CellState:
        """Active or down."""
        return CellState.ACTIVE if self.since(station) is None else CellState.DOWN

    def downtime(self, station: Station, begin: float, end: float) -> float:
        """Seconds out of service between two times (Unix seconds)."""
        life = self._lives.get(station)
        return sum(max(0.0, min(end, to) - max(begin, since)) for since, to in life.out) if life else 0.0
