"""What is shipped for the machine: unit files and locks."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from collector.traps import sockets

DEPLOY = Path(__file__).parents[2] / "deploy"


@pytest.fixture
def unit(tmp_path: Path) -> Path:
    """The unit with its program replaced by one that exists here: verify looks for it."""
    text = (DEPLOY / "systemd" / "hatang.service").read_text()
    path = tmp_path / "hatang.service"
    path.write_text(text.replace("/opt/hatang/.venv/bin/hatang", sys.executable))
    return path


@pytest.mark.parametrize("socket", [False, True], ids=["alone", "with the socket for traps"])
def test_systemd_accepts_the_units(unit: Path, real: Callable[[str], str], socket: bool) -> None:
    units = [str(unit)]
    if socket:
        units.append(str(shutil.copy(DEPLOY / "systemd" / "hatang-traps.socket", unit.parent)))
    done = subprocess.run([real("systemd-analyze"), "verify", *units], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_the_socket_for_traps_has_the_name_that_the_service_looks_for() -> None:
    text = (DEPLOY / "systemd" / "hatang-traps.socket").read_text()
    assert f"FileDescriptorName={sockets.NAME}\n" in text


def test_the_unit_is_hardened(unit: Path, real: Callable[[str], str]) -> None:
    done = subprocess.run(
        [real("systemd-analyze"), "security", "--offline=true", "--threshold=20", str(unit)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-300:]


@pytest.mark.parametrize("name", ["runtime", "dev"])
def test_locks_carry_hashes_and_no_addresses(name: str) -> None:
    text = (DEPLOY / "requirements" / f"{name}.txt").read_text()
    pins = re.findall(r"^\S+==\S+(.*)$", text, re.MULTILINE)
    assert pins
    assert "://" not in text
    assert "index-url" not in text
    assert all(line.endswith("\\") for line in pins)
