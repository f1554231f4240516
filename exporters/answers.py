"""Targets as programs and people read them: JSON of the API, service discovery, and the story of one run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from collector.model import Result, Sample
from collector.settings import Config
from collector.state import Record
from exporters.exposition import escape, number


def choose(records: Iterable[Record], query: Mapping[str, str]) -> list[Record]:
    """Those of the records that the query's `target`, `kind`, `system` and `outcome` select."""
    wanted = {name: query[name] for name in ("target", "kind", "system", "outcome") if name in query}
    return [record for record in records if all(_property(record, name) == value for name, value in wanted.items())]


def _property(record: Record, name: str) -> str | None:
    if name == "outcome":
        return record.last.outcome.value if record.last else None
    return {"target": record.target.id, "kind": record.target.kind, "system": record.target.system}[name]


def result(last: Result) -> dict[str, Any]:
    """One run; `started` is Unix seconds, `duration` seconds."""
    return {
        "outcome": last.outcome.value,
        "reason": last.reason.value if last.reason else None,
        "detail": last.detail,
        "started": last.started,
        "duration": last.duration,
    }


def target(record: Record) -> dict[str, Any]:
    """One target with its counters, last result and last failures; runs may end meanwhile, on another thread."""
    configured = record.target
    return {
        "id": configured.id,
        "system": configured.system,
        "kind": configured.kind,
        "peer": configured.spec.peer,
        "interval": configured.interval,
        "timeout": configured.timeout,
        "required": configured.required,
        "synthetic": configured.synthetic,
        "labels": dict(configured.labels),
        "runs": {outcome.value: count for outcome, count in record.runs.items()},
        "skipped": record.skipped,
        "verdict": record.streak.verdict.value,
        "unsettled": record.streak.unsettled,
        "last": result(record.last) if record.last else None,
        "failures": [result(failure) for failure in tuple(record.failures)],
    }


def discovery(records: Iterable[Record], config: Config) -> list[dict[str, Any]]:
    """Target groups of Prometheus' HTTP service discovery: the address, and what we know as `__meta_hatang_*`."""
    groups = []
    for record in records:
        configured = record.target
        system = config.systems[configured.system]
        meta = {
            "target": configured.id,
            "kind": configured.kind,
            "system": system.id,
            "category": system.category,
            "owner": system.owner,
            "hosting": system.hosting or "",
            "synthetic": str(configured.synthetic).lower(),
            **{f"label_{name}": value for name, value in configured.labels},
        }
        labels = {f"__meta_hatang_{name}": value for name, value in meta.items()}
        groups.append({"targets": [getattr(configured.spec, "url", configured.spec.peer)], "labels": labels})
    return groups


def debug(record: Record, last: Result, origins: Mapping[str, tuple[str, str]]) -> str:
    """What a person needs to see why a run ended as it did."""
    lines = [f"target {record.target.id} ({record.target.kind}, system {record.target.system})", *_story(last)]
    lines += ["", "measured:", *(f"  {line(sample)}" for sample in last.samples)]
    lines += ["", "settings:", *(f"  {name} = {value}  ({where})" for name, (value, where) in origins.items())]
    lines += ["", f"last {len(record.failures)} failures:"]
    lines += [f"  {_moment(failure)} {failure.reason}: {failure.detail}" for failure in reversed(record.failures)]
    return "\n".join(lines) + "\n"


def line(sample: Sample) -> str:
    """A sample as `name{label="value"} 1.0`."""
    pairs = zip(sample.metric.labels, sample.labels, strict=True)
    inner = ",".join(f'{name}="{escape(value)}"' for name, value in pairs)
    return (
        f"{sample.metric.name}{{{inner}}} {number(sample.value)}"
        if inner
        else f"{sample.metric.name} {number(sample.value)}"
    )


def _story(last: Result) -> list[str]:
    verdict = f"{last.outcome}" + (f": {last.reason}: {last.detail}" if last.reason else "")
    return [verdict, f"began {_moment(last)}, took {last.duration * 1000:.2f} ms"]


def _moment(last: Result) -> str:
    return datetime.fromtimestamp(last.started, UTC).isoformat(timespec="milliseconds")
