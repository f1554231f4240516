"""The commands as a user types them."""

from __future__ import annotations

import asyncio
import json
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.serving import listening, until, write_config, write_targets
from tests.system.process import hatang

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]


def command(*words: str, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "collector", *words],
        capture_output=True,
        text=True,
        check=False,
        cwd=cwd,
        env={"PYTHONPATH": str(ROOT), "COLUMNS": "160", "PATH": "/usr/bin:/bin"},
    )


def test_without_words_the_help_teaches() -> None:
    done = command("--help")
    assert done.returncode == 0
    for word in ("run", "demo", "check", "once", "explain", "kinds", "schema"):
        assert word in done.stdout


def test_the_shipped_configuration_is_good() -> None:
    done = command("check")
    assert (done.returncode, done.stderr) == (0, "")
    assert "good:" in done.stdout


def test_check_shows_every_fault_at_once_without_a_traceback(tmp_path: Path) -> None:
    config = write_config(tmp_path, {"id": "a", "kind": "tcp", "hots": "x", "port": 0})
    done = command("check", "--config", str(config))
    assert done.returncode == 1
    assert "did you mean 'host'?" in done.stderr
    assert "port" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("case", ["unknown-key", "unreadable-secret", "v3-context", "alias-bomb"])
def test_check_prints_exactly_what_is_expected(case: str) -> None:
    bad = ROOT / "tests" / "config" / "bad" / case
    done = command("check", "--config", ".", cwd=bad)
    assert (done.returncode, done.stderr) == (1, (bad / "expected.txt").read_text())


async def test_once_shows_what_it_measured_and_exits_by_outcome(tmp_path: Path) -> None:
    async with listening() as port:
        up = {"id": "up", "kind": "tcp", "host": "127.0.0.1", "port": port}
        down = {"id": "down", "kind": "tcp", "host": "127.0.0.1", "port": 1}
        config = write_config(tmp_path, up, down)
        good = command("once", "up", "--config", str(config))
        assert good.returncode == 0, good.stderr
        assert "probe_success" in good.stdout
        bad = command("once", "down", "--config", str(config))
        assert bad.returncode == 1
        assert "refused" in bad.stdout
    unknown = command("once", "upp", "--config", str(config))
    assert unknown.returncode == 2
    assert "did you mean 'up'?" in unknown.stderr


def test_explain_names_file_and_line_of_each_setting(tmp_path: Path) -> None:
    config = write_config(tmp_path, {"id": "a", "kind": "tcp", "host": "127.0.0.1", "port": 1})
    done = command("explain", "a", "--config", str(config), "--listen", "127.0.0.1:1")
    assert done.returncode == 0, done.stderr
    assert "targets.yaml:" in done.stdout
    assert "monitor.yaml:" in done.stdout
    assert "next run" in done.stdout
    assert "no service answers" in done.stdout


@pytest.mark.parametrize("name", ["portal", "a"])
async def test_explain_says_why_and_who_is_affected(tmp_path: Path, name: str) -> None:
    """Of a system as of its target: the state, since when, the target that failed, and who depends on it."""
    target = {"id": "a", "kind": "tcp", "host": "127.0.0.1", "port": 1, "interval": "1s", "timeout": "0.5s"}
    config = write_config(tmp_path / "config", {**target, "confirm": 1}, {**target, "id": "b", "system": "mail"})
    mail = "{id: mail, name_vi: Thư, name_en: Mail, category: app, owner: office, depends_on: [portal]}"
    objective = "{id: o, share: 99.9%, systems: [portal]}"
    (config / "targets.d" / "mail.yaml").write_text(f"systems: [{mail}]\nobjectives: [{objective}]\n")
    async with hatang(config) as running:
        address = str(running.client._base_url)[7:].rstrip("/")

        async def down() -> str:
            said = await asyncio.to_thread(command, "explain", name, "--config", str(config), "--listen", address)
            return said.stdout if "Ngừng / down" in said.stdout else ""

        said = await until(down, within=15)
    for words in ("từ / since 20", "a: fail refused", "The fault is its own", "1 hệ thống phụ thuộc", "mail", "office"):
        assert words in said, words
    assert "99.900 % °" in said
    assert "proposed, not official" in said
    assert ("while it is down, its system is down" in said) == (name == "a")


def test_explain_knows_neither(tmp_path: Path) -> None:
    config = write_config(tmp_path, {"id": "a", "kind": "tcp", "host": "127.0.0.1", "port": 1})
    done = command("explain", "portl", "--config", str(config), "--listen", "127.0.0.1:1")
    assert done.returncode == 2
    assert "did you mean 'portal'?" in done.stderr


def test_kinds_lists_settings_and_metrics() -> None:
    assert "snmp" in command("kinds").stdout
    one = command("kinds", "tcp").stdout
    assert "host" in one
    assert "probe_dns_lookup_time_seconds" in one
    assert "did you mean 'tcp'?" in command("kinds", "tpc").stderr


def test_the_committed_schema_is_current() -> None:
    """`make docs` writes it anew."""
    assert command("schema").stdout == (ROOT / "config" / "schema.json").read_text(encoding="utf-8")


def test_a_taken_port_is_named_with_the_option_that_moves_it(tmp_path: Path) -> None:
    config = write_config(tmp_path, {"id": "a", "kind": "tcp", "host": "127.0.0.1", "port": 1})
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        done = command("run", "--config", str(config), "--listen", address)
    assert done.returncode == 1
    assert address.rpartition(":")[2] in done.stderr
    assert "--listen" in done.stderr
    assert "Traceback" not in done.stderr


async def test_run_explains_live_reloads_on_sighup_and_stops_on_sigterm(tmp_path: Path) -> None:
    async with listening() as port:
        target = {"id": "a", "kind": "tcp", "host": "127.0.0.1", "port": port, "interval": "1s", "timeout": "0.5s"}
        config = write_config(tmp_path, target)
        async with hatang(config) as running:

            async def explained() -> bool:
                address = str(running.client._base_url)[7:].rstrip("/")
                return "ok, " in command("explain", "a", "--config", str(config), "--listen", address).stdout

            await until(explained, within=15)
            write_targets(config, "more", {**target, "id": "b"})
            running.process.send_signal(signal.SIGHUP)

            async def loaded() -> bool:
                async with running.client.get("/api/v1/targets?target=b") as answer:
                    return bool(json.loads(await answer.read())["targets"])

            await until(loaded)
