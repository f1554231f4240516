"""Pages as files: stable text, one file a page, a folder a language."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Mapping
from pathlib import Path

from dashboards.words import Json, Language

WRITTEN = Path(__file__).parent / "json"


def rendered(page: Json) -> str:
    """JSON as it is committed: sorted keys, Vietnamese as it is written, in NFC."""
    text = json.dumps(page, ensure_ascii=False, indent=2, sort_keys=True, allow_nan=False)
    return unicodedata.normalize("NFC", text) + "\n"


def language_of(uid: str) -> Language:
    """By the end of its uid."""
    return Language(uid.rpartition("-")[2])


def files(pages: Mapping[str, Json], folder: Path = WRITTEN) -> dict[Path, str]:
    """The text of each file."""
    return {folder / language_of(uid).value / f"{uid}.json": rendered(page) for uid, page in pages.items()}


def write(wanted: Mapping[Path, str], folder: Path) -> list[Path]:
    """Write what differs, remove what is no longer made; what was touched."""
    touched = []
    for path, text in wanted.items():
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
            touched.append(path)
    for path in sorted(folder.rglob(f"*{_suffix(wanted)}")):
        if path not in wanted:
            path.unlink()
            touched.append(path)
    return touched


def differing(wanted: Mapping[Path, str], folder: Path) -> list[str]:
    """What is not as it would be written now."""
    found = [
        f"{path}: not current" if path.exists() else f"{path}: missing"
        for path, text in wanted.items()
        if not path.exists() or path.read_text(encoding="utf-8") != text
    ]
    return found + [
        f"{path}: made by no definition" for path in sorted(folder.rglob(f"*{_suffix(wanted)}")) if path not in wanted
    ]


def _suffix(wanted: Mapping[Path, str]) -> str:
    return next(iter(wanted)).suffix if wanted else ".json"
