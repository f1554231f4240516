"""A folder of an SFTP server, by asyncssh. Each run logs in anew: nothing is left open between files that come rarely.

Imported when a source names such a server, for it takes memory.
"""

from __future__ import annotations

import asyncio
from typing import Any

import asyncssh

from collector.model import Emit, ProbeFailed, Reason
from collector.net import Context, failure
from collector.sources.fetched import Fetched
from collector.sources.files import MOST_ENTRIES, Entry, gather, regular, wanted
from collector.sources.kept import Kept, Stamp
from collector.sources.spec import SftpSource

_SSH_PORT = 22
_PIECE = 256 * 1024
# SSH File Transfer Protocol, version 3 (draft-ietf-secsh-filexfer-02): errors that are about the folder.
_MISSING = (asyncssh.SFTPNoSuchFile, asyncssh.SFTPNoSuchPath, asyncssh.SFTPNotADirectory)


class RemoteFolder:
    """A look into a folder of a server that we are logged in to."""

    def __init__(self, source: SftpSource, client: asyncssh.SFTPClient) -> None:
        self._source = source
        self._client = client

    async def entries(self) -> list[Entry]:
        """The regular files in it that are wanted. Raises ProbeFailed, or as asyncssh."""
        found, number = [], 0
        try:
            async for item in self._client.scandir(self._source.directory):
                number += 1
                if number > MOST_ENTRIES:
                    raise ProbeFailed(Reason.TOO_LARGE, f"more than {MOST_ENTRIES} entries in the folder")
                name, stamp = str(item.filename), _stamp(item.attrs)
                if wanted(self._source, name) and regular(item.attrs.permissions) and stamp is not None:
                    found.append(Entry(name, stamp))
        except _MISSING as error:
            raise ProbeFailed(Reason.UNEXPECTED, f"no folder {self._source.directory}") from error
        return found

    async def read(self, entry: Entry) -> bytes | None:
        """Contents of the file; None where it changed or has gone."""
        path = f"{self._source.directory.rstrip('/')}/{entry.name}"
        try:
            # One request at a time: of several, asyncssh forgets some when the run is over before they are.
            async with self._client.open(path, "rb", block_size=0) as file:
                if _stamp(await file.stat()) != entry.stamp:
                    return None
                content = await _contents(file, entry.stamp.size + 1)
                whole = len(content) == entry.stamp.size and _stamp(await file.stat()) == entry.stamp
                return content if whole else None
        except _MISSING:
            return None


async def _contents(file: asyncssh.SFTPClientFile, most: int) -> bytes:
    parts: list[bytes] = []
    while most > 0:
        part = await file.read(min(most, _PIECE))
        if not part or not isinstance(part, bytes):
            break
        parts.append(part)
        most -= len(part)
    return b"".join(parts)


def _stamp(attrs: asyncssh.SFTPAttrs) -> Stamp | None:
    return None if attrs.size is None or attrs.mtime is None else Stamp(float(attrs.mtime), attrs.size)


async def fetch(source: SftpSource, kept: Kept, context: Context[Any], emit: Emit) -> tuple[Fetched, ...]:
    """As files.gather, logged in to the server. Raises ProbeFailed; OSError, ValueError when the fault is ours."""
    endpoint = await context.net.resolve(source.sftp, source.port, source.ip, emit)
    options = await asyncio.to_thread(_options, source)
    try:
        connection = await asyncssh.connect(endpoint.ip, endpoint.port, options=options)
        try:
            return await _gathered(connection, source, kept)
        finally:
            connection.abort()
    except (asyncssh.Error, ValueError) as error:  # asyncssh hands on what its parsers say of a peer's nonsense
        raise _failed(error) from error
    except OSError as error:
        raise failure(error) from error


async def _gathered(connection: asyncssh.SSHClientConnection, source: SftpSource, kept: Kept) -> tuple[Fetched, ...]:
    # Names that are no UTF-8 stay what they are, on the way there and back.
    client = await connection.start_sftp_client(path_errors="surrogateescape")
    work = asyncio.ensure_future(gather(RemoteFolder(source, client), source, kept))
    try:
        await asyncio.wait({work})
        return await work
    finally:
        # Before what asyncssh does at its end, which is to wait for the server to answer that it closed the file.
        connection.abort()
        work.cancel()
        await asyncio.gather(work, return_exceptions=True)


def _options(source: SftpSource) -> asyncssh.SSHClientConnectionOptions:
    """All that asyncssh would else look for in files and agents of whoever runs the service. Blocks."""
    hosts = asyncssh.read_known_hosts(str(source.known_hosts))
    port = None if source.port == _SSH_PORT else source.port
    keys = []
    if source.private_key is not None:
        passphrase = source.passphrase.value if source.passphrase else None
        try:
            keys.append(asyncssh.import_private_key(source.private_key.value, passphrase))
        except (asyncssh.KeyImportError, asyncssh.KeyEncryptionError) as error:
            raise ValueError(f"private_key: {error}") from None
    return asyncssh.SSHClientConnectionOptions(
        config=[],
        # By the name and port of the settings, wherever an address map leads.
        known_hosts=asyncssh.match_known_hosts(hosts, source.sftp, "", port),
        x509_trusted_certs=None,
        username=source.username,
        password=source.password.value if source.password else None,
        client_keys=keys or None,
        client_host_keys=None,
        agent_path=None,
        gss_kex=False,
        gss_auth=False,
        compression_algs=["none"],
        preferred_auth=["publickey"] if keys else ["password", "keyboard-interactive"],
    )


def _failed(error: asyncssh.Error | ValueError) -> ProbeFailed:
    """The server's fault that an error of asyncssh stands for."""
    words = ascii(error.reason if isinstance(error, asyncssh.Error) else str(error))[1:-1]
    if isinstance(error, asyncssh.PermissionDenied):
        return ProbeFailed(Reason.AUTH, "the server refused who we are")
    if isinstance(error, asyncssh.HostKeyNotVerifiable):
        return ProbeFailed(Reason.TLS, f"the server's key is not the one in known_hosts: {words}")
    if isinstance(error, asyncssh.SFTPPermissionDenied):
        return ProbeFailed(Reason.AUTH, f"the server refused access: {words}")
    if isinstance(error, asyncssh.ChannelOpenError):
        return ProbeFailed(Reason.UNEXPECTED, f"the server offers no SFTP: {words}")
    return ProbeFailed(Reason.PROTOCOL, f"not as SFTP has it: {words}")
