"""The HTTP surface over a real service."""

from __future__ import annotations

import asyncio
import gzip
import subprocess
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_text
from structlog.testing import capture_logs

from collector.model import Outcome
from tests.serving import Serving, listening, serving, until, write_config, write_targets

ACCEPT_OPENMETRICS = "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5"


@pytest.fixture
async def served(tmp_path: Path) -> AsyncIterator[Serving]:
    async with listening() as port:
        up: dict[str, Any] = {"id": "up", "kind": "tcp", "host": "127.0.0.1", "port": port, "labels": {"rack": "R1"}}
        down: dict[str, Any] = {"id": "down", "kind": "tcp", "host": "127.0.0.1", "port": 1}
        async with serving(write_config(tmp_path, up, down)) as running:
            for name in ("up", "down"):
                await running.service.probe(name)
            yield running


async def test_metrics_as_text(served: Serving, real: Callable[[str], str]) -> None:
    async with served.client.get("/metrics") as answer:
        body = await answer.text()
        assert answer.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    samples = {sample.name for family in parse_text(body) for sample in family.samples}
    assert {"probe_success", "hatang_runs_total", "hatang_build_info", "process_cpu_seconds_total"} <= samples
    linted = subprocess.run(
        [real("promtool"), "check", "metrics"], input=body.encode(), capture_output=True, check=False
    )
    assert (linted.returncode, linted.stderr) == (0, b"")


async def test_metrics_as_openmetrics(served: Serving) -> None:
    async with served.client.get("/metrics", headers={"Accept": ACCEPT_OPENMETRICS}) as answer:
        body = await answer.text()
        assert answer.headers["Content-Type"].startswith("application/openmetrics-text; version=1.0.0")
    assert body.endswith("# EOF\n")
    samples = {sample.name: sample for family in parse_openmetrics(body) for sample in family.samples}
    assert samples["probe_success"].labels["system"] == "portal"


async def test_metrics_are_compressed_when_the_scraper_takes_it(served: Serving) -> None:
    async with served.client.get("/metrics", headers={"Accept-Encoding": "gzip"}, auto_decompress=False) as answer:
        assert answer.headers["Content-Encoding"] == "gzip"
        assert b"probe_success" in gzip.decompress(await answer.read())
    async with served.client.get("/metrics", headers={"Accept-Encoding": "identity"}) as answer:
        assert "Content-Encoding" not in answer.headers


async def test_probe_runs_one_configured_target(served: Serving) -> None:
    status, text = await served.get("/probe?target=up")
    assert status == 200
    assert 'probe_success{target="up",system="portal"} 1.0' in text
    assert "down" not in text


async def test_probe_runs_a_target_at_most_once_a_second(served: Serving) -> None:
    before = served.service.state.records["up"].runs[Outcome.OK]
    for _ in range(10):
        await served.get("/probe?target=up")
    assert served.service.state.records["up"].runs[Outcome.OK] - before <= 1


@pytest.mark.parametrize(
    ("query", "status", "words"),
    [
        ("", 400, "/api/v1/targets"),
        ("?target=upp", 404, "did you mean 'up'?"),
        ("?target=127.0.0.1:22", 404, "no target is called"),
        ("?target=http://169.254.169.254/", 404, "no target is called"),
    ],
)
async def test_probe_connects_nowhere_but_to_configured_targets(
    served: Serving, query: str, status: int, words: str
) -> None:
    answer = await served.get(f"/probe{query}")
    assert answer[0] == status
    assert words in answer[1]


async def test_probe_takes_no_setting_from_the_url(served: Serving) -> None:
    _, text = await served.get("/probe?target=down&host=127.0.0.1&port=80&module=tcp")
    assert 'probe_success{target="down",system="portal"} 0.0' in text


async def test_debug_tells_why(served: Serving) -> None:
    status, text = await served.get("/probe?target=down&debug=true")
    assert status == 200
    assert "fail: refused: connection refused" in text
    assert "targets.yaml:" in text
    assert "probe_success 0.0" in text
    assert "last 1 failures" in text or "last 2 failures" in text


async def test_service_discovery_lists_the_inventory(served: Serving) -> None:
    async with served.client.get("/sd?kind=tcp") as answer:
        assert answer.headers["Content-Type"].startswith("application/json")
        groups = await answer.json()
    assert [group["labels"]["__meta_hatang_target"] for group in groups] == ["up", "down"]
    assert groups[0]["labels"]["__meta_hatang_label_rack"] == "R1"
    assert groups[1]["targets"] == ["127.0.0.1:1"]
    async with served.client.get("/sd?kind=http") as answer:
        assert await answer.json() == []


