"""The service with an ear on it: `python -m tests.bench.recording --config DIR --listen HOST:PORT`.

Serves as `hatang run` does until SIGTERM, and writes when each run of the targets `slow-*` ended, how long it took
and whether it was ok, as a JSON list of [seconds of the monotonic clock, seconds, true], to DIR/../durations.json.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import time
from collections.abc import Iterable
from pathlib import Path

import uvloop

from collector.model import Labels, Sample
from collector.runner import DURATION, SUCCESS
from exporters.app import serve
from exporters.exposition import Exposition

WATCHED = "slow-"


class Recording(Exposition):
    """An exposition that remembers the durations of the watched targets."""

    def __init__(self) -> None:
        super().__init__()
        self.durations: list[tuple[float, float, bool]] = []

    def put(self, owner: str, labels: Labels, samples: Iterable[Sample]) -> None:
        """Put, and remember."""
        if owner.startswith(f"values {WATCHED}"):
            samples = tuple(samples)
            values = {sample.metric.name: sample.value for sample in samples}
            self.durations.append((time.monotonic(), values[DURATION.name], values.get(SUCCESS.name) == 1))
        super().put(owner, labels, samples)


async def record(config: Path, listen: str) -> None:
    """Serve, then write."""
    recording = Recording()
    await serve([config], listen, recording)
    text = json.dumps(recording.durations)
    await asyncio.to_thread((config.parent / "durations.json").write_text, text, encoding="utf-8")


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--config", type=Path, required=True)
    parser.add_argument("--listen", required=True)
    given = parser.parse_args()
    uvloop.run(record(given.config, given.listen))
