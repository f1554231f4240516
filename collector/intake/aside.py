"""Refused documents, kept for people to look at: a few of each feed, bounded in size, newest last."""

from __future__ import annotations

import re
import time
from collections.abc import Iterable
from pathlib import Path

KEPT_PER_FEED = 5
LARGEST_KEPT = 8 * 1024**2
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")


def keep_aside(directory: Path, feed: str, guard: str, documents: Iterable[tuple[str, bytes]]) -> None:
    """Write the documents to `directory/feed/`, cut at 8 MiB each, and remove all but the newest five of the feed.

    Blocks: for a thread. Raises OSError.
    """
    folder = directory / feed
    folder.mkdir(parents=True, exist_ok=True)
    moment = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
    for number, (name, content) in enumerate(documents):
        if number == KEPT_PER_FEED:
            break
        # A name comes from others: it shall not lead anywhere else.
        safe = _UNSAFE.sub("_", name).lstrip(".")[-80:] or "document"
        (folder / f"{moment}-{number}-{guard}-{safe}").write_bytes(content[:LARGEST_KEPT])
    for old in sorted(folder.iterdir())[:-KEPT_PER_FEED]:
        old.unlink()
