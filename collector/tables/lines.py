"""One line of a table, as a file has it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Line:
    """Values of one record, and the number that an editor or a spreadsheet shows it with; `problem` is why not."""

    number: int
    values: Sequence[object]
    problem: str = ""

    @property
    def text(self) -> str:
        """Its values in one text, as far as there are any."""
        return " ".join(str(value) for value in self.values if value not in {"", None})

    @property
    def is_blank(self) -> bool:
        """Whether it holds nothing."""
        return not self.problem and not any(value is not None and str(value).strip() for value in self.values)
