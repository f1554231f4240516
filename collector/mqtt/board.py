"""What was heard of each topic, how old it is, and whose silence has lasted too long. No I/O and no clock."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from collector.documents import document, selected
from collector.measures import Measure
from collector.model import Emit, Metric, MetricType, ProbeFailed, Reason, Sample, Undecided
from collector.mqtt.spec import TOPIC_LABEL, Subscription

TIMESTAMP = Metric(
    "hatang_mqtt_message_timestamp_seconds",
    "Unix time at which the last message came; absent while only a retained one did, whose time nobody knows. "
    "Labels of the subscription follow.",
    labels=(TOPIC_LABEL,),
)
RETAINED = Metric(
    "hatang_mqtt_message_retained",
    "Whether the last message was a retained one: as old as it may be. Labels of the subscription follow.",
    labels=(TOPIC_LABEL,),
)
FRESH = Metric(
    "hatang_mqtt_topic_fresh",
    "Whether the last message is younger than max_age; absent until we have listened for that long. "
    "Labels of the subscription follow.",
    labels=(TOPIC_LABEL,),
)
MESSAGES = Metric(
    "hatang_mqtt_messages_total",
    "Messages that came, retained ones included, without those that were too long.",
    MetricType.COUNTER,
)
DROPPED = Metric(
    "hatang_mqtt_dropped_messages_total",
    "Messages left out: too long, of more topics than are remembered, or not what the target says.",
    MetricType.COUNTER,
    ("reason",),
)
TOPICS = Metric("hatang_mqtt_topics", "Topics of which something was heard.")
BOARD_METRICS = (TIMESTAMP, RETAINED, FRESH, MESSAGES, DROPPED, TOPICS)
# Topics whose place is remembered, so that filters need not be matched again.
_MOST_PLACES = 20_000
DROP_REASONS = ("too_large", "topics", "unreadable")


@dataclass(slots=True)
class Ear:
    """When something was last heard. Silence that was proven lasts until something is."""

    heard: float | None = None
    silent: bool = False

    def hear(self, now: float) -> None:
        """Something came just now."""
        self.heard, self.silent = now, False

    def fresh(self, now: float, since: float | None, max_age: float) -> bool | None:
        """Whether it is no older than `max_age`; None when we have not listened for long enough to know.

        `since` is when we began to listen without a gap, None when we do not.
        """
        if self.heard is not None and now - self.heard <= max_age:
            return True
        self.silent = self.silent or (since is not None and now - since > max_age)
        return False if self.silent else None


@dataclass(slots=True)
class Series:
    """One topic, or several that differ in unnamed wildcards only."""

    labels: tuple[str, ...]
    topic: str
    expected: bool
    ear: Ear = field(default_factory=Ear)
    heard_at: float | None = None
    retained: bool | None = None
    samples: tuple[Sample, ...] = ()

    @property
    def name(self) -> str:
        """For people: the labels, or the topic where there are none; what cannot be printed is marked."""
        name = "/".join(self.labels) or self.topic
        return name if name.isprintable() else "".join(each if each.isprintable() else "?" for each in name)


class Section:
    """What one subscription heard."""

    def __init__(self, subscription: Subscription, families: Mapping[str, Metric]) -> None:
        self.filter = subscription.filter
        self.max_age = subscription.max_age
        self.series: dict[tuple[str, ...], Series] = {}
        self._learns = subscription.expect == "learned"
        self._measures = tuple((measure, families[measure.name]) for measure in subscription.metrics)
        self._json = any(measure.value is not None for measure in subscription.metrics)
        self._any = Ear()
        labels = (TOPIC_LABEL, *self.filter.labels)
        self._own = {
            metric: Metric(metric.name, metric.help, metric.type, labels) for metric in (TIMESTAMP, RETAINED, FRESH)
        }
        if isinstance(subscription.expect, tuple):
            for name in subscription.expect:
                self.open(self.filter.values(name)).expected = True
        self._names_all = self._learns or bool(self.series)

    def open(self, labels: tuple[str, ...]) -> Series:
        """The series with these labels."""
        series = self.series.get(labels)
        if series is None:
            series = self.series[labels] = Series(labels, self.filter.filled(labels), self._learns)
        return series

    def hear(self, series: Series, payload: bytes, retained: bool, now: float, at: float) -> bool:
        """Take in a message; False when it is not what the subscription says."""
        samples = self._samples(series, payload)
        if self._measures and not samples:
            return False
        series.samples, series.retained = samples, retained
        if not retained:
            series.heard_at = at
            series.ear.hear(now)
            self._any.hear(now)
        return True

    def _samples(self, series: Series, payload: bytes) -> tuple[Sample, ...]:
        try:
            content = document(payload) if self._json else payload.decode().strip("\0 \t\r\n")
        except ValueError:
            return ()
        samples: list[Sample] = []
        for measure, family in self._measures:
            samples += _said(measure, family, series.labels, content)
        return tuple(samples)

    def emit(self, emit: Emit, now: float, since: float | None) -> None:
        """Tell of each series what is known, and its values unless they are too old."""
        for series in self.series.values():
            labels = (series.topic, *series.labels)
            fresh = None if self.max_age is None else series.ear.fresh(now, since, self.max_age)
            if series.heard_at is not None:
                emit(self._own[TIMESTAMP], series.heard_at, *labels)
            if series.retained is not None:
                emit(self._own[RETAINED], series.retained, *labels)
            if fresh is not None:
                emit(self._own[FRESH], fresh, *labels)
            if fresh or (fresh is None and since is not None):
                for metric, values, value in series.samples:
                    emit(metric, value, *values)

    def verdicts(self, now: float, since: float | None) -> Iterator[tuple[str, Ear, bool | None]]:
        """Name, ear and freshness of each series whose silence would be a failure."""
        if self.max_age is None:
            return
        if not self._names_all:
            yield self.filter.text, self._any, self._any.fresh(now, since, self.max_age)
        for series in self.series.values():
            if series.expected:
                yield series.name, series.ear, series.ear.fresh(now, since, self.max_age)


def _said(measure: Measure, family: Metric, labels: tuple[str, ...], content: Any) -> Iterable[Sample]:
    try:
        answer = content if measure.value is None else selected(content, measure.value)
        return [] if answer is None else measure.samples(family, labels, answer)
    except ValueError:
        return []


class Board:
    """All that one target heard since it began to listen."""

    def __init__(self, subscriptions: Iterable[Subscription], families: Mapping[str, Metric], max_topics: int) -> None:
        self.sections = tuple(Section(each, families) for each in subscriptions)
        self.messages = 0
        self.dropped = dict.fromkeys(DROP_REASONS, 0)
        self._room = max_topics - sum(len(section.series) for section in self.sections)
        self._known: dict[str, tuple[tuple[Section, Series], ...]] = {}

    def hear(self, topic: str, payload: bytes, retained: bool, now: float, at: float) -> None:
        """Take in a message that came `now` (monotonic seconds), `at` Unix seconds."""
        self.messages += 1
        places = self._known.get(topic) or self._find(topic)
        if places is None:
            self.dropped["topics"] += 1
            return
        good = [section.hear(series, payload, retained, now, at) for section, series in places]
        if not all(good):
            self.dropped["unreadable"] += 1

    def _find(self, topic: str) -> tuple[tuple[Section, Series], ...] | None:
        matches = [
            (section, labels) for section in self.sections if (labels := section.filter.match(topic)) is not None
        ]
        new = sum(labels not in section.series for section, labels in matches)
        if new > self._room:
            return None
        self._room -= new
        if len(self._known) >= _MOST_PLACES:
            self._known.clear()
        places = self._known[topic] = tuple((section, section.open(labels)) for section, labels in matches)
        return places

    def emit(self, emit: Emit, now: float, since: float | None) -> None:
        """Tell all that is known. `since` is when we began to listen without a gap; None when we do not."""
        emit(MESSAGES, self.messages)
        emit(TOPICS, sum(each.retained is not None for section in self.sections for each in section.series.values()))
        for reason in DROP_REASONS:
            emit(DROPPED, self.dropped[reason], reason)
        for section in self.sections:
            section.emit(emit, now, since)

    def judge(self, now: float, since: float) -> None:
        """Raises ProbeFailed when somebody is silent for too long, Undecided when that cannot be told yet."""
        verdicts = [verdict for section in self.sections for verdict in section.verdicts(now, since)]
        silent = [f"{name} ({_age(ear, now)})" for name, ear, fresh in verdicts if fresh is False]
        if silent:
            raise ProbeFailed(Reason.UNEXPECTED, f"{len(silent)} of {len(verdicts)} silent: {', '.join(silent)}")
        unheard = [name for name, _, fresh in verdicts if fresh is None]
        if unheard:
            raise Undecided(f"not heard yet in {now - since:.0f} s of listening: {', '.join(unheard)}")


def _age(ear: Ear, now: float) -> str:
    return "never heard" if ear.heard is None else f"for {now - ear.heard:.0f} s"
