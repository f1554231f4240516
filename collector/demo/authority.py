"""The simulated province's own certificate authority: made anew at each start, trusted by nobody else."""

from __future__ import annotations

import ipaddress
import ssl
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

ORGANISATION = "hatang: mô phỏng / simulated"
CA_LIFETIME = timedelta(days=3650)
BACKDATED = timedelta(days=60)


class Validity(StrEnum):
    """How long a host's certificate is still good for."""

    GOOD = "good"
    EXPIRING = "expiring"
    EXPIRED = "expired"


REMAINING = {
    Validity.GOOD: timedelta(days=200),
    Validity.EXPIRING: timedelta(days=5),
    Validity.EXPIRED: timedelta(days=-2),
}


class Authority:
    """Signs certificates for hosts; keeps its files in `directory`, which must exist. Blocks: not for a loop."""

    def __init__(self, directory: Path) -> None:
        self.ca_file = directory / "ca.pem"
        self._directory = directory
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = _name("hatang demo CA")
        self._host_key = ec.generate_private_key(ec.SECP256R1())
        self.ca_file.write_bytes(self._root().public_bytes(Encoding.PEM))

    def server_context(self, host: str) -> ssl.SSLContext:
        """A server's TLS context with a good certificate for `host` (a name or an address)."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.num_tickets = 0  # nobody comes back with one
        self.present(context, host, Validity.GOOD)
        return context

    def present(self, context: ssl.SSLContext, host: str, validity: Validity) -> None:
        """From the next handshake on, show a certificate of this validity."""
        path = self._directory / f"{host.replace(':', '_')}-{validity}.pem"
        if not path.exists():
            path.touch(mode=0o600)
            path.write_bytes(self._leaf(host, validity))
        context.load_cert_chain(path)

    def _root(self) -> x509.Certificate:
        now = datetime.now(UTC)
        builder = (
            self._builder(self._name, self._key.public_key(), now - BACKDATED, now + CA_LIFETIME)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_usage(signs_certificates=True), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(self._key.public_key()), critical=False)
        )
        return builder.sign(self._key, SHA256())

    def _leaf(self, host: str, validity: Validity) -> bytes:
        now, public = datetime.now(UTC), self._host_key.public_key()
        issuer_id = x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key())
        builder = (
            self._builder(_name(host), public, now - BACKDATED, now + REMAINING[validity])
            .add_extension(x509.SubjectAlternativeName([_subject(host)]), critical=False)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(signs_certificates=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
            .add_extension(issuer_id, critical=False)
        )
        key = self._host_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        return key + builder.sign(self._key, SHA256()).public_bytes(Encoding.PEM)

    def _builder(
        self, subject: x509.Name, public: ec.EllipticCurvePublicKey, begin: datetime, end: datetime
    ) -> x509.CertificateBuilder:
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(public)
            .serial_number(x509.random_serial_number())
            .not_valid_before(begin)
            .not_valid_after(end)
        )


def _name(common: str) -> x509.Name:
    # RFC 5280 allows a common name of 64 characters; the whole host is in the alternative names.
    return x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, ORGANISATION),
            x509.NameAttribute(NameOID.COMMON_NAME, common[:64]),
        ]
    )


def _subject(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )
