"""What the demo tells people."""

from __future__ import annotations

from io import StringIO

import pytest
from rich.console import Console

from collector.demo.programme import Programme


@pytest.mark.parametrize(
    ("systems", "said"),
    [
        ([], ""),
        (["lgsp"], "Chưa rõ / not known yet: 1 hệ thống / systems: lgsp\n"),
        (["a", "b", "c", "d"], "Chưa rõ / not known yet: 4 hệ thống / systems: a, b, c …\n"),
    ],
)
def test_systems_that_nothing_is_known_of_are_named(systems: list[str], said: str) -> None:
    console = Console(file=StringIO(), width=200)
    Programme(console).unknown(systems)
    assert isinstance(console.file, StringIO)
    assert console.file.getvalue() == said
