"""The rows of a document, as a map's `document` says."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator
from typing import Any

from collector.documents import refutation, selected
from collector.fields import JmesPath
from collector.mapping.layout import DocumentLayout, Pairs
from collector.measures import number
from collector.model import ProbeFailed, Reason


def rows(document: Any, layout: DocumentLayout) -> list[Any]:
    """Rows of `document`, in its order; those that are no objects are left as they are.

    Raises ProbeFailed(PROTOCOL) where there is neither a list nor, where `key` is given, a map of rows.
    """
    where = "the document" if layout.rows is None else f"what {layout.rows.text} selects"
    found = document if layout.rows is None else _selected(document, layout.rows)
    if isinstance(found, list):
        listed: Iterable[Any] = found
    elif isinstance(found, dict) and layout.key is not None:
        listed = _keyed(found, layout.key)
    else:
        expected = "list" if layout.key is None else "list or map"
        raise ProbeFailed(Reason.PROTOCOL, f"{where} is {_kind(found)}, not a {expected} of rows")
    return [_paired(row, layout.pairs) for row in listed] if layout.pairs else list(listed)


def is_complete(document: Any, layout: DocumentLayout) -> bool:
    """Whether `document` says itself that it is whole; true where nothing is asked of it."""
    return layout.complete is None or refutation(document, layout.complete) is None


def total(document: Any, path: JmesPath | None) -> int | None:
    """How many rows `document` says there are in all its pages; None where it does not say."""
    if path is None:
        return None
    try:
        return int(number(selected(document, path)))
    except ValueError:
        return None


def _selected(document: Any, path: JmesPath) -> Any:
    try:
        return selected(document, path)
    except ValueError as error:
        raise ProbeFailed(Reason.PROTOCOL, str(error)) from error


def _kind(value: Any) -> str:
    kinds = ((dict, "an object"), (list, "a list"), (str, "a text"), (type(None), "nothing"))
    return next((text for kind, text in kinds if isinstance(value, kind)), "a number")


def _keyed(found: dict[str, Any], key: str) -> Iterator[Any]:
    for name, row in found.items():
        yield {**row, key: name} if isinstance(row, dict) else row


def _paired(row: Any, lists: tuple[Pairs, ...]) -> Any:
    if not isinstance(row, dict):
        return row
    return {**row, **{pairs.field: _object(row[pairs.field], pairs) for pairs in lists if pairs.field in row}}


def _object(entries: Any, pairs: Pairs) -> Any:
    """The object that a list of names with values stands for; of one name, the first value."""
    if not isinstance(entries, list):
        return entries
    found: dict[str, Any] = {}
    for entry in entries:
        if isinstance(entry, dict) and isinstance(name := entry.get(pairs.name), str):
            found.setdefault(unicodedata.normalize("NFC", name), entry.get(pairs.value))
    return found
