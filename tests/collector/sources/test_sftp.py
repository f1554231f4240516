"""Files by SFTP: Debian's sshd, asyncssh's own server, and servers that lie."""

from __future__ import annotations

import asyncio
import getpass
import gzip
import os
import subprocess
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import asyncssh
import pytest

from collector.sources.spec import FolderSource, HttpSource, SftpSource
from tests.http_peers import peer
from tests.mosquitto import free_port
from tests.peers import leaving_nothing
from tests.sourcing import source, sourcing

CSV = b"site,lat,lon\nQN1,15.1,108.8\n"
HOST = {"files.example": "127.0.0.1"}
CONFIGURATION = """
ListenAddress 127.0.0.1
Port {port}
HostKey {here}/host
PidFile {here}/pid
AuthorizedKeysFile {here}/authorized
StrictModes no
UsePAM no
PasswordAuthentication no
KbdInteractiveAuthentication no
Subsystem sftp internal-sftp
"""


def put(path: Path, content: bytes = CSV, age: float = 60.0) -> Path:
    path.write_bytes(content)
    changed = time.time() - age
    os.utime(path, (changed, changed))
    return path


class Keys:
    """Keys of a server and of a client, as files and settings."""

    def __init__(self, here: Path) -> None:
        self.here = here
        self.host = asyncssh.generate_private_key("ssh-ed25519")
        self.client = asyncssh.generate_private_key("ssh-ed25519")
        (here / "host").write_bytes(self.host.export_private_key())
        (here / "host").chmod(0o600)
        (here / "authorized").write_bytes(self.client.export_public_key())

    def settings(self, port: int, **others: Any) -> SftpSource | HttpSource | FolderSource:
        """A source that logs in by key."""
        line = f"[files.example]:{port} {self.host.export_public_key().decode()}"
        (self.here / "known_hosts").write_text(line)
        return source(
            **{
                "sftp": "files.example",
                "port": port,
                "directory": str(self.here / "out"),
                "username": getpass.getuser(),
                "private_key": self.client.export_private_key().decode(),
                "known_hosts": str(self.here / "known_hosts"),
                **others,
            }
        )


@pytest.fixture
def keys(tmp_path: Path) -> Keys:
    (tmp_path / "out").mkdir()
    return Keys(tmp_path)


@asynccontextmanager
async def sshd(program: str, keys: Keys) -> AsyncIterator[int]:
    """Port of Debian's server."""
    port = free_port()
    (keys.here / "sshd_config").write_text(CONFIGURATION.format(port=port, here=keys.here))
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)  # it wants an empty one
    log = keys.here / "log"
    command = [program, "-D", "-f", str(keys.here / "sshd_config"), "-E", str(log)]
    process = await asyncio.create_subprocess_exec(*command, stdin=subprocess.DEVNULL)
    try:
        for _ in range(300):
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                assert process.returncode is None, log.read_text()
                await asyncio.sleep(0.02)
                continue
            writer.close()
            break
        yield port
    finally:
        process.terminate()
        await process.wait()


async def test_files_of_a_real_server(real: Callable[[str], str], keys: Keys) -> None:
    out = keys.here / "out"
    put(out / "trạm.csv", CSV)
    put(out / "old.csv", b"old", age=900)
    put(out / "A20261123.0900-0915_x.xml.gz", gzip.compress(b"<measDataFile/>"))
    put(out / "half.csv", b"half", age=0)
    put(out / "x.csv.part")
    (out / "folder.csv").mkdir()
    async with sshd(real("sshd"), keys) as port, sourcing(HOST) as at, leaving_nothing():
        newest = keys.settings(port, pattern="*.csv", settle="5s")
        first = await at.fetch(newest)
        assert [(document.name, document.content) for document in first] == [("trạm.csv", CSV)]
        assert first[0].modified == pytest.approx(time.time() - 60, abs=10)
        assert await at.fetch(newest) is first
        put(out / "newer.csv", b"newer", age=30)
        assert [document.content for document in await at.fetch(newest)] == [b"newer"]
        every = await at.fetch(keys.settings(port, take="all", settle="5s"))
        assert [document.content for document in every] == [b"<measDataFile/>", b"newer", b"old", CSV]
        assert "probe_dns_lookup_time_seconds" in at.emitted


