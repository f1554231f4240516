"""Child processes of the demo: started on a leash, stopped in order."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import Any

import collector
from collector.demo.effects import Command, Effect

LEASH = Path(__file__).parent / "leash.py"
STOP_LIMIT = 10.0
# What is said on one line: the address map of a province of some hundreds of hosts.
LINE_LIMIT = 4 * 1024 * 1024


class ChildFailed(Exception):
    """A child process ended by itself, or would not do as told; the message is for people."""


async def start(arguments: Sequence[str], errors: Path, *, talks: bool = False) -> Process:
    """Start a program that ends with us; what it says on standard error goes to the file `errors`.

    With `talks` its standard input and output are pipes. It does not hear the terminal's Ctrl-C.
    """
    project = str(Path(collector.__file__).parent.parent)
    with errors.open("wb") as sink:
        return await asyncio.create_subprocess_exec(
            *(sys.executable, str(LEASH), str(os.getpid()), *arguments),
            stdin=PIPE if talks else DEVNULL,
            stdout=PIPE if talks else DEVNULL,
            stderr=sink,
            start_new_session=True,
            limit=LINE_LIMIT,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, (project, os.environ.get("PYTHONPATH"))))},
        )


async def stop(process: Process, limit: float = STOP_LIMIT) -> None:
    """Ask the process to end, and after `limit` seconds make it."""
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        try:
            await asyncio.wait_for(process.wait(), limit)
        except TimeoutError:
            process.kill()
            await process.wait()


def last_words(errors: Path, lines: int = 3) -> str:
    """The end of what a program said on standard error."""
    words = errors.read_text(errors="replace").strip().splitlines()
    return "\n".join(words[-lines:]) or "it said nothing"


class ProvinceProcess:
    """The simulated province in a process of its own."""

    def __init__(self, process: Process, errors: Path) -> None:
        self._process = process
        self._errors = errors
        self._number = 0

    @classmethod
    async def start(cls, directories: Sequence[Path], work: Path) -> ProvinceProcess:
        """Begin; `work` is an existing directory for its certificates and errors."""
        errors = work / "province.log"
        arguments = (sys.executable, "-m", "collector.demo.province", str(work), *map(str, directories))
        return cls(await start(arguments, errors, talks=True), errors)

    async def ready(self, report: Callable[[str, int, int], None]) -> dict[str, Any]:
        """Wait until it serves; returns its collector.demo.province.Ready. Raises ChildFailed."""
        async for said in self._listen():
            if "ready" in said:
                found: dict[str, Any] = said["ready"]
                return found
            report(said["step"], said["done"], said["of"])
        raise await self._ended()

    async def apply(self, effect: Effect, begin: bool) -> None:
        """Begin or end an effect, and wait until it is. Raises ChildFailed."""
        self._number += 1
        if self._process.stdin is None:
            raise ChildFailed("the simulated province was started without a pipe")
        self._process.stdin.write(Command(self._number, begin, effect).line())
        async for said in self._listen():
            if said.get("done") == self._number:
                return
            raise ChildFailed(f"the simulated province could not {effect.do} {effect.on}: {said.get('why')}")
        raise await self._ended()

    async def wait(self) -> str:
        """Wait for its end; returns its last words."""
        await self._process.wait()
        return await asyncio.to_thread(last_words, self._errors)

    async def stop(self) -> None:
        """End it."""
        await stop(self._process)

    async def _listen(self) -> AsyncIterator[dict[str, Any]]:
        if self._process.stdout is None:
            return
        while line := await self._process.stdout.readline():
            yield json.loads(line)

    async def _ended(self) -> ChildFailed:
        return ChildFailed(f"the simulated province ended: {await self.wait()}")
