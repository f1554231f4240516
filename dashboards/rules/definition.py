"""What the files of definitions may hold, and their placeholders."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from itertools import product
from pathlib import Path
from typing import Any, Literal, TypeAlias

import yaml
from pydantic import BaseModel, ConfigDict, Field, field_validator

HERE = Path(__file__).parent
_PLACE = re.compile(r"@\{(\w+)\}")
_WINDOW = re.compile(r"^(\d+)([smhd])$")
UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
# What `@{code_state}` stands for, as `hatang_system_state` counts.
STATES = {"down": 0, "up": 1, "degraded": 2, "unreachable": 3, "maintenance": 4, "unknown": 5}
# Longest interval of a group: an instant query looks back 5 minutes.
LONGEST = 240

Words: TypeAlias = Mapping[str, str]
Area = Literal["system", "power", "mobile", "coverage", "feed", "plan", "self"]


class RuleError(Exception):
    """A definition that cannot work; the message is for people."""


class Part(BaseModel):
    """Frozen; unknown keys are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Pair(Part):
    """A long and a short window; time lost `factor` times faster than allowed in both raises an alert."""

    long: str
    short: str
    factor: float
    severity: Literal["critical", "warning"]


class Thresholds(Part):
    """What the rules compare with."""

    province: str
    job: str
    runbooks: str
    alertmanager: float
    objectives: dict[str, float]
    burn: tuple[Pair, ...]
    burn_observed: float
    values: dict[str, float | int | str]

    def words(self) -> dict[str, str]:
        """As placeholders; shares also as percentages."""
        found = {"job": self.job, "burn_observed": f"{self.burn_observed:g}"}
        for name, value in self.values.items():
            found[name] = value if isinstance(value, str) else f"{value:.10g}"
            if name.endswith("_share") and not isinstance(value, str):
                found[f"percent_{name}"] = f"{value * 100:g} %"
        return found


class Definition(Part):
    """A rule before it is spelled out: recording (`record`) or alerting (`alert`)."""

    record: str = ""
    alert: str = ""
    expr: str
    each: dict[str, tuple[str, ...]] = {}
    burn: str = ""
    labels: dict[str, str] = {}
    severity: str = ""
    area: Area | None = None
    hold: str = Field("0s", alias="for")
    keep_firing_for: str = ""
    vi: tuple[str, ...] = ()
    en: tuple[str, ...] = ()

    @field_validator("vi", "en")
    @classmethod
    def _composed(cls, texts: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(unicodedata.normalize("NFC", text) for text in texts)


class Group(Part):
    """Rules that are evaluated together, in order."""

    name: str
    interval: str
    rules: tuple[Definition, ...]

    @field_validator("interval")
    @classmethod
    def _often(cls, interval: str) -> str:
        if seconds(interval) > LONGEST:
            raise ValueError(f"evaluated every {interval}: holes for instant queries; at most {LONGEST} s")
        return interval


def seconds(window: str) -> int:
    """Seconds of `1h`. Raises RuleError."""
    match = _WINDOW.match(window)
    if match is None:
        raise RuleError(f"{window!r} is no duration")
    return int(match[1]) * UNITS[match[2]]


def spelled(text: str, words: Words) -> str:
    """The text with its placeholders filled in, from the inside out. Raises RuleError for one that nobody knows."""

    def fill(match: re.Match[str]) -> str:
        if match[1] not in words:
            raise RuleError(f"nobody says what @{{{match[1]}}} is in {text.strip()[:80]!r}")
        return words[match[1]]

    while _PLACE.search(text):
        text = _PLACE.sub(fill, text)
    return text


def choices(each: Mapping[str, tuple[str, ...]]) -> Iterator[dict[str, str]]:
    """All combinations, with what follows from a window, a level and a state."""
    for values in product(*each.values()):
        words = dict(zip(each, values, strict=True))
        if "window" in words:
            words["seconds_window"] = str(seconds(words["window"]))
        if "level" in words:
            words["by_level"] = "" if words["level"] == "province" else words["level"]
        if "state" in words:
            words["code_state"] = str(STATES[words["state"]])
        yield words


def read(path: Path) -> Any:
    """A YAML file."""
    return yaml.safe_load(path.read_text())


def thresholds() -> Thresholds:
    """What rules compare with."""
    return Thresholds.model_validate(read(HERE / "thresholds.yaml"))


def phrases() -> dict[str, str]:
    """Parts of texts that several alerts share."""
    return {name: unicodedata.normalize("NFC", text) for name, text in read(FOLDER / "phrases.yaml")["phrases"].items()}


FOLDER = HERE / "definitions"


def groups(path: Path) -> tuple[Group, ...]:
    """The groups of one file of definitions."""
    return tuple(Group.model_validate(one) for one in read(path)["groups"])


def files() -> list[Path]:
    """Files of definitions, in order."""
    return [path for path in sorted(FOLDER.glob("*.yaml")) if path.stem != "phrases"]
