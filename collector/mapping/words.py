"""Texts of tables: blanks, names, and words that stand for something."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Iterable, Mapping
from fnmatch import translate
from typing import TypeVar

from collector.records import CellState, Technology

T = TypeVar("T")
SHOWN = 40
LONGEST_ID, LONGEST_TEXT = 120, 200
_REMEMBERED = 2_000
_LIST = re.compile(r"\s*[,;/+&|\n]\s*")
_VILLAGES = re.compile(r"\s*[,;\n]\s*")
_INVISIBLE = re.compile("[\u200b\u200c\u200d\u2060\ufeff\u00ad]")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_TECHNOLOGIES: Mapping[str, Technology] = {
    **dict.fromkeys(("2g", "gsm", "gprs", "edge", "gsm 2g"), Technology.G2),
    **dict.fromkeys(("3g", "umts", "wcdma", "hspa", "hspa+", "hsdpa", "utran"), Technology.G3),
    **dict.fromkeys(("4g", "lte", "lte-a", "lte-tdd", "lte-fdd", "e-utran", "eutran"), Technology.G4),
    **dict.fromkeys(("5g", "nr", "5g nr", "5g sa", "5g nsa", "5g-sa", "5g-nsa", "ng-ran"), Technology.G5),
}
_BOOLEANS: Mapping[str, bool] = {
    **dict.fromkeys(("1", "true", "t", "yes", "y", "x", "có", "co", "đúng"), True),
    **dict.fromkeys(("0", "false", "f", "no", "n", "không", "khong", "sai"), False),
}
STATES: Mapping[str, CellState] = {state.value: state for state in CellState}


def folded(text: str) -> str:
    """A heading or a word as it is compared: NFC, without case, blanks collapsed, invisible characters removed."""
    if not text.isascii():
        text = _INVISIBLE.sub("", unicodedata.normalize("NFC", text))
    return " ".join(text.split()).casefold()


def shown(value: object) -> str:
    """A value in a message: short, and on one line."""
    text = repr(value) if isinstance(value, str) else repr(str(value))
    return text if len(text) <= SHOWN else f"{text[: SHOWN - 4]}...'"


def text(value: object, longest: int = LONGEST_TEXT) -> str:
    """A value as text for people: NFC, one line, cut to `longest` characters. Raises ValueError for a structure."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, (dict, list, tuple, set)):
        raise ValueError(f"{shown(value)} is no text")
    plain = str(value)
    if not plain.isascii():
        plain = _INVISIBLE.sub("", unicodedata.normalize("NFC", plain))
    return " ".join(_CONTROL.sub(" ", plain).split())[:longest]


def code(value: object) -> str:
    """A value as an identifier. Raises ValueError when it is too long to be one, or nothing."""
    found = text(value, LONGEST_ID + 1)
    if not found:
        raise ValueError("blank")
    if len(found) > LONGEST_ID:
        raise ValueError(f"{shown(found)} is over {LONGEST_ID} characters")
    return found


def codes(value: object) -> tuple[str, ...]:
    """Identifiers in a list, or in a text that separates them."""
    parts: Iterable[object] = value if isinstance(value, (list, tuple)) else _VILLAGES.split(text(value, 1 << 20))
    return tuple(dict.fromkeys(code(part) for part in parts if part not in {"", None}))


class Blanks:
    """Tells what is nothing: no value, no text, NaN, and the words that a map declares."""

    def __init__(self, words: Iterable[str]) -> None:
        self._words = frozenset(folded(word) for word in words) | {""}
        # Most values begin as none of the words does, and there are millions of them.
        self._initials = frozenset(letter for word in self._words for letter in (word[:1], word[:1].upper()))

    def __call__(self, value: object) -> object:
        """The value, texts without blanks around them; None when it is nothing."""
        if isinstance(value, str):
            bare = value.strip()
            return None if bare[:1] in self._initials and folded(bare) in self._words else bare
        return None if isinstance(value, float) and math.isnan(value) else value


class Words(dict[str, T]):
    """Words and what they stand for, compared folded; the first pattern with `*` that matches, where no word does."""

    def __init__(self, *mappings: Mapping[str, T]) -> None:
        """Words of a later mapping stand before those of an earlier one."""
        super().__init__()
        patterns = {}
        for mapping in mappings:
            for word, meaning in mapping.items():
                if "*" in word:
                    escaped = folded(word).replace("[", "[[]").replace("?", "[?]")
                    patterns[escaped] = meaning
                else:
                    self[folded(word)] = meaning
        self._patterns = tuple((re.compile(translate(pattern)), meaning) for pattern, meaning in patterns.items())
        self._known: dict[str, T] = {}

    def find(self, value: object) -> T:
        """What `value` stands for. Raises ValueError."""
        if not isinstance(value, str):
            return self._meaning(value)
        if value not in self._known:
            found = self._meaning(value)
            if len(self._known) >= _REMEMBERED:
                return found
            self._known[value] = found
        return self._known[value]

    def _meaning(self, value: object) -> T:
        word = folded(text(value))
        if word in self:
            return self[word]
        for pattern, meaning in self._patterns:
            if pattern.match(word):
                return meaning
        raise ValueError(f"{shown(value)} is none of {', '.join(list(self)[:8]) or 'the words of the map'}")


class States(Words[CellState]):
    """States by their words."""

    def __init__(self, own: Mapping[str, CellState]) -> None:
        super().__init__(STATES, own)


class Booleans(Words[bool]):
    """Truth by its words; numbers 1 and 0 too."""

    def __init__(self, own: Mapping[str, bool]) -> None:
        super().__init__(_BOOLEANS, own)


class Technologies(Words[Technology | None]):
    """Generations by what they are called; a text or a list may name several."""

    def __init__(self, own: Mapping[str, Technology | None]) -> None:
        super().__init__(_TECHNOLOGIES, own)
        self._named: dict[str, tuple[Technology, ...]] = {}

    def of(self, value: object) -> tuple[Technology, ...]:
        """The generations that `value` names, once each; those that the map leaves out are not among them."""
        if isinstance(value, str) and value in self._named:
            return self._named[value]
        parts: Iterable[object] = value if isinstance(value, (list, tuple)) else (value,)
        found = {each for part in parts for each in self._split(part) if each is not None}
        named = tuple(sorted(found, key=lambda each: each.rank))
        if isinstance(value, str) and len(self._named) < _REMEMBERED:
            self._named[value] = named
        return named

    def _split(self, value: object) -> Iterable[Technology | None]:
        try:
            return (self.find(value),)
        except ValueError:
            parts = _LIST.split(text(value))
            if len(parts) == 1:
                raise
        return [self.find(part) for part in parts if part]
