"""monitor.yaml: what it takes, and what the rest of the service can do with it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from collector.net import AddressMap
from collector.settings import Monitor, SettingsError, load
from collector.settings.masked import masked
from collector.settings.monitor import Traps
from tests.configuring import write


def monitor(directory: Path, text: str) -> Monitor:
    return load([write(directory, monitor=text)]).monitor


def test_everything_can_be_set(tmp_path: Path) -> None:
    settings = monitor(
        tmp_path,
        "limits: {in_flight: 100, per_peer: 1}\n"
        'resolver: {servers: [10.0.0.53, "127.0.0.1:5353", "::1", "[::1]:5353"], timeout: 500ms}\n'
        'address_map: {"*.quangngai.example": 127.0.0.1, "a.example:443": ":8443", "b.example": "[::1]:80"}\n'
        'web: {listen: "[::]:9464"}\n'
        "journal: {path: /var/lib/hatang/journal.sqlite, retention: 730d, event_retention: 30d, compaction: 6h}\n",
    )
    assert (settings.limits.in_flight, settings.limits.per_peer) == (100, 1)
    assert settings.resolver.servers == ("10.0.0.53", "127.0.0.1:5353", "::1", "[::1]:5353")
    assert settings.resolver.timeout == 0.5
    assert AddressMap(settings.address_map).redirect("www.quangngai.example", 443) == ("127.0.0.1", 443)
    assert settings.web.listen == "[::]:9464"
    assert settings.journal.path == Path("/var/lib/hatang/journal.sqlite")
    kept = (settings.journal.retention, settings.journal.event_retention, settings.journal.compaction)
    assert kept == (730 * 86400.0, 30 * 86400.0, 6 * 3600.0)


def test_the_journal_holds_a_month_at_least(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"journal.retention: must be at least 31d"):
        monitor(tmp_path, "journal: {retention: 30d}\n")


@pytest.mark.parametrize("path", ["''", ".", "/"])
def test_the_journal_is_a_file(tmp_path: Path, path: str) -> None:
    with pytest.raises(SettingsError, match=r"^monitor.yaml:1:17: journal.path: expected the path of a file"):
        monitor(tmp_path, f"journal: {{path: {path}}}\n")


def test_sections_may_be_empty(tmp_path: Path) -> None:
    assert monitor(tmp_path, "limits:\nresolver:\naddress_map:\nweb:\njournal:\ndefaults:\n") == Monitor()


@pytest.mark.parametrize("listen", ["127.0.0.1:0", "localhost:9464", ":9464", "[::1]:9464"])
def test_where_to_listen(tmp_path: Path, listen: str) -> None:
    assert monitor(tmp_path, f"web: {{listen: '{listen}'}}\n").web.listen == listen


@pytest.mark.parametrize("listen", ["9464", "127.0.0.1", "::1:9464", "localhost:99999", "a b:1", "[::1]"])
def test_where_not_to_listen(tmp_path: Path, listen: str) -> None:
    with pytest.raises(SettingsError, match=r"^monitor.yaml:1:15: web.listen: expected host:port"):
        monitor(tmp_path, f"web: {{listen: '{listen}'}}\n")


@pytest.mark.parametrize("server", ["dns.example", "127.0.0.1:0", "127.0.0.1:65536", "[::1]:", "[::1", "", "::1:x"])
def test_what_is_no_name_server(tmp_path: Path, server: str) -> None:
    with pytest.raises(SettingsError, match=r"resolver.servers\[0\]: expected the IP address of a name server"):
        monitor(tmp_path, f"resolver: {{servers: ['{server}']}}\n")


@pytest.mark.parametrize(("host", "address"), [("", "10.0.0.1"), ("a b", "10.0.0.1"), ("a:b", "10.0.0.1")])
def test_what_is_no_host_to_redirect(tmp_path: Path, host: str, address: str) -> None:
    with pytest.raises(SettingsError, match="expected a host or host:port"):
        monitor(tmp_path, f"address_map: {{'{host}': '{address}'}}\n")


@pytest.mark.parametrize("address", ["", ":", ":0", "10.0.0.1:port", "http://a.example/"])
def test_what_is_no_address_to_redirect_to(tmp_path: Path, address: str) -> None:
    """What is accepted here is accepted by the address map itself: a reload cannot fail later."""
    with pytest.raises(SettingsError, match="expected an address, address:port or :port"):
        monitor(tmp_path, f"address_map: {{a.example: '{address}'}}\n")


def test_traps_are_off_unless_told_otherwise(tmp_path: Path) -> None:
    assert monitor(tmp_path / "none", "web: {}\n").traps is None
    assert monitor(tmp_path / "empty", "traps:\n").traps is None
    assert monitor(tmp_path / "some", "traps: {}\n").traps == Traps()


def test_all_about_traps(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("authentication\n")
    (tmp_path / "key").chmod(0o600)
    loaded = load(
        [
            write(
                tmp_path,
                monitor='traps:\n  listen: "[::]:1162"\n  communities: [!file key, public]\n  users:\n'
                "    - {user: observer, auth_protocol: sha256, auth_password: !file key}\n"
                "    - {user: a, auth_protocol: md5, auth_password: authentication, "
                "priv_protocol: des, priv_password: !file key}\n"
                "    - {user: nobody}\n"
                "  per_source: 2.5\n  in_all: 100\n  poll_gap: 500ms\n  engine_file: /var/lib/hatang/engine.json\n",
            )
        ]
    )
    traps = loaded.monitor.traps
    assert traps is not None
    assert [secret.value for secret in traps.communities] == ["authentication", "public"]
    assert [user.credentials.auth_password for user in traps.users] == ["authentication", "authentication", ""]
    assert (traps.per_source, traps.in_all, traps.poll_gap) == (2.5, 100.0, 0.5)
    assert [str(warning) for warning in loaded.warnings] == [
        "monitor.yaml:3:28: traps.communities[1]: a secret written out: use !env NAME or !file path",
        "monitor.yaml:6:52: traps.users[1].auth_password: a secret written out: use !env NAME or !file path",
    ]
    assert "authentication" not in masked(loaded)
    assert "public" not in masked(loaded)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("listen: 9162", "traps.listen: expected text"),
        ("listen: nine", "traps.listen: expected host:port"),
        ("in_all: 0", "traps.in_all: "),
        ("users: [{user: a, auth_protocol: sha1}]", "`auth_protocol` and `auth_password` go together"),
        ("users: [{user: a, auth_protocol: sha1, auth_password: short}]", "passwords have at least 8 characters"),
        ("users: [{user: a, priv_protocol: des, priv_password: long-enough}]", "encryption needs authentication"),
        ("users: [{auth_protocol: sha1}]", "missing key 'user'"),
        ("community: public", "unknown key 'community'; did you mean 'communities'"),
    ],
)
def test_what_is_wrong_about_traps(tmp_path: Path, text: str, fault: str) -> None:
    with pytest.raises(SettingsError, match=re.escape(fault)):
        monitor(tmp_path, f"traps: {{{text}}}\n")
