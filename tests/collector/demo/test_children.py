"""Child processes: they end with us, however we end."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path

import pytest

from collector.demo import children
from collector.demo.children import ChildFailed, ProvinceProcess
from tests.serving import until

# Starts a sleeper on a leash, says its process id, then waits to be killed.
PARENT = """
import asyncio, sys
from pathlib import Path
from collector.demo import children

async def main():
    child = await children.start(("sleep", "60"), Path(sys.argv[1]))
    print(child.pid, flush=True)
    await asyncio.sleep(60)

asyncio.run(main())
"""


def unheard(step: str, done: int, of: int) -> None:
    """Progress that nobody asked for."""


def alive(pid: int) -> bool:
    """Whether the process runs; a zombie does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


async def test_a_child_ends_when_its_parent_is_killed(tmp_path: Path) -> None:
    parent = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        PARENT,
        str(tmp_path / "errors"),
        stdout=asyncio.subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(Path(children.__file__).parents[2])},
    )
    assert parent.stdout is not None
    child = int(await parent.stdout.readline())
    assert alive(child)
    parent.send_signal(signal.SIGKILL)
    await parent.wait()
    await until(lambda: asyncio.to_thread(lambda: not alive(child)))


async def test_a_child_is_stopped_also_when_it_does_not_want_to(tmp_path: Path) -> None:
    deaf = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(60)"
    child = await children.start((sys.executable, "-c", deaf), tmp_path / "errors", talks=True)
    assert child.stdout is not None
    await child.stdout.readline()
    await children.stop(child, limit=0.3)
    assert child.returncode == -signal.SIGKILL


async def test_a_province_that_cannot_start_says_why(tmp_path: Path) -> None:
    (tmp_path / "config" / "targets.d").mkdir(parents=True)
    (tmp_path / "config" / "targets.d" / "x.yaml").write_text("nonsense: 1\n")
    province = await ProvinceProcess.start([tmp_path / "config"], tmp_path)
    with pytest.raises(ChildFailed, match=r"x\.yaml:1:1: nonsense: unknown key"):
        await province.ready(unheard)
    await province.stop()


async def test_a_program_that_does_not_exist(tmp_path: Path) -> None:
    child = await children.start(("/nowhere/prometheus",), tmp_path / "errors")
    assert await child.wait() == 1
    assert "No such file" in await asyncio.to_thread(children.last_words, tmp_path / "errors")
