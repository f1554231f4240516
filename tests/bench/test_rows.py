"""The rows that are measured are rows that the shipped maps read."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.bench import rows
from tests.bench.effort import Effort


async def test_all_rows_of_each_format_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows, "ROWS", 600)
    figures = await rows.measure(tmp_path, Effort(1, 0.1, True, lambda _: None))
    assert len(figures) == 2 * len(rows.FORMATS)
    assert all(figure.sound and figure.rounds for figure in figures)
