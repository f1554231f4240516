"""What is known of each target: its last result, its counters, its last failures."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from collector.model import Metric, MetricType, Outcome, Result, Sample, Sink, Target
from collector.streak import Streak

TARGET_INFO = Metric(
    "hatang_target_info", "A target and its own labels.", MetricType.INFO, ("system", "kind", "synthetic")
)
RUNS = Metric("hatang_runs_total", "Runs by outcome.", MetricType.COUNTER, ("outcome",))
SKIPPED = Metric("hatang_run_skipped_total", "Runs left out because the one before was not over.", MetricType.COUNTER)
RUN_TIMESTAMP = Metric("hatang_run_timestamp_seconds", "Unix time at which the last run began.")
FAILURE_INFO = Metric(
    "hatang_target_failure_info", "Why the last run was not ok; absent when it was.", MetricType.INFO, ("reason",)
)
STATE_METRICS = (TARGET_INFO, RUNS, SKIPPED, RUN_TIMESTAMP, FAILURE_INFO)

_OUTCOMES = {outcome: (outcome.value,) for outcome in Outcome}

FAILURES_KEPT = 5
# Values older than this many intervals are withdrawn: an hour-old value shown as today's is worse than a gap.
STALE_INTERVALS = 3


@dataclass(slots=True)
class Record:
    """One target's past. `fresh_until` is by the monotonic clock; failures are kept apart from successes."""

    target: Target
    streak: Streak
    runs: dict[Outcome, int] = field(default_factory=lambda: dict.fromkeys(Outcome, 0))
    skipped: int = 0
    last: Result | None = None
    fresh_until: float = 0.0
    failures: deque[Result] = field(default_factory=lambda: deque(maxlen=FAILURES_KEPT))
    # Rendered with each run: made once for each version of the target.
    info: Sample = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self.become(self.target)

    def become(self, target: Target) -> None:
        """Go on as another version of the same target."""
        self.target = target
        self.streak.confirm, self.streak.recover = target.confirm, target.recover
        self.info = _info(target)


def values_owner(target_id: str) -> str:
    """Owner of a target's measured values in the sink."""
    return f"values {target_id}"


def state_owner(target_id: str) -> str:
    """Owner of a target's counters and timestamps in the sink: they stay when its values are withdrawn."""
    return f"state {target_id}"


class State:
    """Records results and keeps the sink up to date. Loop only."""

    def __init__(self, sink: Sink, clock: Callable[[], float] = time.monotonic) -> None:
        self._sink = sink
        self._clock = clock
        self.records: dict[str, Record] = {}

    def apply(self, targets: Mapping[str, Target]) -> None:
        """Take over a new set of targets: a known id keeps its counters and last result."""
        for gone in self.records.keys() - targets.keys():
            del self.records[gone]
            self._sink.drop(values_owner(gone))
            self._sink.drop(state_owner(gone))
        for target_id, target in targets.items():
            record = self.records.get(target_id)
            if record is None:
                record = self.records[target_id] = Record(target, Streak(self._clock(), target.confirm, target.recover))
            elif record.target is target or record.target == target:
                continue
            else:
                record.become(target)
                self._publish_values(record)
            self._publish_state(record)

    def record(self, result: Result) -> None:
        """Take in one run of a known target."""
        record = self.records[result.target]
        record.runs[result.outcome] += 1
        record.last = result
        now = self._clock()
        record.fresh_until = now + STALE_INTERVALS * record.target.interval
        # Who does not answer has not answered since we asked; who does, may have come back only just now.
        record.streak.take(now - result.duration if result.outcome is Outcome.FAIL else now, result.outcome)
        if result.outcome is not Outcome.OK:
            record.failures.append(result)
        self._publish_values(record)
        self._publish_state(record)

    def skip(self, target_id: str) -> None:
        """Count a run that was left out."""
        record = self.records[target_id]
        record.skipped += 1
        self._publish_state(record)

    def expire(self) -> None:
        """Withdraw values that have had no result for three intervals."""
        now = self._clock()
        for target_id, record in self.records.items():
            if record.fresh_until < now and record.fresh_until:
                record.fresh_until = 0.0
                self._sink.drop(values_owner(target_id))

    def _publish_values(self, record: Record) -> None:
        if record.last is None or not record.fresh_until:
            return
        labels = (("target", record.target.id), ("system", record.target.system))
        self._sink.put(values_owner(record.target.id), labels, record.last.samples)

    def _publish_state(self, record: Record) -> None:
        samples = [record.info, Sample(SKIPPED, (), record.skipped)]
        samples += [Sample(RUNS, _OUTCOMES[outcome], count) for outcome, count in record.runs.items()]
        if record.last is not None:
            samples.append(Sample(RUN_TIMESTAMP, (), record.last.started))
            if record.last.reason is not None:
                samples.append(Sample(FAILURE_INFO, (record.last.reason.value,), 1))
        self._sink.put(state_owner(record.target.id), (("target", record.target.id),), samples)


def _info(target: Target) -> Sample:
    names = tuple(name for name, _ in target.labels)
    values = tuple(value for _, value in target.labels)
    metric = TARGET_INFO
    if names:
        metric = Metric(metric.name, metric.help, metric.type, (*metric.labels, *names))
    return Sample(metric, (target.system, target.kind, str(target.synthetic).lower(), *values), 1)