async def test_the_api_lists_targets_with_their_last_result(served: Serving) -> None:
    async with served.client.get("/api/v1/targets?outcome=fail") as answer:
        [target] = (await answer.json())["targets"]
    assert target["id"] == "down"
    assert target["last"]["reason"] == "refused"
    assert target["runs"]["fail"] >= 1
    assert target["failures"]


async def test_the_landing_page_shows_what_is_not_well(served: Serving) -> None:
    status, page = await served.get("/")
    assert status == 200
    assert "Cổng thông tin" in page
    assert "connection refused" in page


async def test_health_and_readiness(served: Serving) -> None:
    assert (await served.get("/-/healthy"))[0] == 200
    assert (await served.get("/-/ready"))[0] == 200


async def test_a_fault_of_ours_while_reloading_is_told_and_not_the_last_of_all(
    served: Serving, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def reloaded() -> float:
        return (await served.series())["hatang_config_last_reload_successful"]

    def fail(*_: object) -> None:
        raise RuntimeError("a bug")

    directory = served.service.directories[0]
    with monkeypatch.context() as broken:
        broken.setattr(served.service.observer, "apply", fail)
        with capture_logs() as logs:
            write_targets(directory, "more")
            async with asyncio.timeout(5):
                while await reloaded():
                    await asyncio.sleep(0.05)
    assert {line["error"] for line in logs if line["event"] == "reload failed"} == {"RuntimeError('a bug')"}
    write_targets(directory, "more", {"id": "new", "kind": "tcp", "host": "127.0.0.1", "port": 1})
    async with asyncio.timeout(5):
        while not await reloaded():
            await asyncio.sleep(0.05)
    assert "new" in served.service.state.records


async def test_what_a_reload_does_not_change_is_told(served: Serving) -> None:
    path = served.service.directories[0] / "monitor.yaml"
    path.write_text(path.read_text() + "web: {listen: '127.0.0.1:9465'}\n")
    with capture_logs() as logs:
        await served.service.reload()
        await served.service.reload()
    assert [line["setting"] for line in logs if "next start" in line["event"]] == ["web.listen"]


async def test_reload_answers_with_the_faults_and_keeps_what_is_in_force(served: Serving) -> None:
    directory = served.service.directories[0]
    broken = directory / "targets.d" / "broken.yaml"
    broken.write_text("targets:\n  - {id: x, system: portal, kind: tcp, hots: a, port: 1}\n")
    async with served.client.post("/-/reload") as answer:
        assert answer.status == 400
        assert "broken.yaml:2:" in (text := await answer.text())
        assert "did you mean 'host'?" in text
    series = await served.series()
    assert series["hatang_config_last_reload_successful"] == 0
    assert series['probe_success{target="up",system="portal"}'] == 1
    broken.unlink()
    async with served.client.post("/-/reload") as answer:
        assert answer.status == 200
    assert (await served.series())["hatang_config_last_reload_successful"] == 1


async def test_a_new_file_is_polled_and_a_deleted_one_is_gone(served: Serving) -> None:
    directory = served.service.directories[0]
    async with listening() as port:
        extra = write_targets(
            directory,
            "extra",
            {"id": "new", "kind": "tcp", "host": "127.0.0.1", "port": port, "interval": "1s", "timeout": "0.5s"},
        )

        async def polled() -> bool:
            return (await served.series()).get('probe_success{target="new",system="portal"}') == 1

        await until(polled)
        extra.unlink()

        async def gone() -> bool:
            return not any('"new"' in name for name in await served.series())

        await until(gone)


async def test_a_secret_is_in_no_answer(tmp_path: Path) -> None:
    marker = "bi-mat-3f9c"
    (tmp_path / "password").write_text(marker)
    target = f"""
targets:
  - id: locked
    system: portal
    kind: http
    url: http://127.0.0.1:1/
    basic_auth: {{username: u, password: !file {tmp_path / "password"}}}
"""
    config = write_config(tmp_path / "config")
    (config / "targets.d" / "locked.yaml").write_text(target)
    async with serving(config) as running:
        await running.service.probe("locked")
        for path in ("/", "/metrics", "/config", "/sd", "/api/v1/targets", "/probe?target=locked&debug=true"):
            _, text = await running.get(path)
            assert marker not in text, path
        _, text = await running.get("/config")
        assert "<secret>" in text


async def test_a_scrape_does_not_wait_for_a_slow_run(tmp_path: Path) -> None:
    async with listening() as port:
        slow = {"id": "slow", "kind": "tcp", "host": "127.0.0.1", "port": port, "interval": "10s", "timeout": "5s"}
        slow["dialogue"] = [{"expect": "never"}]
        async with serving(write_config(tmp_path, slow)) as running:
            running.service.scheduler.soon("slow", 0)
            begun = time.monotonic()
            await running.series()
            assert time.monotonic() - begun < 1
