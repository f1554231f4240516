"""Documents as they came, told from what somebody sends instead of them."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from collector.model import ProbeFailed, Reason

_GZIP = b"\x1f\x8b"
_GZIP_WINDOW = 31  # the largest, with gzip's head and check sum (zlib manual, `inflateInit2`)
_PIECE = 64 * 1024
_MOST_MEMBERS = 5000
_HEAD = 4096
_HTML = re.compile(rb"<(?:!doctype\s+html|html)(?:[\s>]|$)", re.IGNORECASE)
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f/\\\u2028\u2029]")
_LONGEST_NAME = 200


@dataclass(frozen=True, slots=True)
class Fetched:
    """One document.

    `name` is that of the file, or the last part of the URL; `media_type` and `charset` are what the answer says, in
    lower case and without parameters, '' for files; `modified` is Unix seconds (Last-Modified, or of the file);
    `total` is how many rows all pages have, where the answer says it (X-Total-Count); `arrived` is when a file came to
    where it is (Unix seconds), None for an answer.
    """

    name: str
    content: bytes = field(repr=False)
    media_type: str = ""
    charset: str = ""
    modified: float | None = None
    total: int | None = None
    arrived: float | None = None


@contextmanager
def about(*documents: Fetched) -> Iterator[None]:
    """What fails within is about `documents`, unless it says itself of which."""
    try:
        yield
    except ProbeFailed as failure:
        failure.documents = failure.documents or tuple((each.name, each.content) for each in documents)
        raise


def plain_name(name: str) -> str:
    """`name` as it may be shown and be part of a file's name: no separators or control characters, not too long."""
    text = name.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    return _UNPRINTABLE.sub("_", text)[-_LONGEST_NAME:].lstrip(".") or "_"


def inflated(content: bytes, limit: int) -> bytes:
    """`content`, decompressed where it is gzip (RFC 1952, also of several members), of at most `limit` bytes.

    Raises ProbeFailed: TOO_LARGE, PROTOCOL for what is broken or cut off. Takes time: for threads.
    """
    if not content.startswith(_GZIP):
        _check_size(len(content), limit)
        return content
    try:
        return b"".join(_inflating(content, limit))
    except zlib.error as error:
        raise ProbeFailed(Reason.PROTOCOL, f"the gzip data is broken: {error}") from error


def _inflating(content: bytes, limit: int) -> Iterator[bytes]:
    size = at = 0
    for _ in range(_MOST_MEMBERS):
        member = zlib.decompressobj(_GZIP_WINDOW)
        while not member.eof:
            given = member.unconsumed_tail or content[at : at + _PIECE]
            at += 0 if member.unconsumed_tail else len(given)
            part = member.decompress(given, _PIECE)
            if not given and not part and not member.eof:
                raise ProbeFailed(Reason.PROTOCOL, "the gzip data is cut off")
            size += len(part)
            _check_size(size, limit)
            yield part
        at -= len(member.unused_data)
        if not content.startswith(_GZIP, at):
            return
    raise ProbeFailed(Reason.TOO_LARGE, f"gzip data of more than {_MOST_MEMBERS} members")


def _check_size(size: int, limit: int) -> None:
    if size > limit:
        raise ProbeFailed(Reason.TOO_LARGE, f"the document is larger than {limit} bytes")


def is_html(content: bytes) -> bool:
    """Whether `content` begins as a web page does, behind blanks, comments and instructions of XML."""
    head = content[:_HEAD].removeprefix(b"\xef\xbb\xbf").lstrip()
    for begin, end in ((b"<?", b"?>"), (b"<!--", b"-->")) * 4:
        if head.startswith(begin):
            head = head.partition(end)[2].lstrip()
    return _HTML.match(head) is not None


def opened(content: bytes, limit: int) -> bytes:
    """The document that `content` is. Raises ProbeFailed, as `inflated`, and UNEXPECTED for a web page."""
    document = inflated(content, limit)
    if is_html(document):
        raise ProbeFailed(Reason.UNEXPECTED, "a web page (HTML) came instead of a document")
    return document
