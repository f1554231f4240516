"""Debian's snmpd with a configuration of its own, on a free port of 127.0.0.1 and ::1."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

AUTH_PASSWORD, PRIV_PASSWORD = "authentication", "encryption-key"


def free_port() -> int:
    """A UDP port that nobody uses on either family."""
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as four,
        socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as six,
    ):
        four.bind(("127.0.0.1", 0))
        port: int = four.getsockname()[1]
        six.bind(("::1", port))
        return port


class Snmpd:
    """The agent: can be stopped and started again, with its clock and engine as they were or new ones."""

    def __init__(self, program: str, directory: Path, lines: Iterable[str]) -> None:
        self.port = free_port()
        self._program = program
        self._directory = directory
        self._lines = list(lines)
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, forget: bool = False) -> None:
        """Returns when it answers. It is the engine that it was, booted once more, or, if it forgets that, another."""
        if forget:
            shutil.rmtree(self._directory / "persistent")
        head = [
            f"agentaddress udp:127.0.0.1:{self.port},udp6:[::1]:{self.port}",
            "rocommunity public 127.0.0.1",
            "rocommunity6 public ::1",
            "sysName may-chu-01",
            "sysLocation Quang Ngai",
        ]
        (self._directory / "snmpd.conf").write_text("\n".join([*head, *self._lines, ""]))
        environment = {
            **os.environ,
            "MIBS": "",
            "SNMPCONFPATH": f"{self._directory}:{self._directory}/persistent",
            "SNMP_PERSISTENT_DIR": str(self._directory / "persistent"),
        }
        command = [self._program, "-f", "-Le", "-I", "-smux,mteTrigger,mteTriggerConf"]
        self._process = subprocess.Popen(command, env=environment, stderr=subprocess.PIPE)
        self._wait()

    def stop(self) -> None:
        """Ends it; it writes down how often it has started."""
        if self._process is not None:
            self._process.terminate()
            self._process.communicate(timeout=10)
            self._process = None

    def _wait(self) -> None:
        assert self._process is not None
        up_time = "300e 300c 06082b06010201010300 0500"
        ask = bytes.fromhex(f"3026 020101 04067075626c6963 a019 020101 020100 020100 {up_time}")
        for _ in range(100):
            if self._process.poll() is not None:
                raise RuntimeError(f"snmpd ended: {self._process.communicate()[1].decode()}")
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
                asking.settimeout(0.1)
                asking.connect(("127.0.0.1", self.port))
                try:
                    asking.send(ask)
                    asking.recv(1500)
                    return
                except OSError:
                    time.sleep(0.05)
        raise RuntimeError("snmpd does not answer")


@contextmanager
def snmpd(program: str, directory: Path, *lines: str) -> Iterator[Snmpd]:
    """A running snmpd with these lines of configuration added."""
    server = Snmpd(program, directory, lines)
    server.start()
    try:
        yield server
    finally:
        server.stop()
