"""Where panels stand: shelves of 24 columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from dashboards.spec import COLUMNS


@dataclass(frozen=True, slots=True)
class Box:
    """Position and size in grid units."""

    x: int
    y: int
    w: int
    h: int


def shelves(sizes: Sequence[tuple[int, int]], top: int) -> list[Box]:
    """Boxes for (width, height), left to right; a full shelf is followed by one below its highest box."""
    boxes: list[Box] = []
    x, y, highest = 0, top, 0
    for width, height in sizes:
        if x + width > COLUMNS:
            x, y, highest = 0, y + highest, 0
        boxes.append(Box(x, y, width, height))
        x, highest = x + width, max(highest, height)
    return boxes


def bottom(boxes: Sequence[Box], top: int) -> int:
    """First free line below."""
    return max((box.y + box.h for box in boxes), default=top)
