"""How long a measurement may take, and whom it tells how far it is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Effort:
    """`rounds` of `seconds` each; `quick`: waits are cut short too, and figures get less steady."""

    rounds: int
    seconds: float
    quick: bool
    say: Callable[[str], None]
