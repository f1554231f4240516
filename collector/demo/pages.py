"""What the simulated web servers answer: from answers.yaml, or a page with the words that its target looks for."""

from __future__ import annotations

import html
import json
import re
import struct
import zlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter
from yarl import URL

from collector.demo.agents.descriptions import plain
from collector.fields import Regex
from collector.settings import SettingsError
from collector.settings.document import read

SIMULATED = "mô phỏng / simulated"
FILE = Path(__file__).parent / "answers.yaml"
HTML = "text/html; charset=utf-8"
JSON = "application/json"


@dataclass(frozen=True, slots=True)
class Answer:
    """One HTTP answer."""

    body: bytes
    content_type: str
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)


class _Written(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    status: int = 200
    headers: dict[str, str] = {}
    type: str | None = None
    document: dict[str, Any] | None = Field(None, alias="json")
    body: str = ""


_FILE: TypeAdapter[dict[str, _Written]] = TypeAdapter(dict[str, _Written])


def address(url: URL) -> str:
    """A URL without its query, as answers.yaml names it."""
    return str(url.with_query(None))


def read_answers(path: Path = FILE) -> dict[str, Answer]:
    """The written answers by URL. Blocks on the file.

    Raises SettingsError when it is not YAML, pydantic's ValidationError when an answer is wrong.
    """
    document = read(path, str(path))
    if document.root is None:
        raise SettingsError(document.faults)
    written = _FILE.validate_python(plain(document.root).get("answers", {}))
    return {url: _answer(entry) for url, entry in written.items()}


def _answer(written: _Written) -> Answer:
    if written.document is not None:
        return Answer(_document(written.document), JSON, written.status, written.headers)
    if written.type == "image/png":
        return Answer(_dot(), written.type, written.status, written.headers)
    return Answer(written.body.encode(), written.type or HTML, written.status, written.headers)


def health() -> Answer:
    """What most health endpoints say."""
    return Answer(_document({"status": "UP"}), JSON)


def _document(content: dict[str, Any]) -> bytes:
    return json.dumps({**content, "simulated": SIMULATED}, ensure_ascii=False).encode()


def page(title: str, patterns: Iterable[Regex]) -> Answer:
    """A page in which each of `patterns` finds what it looks for. Raises ValueError where we cannot write it."""
    words = [_words(pattern) for pattern in patterns]
    lines = "\n".join(f"<p>{html.escape(line, quote=False)}</p>" for line in words)
    text = _PAGE.format(title=html.escape(title), lines=lines, simulated=SIMULATED)
    return Answer(text.encode(), HTML)


def under_maintenance(title: str) -> Answer:
    """What a portal shows when it is not well, with status 200."""
    text = _PAGE.format(
        title=html.escape(title), lines="<p>Hệ thống đang bảo trì. / Under maintenance.</p>", simulated=SIMULATED
    )
    return Answer(text.encode(), HTML)


_PAGE = """<!doctype html>
<html lang="vi"><head><meta charset="utf-8"><title>{title}</title></head>
<body><h1>{title}</h1>
{lines}
<footer>Trang này là <strong>{simulated}</strong>: không phải hệ thống thật. / Not the real system.</footer>
</body></html>
"""


def _words(pattern: Regex) -> str:
    # Patterns for pages are plain words, with a flag or a choice of letters at most.
    plain_words = re.sub(r"^\(\?i\)", "", pattern.text)
    plain_words = re.sub(r"\[([^\]\\^])[^\]]*\]", r"\1", plain_words)
    plain_words = re.sub(r"\\(\W)", r"\1", plain_words)
    if pattern.search(plain_words) is None:
        raise ValueError(f"no page can be made up for {pattern.text!r}: write an answer for its URL in {FILE.name}")
    return plain_words


def _dot() -> bytes:
    """One grey pixel (PNG specification, sections 5 and 11)."""

    def chunk(name: bytes, content: bytes) -> bytes:
        return struct.pack("!I", len(content)) + name + content + struct.pack("!I", zlib.crc32(name + content))

    header = struct.pack("!IIBBBBB", 1, 1, 8, 0, 0, 0, 0)
    pixel = zlib.compress(b"\0\x80")
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixel) + chunk(b"IEND", b"")
