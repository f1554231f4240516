"""Every directory of tests/config/bad is refused with exactly the faults of its expected.txt."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from collector.settings import SettingsError, load

BAD = Path(__file__).parents[2] / "config" / "bad"
CASES = sorted(path.name for path in BAD.iterdir() if path.is_dir())
# What people get wrong, and must be told of in words that help.
PROMISED = {
    *("unknown-key", "wrong-type", "bad-regex", "bad-oid", "bad-jmespath", "duplicate-id", "duplicate-key"),
    *("unknown-system", "unknown-owner", "unknown-kind", "timeout-too-long", "unreadable-secret", "v3-context"),
    *("tab", "wrong-encoding", "alias-bomb", "half-written", "norway"),
    *("unknown-dependency", "bad-dependency", "dependency-circle", "bad-confirm", "bad-maintenance", "bad-recurrence"),
    "bad-objective",
    "bad-plan",
}


def test_every_promised_case_is_there() -> None:
    assert set(CASES) >= PROMISED


@pytest.mark.parametrize("case", CASES)
def test_is_refused_in_these_words(case: str) -> None:
    with pytest.raises(SettingsError) as caught:
        load([BAD / case])
    said = f"{caught.value}\n"
    expected = BAD / case / "expected.txt"
    if os.environ.get("HATANG_GOLDEN") == "1":
        expected.write_text(said)
    assert said == expected.read_text()
