"""TLS contexts made off the loop, and what a handshake tells about the peer."""

from __future__ import annotations

import asyncio
import ssl
import warnings
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

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


class TlsContexts:
    """One context per distinct setting and state of its files: a renewed certificate is read again."""

    def __init__(self) -> None:
        self._contexts: dict[Tls, tuple[tuple[int, ...], ssl.SSLContext]] = {}

    async def get(self, tls: Tls) -> ssl.SSLContext:
        """The context for `tls`. Raises OSError or ssl.SSLError when one of its files cannot be used."""
        files = [path for name in _PEM_FILES if (path := getattr(tls, name)) is not None]
        known = self._contexts.get(tls)
        if known is not None and not files:
            return known[1]
        stamp = await asyncio.to_thread(_modified, files) if files else ()
        if known is not None and known[0] == stamp:
            return known[1]
        context = await asyncio.to_thread(make_context, tls)
        self._contexts[tls] = (stamp, context)
        return context


def _modified(files: list[Path]) -> tuple[int, ...]:
    return tuple(path.stat().st_mtime_ns for path in files)


def make_context(tls: Tls) -> ssl.SSLContext:
    """A client context for `tls`; blocks on files. Raises OSError or ssl.SSLError."""
    context = ssl.create_default_context(cafile=str(tls.ca_file) if tls.ca_file else None)
    with warnings.catch_warnings():
        # Old versions are only spoken where a target's settings ask for them.
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = _VERSIONS[tls.min_version]
        if tls.max_version:
            context.maximum_version = _VERSIONS[tls.max_version]
    if not tls.verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if tls.cert_file:
        context.load_cert_chain(tls.cert_file, tls.key_file)
    return context


def unverified(tls: Tls) -> Tls:
    """The same settings with no verification: to read the facts of a certificate that does not verify."""
    return tls.model_copy(update={"verify": False})


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
    chain = [_facts(der) for der in _chain(connection)]
    if not chain:
        return
    earliest = min(facts.expires for facts in chain)
    emit(EARLIEST_EXPIRY, earliest)
    emit(LEAF_EXPIRY, chain[0].expires)
    if verified:
        emit(LAST_CHAIN_EXPIRY, earliest)
    emit(CHAIN_INFO, 1, *chain[0].identity)


@dataclass(frozen=True, slots=True)
class _Facts:
    expires: float
    identity: tuple[str, str, str, str, str]


@lru_cache(maxsize=4096)
def _facts(der: bytes) -> _Facts:
    certificate = x509.load_der_x509_certificate(der)
    return _Facts(certificate.not_valid_after_utc.timestamp(), _identity(certificate))


def _dotted(version: str) -> str:
    return version.replace("TLSv", "TLS ")


def _chain(connection: ssl.SSLObject) -> list[bytes]:
    # Public from Python 3.13; until then only on the object beneath.
    source: Any = connection if hasattr(connection, "get_unverified_chain") else connection._sslobj  # type: ignore[attr-defined]  # noqa: SLF001
    chain = source.get_unverified_chain() or ()
    return [link if isinstance(link, bytes) else link.public_bytes(2) for link in chain]


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
    except x509.ExtensionNotFound:
        return []
    return [str(name.value) for name in extension.value]
