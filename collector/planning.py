"""Keeps account of the plan: what its indicators are now and were each day, and where that leaves its targets."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from collector.derive import plan as view
from collector.derive.plan_figures import of_coverage, of_systems
from collector.derive.plan_footing import Known, footings
from collector.intake import Holdings
from collector.journal import Journal
from collector.model import Sample, Sink
from collector.plan import (
    NOTHING_KNOWN,
    Assessment,
    DailyMeans,
    Figure,
    Footing,
    Plan,
    Statement,
    Value,
    compute,
    day_of,
    latest,
    live_values,
)
from collector.plan.means import KEPT
from collector.records import Dataset, IndicatorValue
from collector.settings import Config
from collector.standing import Standing
from collector.state import State

if TYPE_CHECKING:  # loaded with the first places and feeds only: it takes memory
    from collector.coverage.figures import Figures

OWNER = "plan"


@dataclass(frozen=True, slots=True)
class Judged:
    """How the plan stood at Unix time `at`, and by indicator what its live values rest on."""

    plan: Plan
    assessments: tuple[Assessment, ...]
    footings: Mapping[str, Footing]
    at: float


class Planning:
    """The plan over the states of systems, the results of targets, coverage, and what feeds state. Loop only.

    `judged` is the last judgement, None before the first.
    """

    def __init__(self, sink: Sink, means: DailyMeans, standing: Standing, state: State, holdings: Holdings) -> None:
        self.means = means
        self.judged: Judged | None = None
        self._sink = sink
        self._standing = standing
        self._state = state
        self._holdings = holdings

    @classmethod
    async def open(cls, sink: Sink, journal: Journal, standing: Standing, state: State, holdings: Holdings) -> Planning:
        """Go on with the days that the journal remembers."""
        today = day_of(time.time())
        rows = await journal.days(today - KEPT - timedelta(days=1), today)
        return cls(sink, DailyMeans(journal.add_daily, rows), standing, state, holdings)

    async def judge(self, config: Config, coverage: Figures | None) -> None:
        """Record what the indicators are now, and publish how the targets stand. At most a minute apart."""
        plan, now = config.plan, time.time()
        figures = await asyncio.to_thread(self._of_coverage, plan, coverage)
        states = {name: self._standing.state(name) for name in config.systems}
        figures |= of_systems(plan, config.systems, states)
        statements, targets = tuple(self._statements()), tuple(config.targets.values())
        values = live_values(plan, figures, targets, self._samples, statements)
        self.means.record(plan, values, now)
        known = Known(targets, self._started(), config.systems, states, latest(statements), coverage, self._simulated())
        days = self.means.days()

        def reckon() -> tuple[Judged, list[Sample]]:
            judged = Judged(plan, compute(plan, values, days, now), footings(plan, values, known), now)
            return judged, list(view.samples(judged.assessments, day_of(now)))

        self.judged, samples = await asyncio.to_thread(reckon)
        self._sink.put(OWNER, (), samples)

    def forget(self) -> None:
        """There is no judgement any more."""
        self.judged = None
        self._sink.drop(OWNER)

    def _of_coverage(self, plan: Plan, coverage: Figures | None) -> dict[Figure, Value]:
        """What coverage measures and nobody knows yet, or any more, is unknown; without feeds nothing is measured."""
        if not self._holdings.by_target:
            return {}
        asked = (one.source for one in plan.indicators)
        unknown = {
            figure: NOTHING_KNOWN for figure in asked if isinstance(figure, Figure) and figure.view == "coverage"
        }
        return unknown | (of_coverage(coverage) if coverage is not None else {})

    def _samples(self, target: str) -> tuple[Sample, ...] | None:
        record = self._state.records.get(target)
        return record.last.samples if record is not None and record.last is not None and record.fresh_until else None

    def _started(self) -> dict[str, float]:
        records = self._state.records.items()
        return {name: one.last.started for name, one in records if one.last is not None and one.fresh_until}

    def _simulated(self) -> bool:
        holdings = self._holdings.by_target.values()
        return any(one.target.synthetic for one in holdings if one.spec.dataset is Dataset.CELLS)

    def _statements(self) -> Iterator[Statement]:
        for name, holding in self._holdings.by_target.items():
            if holding.spec.dataset is not Dataset.INDICATORS:
                continue  # hundreds of thousands of cells are not gone through on the loop
            fresh = self._holdings.fresh(holding)
            for record in holding.batch.records if holding.batch is not None else ():
                if isinstance(record, IndicatorValue):
                    of_feed = fresh, holding.as_of, holding.target.synthetic
                    yield Statement(name, record.indicator, record.day, record.value, *of_feed)
