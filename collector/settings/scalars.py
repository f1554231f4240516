"""Plain scalars by the core schema of YAML 1.2.2, section 10.3.2.

Stricter in one point: a whole number with a leading zero (0123) stays text, because half of its readers take it for
octal. `no`, `12:30:45` and `2026-11-23` are text, as the core schema has it.
"""

from __future__ import annotations

import re

_WORDS: dict[str, bool | None] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
# 18 digits: all that fits 64 bits, and nothing that takes long to convert.
_INT = re.compile(r"[-+]?(?:0|[1-9][0-9]{0,17})")
_RADIX = re.compile(r"0o[0-7]{1,20}|0x[0-9a-fA-F]{1,15}")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]{1,300}|[0-9]{1,300}(?:\.[0-9]{0,300})?(?:[eE][-+]?[0-9]{1,3})?)")
_DIGITS = re.compile(r"[-+]?[0-9]+")
_SPECIAL = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")


def resolve(text: str) -> bool | float | str | None:
    """What a plain (unquoted) scalar means."""
    if text in _WORDS:
        return _WORDS[text]
    return _number(text) if text[0] in "+-.0123456789" else text


def _number(text: str) -> float | str:
    if _INT.fullmatch(text):
        return int(text)
    if _RADIX.fullmatch(text):
        return int(text, 0)
    if _SPECIAL.fullmatch(text):
        return float(text.replace(".", "", 1))
    if _FLOAT.fullmatch(text) and not _DIGITS.fullmatch(text):
        return float(text)
    return text
