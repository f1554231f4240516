"""JSON as somebody sends it, read within bounds of memory."""

from __future__ import annotations

from typing import Any

from collector.documents import document, most_values
from collector.model import ProbeFailed, Reason


def parsed(content: bytes, max_values: int) -> Any:
    """The document that `content` is.

    Raises ProbeFailed: PROTOCOL where it is none, or nested too deep; TOO_LARGE before it takes memory.
    """
    if most_values(content) > max_values:
        raise ProbeFailed(Reason.TOO_LARGE, f"the document holds more than {max_values} values")
    try:
        return document(content)
    except ValueError as error:
        raise ProbeFailed(Reason.PROTOCOL, str(error)) from error
