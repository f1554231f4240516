"""What README.md says of settings and metrics is what the code has."""

from __future__ import annotations

from pathlib import Path

from exporters.reference import rewritten

ROOT = Path(__file__).parents[2]


def test_the_tables_of_the_readme_are_current() -> None:
    """`make docs` writes them anew."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert rewritten(text) == text
