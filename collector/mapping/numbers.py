"""Numbers as people write them: decimal commas, groups of three, percentages, fractions."""

from __future__ import annotations

import math
import re
import unicodedata

from collector.mapping.rowmap import NumberFormat
from collector.mapping.words import shown

_PLAIN = re.compile(r"[+-]?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]{1,3})?")
_FRACTION = re.compile(r"(?:([0-9]{1,9})\s+)?([0-9]{1,9})\s*[/\u2044\u2215]\s*([0-9]{1,9})")
_VULGAR = re.compile(r"([0-9]{1,9})?\s*([\u00bc-\u00be\u2150-\u215e\u2189])")
_SPACES = str.maketrans({"\u00a0": " ", "\u202f": " ", "\u2009": " ", "\u2212": "-", "\u2019": "'"})


class Numbers:
    """Reads numbers of one notation. Everything raises ValueError for what is none, or is not finite."""

    def __init__(self, notation: NumberFormat) -> None:
        self._decimal, self._thousands = notation.decimal, notation.thousands
        point, group = re.escape(notation.decimal), re.escape(notation.thousands)
        whole = rf"[0-9]{{1,3}}(?:{group}[0-9]{{3}})+|[0-9]+" if group else "[0-9]+"
        self._pattern = re.compile(rf"[+-]?(?:{whole})(?:{point}[0-9]+)?(?:[eE][+-]?[0-9]{{1,3}})?")
        self._is_plain = notation.decimal == "." and not notation.thousands

    def number(self, value: object) -> float:
        """A number, or a text that is one in this notation."""
        if isinstance(value, str):
            return self._finite(self._parsed(value), value)
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            return self._finite(value, value)
        raise ValueError(f"{shown(value)} is no number")

    def share(self, value: object) -> float:
        """A number; a percentage as a ratio (13.3 % is 0.133) and a fraction as what it is worth (4/5, ½, 1 ½)."""
        if not isinstance(value, str):
            return self.number(value)
        text = value.translate(_SPACES).strip()
        if text.endswith("%"):
            return self.number(text[:-1].strip()) / 100
        if match := _VULGAR.fullmatch(text):
            return int(match[1] or 0) + unicodedata.numeric(match[2])
        if match := _FRACTION.fullmatch(text):
            if int(match[3]) == 0:
                raise ValueError(f"{shown(value)} divides by zero")
            return int(match[1] or 0) + int(match[2]) / int(match[3])
        return self.number(value)

    def _parsed(self, value: str) -> float:
        if self._is_plain and _PLAIN.fullmatch(value):
            return float(value)
        text = value.translate(_SPACES).strip()
        if not self._pattern.fullmatch(text):
            raise ValueError(f"{shown(value)} is no number")
        if self._thousands:
            text = text.replace(self._thousands, "")
        return float(text.replace(self._decimal, "."))

    @staticmethod
    def _finite(number: float, value: object) -> float:
        try:
            found = float(number)
        except OverflowError:
            found = math.inf
        if not math.isfinite(found):
            raise ValueError(f"{shown(value)} is not finite")
        return found
