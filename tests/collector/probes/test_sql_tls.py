"""`sql` by TLS, and what is never sent without it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from collector.model import Outcome, Reason, Result
from collector.probes.sql import KIND
from tests.databases import NAME, PASSWORD, Server
from tests.peers import Authority, leaving_nothing, peer
from tests.probing import probing, values


def anywhere(server: Server) -> dict[str, Any]:
    """The database that an account without rights may log in to."""
    return {"database": None if server.dialect == "mariadb" else server.database}


async def once(server: Server, timeout: float = 5.0, **settings: Any) -> Result:
    """One run by TLS against the server, known as `db.example`."""
    wanted = {"host": NAME, "tls": True, "tls_config": {"ca_file": server.ca_file}} | settings
    async with probing(KIND, {"*.example": "127.0.0.1"}) as sql, leaving_nothing():
        return await sql.run(timeout, **server.settings(**wanted))


async def test_a_certificate_that_verifies(server: Server) -> None:
    result = await once(server, user="over_tls", **anywhere(server))
    seen = values(result)
    assert (result.outcome, result.detail) == (Outcome.OK, "")
    assert seen["probe_ssl_verified"] == 1
    assert seen["probe_tls_version_info{TLS 1.3}"] == 1
    assert seen["probe_ssl_earliest_cert_expiry"] > result.started
    assert seen["probe_ssl_last_chain_expiry_timestamp_seconds"] > result.started
    assert seen["probe_sql_duration_seconds{tls}"] > 0


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"host": "other.example"}, "Hostname mismatch"),
        ({"tls_config": {}}, "certificate: "),
        ({"tls_config": {"server_name": "other.example"}}, "certificate: "),
    ],
)
async def test_one_that_does_not_still_tells_its_expiry(server: Server, settings: dict[str, Any], words: str) -> None:
    result = await once(server, **settings)
    seen = values(result)
    assert (result.outcome, result.reason) == (Outcome.FAIL, Reason.TLS)
    assert words in result.detail
    assert seen["probe_ssl_verified"] == 0
    assert seen["probe_ssl_earliest_cert_expiry"] > result.started
    assert "probe_sql_duration_seconds{tls}" not in seen
    assert "probe_ssl_last_chain_expiry_timestamp_seconds" not in seen
    assert seen["probe_sql_duration_seconds{connect}"] > 0


async def test_an_address_verifies_as_one(server: Server) -> None:
    assert (await once(server, host="127.0.0.1")).outcome is Outcome.OK


async def test_what_does_not_verify_is_accepted_on_demand(server: Server) -> None:
    result = await once(server, tls_config={"verify": False})
    assert result.outcome is Outcome.OK
    assert values(result)["probe_ssl_verified"] == 0


async def test_another_name_may_be_asked_for(server: Server) -> None:
    trust = {"ca_file": server.ca_file, "server_name": NAME}
    assert (await once(server, host="other.example", tls_config=trust)).outcome is Outcome.OK


async def test_versions_are_bounded(server: Server) -> None:
    trust = {"ca_file": server.ca_file}
    old = await once(server, tls_config=trust | {"max_version": "1.2"})
    assert values(old)["probe_tls_version_info{TLS 1.2}"] == 1
    never = await once(server, tls_config=trust | {"min_version": "1.0", "max_version": "1.0"})
    assert (never.outcome, never.reason) == (Outcome.FAIL, Reason.TLS)


async def test_a_client_certificate_is_shown(server: Server, database_authority: Authority) -> None:
    trust = {"ca_file": server.ca_file} | database_authority.client_files()
    shown = await once(server, user="by_certificate", tls_config=trust, **anywhere(server))
    missed = await once(server, user="by_certificate", **anywhere(server))
    assert shown.outcome is Outcome.OK
    assert (missed.outcome, missed.reason) == (Outcome.FAIL, Reason.AUTH)


async def test_a_file_of_ours_that_is_missing_is_our_own_fault(server: Server, tmp_path: Path) -> None:
    result = await once(server, tls_config={"ca_file": str(tmp_path / "none.pem")})
    assert (result.outcome, result.reason) == (Outcome.ERROR, Reason.LOCAL)


async def test_a_user_who_must_use_tls_is_turned_away_without(server: Server) -> None:
    result = await once(server, tls=False, user="over_tls", database=None)
    assert (result.outcome, result.reason) == (Outcome.FAIL, Reason.AUTH)


async def test_the_password_is_sent_in_the_clear_only_by_tls(postgres: Server) -> None:
    refused = await once(postgres, tls=False, user="clear")
    assert (refused.outcome, refused.reason) == (Outcome.FAIL, Reason.AUTH)
    assert "in the clear" in refused.detail
    assert (await once(postgres, user="clear")).outcome is Outcome.OK


async def test_an_old_way_to_log_in(postgres: Server) -> None:
    assert (await once(postgres, tls=False, user="old")).outcome is Outcome.OK


async def test_nobody_is_rejected(postgres: Server) -> None:
    result = await once(postgres, user="nobody")
    assert (result.outcome, result.reason) == (Outcome.FAIL, Reason.AUTH)


async def heard_by(greeting: bytes, answer: Callable[[bytes], bytes], **settings: Any) -> tuple[Result, bytes]:
    """One run against a peer that answers everything it hears so; and all that it heard."""
    heard = bytearray()

    async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(greeting)
        while said := await reader.read(4096):
            heard.extend(said)
            writer.write(answer(said))

    async with peer(converse) as port, probing(KIND) as sql, leaving_nothing():
        result = await sql.run(2, host="127.0.0.1", port=port, user="u", password=PASSWORD, **settings)
    return result, bytes(heard)


@pytest.mark.parametrize(("dialect", "greeting", "answer"), [("postgresql", b"", b"S"), ("mariadb", None, b"")])
async def test_a_handshake_that_hangs(
    dialect: str, greeting: bytes | None, answer: bytes, postgres: Server, mariadb: Server
) -> None:
    said = iter([answer])
    result, heard = await heard_by(
        maria_greeting() if greeting is None else greeting, lambda _: next(said, b""), dialect=dialect, tls=True
    )
    assert (result.outcome, result.reason) == (Outcome.FAIL, Reason.TIMEOUT)
    assert values(result)["probe_sql_duration_seconds{connect}"] > 0
    assert PASSWORD.encode() not in heard


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (b"N", Reason.TLS),
        (b"E\0\0\0\x10SFATAL", Reason.PROTOCOL),
        (b"SSH-2.0", Reason.PROTOCOL),
        (b"S\0", Reason.PROTOCOL),
    ],
)
async def test_a_postgres_without_tls_learns_nothing(answer: bytes, reason: Reason, postgres: Server) -> None:
    result, heard = await heard_by(b"", lambda _: answer, dialect="postgresql", tls=True)
    assert (result.outcome, result.reason) == (Outcome.FAIL, reason)
    assert len(heard) == 8  # SSLRequest


def maria_greeting(plugin: bytes = b"mysql_native_password", capabilities: int = 0xFFFF_FFFF) -> bytes:
    """Protocol::HandshakeV10 of a server that offers what it is told to."""
    low, high = capabilities & 0xFFFF, capabilities >> 16
    body = b"\x0a5.5.5-10.11.6-MariaDB\0" + b"\x01\0\0\0" + b"saltsalt\0" + low.to_bytes(2, "little") + b"\x21\x02\0"
    body += high.to_bytes(2, "little") + b"\x15" + bytes(10) + b"saltsaltsalt\0" + plugin + b"\0"
    return len(body).to_bytes(3, "little") + b"\0" + body


async def test_a_mariadb_without_tls_learns_nothing(mariadb: Server) -> None:
    """The client hello goes out whatever the server offers; a name or password does not."""
    result, heard = await heard_by(
        maria_greeting(capabilities=0xFFFF_FFFF & ~0x800), lambda _: b"\x01\0\0\x02\xff", dialect="mariadb", tls=True
    )
    assert (result.outcome, result.reason) == (Outcome.FAIL, Reason.TLS)
    assert PASSWORD.encode() not in heard


@pytest.mark.parametrize("plugin", [b"mysql_clear_password", b"dialog"])
async def test_a_mariadb_that_wants_the_password_in_the_clear_does_not_get_it(mariadb: Server, plugin: bytes) -> None:
    ask = b"\xfe" + plugin + b"\0" + b"\x02Password: "
    switch = len(ask).to_bytes(3, "little") + b"\x02" + ask
    result, heard = await heard_by(maria_greeting(), lambda _: switch, dialect="mariadb")
    assert (result.outcome, result.reason) == (Outcome.FAIL, Reason.AUTH)
    assert "in the clear" in result.detail
    assert PASSWORD.encode() not in heard


async def test_a_postgres_that_wants_it_in_the_clear_byte_by_byte_does_not_get_it(postgres: Server) -> None:
    heard = bytearray()

    async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(4096)
        for byte in b"R\0\0\0\x08\0\0\0\x03":
            writer.write(bytes([byte]))
            await writer.drain()
            await asyncio.sleep(0.002)
        heard.extend(await reader.read(4096))

    async with peer(converse) as port, probing(KIND) as sql, leaving_nothing():
        result = await sql.run(2, dialect="postgresql", host="127.0.0.1", port=port, user="u", password=PASSWORD)
    assert (result.outcome, result.reason) == (Outcome.FAIL, Reason.AUTH)
    assert heard == b""
