"""Debian's mosquitto with a configuration of its own, on a free port of 127.0.0.1 and ::1."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import aiomqtt

NAME, PASSWORD = "giám-sát", "mật-khẩu-dài"


def free_port() -> int:
    """A TCP port that nobody uses."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


class Mosquitto:
    """The broker: can be stopped, started again at the same port, and frozen."""

    def __init__(self, program: str, directory: Path, lines: Iterable[str]) -> None:
        self.port = 0
        self._program = program
        self._file = directory / "mosquitto.conf"
        # As root it would become a user who may not read the test's files.
        self._lines = ["user root", "log_type error", *lines]
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Returns when it listens: where it did before, if it did."""
        for _ in range(5 if not self.port else 1):
            port = self.port or free_port()
            self._file.write_text("\n".join([f"listener {port}", *self._lines, ""]))
            if (complaint := self._run(port)) is None:
                self.port = port
                return
        raise RuntimeError(f"mosquitto ended: {complaint}")

    def _run(self, port: int) -> str | None:
        command: list[str | Path] = [self._program, "-c", self._file]
        self._process = subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL)
        for _ in range(400):
            if self._process.poll() is not None:  # somebody else took the port
                return self._process.communicate()[1].decode()
            with suppress(OSError):
                socket.create_connection(("127.0.0.1", port), 0.2).close()
                if self._process.poll() is None:
                    return None
            time.sleep(0.02)
        return "it does not listen"

    def stop(self) -> None:
        """End it."""
        if self._process is not None:
            self._process.send_signal(signal.SIGCONT)
            self._process.terminate()
            self._process.communicate(timeout=10)
            self._process = None

    def freeze(self) -> None:
        """It is there, but does nothing."""
        if self._process is not None:
            os.kill(self._process.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        """It goes on."""
        if self._process is not None:
            os.kill(self._process.pid, signal.SIGCONT)

    async def publish(self, *messages: tuple[str, str | bytes], retain: bool = False, **client: object) -> None:
        """Send (topic, payload) pairs, as stations do."""
        settings = {"hostname": "127.0.0.1", "port": self.port, **client}
        async with aiomqtt.Client(**settings) as station:  # type: ignore[arg-type]  # whatever the test says
            for topic, payload in messages:
                await station.publish(topic, payload, qos=1, retain=retain)


@contextmanager
def mosquitto(program: str, directory: Path, *lines: str) -> Iterator[Mosquitto]:
    """A running broker with these lines of configuration; without any, everybody may do everything."""
    broker = Mosquitto(program, directory, lines or ["allow_anonymous true"])
    broker.start()
    try:
        yield broker
    finally:
        broker.stop()


def password_file(program: str, directory: Path) -> Path:
    """A password file with NAME and PASSWORD, by mosquitto_passwd."""
    path = directory / "passwords"
    subprocess.run([program, "-b", "-c", path, NAME, PASSWORD], check=True, capture_output=True)
    return path
