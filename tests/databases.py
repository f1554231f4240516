"""Debian's PostgreSQL and MariaDB with data of their own, on a free port of 127.0.0.1 and ::1, by TLS or not."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import asyncmy
import asyncpg

from tests.peers import Authority

NAME = "db.example"
PASSWORD = "mat-khau-7d1"
USER = "hatang"
# Role -> how it logs in; all have PASSWORD.
_HBA = """\
hostssl all over_tls all scram-sha-256
host all over_tls all reject
hostssl all by_certificate all scram-sha-256 clientcert=verify-ca
hostssl all clear all password
host all clear all password
host all old all md5
host all nobody all reject
host all all all scram-sha-256
"""


def _free_port() -> int:
    with socket.socket() as four, socket.socket(socket.AF_INET6) as six:
        four.bind(("127.0.0.1", 0))
        port: int = four.getsockname()[1]
        six.bind(("::1", port))
        return port


class Server:
    """A database server: can be stopped, started again, and frozen."""

    dialect: str
    database: str
    _goodbye = signal.SIGTERM
    _ready: bytes

    def __init__(self, program: str, account: str, authority: Authority) -> None:
        self.port = _free_port()
        self.ca_file = str(authority.ca_file)
        # Neither server runs as root, and pytest's own directories are for their owner alone.
        self.directory = Path(tempfile.mkdtemp(prefix="hatang-db-"))
        self._account = account if os.geteuid() == 0 else None
        self._program = program
        self._process: subprocess.Popen[bytes] | None = None
        authority.server_files(self.directory, NAME, "127.0.0.1")
        shutil.copy(authority.ca_file, self.directory / "ca.pem")

    async def rows(self, *statements: str) -> list[Any]:
        """What a client who may all is answered to each statement."""
        who = {"host": "127.0.0.1", "port": self.port, "user": "admin", "password": PASSWORD}
        if self.dialect == "postgresql":
            postgres = await asyncpg.connect(**who, database=self.database, ssl=False)
            try:
                return [await postgres.fetch(statement) for statement in statements]
            finally:
                await postgres.close()
        found = []
        async with await asyncmy.connect(**who, database=self.database) as maria, maria.cursor() as cursor:
            for statement in statements:
                await cursor.execute(statement)
                found.append(await cursor.fetchall())
        return found

    @property
    def log(self) -> str:
        """What the server has written."""
        return (self.directory / "log").read_text(errors="replace")

    def settings(self, **other: Any) -> dict[str, Any]:
        """Fields of a `sql` target that logs in here, with others on top."""
        where = {"dialect": self.dialect, "host": "127.0.0.1", "port": self.port, "database": self.database}
        return where | {"user": USER, "password": PASSWORD} | other

    def start(self) -> None:
        """Returns when it answers."""
        said = (self.directory / "log").stat().st_size if (self.directory / "log").exists() else 0
        with (self.directory / "log").open("ab") as log:
            self._process = subprocess.Popen(
                self._as_account(self._command()), stdin=subprocess.DEVNULL, stdout=log, stderr=log, **self._place
            )
        for _ in range(300):
            if self._process.poll() is not None:
                raise RuntimeError(f"{self._program} ended: {self.log}")
            if self._ready in (self.directory / "log").read_bytes()[said:]:
                return
            time.sleep(0.05)
        raise RuntimeError(f"{self._program} does not answer: {self.log}")

    def stop(self) -> None:
        """Ends it and its clients' connections."""
        if self._process is not None:
            self._process.send_signal(self._goodbye)
            try:
                self._process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            self._process = None

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """All its processes stand still."""
        if self._process is None:
            raise RuntimeError("not started")
        family = [self._process.pid, *_children(self._process.pid)]
        for process in family:
            os.kill(process, signal.SIGSTOP)
        try:
            yield
        finally:
            for process in family:
                with suppress(ProcessLookupError):
                    os.kill(process, signal.SIGCONT)

    def remove(self) -> None:
        """Stop, and delete everything."""
        self.stop()
        shutil.rmtree(self.directory, ignore_errors=True)

    def _command(self) -> Sequence[str]:
        raise NotImplementedError

    def _own(self) -> None:
        for path in (self.directory, *self.directory.rglob("*")):
            shutil.chown(path, self._account, self._account) if self._account else None

    def _as_account(self, command: Sequence[str]) -> list[str]:
        """The command under the server's own account, ending with us if we end."""
        if self._account is None:
            return ["setpriv", "--pdeathsig=SIGKILL", *command]
        account = [f"--reuid={self._account}", f"--regid={self._account}", "--clear-groups"]
        return ["setpriv", *account, "--pdeathsig=SIGKILL", *command]

    @property
    def _place(self) -> dict[str, Any]:
        # Servers that start take temporary files of others for their own of before.
        return {"cwd": self.directory, "env": {**os.environ, "TMPDIR": str(self.directory)}}

    def _prepare(self, command: Sequence[str], **options: Any) -> None:
        done = subprocess.run(
            self._as_account(command), check=False, capture_output=True, timeout=60, **self._place, **options
        )
        if done.returncode:
            raise RuntimeError(f"{command[0]} ended with {done.returncode}: {done.stdout!r} {done.stderr!r}")


def _children(parent: int) -> list[int]:
    listed = subprocess.run(["ps", "-o", "pid=", "--ppid", str(parent)], capture_output=True, check=False, text=True)
    return [int(word) for word in listed.stdout.split()]


