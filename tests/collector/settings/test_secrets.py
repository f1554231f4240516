"""Secrets come from where they should, and are never seen."""

from __future__ import annotations

import base64
import os
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

from collector.fields import Secret
from collector.settings import Config, SettingsError, load, masked
from tests.configuring import with_base, write

MARKER = "s3cr3t/Märker+marker=="
WEB = """\
targets:
  - id: portal-web
    system: portal
    kind: http
    url: https://portal.quangngai.example/
"""


@pytest.fixture
def environment() -> Iterator[str]:
    """Name of an environment variable that holds the marker."""
    os.environ["HATANG_TEST_SECRET"] = MARKER
    yield "HATANG_TEST_SECRET"
    os.environ.pop("HATANG_TEST_SECRET", None)


def secret_file(directory: Path, content: str | bytes, mode: int = 0o600) -> Path:
    path = directory / "token"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    path.chmod(mode)
    return path


def token(config: Config) -> Secret:
    spec = config.targets["portal-web"].spec
    found: Secret = spec.bearer_token  # type: ignore[attr-defined]  # it is an http target
    return found


def faults(directory: Path) -> list[str]:
    with pytest.raises(SettingsError) as caught:
        load([directory])
    return [str(fault).removeprefix("targets.d/web.yaml:") for fault in caught.value.faults]


def test_from_the_environment(tmp_path: Path, environment: str) -> None:
    config = load([with_base(tmp_path, targets_d__web=WEB + f"    bearer_token: !env {environment}\n")])
    assert token(config) == Secret(MARKER, "env:HATANG_TEST_SECRET")
    assert config.warnings == ()
    assert config.origin("portal-web")["bearer_token"] == ("<secret>", "targets.d/web.yaml:6")


@pytest.mark.parametrize(
    ("content", "value"), [("x", "x"), ("x\n", "x"), ("x\r\n", "x"), ("x\\n\n", "x\\n"), (" x \n", " x ")]
)
def test_from_a_file_beside_the_one_that_names_it(tmp_path: Path, content: str, value: str) -> None:
    """One newline at the end is the editor's; everything else belongs to the secret."""
    with_base(tmp_path, targets_d__web=WEB + "    bearer_token: !file token\n")
    path = secret_file(tmp_path / "targets.d", content)
    config = load([tmp_path])
    assert token(config) == Secret(value, "file:token")
    assert config.files == (tmp_path, path)


def test_from_a_file_by_its_whole_path(tmp_path: Path) -> None:
    path = secret_file(tmp_path, MARKER)
    assert token(load([with_base(tmp_path, targets_d__web=WEB + f"    bearer_token: !file {path}\n")])).value == MARKER


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644])
def test_a_file_that_others_can_read_is_warned_of(tmp_path: Path, mode: int) -> None:
    with_base(tmp_path, targets_d__web=WEB + "    bearer_token: !file token\n")
    secret_file(tmp_path / "targets.d", MARKER, mode)
    assert [str(warning) for warning in load([tmp_path]).warnings] == [
        "targets.d/web.yaml:6:19: targets[portal-web].bearer_token: secret file token is readable for others: chmod 600"
    ]


def test_credentials_of_systemd_are_not_warned_of(tmp_path: Path, environment: str) -> None:
    """Their group bits are the mask of an access list."""
    os.environ["CREDENTIALS_DIRECTORY"] = str(tmp_path)
    try:
        path = secret_file(tmp_path, MARKER, 0o440)
        config = load([with_base(tmp_path / "c", targets_d__web=WEB + f"    bearer_token: !file {path}\n")])
    finally:
        del os.environ["CREDENTIALS_DIRECTORY"]
    assert config.warnings == ()


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"", "is empty"),
        (b"\n", "is empty"),
        (b"\xff\xfe", "is not UTF-8 text"),
        (b"x" * 65_537, "is longer than 64 KiB"),
    ],
)
def test_a_file_that_holds_no_secret(tmp_path: Path, content: bytes, complaint: str) -> None:
    with_base(tmp_path, targets_d__web=WEB + "    bearer_token: !file token\n")
    secret_file(tmp_path / "targets.d", content)
    assert faults(tmp_path) == [f"6:19: targets[portal-web].bearer_token: secret file token {complaint}"]


