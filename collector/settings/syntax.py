"""libyaml's complaints in words that say what to change."""

from __future__ import annotations

import yaml

from collector.settings.faults import quoted
from collector.settings.source import Position

_HINTS = {
    "mapping values are not allowed in this context": "':' is not allowed here: put the text in quotes, or check the "
    "indentation",
    "could not find expected ':'": "expected ':' and a value after this key",
    "did not find expected key": "this does not line up with the keys above it: check the indentation",
    "did not find expected '-' indicator": "expected '-' here: check the indentation of the list",
    "did not find expected ',' or '}'": "expected ',' or '}'",
    "did not find expected ',' or ']'": "expected ',' or ']'",
    "block sequence entries are not allowed in this context": "a list item is not allowed here: put it on its own line",
    "found unknown escape character": "unknown escape in double quotes: use single quotes, or double the backslash",
    "found a tab character that violates indentation": "a tab: YAML is indented with spaces",
    "found a tab character where an indentation space is expected": "a tab: YAML is indented with spaces",
}
_COLLECTIONS = {"while parsing a flow mapping": "a {…}", "while parsing a flow sequence": "a […]"}
_CONTEXTS = {**_COLLECTIONS, "while scanning a simple key": "a key"}


def explained(error: yaml.MarkedYAMLError, text: str) -> tuple[Position, str]:
    """Position from 1 and message of a fault that libyaml found in `text`."""
    mark = error.problem_mark or error.context_mark
    if mark is None:
        return (1, 1), error.problem or "not YAML"
    at = mark.line + 1, mark.column + 1
    if not text[mark.index :].strip():
        return _end(text), "the file ends in the middle" + _inside(error, " of ")
    problem = error.problem or "not YAML"
    if problem == "found character that cannot start any token":
        return at, _cannot_start(text[mark.index])
    hint = _HINTS.get(problem, problem)
    return at, hint + (_inside(error, " in ") if error.context in _COLLECTIONS else "")


def _inside(error: yaml.MarkedYAMLError, word: str) -> str:
    context = error.context or ""
    what = "a quoted text" if "quoted scalar" in context else _CONTEXTS.get(context)
    return f"{word}{what} that begins on line {error.context_mark.line + 1}" if what and error.context_mark else ""


def _end(text: str) -> Position:
    whole = text.rstrip()
    return whole.count("\n") + 1, len(whole) - whole.rfind("\n")


def _cannot_start(char: str) -> str:
    if char == "\t":
        return "a tab: YAML is indented with spaces"
    return f"text that begins with {quoted(char)} must be in quotes"


def unreadable(error: yaml.reader.ReaderError, text: str) -> tuple[Position, str]:
    """Position and message of a character that YAML does not allow."""
    for number, line in enumerate(text.split("\n"), start=1):
        for column, char in enumerate(line, start=1):
            if not _printable(char):
                return (number, column), f"control character U+{ord(char):04X} is not allowed"
    return (1, 1), f"not YAML: {error.reason}"


def _printable(char: str) -> bool:
    # YAML 1.2.2, section 5.1, [1] c-printable
    code = ord(char)
    if code < 0x20:
        return char in "\t\r"
    return not 0x7F <= code < 0xA0 or code == 0x85 if code < 0xA0 else code not in {0xFFFE, 0xFFFF}