class Postgres(Server):
    """Roles: `hatang` owns little, `admin` may all; the others log in as `_HBA` says."""

    dialect, database = "postgresql", "postgres"
    _goodbye = signal.SIGINT
    _ready = b"ready to accept connections"

    def __init__(self, program: str, authority: Authority) -> None:
        super().__init__(program, "postgres", authority)
        self._data = self.directory / "data"
        (self.directory / "password").write_text(PASSWORD)
        self._own()
        tool = ["initdb", "-D", str(self._data), "-U", "admin", f"--pwfile={self.directory}/password"]
        tool += ["-A", "scram-sha-256", "-E", "UTF8", "--locale=C", "-N", "--no-instructions"]
        self._prepare([str(Path(program).parent / tool[0]), *tool[1:]])
        (self._data / "pg_hba.conf").write_text(_HBA)
        self._run_alone(
            f"CREATE ROLE {USER} LOGIN PASSWORD '{PASSWORD}'",
            *(
                f"CREATE ROLE {role} LOGIN PASSWORD '{PASSWORD}'"
                for role in ("over_tls", "by_certificate", "clear", "nobody")
            ),
            f"SET password_encryption = 'md5'; CREATE ROLE old LOGIN PASSWORD '{PASSWORD}'",
            "CREATE TABLE readings (station text, level numeric, seen timestamptz)",
            "INSERT INTO readings VALUES ('tra-khuc', 1.25, '2026-11-01T00:00:00Z'), ('ve', NULL, NULL)",
            f"GRANT ALL ON readings TO {USER}; GRANT ALL ON SCHEMA public TO {USER}",
            f"ALTER ROLE {USER} CONNECTION LIMIT 5",
        )

    def _run_alone(self, *statements: str) -> None:
        """By the single-user mode: one statement a line."""
        command = [self._program, "--single", "-j", "-D", str(self._data), "postgres"]
        text = "".join(f"{statement};\n\n" for statement in statements)
        self._prepare(command, input=text.encode())

    def _command(self) -> Sequence[str]:
        options = {
            "listen_addresses": "127.0.0.1,::1",
            "unix_socket_directories": "",
            "fsync": "off",
            "ssl": "on",
            "ssl_cert_file": self.directory / "cert.pem",
            "ssl_key_file": self.directory / "key.pem",
            "ssl_ca_file": self.directory / "ca.pem",
            "max_connections": 20,
            "shared_buffers": "1MB",
        }
        set_them = [word for name, value in options.items() for word in ("-c", f"{name}={value}")]
        return [self._program, "-D", str(self._data), "-p", str(self.port), *set_them]


class MariaDb(Server):
    """Accounts: `hatang` may all in the database `portal`, `admin` may all; over_tls and by_certificate only log in."""

    dialect, database = "mariadb", "portal"
    _ready = b"ready for connections"

    def __init__(self, program: str, authority: Authority) -> None:
        super().__init__(program, "mysql", authority)
        self._data = self.directory / "data"
        self._own()
        install = shutil.which("mariadb-install-db") or "mariadb-install-db"
        options = ["--no-defaults", f"--datadir={self._data}", "--skip-test-db", "--skip-name-resolve"]
        self._prepare([install, *options, "--auth-root-authentication-method=normal", "--innodb-log-file-size=4M"])
        statements = [
            "CREATE DATABASE portal",
            f"CREATE USER {USER} IDENTIFIED BY '{PASSWORD}' WITH MAX_USER_CONNECTIONS 5",
            f"GRANT ALL ON portal.* TO {USER}",
            f"CREATE USER admin IDENTIFIED BY '{PASSWORD}'",
            "GRANT ALL ON *.* TO admin WITH GRANT OPTION",
            f"CREATE USER over_tls IDENTIFIED BY '{PASSWORD}' REQUIRE SSL",
            f"CREATE USER by_certificate IDENTIFIED BY '{PASSWORD}' REQUIRE X509",
            "CREATE TABLE portal.readings (station varchar(40), level decimal(8,2), seen datetime)",
            "INSERT INTO portal.readings VALUES ('tra-khuc', 1.25, '2026-11-01 07:00:00'), ('ve', NULL, NULL)",
        ]
        self._first: Path | None = self.directory / "first.sql"
        (self.directory / "first.sql").write_text("".join(f"{statement};\n" for statement in statements))

    def start(self) -> None:
        """Returns when it answers; the first time it has run its statements by then."""
        super().start()
        self._first = None

    def _command(self) -> Sequence[str]:
        first = {"init-file": self._first} if self._first else {}
        options = {
            **first,
            "datadir": self._data,
            "port": self.port,
            "bind-address": "127.0.0.1,::1",
            "socket": self.directory / "socket",
            "pid-file": self.directory / "pid",
            "ssl-cert": self.directory / "cert.pem",
            "ssl-key": self.directory / "key.pem",
            "ssl-ca": self.directory / "ca.pem",
            "innodb-buffer-pool-size": "8M",
            "innodb-log-file-size": "4M",
            "innodb-flush-log-at-trx-commit": 0,
            "log-warnings": 2,
        }
        return [self._program, "--no-defaults", "--skip-name-resolve", *(f"--{n}={v}" for n, v in options.items())]


@contextmanager
def running(server: Server) -> Iterator[Server]:
    """The server, from start to removal."""
    try:
        server.start()
        yield server
    finally:
        server.remove()
