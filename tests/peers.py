"""TCP peers that do what a test wants, and proof that nothing of a probe stays behind."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from datetime import datetime
from pathlib import Path

import trustme

# Thousands of targets of one peer may be polled at once; a full queue would cost each a second.
BACKLOG = 4096
Converse = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def peer(converse: Converse, host: str = "127.0.0.1", tls: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    """Port of a server that holds `converse` with everyone who connects, then closes."""

    held: set[asyncio.Task[None]] = set()

    async def hold(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        held.add(task)
        task.add_done_callback(held.discard)
        # The stream's own callback cannot bear a cancelled handler.
        with suppress(OSError, EOFError, asyncio.CancelledError):
            await converse(reader, writer)
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(hold, host, 0, ssl=tls, backlog=BACKLOG)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for task in tuple(held):
            task.cancel()
        await asyncio.gather(*held)


async def hang(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
    """Read what comes, say nothing."""
    await reader.read()


def says(*lines: str) -> Converse:
    """Say these lines in turn, each but the first after one line was heard."""

    async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for number, line in enumerate(lines):
            if number:
                await reader.readuntil(b"\n")
            writer.write(line.encode("latin-1"))
        await writer.drain()
        await reader.read()

    return converse


class Authority:
    """A certificate authority and what it signed."""

    def __init__(self, directory: Path) -> None:
        self._ca = trustme.CA()
        self.ca_file = directory / "ca.pem"
        self._ca.cert_pem.write_to_path(self.ca_file)
        self._directory = directory

    def server(self, *names: str, not_after: datetime | None = None) -> ssl.SSLContext:
        """A server's context with a certificate for `names`."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._ca.issue_cert(*names, not_after=not_after).configure_cert(context)
        return context

    def demanding(self, *names: str) -> ssl.SSLContext:
        """A server's context that wants a client certificate of this authority."""
        context = self.server(*names)
        self._ca.configure_trust(context)
        context.verify_mode = ssl.CERT_REQUIRED
        return context

    def client_files(self) -> dict[str, str]:
        """`cert_file` and `key_file` of a client."""
        return self.server_files(self._directory, "client.example")

    def server_files(self, directory: Path, *names: str) -> dict[str, str]:
        """`cert_file` and `key_file` for `names`, written into `directory`; the key is for its owner alone."""
        leaf = self._ca.issue_cert(*names)
        certificate, key = directory / "cert.pem", directory / "key.pem"
        certificate.write_bytes(b"".join(blob.bytes() for blob in leaf.cert_chain_pems))
        key.touch(0o600)
        leaf.private_key_pem.write_to_path(key)
        return {"cert_file": str(certificate), "key_file": str(key)}


@asynccontextmanager
async def leaving_nothing() -> AsyncIterator[None]:
    """No more sockets and tasks after than before; what earlier tests left to the collector may go meanwhile."""
    await asyncio.sleep(0.02)
    before = _sockets(), len(asyncio.all_tasks())
    yield
    for _ in range(100):
        if _sockets() <= before[0] and len(asyncio.all_tasks()) <= before[1]:
            return
        await asyncio.sleep(0.02)
    raise AssertionError(f"sockets and tasks: {before} before, {(_sockets(), len(asyncio.all_tasks()))} after")


def _sockets() -> int:
    count = 0
    for entry in Path("/proc/self/fd").iterdir():
        with suppress(OSError):
            count += str(entry.readlink()).startswith(("socket:", "anon_inode:[eventpoll]"))
    return count
