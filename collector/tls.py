"""TLS contexts made off the loop, and what a handshake tells about the peer."""

from __future__ import annotations

import asyncio
import errno
import ssl
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from math import inf
from pathlib import Path
from typing import Any, Literal, TypeVar

from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256

from collector.fields import Tls
from collector.model import Emit, Metric, ProbeFailed, Reason

EARLIEST_EXPIRY = Metric(
    "probe_ssl_earliest_cert_expiry", "Unix time at which the first certificate of the chain expires."
)
LEAF_EXPIRY = Metric(
    "probe_ssl_leaf_cert_expiry_timestamp_seconds", "Unix time at which the server's own certificate expires."
)
LAST_CHAIN_EXPIRY = Metric(
    "probe_ssl_last_chain_expiry_timestamp_seconds", "Unix time at which the last chain that verifies expires."
)
CHAIN_INFO = Metric(
    "probe_ssl_last_chain_info",
    "The server's own certificate.",
    labels=("fingerprint_sha256", "subject", "issuer", "subjectalternative", "serialnumber"),
)
VERIFIED = Metric("probe_ssl_verified", "Whether the certificate verified.")
VERSION_INFO = Metric("probe_tls_version_info", "TLS version of the connection.", labels=("version",))
CIPHER_INFO = Metric("probe_tls_cipher_info", "TLS cipher of the connection.", labels=("cipher",))
TLS_METRICS = (EARLIEST_EXPIRY, LEAF_EXPIRY, LAST_CHAIN_EXPIRY, CHAIN_INFO, VERIFIED, VERSION_INFO, CIPHER_INFO)

_VERSIONS = {
    "1.0": ssl.TLSVersion.TLSv1,
    "1.1": ssl.TLSVersion.TLSv1_1,
    "1.2": ssl.TLSVersion.TLSv1_2,
    "1.3": ssl.TLSVersion.TLSv1_3,
}
_PEM_FILES = ("ca_file", "cert_file", "key_file")
_DER = 2  # encoding of `Certificate.public_bytes` in the `_ssl` module
# A peer that does not answer our goodbye holds a connection no longer than this.
SHUTDOWN_LIMIT = 0.5

P = TypeVar("P", bound=asyncio.BaseProtocol)


class TlsContexts:
    """One context per distinct setting and state of its files: a renewed certificate is read again.

    Each takes most of a megabyte; the name to ask for is no part of it. Files are looked at no more often than every
    `recheck` seconds.
    """

    def __init__(self, recheck: float = 5.0) -> None:
        self._recheck = recheck
        self._entries: dict[Tls, _Entry] = {}

    async def get(self, tls: Tls) -> ssl.SSLContext:
        """The context for `tls`. Raises OSError, which names the file, when one of its files cannot be used."""
        entry = self._entries.get(tls)
        if entry is None:
            entry = self._entries[tls] = self._shared(tls.model_copy(update={"server_name": None}))
        if entry.context is not None and time.monotonic() < entry.good_until:
            return entry.context
        async with entry.lock:  # thousands of targets may ask at once: one of them makes it
            return await self._fresh(tls, entry)

    def _shared(self, tls: Tls) -> _Entry:
        if tls not in self._entries:
            self._entries[tls] = _Entry([path for name in _PEM_FILES if (path := getattr(tls, name))])
        return self._entries[tls]

    async def _fresh(self, tls: Tls, entry: _Entry) -> ssl.SSLContext:
        if entry.context is not None and time.monotonic() < entry.good_until:
            return entry.context
        stamp = await asyncio.to_thread(_modified, entry.files)
        if entry.context is None or entry.stamp != stamp:
            entry.context = await asyncio.to_thread(make_context, tls)
            entry.stamp = stamp
        entry.good_until = time.monotonic() + self._recheck if entry.files else inf
        return entry.context


@dataclass(slots=True)
class _Entry:
    files: list[Path]
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    context: ssl.SSLContext | None = None
    stamp: tuple[int, ...] = ()
    good_until: float = 0.0


def _modified(files: list[Path]) -> tuple[int, ...]:
    return tuple(path.stat().st_mtime_ns for path in files)


def make_context(tls: Tls) -> ssl.SSLContext:
    """A client context for `tls`; blocks on files. Raises OSError, which names the file that cannot be used."""
    context = _trusting(tls.ca_file)
    with warnings.catch_warnings():
        # Old versions are only spoken where a target's settings ask for them.
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = _VERSIONS[tls.min_version]
        if tls.max_version:
            context.maximum_version = _VERSIONS[tls.max_version]
    if context.minimum_version < ssl.TLSVersion.TLSv1_2:
        # Their handshakes are signed with SHA-1, which OpenSSL 3 only takes at this level.
        context.set_ciphers("DEFAULT:@SECLEVEL=0")
    if not tls.verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if tls.cert_file:
        try:
            context.load_cert_chain(tls.cert_file, tls.key_file)
        except ssl.SSLError as error:
            raise _unusable(tls.cert_file, error) from error
    return context


