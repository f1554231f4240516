"""However the demo ends, it ends all that it started, and nothing else."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.serving import listening, until
from tests.system.demo_run import ROOT, command, demo, environment

pytestmark = [pytest.mark.system, pytest.mark.timeout(60)]
CONFIG = ROOT / "config"
PROGRAMS = ("prometheus", "prometheus-alertmanager")
CHILDREN = 1 + sum(shutil.which(program) is not None for program in PROGRAMS)


def run(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(CONFIG, *words), capture_output=True, text=True, check=False, cwd=ROOT, env=environment(), timeout=50
    )


@pytest.fixture
def place(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Where a demo keeps its files, and no other program does; a short name, as sockets want it."""
    with tempfile.TemporaryDirectory() as folder:
        monkeypatch.setenv("TMPDIR", folder)
        yield Path(folder)


def left_behind(place: Path) -> set[Path]:
    return set(place.glob("hatang-demo-*"))


def alive(pid: int) -> bool:
    return Path(f"/proc/{pid}").exists()


@pytest.mark.parametrize("name", [signal.SIGINT, signal.SIGTERM])
async def test_a_signal_stops_everything_also_while_it_starts(name: signal.Signals, place: Path) -> None:
    async with demo(CONFIG, "--faults", "none", children=CHILDREN) as it:
        children = it.children()
        it.process.send_signal(name)
        it.process.send_signal(name)  # twice is as good as once
        assert await it.process.wait() == 0
    assert not any(map(alive, children))
    assert left_behind(place) == set()


async def test_killed_it_takes_its_children_along(place: Path) -> None:
    async with demo(CONFIG, "--faults", "none", children=CHILDREN) as it:
        children = it.children()
        it.process.kill()
        await it.process.wait()
    await until(lambda: asyncio.to_thread(lambda: not any(map(alive, children))))
    assert left_behind(place), "what was killed could not clear up, and the fixture does"


async def test_a_province_that_dies_ends_the_demo_with_a_reason() -> None:
    async with demo(CONFIG, "--faults", "none", "--no-prometheus") as it:
        (child,) = it.children()
        os.kill(child, signal.SIGKILL)
        assert await it.process.wait() == 1
    assert "the simulated province ended" in "".join(it.said)


@pytest.mark.parametrize("option", ["--listen", "--prometheus-port", "--alertmanager-port"])
async def test_a_taken_port_is_named_with_the_option_that_moves_it(option: str) -> None:
    async with listening() as port:
        taken = f"127.0.0.1:{port}" if option == "--listen" else str(port)
        done = await asyncio.to_thread(run, "--for", "1s", option, taken)
    assert done.returncode == 1
    assert f"port {port} of 127.0.0.1 is taken; choose another with {option}" in done.stderr
    assert "Traceback" not in done.stderr


def test_faults_are_listed_with_what_shows_them() -> None:
    table = run("--list-faults")
    assert table.returncode == 0
    assert "MÔ PHỎNG / SIMULATED" in table.stdout
    faults = json.loads(run("--list-faults", "--format", "json").stdout)
    for fault in faults:
        assert fault["id"] in table.stdout
        for show in fault["shows"]:
            assert show["expression"] == f"{show['query']} {show['compare']} {show['value']:g}"


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["--faults", "ups-on-batery"], "did you mean 'ups-on-battery'?"),
        (["--listen", "nowhere"], "'nowhere' is not HOST:PORT"),
        (["--list-faults", "--format", "xml"], "--format is one of table, json"),
        (["--for", "soon"], "expected a duration"),
    ],
)
def test_a_wrong_option_is_explained(words: list[str], complaint: str) -> None:
    done = run(*words)
    assert done.returncode != 0
    assert complaint in done.stderr
    assert "Traceback" not in done.stderr
