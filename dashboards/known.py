"""Names of series that exist: what the service declares, what configuration adds, what rules record."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

import yaml

from dashboards.words import Json

ROOT: Final = Path(__file__).parent.parent
RULES: Final = ROOT / "deploy" / "prometheus" / "rules"
# Labels that Prometheus adds.
SCRAPED: Final = frozenset({"job", "instance"})
_POLLED: Final = frozenset({"target", "system"})
# Labels of a series; None where configuration may add more.
Labels = frozenset[str] | None

# What Prometheus and the client library for processes give.
_PROCESS: Final = ("cpu_seconds_total", "resident_memory_bytes", "open_fds", "max_fds", "start_time_seconds")
_GIVEN: Final = dict.fromkeys(
    ("up", "scrape_duration_seconds", "scrape_samples_scraped", *(f"process_{name}" for name in _PROCESS)), SCRAPED
)


@cache
def declared() -> Mapping[str, Labels]:
    """What the service declares: the tables that README.md gets, which are made of the constants in the code."""
    from exporters import reference  # noqa: PLC0415  loads the whole service, which only a check needs

    found: dict[str, Labels] = {}
    own: frozenset[str] = frozenset()
    for line in reference.metrics().splitlines():
        row = re.match(r"\| `(\w+)` \| (\w+) \| ([\w, ]*) \|", line)
        if row:
            labels = frozenset(filter(None, row[3].split(", ")))
            found[row[1]] = None if row[1] == "hatang_target_info" else found.get(row[1]) or (labels | own | SCRAPED)
        elif line.endswith(":"):
            own = frozenset(re.findall(r"`(\w+)`", line.partition("(")[2]))
    return found


def configured() -> Mapping[str, Labels]:
    """What device profiles, brokers, APIs and databases give by configuration, the demo's included."""
    found: dict[str, Labels] = {}
    for file in sorted((ROOT / "config" / "devices.d").glob("*.yaml")):
        found |= _of_profile(_read(file))
    for folder in (ROOT / "config" / "targets.d", ROOT / "collector" / "demo" / "overlay" / "targets.d"):
        for file in sorted(folder.glob("*.yaml")):
            found |= dict.fromkeys(_names(_read(file)), None)
    return found


def _of_profile(profile: Json) -> dict[str, Labels]:
    found: dict[str, Labels] = {one["name"]: None for one in profile.get("scalars", ())}
    for table in profile.get("tables", ()):
        labels = {one if isinstance(one, str) else one["name"] for one in table.get("labels", ())}
        for column in table["columns"]:
            of_its_own = {column.get("label", column["name"]).removesuffix("_info")}
            found[column["name"]] = frozenset(labels | of_its_own | _POLLED | SCRAPED)
    return found


def _names(part: Any) -> Iterator[str]:
    """Names of the metrics that targets declare, wherever in the file."""
    if isinstance(part, dict):
        for one in part.get("metrics") or ():
            if isinstance(one, dict) and "name" in one:
                yield one["name"]
        for value in part.values():
            yield from _names(value)
    elif isinstance(part, list):
        for value in part:
            yield from _names(value)


def _read(file: Path) -> Json:
    found: Json = yaml.safe_load(file.read_text(encoding="utf-8")) or {}
    return found


def recorded() -> Mapping[str, Labels]:
    """What the recording rules write."""
    files = [_read(file) for file in sorted(RULES.glob("*.yaml"))]
    rules = (rule for file in files for group in file.get("groups", ()) for rule in group["rules"])
    return {rule["record"]: None for rule in rules if "record" in rule}


@cache
def known() -> Mapping[str, Labels]:
    """Everything that a query may read."""
    return {**recorded(), **configured(), **declared(), **_GIVEN, "ALERTS": None}
