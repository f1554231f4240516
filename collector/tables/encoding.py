"""Texts of files whose encoding somebody declared, or one of several did."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from io import IncrementalNewlineDecoder

from collector.model import ProbeFailed, Reason

_CODECS = {
    "utf-8": "utf-8-sig",
    "utf-16": "utf-16",
    "windows-1250": "cp1250",
    "windows-1252": "cp1252",
    "windows-1258": "cp1258",
    "latin-1": "latin-1",
}
_MARKS_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
# So much at a time that other threads are not kept waiting.
_PIECE = 64 * 1024
LONGEST_LINE = 1024 * 1024


def lines(content: bytes, encoding: str) -> Iterator[str]:
    """Lines with their ends, which are `\\n` whatever they were; the last one may have none.

    Raises UnicodeDecodeError; ProbeFailed for a line that is far longer than a row of a table.
    """
    rest = ""
    for text in _decoded(content, encoding):
        *whole, rest = (rest + text).split("\n")
        for line in whole:
            yield line + "\n"
        if len(rest) > LONGEST_LINE:
            raise ProbeFailed(Reason.TOO_LARGE, f"a line of more than {LONGEST_LINE} characters")
    if rest:
        yield rest


def _decoded(content: bytes, encoding: str) -> Iterator[str]:
    decoder = IncrementalNewlineDecoder(codecs.getincrementaldecoder(_CODECS[encoding])("strict"), translate=True)
    for at in range(0, len(content), _PIECE):
        yield decoder.decode(content[at : at + _PIECE])
    yield decoder.decode(b"", final=True)


def check(content: bytes, encoding: str) -> None:
    """Raises ProbeFailed when the content is not in this encoding, or is clearly in another."""
    if encoding == "utf-16":
        if not content.startswith(_MARKS_16):
            raise ProbeFailed(Reason.UNEXPECTED, "not utf-16: it begins with no byte order mark")
    elif b"\0" in content:
        raise ProbeFailed(Reason.PROTOCOL, "no text: it holds NUL bytes")
    try:
        for _ in _decoded(content, encoding):
            pass
    except UnicodeDecodeError as error:
        raise ProbeFailed(Reason.UNEXPECTED, f"not {encoding}: {error.reason}") from None
    if encoding not in {"utf-8", "utf-16"} and not content.isascii() and _is_utf8(content):
        raise ProbeFailed(Reason.UNEXPECTED, f"utf-8, not {encoding}")


def _is_utf8(content: bytes) -> bool:
    try:
        for _ in _decoded(content, "utf-8"):
            pass
    except UnicodeDecodeError:
        return False
    return True