def test_a_pipe_does_not_hold_the_service(tmp_path: Path) -> None:
    with_base(tmp_path, targets_d__web=WEB + "    bearer_token: !file pipe\n")
    os.mkfifo(tmp_path / "targets.d" / "pipe")
    assert faults(tmp_path) == ["6:19: targets[portal-web].bearer_token: secret file pipe is not a regular file"]


def test_only_one_newline_is_cut_off(tmp_path: Path) -> None:
    """What is left of the second one is the kind's to refuse, without showing the rest."""
    with_base(tmp_path, targets_d__web=WEB + "    bearer_token: !file token\n")
    secret_file(tmp_path / "targets.d", "hunter2\n\n")
    (fault,) = faults(tmp_path)
    assert fault.startswith("6:19: targets[portal-web].bearer_token: ")
    assert "hunter2" not in fault


def test_an_empty_variable(tmp_path: Path, environment: str) -> None:
    os.environ[environment] = ""
    with_base(tmp_path, targets_d__web=WEB + f"    bearer_token: !env {environment}\n")
    assert faults(tmp_path) == [f"6:19: targets[portal-web].bearer_token: environment variable {environment} is empty"]


def test_a_missing_secret_of_the_defaults_is_told_once(tmp_path: Path) -> None:
    more = WEB.removeprefix("targets:\n").replace("portal-web", "portal-two")
    with_base(
        tmp_path, monitor="defaults:\n  http: {bearer_token: !env HATANG_TEST_NOT_SET}\n", targets_d__web=WEB + more
    )
    assert faults(tmp_path) == [
        "monitor.yaml:2:24: defaults.http.bearer_token: environment variable HATANG_TEST_NOT_SET is not set"
    ]


def test_a_literal_is_warned_of_where_it_stands(tmp_path: Path) -> None:
    config = load(
        [
            with_base(
                tmp_path,
                monitor="defaults:\n  http: {bearer_token: open-sesame}\n",
                targets_d__web=WEB + "    basic_auth: {username: hatang, password: open-sesame}\n    bearer_token:\n",
                targets_d__two=WEB.replace("portal-web", "portal-two"),
                targets_d__three=WEB.replace("portal-web", "portal-three"),
            )
        ]
    )
    complaint = "a secret written out: use !env NAME or !file path"
    assert [str(warning) for warning in config.warnings] == [
        f"monitor.yaml:2:24: defaults.http.bearer_token: {complaint}",
        f"targets.d/web.yaml:6:46: targets[portal-web].basic_auth.password: {complaint}",
    ]


def test_what_is_invented_has_no_secrets(tmp_path: Path) -> None:
    """A literal in a synthetic file is part of the play; one that it inherits from elsewhere is told of."""
    play = "synthetic: true\n" + WEB + "    basic_auth: {username: hatang, password: open-sesame}\n"
    agent = "  - {id: portal-agent, system: portal, kind: snmp, host: a.example, version: 2c, profiles: [system]}\n"
    with_base(
        tmp_path,
        targets_d__play=play + "defaults: {snmp: {community: open-sesame}}\n",
        targets_d__agent="synthetic: true\ndefaults: {snmp: {community: open-sesame}}\ntargets:\n" + agent,
        devices_d__system="title: Any device\nscalars: [{name: a_up, oid: 1.3.6.1.2.1.1.3.0, help: Up.}]\n",
    )
    first = load([tmp_path])
    assert first.warnings == ()
    write(tmp_path, monitor="defaults:\n  http: {bearer_token: open-sesame}\n")
    write(tmp_path, targets_d__play=play.replace("    basic_auth", "    body: x\n    # basic_auth"))
    assert [str(warning) for warning in load([tmp_path], first).warnings] == [
        "monitor.yaml:2:24: defaults.http.bearer_token: a secret written out: use !env NAME or !file path"
    ]


