"""Both languages say the same, each in its own words."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from dashboards.words import Json, Language

# Where people read something.
_READ = frozenset({"title", "description", "label", "noValue", "content", "titleFormat", "text"})
# The same word in both languages.
_SAME = frozenset({"hatang", "IoT", "CPU", "TLS", "{{alertname}}", "3G", "4G", "5G"})


def faults(all_pages: Mapping[str, Json]) -> list[str]:
    """Pages that lack their other language, differ in more than words, or say the same words in both."""
    found = []
    for uid, page in sorted(all_pages.items()):
        stem, _, language = uid.rpartition("-")
        other = all_pages.get(f"{stem}-{Language.EN if language == Language.VI else Language.VI}")
        if other is None:
            found.append(f"{uid}: lacks its other language")
        elif language == Language.VI:
            found += [f"{uid}: {fault}" for fault in _compared(page, other, "")]
    return found


def _compared(vi: Any, en: Any, path: str) -> Iterator[str]:
    if type(vi) is not type(en):
        yield f"{path}: of another type in English"
    elif isinstance(vi, dict):
        # Columns of people's names have the language in their own.
        there = {_neutral(key): value for key, value in en.items()}
        if {_neutral(key) for key in vi} != there.keys():
            yield f"{path}: has other parts in English"
            return
        for key, value in vi.items():
            yield from _compared(value, there[_neutral(key)], f"{path}/{key}")
    elif isinstance(vi, list):
        if len(vi) != len(en):
            yield f"{path}: has {len(vi)} parts, in English {len(en)}"
        for place, (one, other) in enumerate(zip(vi, en, strict=False)):
            yield from _compared(one, other, f"{path}/{place}")
    elif isinstance(vi, str):
        yield from _worded(vi, en, path)
    elif vi != en:
        yield f"{path}: {vi!r}, in English {en!r}"


def _worded(vi: str, en: str, path: str) -> Iterator[str]:
    key = path.rpartition("/")[2]
    if key in _READ and vi == en and vi not in _SAME and re.search(r"[^\W\d_]{3}", vi) and "{{" not in vi:
        yield f"{path}: the same in both languages: {vi!r}"
    if key in {"expr", "url", "uid", "query"} and _neutral(vi) != _neutral(en):
        yield f"{path}: asks something else in English"


def _neutral(text: str) -> str:
    return re.sub(r"name_(?:vi|en)\b", "name", re.sub(r"(hatang-[a-z-]+)-(?:vi|en)\b", r"\1", text))
