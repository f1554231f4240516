"""TLS contexts: made once, made anew when a file changes, and refused by name when a file is unusable."""

from __future__ import annotations

import asyncio
import os
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from collector.fields import Tls
from collector.model import Metric, ProbeFailed, Reason
from collector.tls import TlsContexts, emit_tls, handshake
from tests.peers import Authority, peer


async def test_one_context_serves_all_who_ask_for_the_same(tmp_path: Path) -> None:
    contexts = TlsContexts()
    ca_file = Authority(tmp_path).ca_file
    asked = await asyncio.gather(*(contexts.get(Tls(ca_file=ca_file)) for _ in range(20)))
    assert len({id(context) for context in asked}) == 1
    assert await contexts.get(Tls()) is not asked[0]
    assert await contexts.get(Tls()) is await contexts.get(Tls())


async def test_targets_that_differ_in_their_name_share_a_context() -> None:
    """A hundred sites behind one address would take a hundred megabytes."""
    contexts = TlsContexts()
    named = await asyncio.gather(*(contexts.get(Tls(server_name=f"site-{number}.example")) for number in range(20)))
    assert {id(context) for context in named} == {id(await contexts.get(Tls()))}
    assert await contexts.get(Tls(server_name="site-1.example", verify=False)) is not named[1]


async def test_a_changed_file_is_read_again_after_a_while(tmp_path: Path) -> None:
    tls = Tls(ca_file=Authority(tmp_path).ca_file)
    at_once, later = TlsContexts(recheck=0.0), TlsContexts(recheck=60.0)
    first, kept = await at_once.get(tls), await later.get(tls)
    assert await at_once.get(tls) is first
    assert tls.ca_file is not None
    os.utime(tls.ca_file, (1, 1))
    assert await at_once.get(tls) is not first
    assert await later.get(tls) is kept


@pytest.mark.parametrize("field", ["ca_file", "cert_file"])
async def test_an_unusable_file_is_named(field: str, tmp_path: Path) -> None:
    path = tmp_path / "no.pem"
    contexts = TlsContexts()
    with pytest.raises(FileNotFoundError) as missing:
        await contexts.get(Tls.model_validate({field: path}))
    assert missing.value.filename == str(path) or missing.value.filename == path
    path.write_text("this is no certificate")
    with pytest.raises(OSError, match="cannot use this certificate") as caught:
        await contexts.get(Tls.model_validate({field: path}))
    assert caught.value.filename == str(path)


async def test_a_certificate_that_came_right_is_used(tmp_path: Path) -> None:
    """A fault of a file is not remembered."""
    path = tmp_path / "ca.pem"
    contexts = TlsContexts()
    with pytest.raises(FileNotFoundError):
        await contexts.get(Tls(ca_file=path))
    Authority(tmp_path)
    assert isinstance(await contexts.get(Tls(ca_file=path)), ssl.SSLContext)


async def facts(tls: Tls, server: ssl.SSLContext) -> dict[str, tuple[float, tuple[str, ...]]]:
    """What is emitted of a handshake with a server."""
    seen: dict[str, tuple[float, tuple[str, ...]]] = {}

    def emit(metric: Metric, value: float, *labels: str) -> None:
        seen[metric.name] = (value, labels)

    async def listen(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        await reader.read()

    async with peer(listen, tls=server) as port:
        transport, _ = await asyncio.get_running_loop().create_connection(asyncio.Protocol, "127.0.0.1", port)
        context = await TlsContexts().get(tls)
        transport, _ = await handshake(transport, asyncio.Protocol, context, "a.example", 2.0)
        emit_tls(transport.get_extra_info("ssl_object"), tls.verify, emit)
        transport.abort()
    return seen


async def test_the_last_chain_ends_when_its_root_does(tmp_path: Path) -> None:
    """The root is not sent by the server, but no chain verifies longer than its root."""
    root_key, leaf_key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    soon = datetime.now(UTC).replace(microsecond=0) + timedelta(days=3)
    later = soon + timedelta(days=30)
    root = certificate("root", "root", root_key, root_key, soon)
    leaf = certificate("a.example", "root", leaf_key, root_key, later)
    (tmp_path / "root.pem").write_bytes(root.public_bytes(Encoding.PEM))
    (tmp_path / "leaf.pem").write_bytes(leaf.public_bytes(Encoding.PEM))
    (tmp_path / "leaf.key").write_bytes(leaf_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(tmp_path / "leaf.pem", tmp_path / "leaf.key")
    seen = await facts(Tls(ca_file=tmp_path / "root.pem"), server)
    assert seen["probe_ssl_earliest_cert_expiry"][0] == later.timestamp()
    assert seen["probe_ssl_leaf_cert_expiry_timestamp_seconds"][0] == later.timestamp()
    assert seen["probe_ssl_last_chain_expiry_timestamp_seconds"][0] == soon.timestamp()
    labels = seen["probe_ssl_last_chain_info"][1]
    assert labels == (
        leaf.fingerprint(SHA256()).hex(),
        "CN=a.example",
        "CN=root",
        "a.example",
        f"{leaf.serial_number:x}",
    )


def certificate(
    name: str, issuer: str, key: ec.EllipticCurvePrivateKey, signer: ec.EllipticCurvePrivateKey, until: datetime
) -> x509.Certificate:
    """A certificate for `name`; one that signs itself may sign others."""
    subject, by = (x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)]) for text in (name, issuer))
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(by)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(datetime.now(UTC) - timedelta(days=1))
        .not_valid_after(until)
        .add_extension(x509.BasicConstraints(ca=name == issuer, path_length=None), critical=True)
    )
    if name != issuer:
        builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
    return builder.sign(signer, SHA256())


async def test_a_handshake_that_the_peer_leaves_is_a_tls_failure() -> None:
    async def leave(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        await reader.read(1)

    async with peer(leave) as port:
        transport, _ = await asyncio.get_running_loop().create_connection(asyncio.Protocol, "127.0.0.1", port)
        with pytest.raises(ProbeFailed) as caught:
            await handshake(transport, asyncio.Protocol, await TlsContexts().get(Tls()), "a.example", 2.0)
        assert caught.value.reason is Reason.TLS
        assert transport.is_closing()
