"""How long villages were without signal: the only memory of coverage, to be kept in state."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from collector.coverage.figures import Figures
from collector.records import Technology

# Figures come at least every 15 s. What nobody saw for longer is credited to nobody.
LONGEST_STEP = 120.0


@dataclass(slots=True)
class Lost:
    """Village-seconds by technology, `planned` apart. A count holds until the next one."""

    seconds: dict[Technology, float] = field(default_factory=dict)
    planned: dict[Technology, float] = field(default_factory=dict)
    _since: float | None = None
    _villages: Mapping[Technology, tuple[int, int]] = field(default_factory=dict)

    def advance(self, figures: Figures, now: float) -> None:
        """Credit the time since the last count, and go on with the present one; `now` is monotonic seconds."""
        elapsed = now - self._since if self._since is not None else 0.0
        if 0 < elapsed <= LONGEST_STEP:
            for technology, (unplanned, planned) in self._villages.items():
                self.seconds[technology] += unplanned * elapsed
                self.planned[technology] += planned * elapsed
        self._since = now
        self._villages = {
            technology: (level.lost - level.lost_planned, level.lost_planned)
            for technology, level in figures.levels.items()
        }
        for technology in self._villages:
            self.seconds.setdefault(technology, 0.0)
            self.planned.setdefault(technology, 0.0)
