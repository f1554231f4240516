"""Programs started for a measurement: each ends with it, and its CPU time is what the system accounts to it."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import psutil

START_WITHIN = 30.0
STOP_WITHIN = 15.0
_LIBC = ctypes.CDLL(None, use_errno=True)


class Unavailable(Exception):
    """A program is not installed here; the text says which."""


class Broken(Exception):
    """A program did not start, or not do its work; the text says which, and its last words."""


def find(program: str) -> str:
    """Path of an installed program. Raises Unavailable."""
    path = shutil.which(program, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
    if path is None:
        raise Unavailable(f"{program} is not installed")
    return path


def free_port(kind: socket.SocketKind = socket.SOCK_STREAM) -> int:
    """A port of 127.0.0.1 that nobody has now."""
    with socket.socket(socket.AF_INET, kind) as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
        return port


def _cpu_clock(pid: int) -> int:
    # POSIX clock_getcpuclockid: nanoseconds, where /proc/PID/stat counts hundredths of a second.
    clock = ctypes.c_int()
    error = _LIBC.clock_getcpuclockid(ctypes.c_int(pid), ctypes.byref(clock))
    if error:
        raise OSError(error, os.strerror(error))
    return clock.value


class Child:
    """A running program; its output is in `log`."""

    def __init__(self, argv: Sequence[str], log: Path) -> None:
        self.name = argv[2] if argv[1] == "-m" else Path(argv[0]).name
        self.log = log
        with log.open("wb") as output:
            self._popen = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT)
        self._process = psutil.Process(self._popen.pid)
        self._clock = _cpu_clock(self._popen.pid)

    def cpu(self) -> float:
        """Seconds of CPU, user and system, that all its threads have used."""
        return time.clock_gettime(self._clock)

    def memory(self) -> int:
        """Bytes of memory that are resident."""
        size: int = self._process.memory_info().rss
        return size

    def suspend(self) -> None:
        """Stand still until `resume`: it uses no CPU while another is measured."""
        self._process.suspend()

    def resume(self) -> None:
        """Go on."""
        self._process.resume()

    async def listening(self, port: int) -> None:
        """Wait until it answers on a TCP port. Raises Broken when it does not."""
        give_up = time.monotonic() + START_WITHIN
        while time.monotonic() < give_up and self._popen.poll() is None:
            with contextlib.suppress(OSError):
                _, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.close()
                return
            await asyncio.sleep(0.05)
        raise Broken(f"{self.name} did not start: {self.last_words()}")

    def last_words(self) -> str:
        """The end of its output."""
        return self.log.read_text(encoding="utf-8", errors="replace")[-500:].strip()

    def stop(self) -> None:
        """End it, at the latest by SIGKILL."""
        self._process.resume() if self._popen.poll() is None else None
        self._popen.terminate()
        try:
            self._popen.wait(STOP_WITHIN)
        except subprocess.TimeoutExpired:
            self._popen.kill()
            self._popen.wait()


@contextlib.contextmanager
def running(argv: Sequence[str], log: Path) -> Iterator[Child]:
    """Start a program, and end it with the block."""
    child = Child(argv, log)
    try:
        yield child
    finally:
        child.stop()