async def test_what_a_real_server_refuses(real: Callable[[str], str], keys: Keys) -> None:
    put(keys.here / "out" / "cells.csv")
    other = asyncssh.generate_private_key("ssh-ed25519")
    async with sshd(real("sshd"), keys) as port, sourcing(HOST) as at, leaving_nothing():
        stranger = keys.settings(port, private_key=other.export_private_key().decode())
        assert await at.failure(stranger) == ("auth", "the server refused who we are")
        assert (await at.failure(keys.settings(port, private_key=None, password="x")))[0] == "auth"
        missing = keys.settings(port, directory="/no/such")
        assert await at.failure(missing) == ("unexpected", "no folder /no/such")
        assert (await at.failure(keys.settings(port, pattern="*.xml")))[1] == "no file is called *.xml"
        assert (await at.failure(keys.settings(port, max_size=10)))[0] == "too_large"
        line = f"[files.example]:{port} {other.export_public_key().decode()}"
        wrong = keys.settings(port)
        (keys.here / "known_hosts").write_text(line)
        reason, detail = await at.failure(wrong)
        assert (reason, detail.startswith("the server's key is not the one in known_hosts")) == ("tls", True)
        (keys.here / "known_hosts").write_text("")
        assert (await at.failure(wrong))[0] == "tls"
        (keys.here / "known_hosts").unlink()
        with pytest.raises(FileNotFoundError):
            await at.fetch(wrong)


async def test_a_key_with_a_passphrase(real: Callable[[str], str], keys: Keys) -> None:
    put(keys.here / "out" / "cells.csv")
    locked = keys.client.export_private_key("pkcs8-pem", passphrase="mật khẩu").decode()
    async with sshd(real("sshd"), keys) as port, sourcing(HOST) as at:
        assert await at.fetch(keys.settings(port, private_key=locked, passphrase="mật khẩu"))
        for wrong in ({"passphrase": "other"}, {}):
            with pytest.raises(ValueError, match="private_key: "):
                await at.fetch(keys.settings(port, private_key=locked, **wrong))


class Doors(asyncssh.SSHServer):
    """Lets `operator` in by password."""

    def password_auth_supported(self) -> bool:
        return True

    def validate_password(self, username: str, password: str) -> bool:
        return (username, password) == ("operator", "mật khẩu")


@asynccontextmanager
async def serving(keys: Keys, factory: Any) -> AsyncIterator[int]:
    """Port of asyncssh's server."""
    server = await asyncssh.listen(
        "127.0.0.1", 0, server_factory=Doors, server_host_keys=[keys.host], sftp_factory=factory
    )
    try:
        yield server.get_port()
    finally:
        server.close()
        await server.wait_closed()


def within(root: Path) -> Callable[[Any], asyncssh.SFTPServer]:
    return lambda channel: asyncssh.SFTPServer(channel, chroot=os.fsencode(root))


def by_password(keys: Keys, port: int, **others: Any) -> SftpSource | HttpSource | FolderSource:
    login = {"username": "operator", "password": "mật khẩu", "private_key": None, "directory": "."}
    return keys.settings(port, **{**login, **others})


async def test_a_password(keys: Keys) -> None:
    put(keys.here / "out" / "cells.csv")
    async with serving(keys, within(keys.here / "out")) as port, sourcing(HOST) as at, leaving_nothing():
        assert (await at.fetch(by_password(keys, port)))[0].content == CSV
        assert (await at.failure(by_password(keys, port, password="x")))[0] == "auth"
        assert (await at.failure(by_password(keys, port, username="x")))[0] == "auth"


async def test_a_server_without_sftp(keys: Keys) -> None:
    async with serving(keys, None) as port, sourcing(HOST) as at, leaving_nothing():
        assert (await at.failure(by_password(keys, port)))[0] in {"unexpected", "protocol"}