def _trusting(ca_file: Path | None) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=str(ca_file) if ca_file else None)
    except ssl.SSLError as error:
        if ca_file is None:
            raise
        raise _unusable(ca_file, error) from error


def _unusable(path: Path, error: ssl.SSLError) -> OSError:
    return OSError(errno.EINVAL, f"cannot use this certificate: {error.reason or error}", str(path))


def unverified(tls: Tls) -> Tls:
    """The same settings with nothing refused: to read the facts of a certificate that does not verify."""
    return tls.model_copy(update={"verify": False, "min_version": "1.0", "max_version": None})


async def handshake(
    transport: asyncio.Transport, factory: Callable[[], P], context: ssl.SSLContext, server_name: str, limit: float
) -> tuple[asyncio.Transport, P]:
    """Start TLS as a client over an open connection; `server_name` is asked for and verified, `limit` is in seconds.

    The connection is given up when this fails. Raises ssl.SSLError for what TLS itself refuses (see
    `tls_failure`), ProbeFailed(TLS) when the peer hangs up.
    """
    protocol = factory()
    try:
        if transport.is_closing():
            raise ConnectionResetError
        secured = await asyncio.get_running_loop().start_tls(
            transport,
            protocol,
            context,
            server_hostname=server_name.rstrip("."),
            ssl_handshake_timeout=max(limit, 0.001),
            ssl_shutdown_timeout=SHUTDOWN_LIMIT,
        )
    except BaseException as error:
        transport.abort()
        del protocol  # it keeps the error, whose traceback would keep it
        if isinstance(error, ConnectionError):
            raise ProbeFailed(Reason.TLS, "the peer closed the connection during the handshake") from error
        raise
    if secured is None:
        transport.abort()
        raise ProbeFailed(Reason.TLS, "the peer closed the connection during the handshake")
    protocol.connection_made(secured)
    return secured, protocol


def tls_failure(error: ssl.SSLError) -> ProbeFailed:
    """What a failed handshake says, for people."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return ProbeFailed(Reason.TLS, f"certificate: {error.verify_message}")
    return ProbeFailed(Reason.TLS, error.reason or str(error))


def emit_tls(connection: ssl.SSLObject, verified: bool, emit: Emit) -> None:
    """Emit version, cipher, and the expiry and identity of the certificates that the peer sent."""
    emit(VERIFIED, verified)
    emit(VERSION_INFO, 1, _dotted(connection.version() or "unknown"))
    cipher = connection.cipher()
    emit(CIPHER_INFO, 1, cipher[0] if cipher else "unknown")
    chain = [_facts(der) for der in _links(connection, "unverified")]
    if not chain or (leaf := chain[0]) is None:
        return
    emit(EARLIEST_EXPIRY, min(facts.expires for facts in chain if facts))
    emit(LEAF_EXPIRY, leaf.expires)
    emit(CHAIN_INFO, 1, *leaf.identity)
    if verified:
        trusted = [_facts(der) for der in _links(connection, "verified")]
        emit(LAST_CHAIN_EXPIRY, min(facts.expires for facts in (*trusted, leaf) if facts))


@dataclass(frozen=True, slots=True)
class _Facts:
    expires: float
    identity: tuple[str, str, str, str, str]


@lru_cache(maxsize=4096)
def _facts(der: bytes) -> _Facts | None:
    try:
        certificate = x509.load_der_x509_certificate(der)
        return _Facts(certificate.not_valid_after_utc.timestamp(), _identity(certificate))
    except ValueError:  # OpenSSL takes certificates that break the rules of X.509
        return None


def _dotted(version: str) -> str:
    return "TLS 1.0" if version == "TLSv1" else version.replace("TLSv", "TLS ")


def _links(connection: ssl.SSLObject, which: Literal["verified", "unverified"]) -> list[bytes]:
    # Public from Python 3.13; until then only on the object beneath.
    name = f"get_{which}_chain"
    source: Any = connection if hasattr(connection, name) else connection._sslobj  # type: ignore[attr-defined]  # noqa: SLF001
    links = getattr(source, name)() or ()
    return [link if isinstance(link, bytes) else link.public_bytes(_DER) for link in links]


def _identity(certificate: x509.Certificate) -> tuple[str, str, str, str, str]:
    return (
        certificate.fingerprint(SHA256()).hex(),
        certificate.subject.rfc4514_string(),
        certificate.issuer.rfc4514_string(),
        ",".join(_names(certificate)),
        f"{certificate.serial_number:x}",
    )


def _names(certificate: x509.Certificate) -> list[str]:
    try:
        extension = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except (x509.ExtensionNotFound, x509.DuplicateExtension, x509.UnsupportedGeneralNameType, ValueError):
        return []
    return [str(name.value) for name in extension.value]