def test_a_new_value_is_seen_at_the_next_load(tmp_path: Path, environment: str) -> None:
    """The files are the same; the target is not."""
    first = load([with_base(tmp_path, targets_d__web=WEB + f"    bearer_token: !env {environment}\n")])
    os.environ[environment] = "other"
    second = load([tmp_path], first)
    assert second.targets["portal-web"] != first.targets["portal-web"]
    assert token(second).value == "other"
    assert load([tmp_path], second).targets["portal-web"] is second.targets["portal-web"]


def forms(marker: str) -> list[str]:
    """How a leak could look."""
    return [marker, quote(marker, safe=""), base64.b64encode(marker.encode()).decode(), repr(marker)[1:-1], "hunter2"]


def test_no_secret_is_ever_shown(tmp_path: Path, environment: str) -> None:
    """Masked by type, wherever it comes from: in the dump, the explanation, the objects themselves."""
    with_base(
        tmp_path,
        monitor=f"defaults:\n  http:\n    headers: {{X-Key: !env {environment}}}\n",
        targets_d__web=WEB + "    basic_auth: {username: hatang, password: !file token}\n    bearer_token:\n"
        "    proxy: http://proxy.example:3128\n    proxy_auth: {username: p, password: hunter2}\n",
        targets_d__two=WEB.replace("portal-web", "portal-two") + "    bearer_token: hunter2\n",
    )
    secret_file(tmp_path / "targets.d", MARKER)
    config = load([tmp_path])
    shown = [masked(config), repr(config), str(config), repr(config.resolved["portal-web"].target)]
    shown += [repr(config.origin(name)) for name in config.targets]
    shown += [target.spec.model_dump_json() for target in config.targets.values()]
    shown += [str(warning) for warning in config.warnings]
    for text in shown:
        assert not [form for form in forms(MARKER) if form in text]
    assert masked(config).count("<secret>") == 5


@pytest.mark.parametrize(
    "wrong",
    [
        "    bearer_token: {password: hunter2}\n",
        "    bearer_token: [hunter2]\n",
        "    bearer_token: 12345678\n",
        "    basic_auth: hunter2\n",
        "    basic_auth: 12345678\n",
        "    basic_auth: [hunter2, 12345678]\n",
        "    basic_auth: {username: a, password: hunter2, pasword: 12345678}\n",
        "    basic_auth: {username: 5, password: 12345678}\n",
        "    bearer_token: hunter2\n    bearer_token: 12345678\n",
        "    bearer_token: 'hunter2\n",
        "    bearer_token: hunter2: 12345678\n",
        "    bearer_token: !secret hunter2\n",
        "    bearer_token: &a hunter2\n    body: *a\n    url: 12345678\n",
        "    headers: {Authorization: [hunter2]}\n",
        "    tls: {server_name: a, ca: hunter2}\n    bearer_token: hunter2\n",
    ],
)
def test_no_fault_repeats_a_secret(tmp_path: Path, wrong: str) -> None:
    with_base(tmp_path, targets_d__web=WEB + wrong)
    with pytest.raises(SettingsError) as caught:
        load([tmp_path])
    for text in (str(caught.value), repr(caught.value), repr(caught.value.faults)):
        assert "hunter2" not in text
        assert "12345678" not in text


def test_a_secret_needs_a_secret_field(tmp_path: Path, environment: str) -> None:
    write(tmp_path, monitor=f"web: {{listen: !env {environment}}}\naddress_map: {{a.example: !env {environment}}}\n")
    with pytest.raises(SettingsError) as caught:
        load([tmp_path])
    assert [str(fault) for fault in caught.value.faults] == [
        "monitor.yaml:1:15: web.listen: !env is for secrets only: write the value itself here",
        "monitor.yaml:2:26: address_map['a.example']: !env is for secrets only: write the value itself here",
    ]
