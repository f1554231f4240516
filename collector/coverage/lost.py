"""How long villages were without signal: the only memory of coverage, kept over restarts by the journal."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from collector.records import Technology

if TYPE_CHECKING:  # loaded with the first places and feeds only: it takes memory
    from collector.coverage.figures import Figures

# Figures come at least every 15 s. What nobody saw for longer is credited to nobody.
LONGEST_STEP = 120.0


@dataclass(slots=True)
class Lost:
    """Village-seconds by technology, `planned` apart. A count holds until the next one."""

    seconds: dict[Technology, float] = field(default_factory=dict)
    planned: dict[Technology, float] = field(default_factory=dict)
    _counted: float | None = None
    _since: float = 0.0
    _villages: Mapping[Technology, tuple[int, int]] = field(default_factory=dict)

    def advance(self, figures: Figures, now: float) -> None:
        """Credit the time since the last count, and go on with the present one; `now` is monotonic seconds."""
        self.credit(now)
        self._counted = self._since = now
        self._villages = {
            technology: (level.lost - level.lost_planned, level.lost_planned)
            for technology, level in figures.levels.items()
        }
        for technology in self._villages:
            self.seconds.setdefault(technology, 0.0)
            self.planned.setdefault(technology, 0.0)

    def credit(self, now: float) -> None:
        """Let the last count hold until `now`, unless that is too long ago: a save need not wait for the next one."""
        elapsed = now - self._since
        if self._counted is None or elapsed <= 0 or now - self._counted > LONGEST_STEP:
            return
        for technology, (unplanned, planned) in self._villages.items():
            self.seconds[technology] += unplanned * elapsed
            self.planned[technology] += planned * elapsed
        self._since = now

    def pause(self) -> None:
        """Credit nothing before the next count: there is nothing to count any more."""
        self._counted = None
