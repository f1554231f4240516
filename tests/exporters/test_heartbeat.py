"""Calls of jobs and devices over HTTP, into a running service."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from collector.model import Outcome, Reason, Result
from collector.probes.heartbeat import KIND
from tests.pinned import check_pinned
from tests.serving import Serving, serving, until, write_config, write_targets

TOKEN = "3f0c52d17b9e4a66"
JOB: dict[str, Any] = {"id": "job", "kind": "heartbeat", "token": TOKEN, "interval": "30s", "timeout": "1s"}
HOURLY = JOB | {"period": "1h", "grace": "10m"}


@pytest.fixture
async def served(tmp_path: Path) -> AsyncIterator[Serving]:
    async with serving(write_config(tmp_path, HOURLY)) as running:
        yield running


async def post(served: Serving, path: str = "", body: bytes = b"") -> tuple[int, str]:
    """Status and text of a call."""
    async with served.client.post(f"/heartbeat/{TOKEN}{path}", data=body) as answer:
        return answer.status, await answer.text()


async def judged(served: Serving, target: str = "job") -> Result:
    """A run that begins now."""
    await served.service.scheduler.now(target)
    last = served.service.state.records[target].last
    assert last is not None
    return last


async def test_before_the_first_call_nothing_is_known(served: Serving) -> None:
    result = await judged(served)
    assert (result.outcome, result.reason) == (Outcome.ERROR, Reason.LOCAL)
    assert result.detail.startswith("not heard yet in the ")
    series = await served.series()
    assert 'probe_success{target="job",system="portal"}' not in series


async def test_a_call_says_that_all_is_well(served: Serving) -> None:
    before = time.time()
    assert await served.get(f"/heartbeat/{TOKEN}") == (200, "OK\n")
    result = await judged(served)
    assert result.outcome is Outcome.OK
    series = await served.series()
    assert series['probe_success{target="job",system="portal"}'] == 1
    heard = series['hatang_heartbeat_timestamp_seconds{target="job",system="portal"}']
    assert before <= heard <= time.time()
    assert series['hatang_heartbeat_due_timestamp_seconds{target="job",system="portal"}'] == heard + 4200
    assert series['hatang_heartbeat_calls_total{target="job",system="portal",signal="success"}'] == 1
    assert series['hatang_heartbeat_calls_total{target="job",system="portal",signal="fail"}'] == 0


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
@pytest.mark.parametrize(("path", "outcome"), [("", Outcome.OK), ("/0", Outcome.OK), ("/17", Outcome.FAIL)])
async def test_every_method_will_do(served: Serving, method: str, path: str, outcome: Outcome) -> None:
    async with served.client.request(method, f"/heartbeat/{TOKEN}{path}") as answer:
        assert answer.status == 200
    assert (await judged(served)).outcome is outcome


async def test_a_reported_failure_is_seen_at_once_and_until_the_next_success(served: Serving) -> None:
    await post(served)
    await judged(served)
    await post(served, "/3", b"pg_dump: error: no space left")

    async def failing() -> bool:
        last = served.service.state.records["job"].last
        return last is not None and last.outcome is Outcome.FAIL

    await until(failing, 2)
    result = await judged(served)
    assert result.reason is Reason.UNEXPECTED
    assert result.detail == "it reported exit status 3 0 s ago: pg_dump: error: no space left"
    await post(served, "/start")
    assert (await judged(served)).outcome is Outcome.FAIL
    await post(served, "/0")

    async def well() -> bool:
        return (await served.series()).get('probe_success{target="job",system="portal"}') == 1

    await until(well, 2)


@pytest.mark.parametrize(("path", "outcome"), [("", Outcome.OK), ("/3", Outcome.FAIL)])
async def test_a_restart_forgets_neither_a_success_nor_a_failure(tmp_path: Path, path: str, outcome: Outcome) -> None:
    config = write_config(tmp_path / "config", HOURLY | {"metrics": METRICS})
    async with serving(config) as served:
        await post(served, path, json.dumps({"size": 1, "files": [], "state": "full"}).encode())
        heard = {sample.metric.name: sample.value for sample in (await judged(served)).samples}
    async with serving(config) as served:
        result = await judged(served)
        again = {sample.metric.name: sample.value for sample in result.samples}
    assert result.outcome is outcome
    name = "hatang_heartbeat_timestamp_seconds"
    assert again.get(name) == heard.get(name)
    assert "hatang_heartbeat_exit_status" not in again
    assert "hatang_heartbeat_unreadable_values" not in again


async def test_start_and_end_tell_how_long_a_run_took(served: Serving) -> None:
    await post(served, "/start")
    running = await judged(served)
    await asyncio.sleep(0.1)
    await post(served, "/fail")
    ended = await judged(served)
    values = {sample.metric.name: sample.value for sample in ended.samples}
    assert {sample.metric.name: sample.value for sample in running.samples}["hatang_heartbeat_running"] == 1
    assert values["hatang_heartbeat_running"] == 0
    assert values["hatang_heartbeat_exit_status"] == 1
    assert 0.1 <= values["hatang_heartbeat_duration_seconds"] < 2


async def test_silence_past_period_and_grace_is_the_failure(tmp_path: Path) -> None:
    quick = JOB | {"period": "0.2s", "grace": "0.2s"}
    mute = quick | {"id": "mute", "token": "f" * 32}
    async with serving(write_config(tmp_path, quick, mute)) as served:
        await post(served)
        assert (await judged(served)).outcome is Outcome.OK
        await asyncio.sleep(0.5)
        late, never = await judged(served), await judged(served, "mute")
        assert (late.outcome, late.reason) == (Outcome.FAIL, Reason.TIMEOUT)
        assert "expected every 0.2 s" in late.detail
        assert (never.outcome, never.reason) == (Outcome.FAIL, Reason.TIMEOUT)
        assert never.detail.startswith("never heard in the ")
        await post(served)
        assert (await judged(served)).outcome is Outcome.OK


async def test_a_timetable_says_when_the_next_call_is_due(tmp_path: Path) -> None:
    nightly = JOB | {"rrule": "FREQ=DAILY;BYHOUR=2", "zone": "Asia/Tokyo", "grace": "10m"}
    async with serving(write_config(tmp_path, nightly)) as served:
        await post(served)
        assert (await judged(served)).outcome is Outcome.OK
        due = (await served.series())['hatang_heartbeat_due_timestamp_seconds{target="job",system="portal"}']
    at = datetime.fromtimestamp(due, ZoneInfo("Asia/Tokyo"))
    assert (at.hour, at.minute, at.second) == (2, 10, 0)
    assert 600 < due - time.time() <= 86400 + 600


async def test_a_run_that_does_not_end(tmp_path: Path) -> None:
    async with serving(write_config(tmp_path, HOURLY | {"max_runtime": "0.2s"})) as served:
        await post(served)
        await post(served, "/start")
        assert (await judged(served)).outcome is Outcome.OK
        await asyncio.sleep(0.3)
        result = await judged(served)
    assert (result.outcome, result.reason) == (Outcome.FAIL, Reason.TIMEOUT)
    assert "has not ended" in result.detail


METRICS = [
    {"name": "backup_size_bytes", "help": "Size.", "value": "size"},
    {"name": "backup_files", "help": "Files.", "value": "length(files)"},
    {"name": "backup_state", "help": "State.", "value": "state", "type": "states", "states": ["full", "partial"]},
]


async def test_a_body_becomes_metrics(tmp_path: Path) -> None:
    async with serving(write_config(tmp_path, HOURLY | {"metrics": METRICS, "max_size": 500})) as served:
        body = json.dumps({"size": 1024, "files": ["a", "b"], "state": "full"}).encode()
        await post(served, body=body)
        await judged(served)
        series = await served.series()
        assert series['backup_size_bytes{target="job",system="portal"}'] == 1024
        assert series['backup_files{target="job",system="portal"}'] == 2
        assert series['backup_state{target="job",system="portal",backup_state="full"}'] == 1
        assert series['backup_state{target="job",system="portal",backup_state="partial"}'] == 0
        assert series['hatang_heartbeat_unreadable_values{target="job",system="portal"}'] == 0
        for bad in (b"", b"not json", b'{"size": "big"}', b"[" * 400, body[:-1] + b" " * 500 + b"}"):
            await post(served, body=bad)
            result = await judged(served)
            assert result.outcome is Outcome.OK
            series = await served.series()
            assert 'backup_size_bytes{target="job",system="portal"}' not in series
            assert series['hatang_heartbeat_unreadable_values{target="job",system="portal"}'] == 3


async def test_a_body_may_be_the_number(tmp_path: Path) -> None:
    metric = {"name": "river_level_metres", "help": "Level."}
    async with serving(write_config(tmp_path, HOURLY | {"metrics": [metric]})) as served:
        await post(served, body=b" 1.25\n")
        await judged(served)
        assert (await served.series())['river_level_metres{target="job",system="portal"}'] == 1.25


async def test_a_body_without_end_holds_nothing(served: Serving) -> None:
    """What is over `max_size` is not read; the call counts."""

    async def endless() -> AsyncIterator[bytes]:
        for _ in range(2000):
            yield bytes(65536)

    begun = time.monotonic()
    async with served.client.post(f"/heartbeat/{TOKEN}", data=endless()) as answer:
        assert answer.status == 200
    assert time.monotonic() - begun < 5
    assert (await judged(served)).outcome is Outcome.OK


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        ("Content-Length: 100", b"half"),
        ("Transfer-Encoding: chunked", b"5\r\nhal"),
        ("Content-Length: 4\r\nContent-Encoding: gzip", b"none"),
    ],
)
async def test_a_caller_that_breaks_off_or_garbles_its_body_is_heard(
    served: Serving, headers: str, body: bytes
) -> None:
    host, port = served.address.split(":")
    _, writer = await asyncio.open_connection(host, int(port))
    writer.write(f"POST /heartbeat/{TOKEN}/1 HTTP/1.1\r\nHost: x\r\n{headers}\r\n\r\n".encode() + body)
    await writer.drain()
    await asyncio.sleep(0.1)
    writer.close()
    await writer.wait_closed()

    async def failed() -> bool:
        last = served.service.state.records["job"].last
        return last is not None and last.reason is Reason.UNEXPECTED

    await until(failed)


@pytest.mark.parametrize(
    "path",
    [
        f"/heartbeat/{TOKEN[:-1]}",
        f"/heartbeat/{TOKEN}x",
        f"/heartbeat/{'a' * 32}",
        f"/heartbeat/{'a' * 32}/start",
        f"/heartbeat/{'a' * 32}/1",
        f"/heartbeat/{TOKEN}/256",
        f"/heartbeat/{TOKEN}/-1",
        f"/heartbeat/{TOKEN}/stop",
        "/heartbeat/",
        "/heartbeat/job",
        "/nothing",
    ],
)
async def test_what_is_unknown_is_answered_like_any_path_that_is_not_there(served: Serving, path: str) -> None:
    assert await served.get(path) == (404, "404: Not Found")
    assert (await judged(served)).outcome is Outcome.ERROR


async def test_calls_are_bounded(served: Serving) -> None:
    answers = [(await post(served))[0] for _ in range(30)]
    assert answers[:10] == [200] * 10
    assert answers.count(429) >= 15
    async with served.client.get(f"/heartbeat/{TOKEN}") as answer:
        assert answer.headers.get("Retry-After") == "1"
    await judged(served)
    assert (await served.series())['hatang_heartbeat_refused_calls_total{target="job",system="portal"}'] >= 15


async def test_a_new_token_is_listened_for_as_soon_as_it_is_configured(served: Serving) -> None:
    await post(served)
    other = "b" * 20
    write_targets(served.service.directories[0], "more", HOURLY | {"id": "other", "token": other})
    await served.service.reload()
    assert await served.get(f"/heartbeat/{other}") == (200, "OK\n")
    assert (await judged(served, "other")).outcome is Outcome.OK
    assert (await judged(served)).outcome is Outcome.OK
    (served.service.directories[0] / "targets.d" / "more.yaml").unlink()
    await served.service.reload()
    assert (await served.get(f"/heartbeat/{other}"))[0] == 404


async def test_a_token_is_in_no_answer_and_no_line_of_the_log(
    served: Serving, capfd: pytest.CaptureFixture[str]
) -> None:
    await post(served, "/1")
    await post(served, "/start")
    await served.get(f"/heartbeat/{TOKEN}/nonsense")
    await judged(served)
    for path in ("/", "/metrics", "/config", "/sd", "/api/v1/targets", "/probe?target=job&debug=true", "/heartbeat/x"):
        _, text = await served.get(path)
        assert TOKEN not in text, path
    assert "<secret>" in (await served.get("/config"))[1]
    out, err = capfd.readouterr()
    assert TOKEN not in out + err


async def test_series_names_and_labels_are_pinned(tmp_path: Path) -> None:
    metric = {"name": "size", "help": "Size.", "value": "size"}
    config = write_config(tmp_path, HOURLY, HOURLY | {"id": "measured", "token": "c" * 16, "metrics": [metric]})
    async with serving(config) as served:
        await post(served, "/start")
        await post(served, "/0")
        await served.get(f"/heartbeat/{'c' * 16}")
        check_pinned(KIND, await judged(served), await judged(served, "measured"))
