"""The last good batch of each feed, how long it is believed, and what was refused since."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import structlog

from collector.intake.aside import keep_aside
from collector.intake.guards import Box, Guard, Refusal, Rules, refusal, within
from collector.model import DETAIL_LIMIT, Metric, MetricType, Outcome, Reason, Result, Sample, Sink, Target
from collector.places import Places
from collector.records import Batch, Documents, Record
from collector.sources.feed import FeedSpec

RECORDS = Metric("hatang_feed_records", "Records of the last good batch, by operator.", labels=("operator",))
TIMESTAMP = Metric("hatang_feed_timestamp_seconds", "Unix time of the data of the last good batch.")
DUE = Metric(
    "hatang_feed_due_timestamp_seconds",
    "Unix time from which on what the feed gave is believed no more, unless it gives.",
)
ACCEPTED = Metric("hatang_feed_accepted_total", "Batches that were believed.", MetricType.COUNTER)
REFUSED = Metric(
    "hatang_feed_refused_total",
    "Batches that were refused, by the guard that refused them; the last good one stays in place until it is too old.",
    MetricType.COUNTER,
    ("operator", "guard"),
)
UNREADABLE = Metric("hatang_feed_unreadable_rows", "Rows of the last good batch that could not be read.")
FEED_METRICS = (RECORDS, TIMESTAMP, DUE, ACCEPTED, REFUSED, UNREADABLE)

# Degrees around the centres of the communes within which everything of the province lies.
BORDER = 0.4
# The fault of a document, not of the way to it.
_NO_DOCUMENT = frozenset({Reason.PROTOCOL, Reason.UNEXPECTED, Reason.TOO_LARGE})

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Holding:
    """What one feed has given, `since` when; `records` counts the batch's by operator.

    Unix seconds, but `fresh_until` is by the monotonic clock.
    """

    target: Target
    batch: Batch | None = None
    records: Mapping[str, int] = field(default_factory=dict)
    accepted_at: float = 0.0
    fresh_until: float = 0.0
    accepted: int = 0
    refused: Counter[Guard] = field(default_factory=Counter)
    refusal: Refusal | None = None
    since: float = field(default_factory=time.time)

    @property
    def spec(self) -> FeedSpec:
        """The settings of the feed."""
        spec = self.target.spec
        if not isinstance(spec, FeedSpec):
            raise TypeError(f"{self.target.id} is no feed")
        return spec

    @property
    def as_of(self) -> float:
        """Unix time of the data: as the batch says it, else when it came."""
        dated = self.batch.dated if self.batch is not None else None
        return self.accepted_at if dated is None else dated

    @property
    def due(self) -> float:
        """Unix time from which on what it gave is believed no more."""
        return (self.as_of if self.batch is not None else self.since) + self.spec.oldest


class Holdings:
    """What all feeds have given. Loop only."""

    def __init__(self, sink: Sink, clock: Callable[[], float] = time.monotonic) -> None:
        self.by_target: dict[str, Holding] = {}
        self._taken = 0
        self._sink = sink
        self._clock = clock
        self._aside = Path()
        self._operators: frozenset[str] | None = None
        self._box: Box | None = None

    def apply(self, targets: Mapping[str, Target], places: Places | None, aside: Path) -> None:
        """Take over a new configuration: a feed whose settings are the same keeps what it gave.

        Documents of refused batches are kept in the folder `aside`.
        """
        feeds = {name: target for name, target in targets.items() if isinstance(target.spec, FeedSpec)}
        self._aside = aside
        self._operators = frozenset(one.id for one in places.operators) if places and places.operators else None
        centres = [(one.lat, one.lon) for one in places.communes] if places else []
        self._box = Box.around(centres, BORDER)
        for gone in self.by_target.keys() - feeds.keys():
            del self.by_target[gone]
            self._sink.drop(_owner(gone))
            self._taken += 1
        for name, target in feeds.items():
            holding = self.by_target.get(name)
            if holding is None or holding.target.spec != target.spec:
                self.by_target[name] = Holding(target)
                self._taken += 1
            else:
                holding.target = target
            self._publish(self.by_target[name])

    async def take(self, result: Result) -> Result:
        """The run of a feed as it counts: a refused batch makes it a failure, and changes nothing of what is held."""
        holding = self.by_target.get(result.target)
        if holding is None:
            return result
        refused, documents = await self._judged(holding, result)
        result = replace(result, batch=None, documents=())
        if refused is None:
            self._publish(holding)
            return result
        holding.refused[refused.guard] += 1
        holding.refusal = refused
        self._publish(holding)
        await self._keep_aside(holding, refused, documents)
        if result.outcome is Outcome.FAIL:
            return result
        detail = f"refused by guard {refused.guard}: {refused.detail}"[:DETAIL_LIMIT]
        return replace(result, outcome=Outcome.FAIL, reason=Reason.UNEXPECTED, detail=detail)

    @property
    def version(self) -> tuple[int, int]:
        """Differs from what it was when a batch was believed since, or is believed no more."""
        return self._taken, sum(map(self.fresh, self.by_target.values()))

    def fresh(self, holding: Holding) -> bool:
        """Whether what it holds may still be believed."""
        return holding.batch is not None and self._clock() < holding.fresh_until

    async def _judged(self, holding: Holding, result: Result) -> tuple[Refusal | None, Documents]:
        batch = result.batch
        if result.outcome is Outcome.FAIL and result.reason in _NO_DOCUMENT:
            return Refusal(Guard.SHAPE, result.detail), result.documents
        if batch is None or result.outcome is not Outcome.OK:
            return None, ()
        spec = holding.spec
        rules = Rules(self._operators, self._box, spec.oldest, spec.min_ratio)
        now = time.time()
        # Hundreds of thousands of rows are not gone through on the loop.
        refused = await asyncio.to_thread(refusal, batch, rules, holding.batch, now)
        if refused is None:
            self._accept(holding, *await asyncio.to_thread(_believed, batch, rules, holding.batch), now)
        return refused, batch.raw

    def _accept(self, holding: Holding, batch: Batch, records: Mapping[str, int], now: float) -> None:
        holding.batch, holding.records = batch, records
        holding.accepted += 1
        holding.refusal = None
        holding.accepted_at = now
        behind = 0.0 if batch.dated is None else max(0.0, now - batch.dated)
        holding.fresh_until = self._clock() + holding.spec.oldest - behind
        self._taken += 1

    async def _keep_aside(self, holding: Holding, refused: Refusal, documents: Documents) -> None:
        feed = holding.target.id
        log.warning("batch refused", target=feed, guard=refused.guard.value, detail=refused.detail)
        if not documents:
            return
        try:
            await asyncio.to_thread(keep_aside, self._aside, feed, refused.guard.value, documents)
        except OSError as error:
            log.warning("refused documents are not kept", target=feed, error=str(error))

    def _publish(self, holding: Holding) -> None:
        operator = holding.spec.operator or ""
        samples = [Sample(ACCEPTED, (), holding.accepted), Sample(DUE, (), holding.due)]
        samples += [Sample(REFUSED, (operator, guard.value), holding.refused[guard]) for guard in Guard]
        batch = holding.batch
        if batch is not None:
            samples += [Sample(TIMESTAMP, (), holding.as_of), Sample(UNREADABLE, (), batch.unreadable)]
            counts = holding.records or {operator: 0}
            samples += [Sample(RECORDS, (name,), count) for name, count in sorted(counts.items())]
        self._sink.put(_owner(holding.target.id), (("target", holding.target.id),), samples)


def _believed(batch: Batch, rules: Rules, last: Batch | None) -> tuple[Batch, Mapping[str, int]]:
    """What is held of a good batch, and its records by operator; they are the `last` one's where they are the same."""
    records = within(batch, rules.box)
    if last is not None and last.records == records:
        records = last.records
    return replace(batch, records=records, raw=()), Counter(map(_operator, records))


def _operator(record: Record) -> str:
    return getattr(record, "operator", "")


def _owner(target_id: str) -> str:
    return f"feed {target_id}"
