"""History for a real Prometheus to start on: written as OpenMetrics text, and made into blocks by promtool."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

HOUR = 3600
# What a block may span, as Prometheus compacts them: each three of the next.
LENGTHS = (54 * HOUR, 18 * HOUR, 6 * HOUR, 2 * HOUR)
Span = tuple[int, int]
Stamps = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Past:
    """A series over time. `sampled`: since when each how many seconds, the coarsest first; `during`: only then."""

    name: str
    labels: Mapping[str, str]
    sampled: tuple[tuple[int, int], ...]
    values: Callable[[Stamps], Iterable[float]]
    during: tuple[Span, ...] = ()

    def stamps(self, span: Span) -> Stamps:
        """When it has samples within a span."""
        found = _stamps(self.sampled, span)
        if not self.during:
            return found
        return tuple(one for one in found if any(begin <= one < end for begin, end in self.during))


def spans(begin: int, end: int) -> list[Span]:
    """What blocks cover all seconds from `begin` to `end` (which is left out), without covering one twice."""
    found, at = [], begin - begin % LENGTHS[-1]
    while at < end:
        length = next((one for one in LENGTHS if at % one == 0 and at + one <= end), LENGTHS[-1])
        found.append((at, min(at + length, end)))
        at += length
    return found


def blocks(promtool: str, data: Path, span: Span, pasts: Iterable[Past]) -> int:
    """Make the block of a span; how many samples it has. Raises CalledProcessError."""
    text = data.with_name(f"{span[0]}.om")
    try:
        count = _written(text, span, pasts)
        if count:
            length = min(one for one in LENGTHS if one >= span[1] - span[0])
            words = [promtool, "tsdb", "create-blocks-from", f"--max-block-duration={length}s", "openmetrics"]
            words += ["--quiet", str(text), str(data)]
            subprocess.run(words, check=True, capture_output=True, text=True)
    finally:
        text.unlink(missing_ok=True)
    return count


def _written(text: Path, span: Span, pasts: Iterable[Past]) -> int:
    count = 0
    with text.open("w", encoding="utf-8") as file:
        for past in pasts:
            stamps = past.stamps(span)
            labels = ",".join(f'{name}="{_escaped(value)}"' for name, value in past.labels.items())
            head = f"{past.name}{{{labels}}} "
            ends = _ends(stamps) if not past.during else [f" {one}\n" for one in stamps]
            file.write("".join([f"{head}{value}{end}" for value, end in zip(past.values(stamps), ends, strict=False)]))
            count += len(stamps)
        file.write("# EOF\n")
    return count


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


@lru_cache(maxsize=32)
def _stamps(sampled: tuple[tuple[int, int], ...], span: Span) -> Stamps:
    found: list[int] = []
    for place, (since, step) in enumerate(sampled):
        until = sampled[place + 1][0] if place + 1 < len(sampled) else span[1]
        first = max(since, span[0])
        found += range(first + (since - first) % step, min(until, span[1]), step)
    return tuple(found)


@lru_cache(maxsize=32)
def _ends(stamps: Stamps) -> Sequence[str]:
    return [f" {one}\n" for one in stamps]
