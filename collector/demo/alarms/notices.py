"""What Alertmanager tells somebody, as the demo reads it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

# What a line may have of a text that somebody else wrote.
LONGEST = 160


@dataclass(frozen=True, slots=True)
class Alert:
    """One alert. `key` is the same as long as its labels are."""

    key: str
    labels: Mapping[str, str]
    vi: str
    en: str
    firing: bool

    @property
    def name(self) -> str:
        """Of its rule."""
        return self.labels.get("alertname", "")


@dataclass(frozen=True, slots=True)
class Notice:
    """One notification; `firing` while any of its alerts does. The titles are of all of them."""

    receivers: tuple[str, ...]
    firing: bool
    severity: str
    vi: str
    en: str
    alerts: tuple[Alert, ...]

    @property
    def content(self) -> frozenset[tuple[str, bool]]:
        """The same for all who are told the same."""
        return frozenset((alert.key, alert.firing) for alert in self.alerts)


def read(receiver: str, said: Mapping[str, Any]) -> Notice:
    """Out of the JSON of Alertmanager's webhooks. Raises KeyError, TypeError, AttributeError where it is none."""
    labels, texts = said["commonLabels"], said["commonAnnotations"]
    name = labels.get("alertname", "")
    return Notice(
        (receiver,),
        said["status"] == "firing",
        labels.get("severity", ""),
        short(texts.get("summary", name)),
        short(texts.get("summary_en", name)),
        tuple(map(_alert, said["alerts"])),
    )


def _alert(said: Mapping[str, Any]) -> Alert:
    texts = said["annotations"]
    return Alert(
        said["fingerprint"],
        said["labels"],
        short(texts.get("description", "")),
        short(texts.get("description_en", "")),
        said["status"] == "firing",
    )


def short(text: str) -> str:
    """On one line, without what would move the cursor, and not too long."""
    line = " ".join("".join(one if one.isprintable() else " " for one in text).split())
    return line if len(line) <= LONGEST else f"{line[: LONGEST - 1]}…"
