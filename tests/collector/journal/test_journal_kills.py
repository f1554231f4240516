"""SIGKILL at a random moment: the next start is quick, nothing is torn, and what is missing shows as unobserved."""

from __future__ import annotations

import random
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from collector.journal import Ledger, reading_ledger
from collector.model import SystemState
from tests.collector.journal.victim import SYSTEMS, TOTAL

ROOT = Path(__file__).parents[3]
# The victim saves ten times a second; the service each five.
LOSS = 1.0


def run_and_kill(path: Path, after: float) -> tuple[float, list[str], float]:
    """Start, kill after so many seconds of life: how long opening took, what it said, and when it died."""
    with subprocess.Popen(
        [sys.executable, "-m", "tests.collector.journal.victim", str(path)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    ) as victim:
        assert victim.stdout is not None
        first = victim.stdout.readline()
        time.sleep(after)
        victim.kill()
        died = time.time()
        lines = victim.stdout.read().splitlines()
    assert first.startswith("opened"), first
    return float(first.split()[1]), [first, *lines], died


def check(ledger: Ledger, killed: list[tuple[float, float, int]], numbers: int) -> None:
    """`killed` are the first save, the death and the last number of each life."""
    saved = ledger.saved()
    (number,) = {int(seconds[SystemState.UP]) for seconds in saved.seconds.values()}
    assert len(saved.seconds) == len(SYSTEMS)
    assert number <= numbers
    assert saved.totals == {(TOTAL, label): number for label in ("3G", "4G")}
    (settled,) = set(saved.settled_until.values())
    assert ledger.last_heartbeat() == settled
    for system in SYSTEMS:
        changes = ledger.changes(system, 0, 1e10)
        assert [int(one.reason) for one in changes] == list(range(1, number + 1))
        assert changes[-1].at == settled
    observed = ledger.observed(0, 1e10)
    assert len(observed) == len(killed)
    for (begins, ends), (first, died, _) in zip(observed, killed, strict=True):
        assert first <= begins
        assert died - LOSS <= ends <= died


def hunt(path: Path, seed: int, kills: int) -> None:
    """Kill as often, each time on the same file."""
    chance = random.Random(seed)
    lives: list[tuple[float, float, int]] = []
    for _ in range(kills):
        took, lines, died = run_and_kill(path, chance.uniform(0.25, 0.6))
        assert took < 5
        assert len(lines[0].split()) == 3 or not lives, lines[0]
        saves = [line.split() for line in lines if line.startswith("saved") and len(line.split()) == 3]
        lives.append((float(saves[0][1]), died, int(saves[-1][2])))
        with reading_ledger(path) as ledger:
            check(ledger, lives, lives[-1][2])
    whole = sqlite3.connect(path)
    assert whole.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    whole.close()
    assert [one.name for one in path.parent.iterdir() if "corrupt" in one.name] == []


@pytest.mark.system
@pytest.mark.parametrize("seed", range(4))
def test_a_killed_service_goes_on_where_it_was(tmp_path: Path, seed: int) -> None:
    hunt(tmp_path / "journal.sqlite", seed, 5)


@pytest.mark.soak
@pytest.mark.timeout(900)
def test_two_hundred_kills(tmp_path: Path) -> None:
    hunt(tmp_path / "journal.sqlite", 57, 200)