class Liar(asyncssh.SFTPServer):
    """A server that says what no folder holds."""

    def __init__(self, channel: Any, lie: str) -> None:
        super().__init__(channel)
        self.lie = lie
        self.read_bytes = 0

    async def scandir(self, path: bytes) -> AsyncIterator[asyncssh.SFTPName]:
        names = {"path": b"../../etc/passwd", "bytes": b"\xff\x1b.csv"}
        size = 10 if self.lie == "endless" else 2**60 if self.lie == "huge" else len(CSV)
        number = 0
        while number == 0 or self.lie == "crowd":
            number += 1
            name = names.get(self.lie, b"cells%d.csv" % number)
            times = None if self.lie == "no times" else 1740787200
            yield asyncssh.SFTPName(
                name, attrs=asyncssh.SFTPAttrs(size=size, permissions=0o644, atime=times, mtime=times)
            )

    def open(self, path: bytes, pflags: int, attrs: asyncssh.SFTPAttrs) -> Any:
        if self.lie == "denied":
            raise asyncssh.SFTPPermissionDenied("no")
        if self.lie == "gone":
            raise asyncssh.SFTPNoSuchFile("no")
        return self

    def fstat(self, file: Any) -> asyncssh.SFTPAttrs:
        changed = 1740787200 + (self.lie == "changing") * self.read_bytes
        return asyncssh.SFTPAttrs(
            size=10 if self.lie == "endless" else len(CSV), permissions=0o644, atime=0, mtime=changed
        )

    async def read(self, file: Any, offset: int, size: int) -> bytes:
        if self.lie == "hanging":
            await asyncio.sleep(60)
        self.read_bytes += 1
        if self.lie == "short":
            size = 10 if offset == 0 else 0
        return b"x" * size if self.lie == "endless" else CSV[offset : offset + size]

    def close(self, file: Any) -> None:
        return None


@pytest.mark.parametrize(
    ("lie", "verdict"),
    [
        ("none", None),
        ("bytes", None),
        ("path", ("unexpected", "no file is called *")),
        ("no times", ("unexpected", "no file is called *")),
        ("huge", ("too_large", "a file is larger than 1000000 bytes")),
        ("endless", ("unexpected", "no file that is called * is complete, and new enough")),
        ("short", ("unexpected", "no file that is called * is complete, and new enough")),
        ("crowd", ("too_large", "more than 50000 entries in the folder")),
        ("changing", ("unexpected", "no file that is called * is complete, and new enough")),
        ("gone", ("unexpected", "no file that is called * is complete, and new enough")),
        ("denied", ("auth", "the server refused access: no")),
    ],
)
async def test_servers_that_lie(keys: Keys, lie: str, verdict: tuple[str, str] | None) -> None:
    async with serving(keys, lambda channel: Liar(channel, lie)) as port, sourcing(HOST) as at, leaving_nothing():
        feed = by_password(keys, port, max_size=1_000_000)
        if verdict is None:
            assert (await at.fetch(feed))[0].content == CSV
        else:
            assert await at.failure(feed, timeout=15) == verdict


async def test_a_server_that_hangs_ends_with_the_run(keys: Keys) -> None:
    async with serving(keys, lambda channel: Liar(channel, "hanging")) as port, sourcing(HOST) as at:
        begun = time.monotonic()
        with pytest.raises(TimeoutError):
            await at.fetch(by_password(keys, port), timeout=1.0)
        assert time.monotonic() - begun < 1.5


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "protocol"),
        (b"SSH-2.0-x\r\n" + bytes(100), "protocol"),
        (b"SSH-1.0-x\r\n", "protocol"),
        (b"SSH-2.0-" + b"x" * 100_000, "protocol"),
        (b"", "protocol"),
        (b"x\r\n" * 100_000, "protocol"),
    ],
)
async def test_peers_that_speak_something_else(keys: Keys, said: bytes, reason: str) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(said)
        await writer.drain()

    async with peer(talk) as server, sourcing(HOST) as at, leaving_nothing():
        assert (await at.failure(keys.settings(server.port)))[0] == reason


async def test_peers_that_say_nothing_or_are_not_there(keys: Keys) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()

    async with peer(talk) as server, sourcing(HOST) as at, leaving_nothing():
        with pytest.raises(TimeoutError):
            await at.fetch(keys.settings(server.port), timeout=0.5)
    async with sourcing(HOST) as at:
        assert (await at.failure(keys.settings(1)))[0] == "refused"
