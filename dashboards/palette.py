"""Colours and what values are called: the only place with hex values.

The colours are those of Okabe and Ito (2008), which all people can tell apart; a text goes with each.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from dashboards.words import NO_DATA, Text, text


class Colour(StrEnum):
    """By meaning, so that a page cannot mix them up."""

    GOOD = "#0072B2"
    WARNING = "#E69F00"
    BAD = "#D55E00"
    ELSEWHERE = "#F0E442"  # broken, but by another's fault
    PLANNED = "#CC79A7"
    UNKNOWN = "#999999"  # we could not tell
    NO_DATA = "#555555"  # nobody told us anything
    NEUTRAL = "#56B4E9"


@dataclass(frozen=True, slots=True)
class Word:
    """What a value says."""

    text: Text
    colour: Colour


NOTHING = Word(NO_DATA, Colour.NO_DATA)

# Values of coded series; the order is that of sorting, worst first.
STATES: dict[str, dict[str, Word]] = {
    "system": {
        "0": Word(text("Ngừng", "Down"), Colour.BAD),
        "1": Word(text("Hoạt động", "Up"), Colour.GOOD),
        "2": Word(text("Suy giảm", "Degraded"), Colour.WARNING),
        "3": Word(text("Không tới được", "Unreachable"), Colour.ELSEWHERE),
        "4": Word(text("Bảo trì", "Maintenance"), Colour.PLANNED),
        "5": Word(text("Không rõ", "Unknown"), Colour.UNKNOWN),
    },
    "plan": {
        "0": Word(text("Không đạt", "Missed"), Colour.BAD),
        "1": Word(text("Chậm", "Behind"), Colour.WARNING),
        "2": Word(text("Không rõ", "Unknown"), Colour.UNKNOWN),
        "3": Word(text("Đúng tiến độ", "On track"), Colour.NEUTRAL),
        "4": Word(text("Đạt", "Met"), Colour.GOOD),
    },
    "basis": {
        "law": Word(text("Luật", "Law"), Colour.GOOD),
        "plan": Word(text("Kế hoạch", "Plan"), Colour.GOOD),
        "seed": Word(text("Báo cáo", "Report"), Colour.GOOD),
        "proposed": Word(text("Đề xuất, chưa chính thức", "Proposed, not official"), Colour.UNKNOWN),
    },
    "result": {
        "0": Word(text("Lỗi", "Failing"), Colour.BAD),
        "1": Word(text("Tốt", "Good"), Colour.GOOD),
    },
    "fault": {
        "0": Word(text("Không", "No"), Colour.GOOD),
        "1": Word(text("Có", "Yes"), Colour.BAD),
    },
    "site": {
        "0": Word(text("Không phát sóng", "Off air"), Colour.BAD),
        "1": Word(text("Phát sóng", "On air"), Colour.GOOD),
    },
    "link": {
        "0": Word(text("Ngừng", "Down"), Colour.BAD),
        "1": Word(text("Thông", "Up"), Colour.GOOD),
    },
    "fresh": {
        "0": Word(text("Im lặng", "Silent"), Colour.BAD),
        "1": Word(text("Có tin", "Heard"), Colour.GOOD),
    },
    "synthetic": {
        "true": Word(text("Mô phỏng", "Simulated"), Colour.PLANNED),
        "false": Word(text("Thật", "Real"), Colour.GOOD),
    },
}

# What colour a value has from a limit on; None begins. Only limits that no plan sets: plans give theirs as series.
SCALES: dict[str, tuple[tuple[float | None, Colour], ...]] = {
    "neutral": ((None, Colour.NEUTRAL),),
    "none-is-good": ((None, Colour.GOOD), (1, Colour.BAD)),
    "some-is-notable": ((None, Colour.GOOD), (1, Colour.WARNING)),
    "gap": ((None, Colour.GOOD), (0.000001, Colour.BAD)),
    "budget": ((None, Colour.BAD), (0, Colour.WARNING), (0.25, Colour.GOOD)),
    "observed": ((None, Colour.UNKNOWN), (0.99, Colour.GOOD)),
    "certificate-days": ((None, Colour.BAD), (7, Colour.WARNING), (21, Colour.GOOD)),
    "usage": ((None, Colour.GOOD), (0.8, Colour.WARNING), (0.9, Colour.BAD)),
    "battery-minutes": ((None, Colour.BAD), (30, Colour.WARNING), (60, Colour.GOOD)),
    "temperature": ((None, Colour.GOOD), (27, Colour.WARNING), (32, Colour.BAD)),
    "age": ((None, Colour.GOOD), (60, Colour.WARNING), (300, Colour.BAD)),
    "lag": ((None, Colour.GOOD), (0.1, Colour.WARNING), (1, Colour.BAD)),
    "loss": ((None, Colour.GOOD), (0.01, Colour.WARNING), (0.1, Colour.BAD)),
}

TECHNOLOGIES = {"5G": Colour.GOOD, "4G": Colour.NEUTRAL, "3G": Colour.WARNING, "none": Colour.BAD}
SEVERITIES = {"critical": Colour.BAD, "warning": Colour.WARNING}
MAINTENANCE = Colour.PLANNED
