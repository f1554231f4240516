"""The inbox of the demo, and the configuration of an Alertmanager that sends everything there."""

from __future__ import annotations

import asyncio
import json
import subprocess
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import aiohttp
import pytest
import yaml

from collector.demo.alarms.alertmanager import ROUTES, Alertmanager, configuration, write_rules
from collector.demo.alarms.inbox import KEPT, Inbox
from collector.demo.alarms.notices import Notice
from tests.collector.demo.alarms.saying import alert, notification
from tests.serving import PATIENCE, until
from tests.system.process import free_port

pytestmark = pytest.mark.peers


@pytest.fixture
async def inbox() -> AsyncIterator[Inbox]:
    opened = Inbox()
    await opened.open()
    try:
        yield opened
    finally:
        await opened.close()


@pytest.fixture
async def client(inbox: Inbox) -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(f"http://{inbox.address}", timeout=PATIENCE) as session:
        yield session


async def post(client: aiohttp.ClientSession, path: str, document: object) -> int:
    async with client.post(path, json=document) as answer:
        return answer.status


async def test_what_several_are_told_is_one_notice(inbox: Inbox, client: aiohttp.ClientSession) -> None:
    told: list[Notice] = []
    said = notification(alert("SystemDown", system="soc"))
    assert {await post(client, f"/to/{name}", said) for name in ("truc-ban", "doi-ttdl")} == {200}
    await asyncio.sleep(0.5)
    inbox.deliver_to(told.append, lambda: None)  # what came before is kept
    assert await post(client, "/to/truc-ban", notification(alert("SystemSlow", system="soc"))) == 200
    await until(lambda: asyncio.sleep(0, len(told) == 2))
    assert [(one.receivers, one.alerts[0].name) for one in told] == [
        (("truc-ban", "doi-ttdl"), "SystemDown"),
        (("truc-ban",), "SystemSlow"),
    ]


async def test_the_dead_man_s_switch_is_told_of_once(inbox: Inbox, client: aiohttp.ClientSession) -> None:
    heard: list[bool] = []
    await post(client, "/watchdog", {})
    inbox.deliver_to(lambda _: None, lambda: heard.append(True))
    await post(client, "/watchdog", {})
    assert heard == [True]


async def test_the_latest_messages_stand_on_a_page(inbox: Inbox, client: aiohttp.ClientSession) -> None:
    for number in range(KEPT + 5):
        assert await post(client, "/botmo-phong/sendMessage", {"chat_id": 1, "text": f"<tin {number}>"}) == 200
    async with client.get("/") as answer:
        assert answer.content_type == "text/plain"
        page = await answer.text()
    assert "SIMULATED" in page
    assert page.count("<tin ") == KEPT
    assert page.index(f"<tin {KEPT + 4}>") < page.index("<tin 5>")


@pytest.mark.parametrize("path", ["/to/truc-ban", "/botx/sendMessage"])
@pytest.mark.parametrize("body", [b"{}", b"[1]", b"no json", b"\xff"])
async def test_what_nobody_understands_is_refused(client: aiohttp.ClientSession, path: str, body: bytes) -> None:
    async with client.post(path, data=body, headers={"Content-Type": "application/json"}) as answer:
        assert answer.status == 400


def shipped() -> dict[str, object]:
    found: dict[str, object] = yaml.safe_load(ROUTES.read_text())
    return found


def test_alertmanager_accepts_the_configuration(real: Callable[[str], str], tmp_path: Path) -> None:
    path = tmp_path / "alertmanager.yml"
    made = configuration(shipped(), "127.0.0.1:1")
    path.write_text(json.dumps(made))
    done = subprocess.run([real("amtool"), "check-config", str(path)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 templates" in done.stdout
    assert made["inhibit_rules"] == shipped()["inhibit_rules"]
    reached = [one.get("webhook_configs", []) for one in made["receivers"]]
    assert {way["url"].startswith("http://127.0.0.1:1/") for ways in reached for way in ways} == {True}
    assert all(reached)


def test_prometheus_accepts_the_faster_rules(real: Callable[[str], str], tmp_path: Path) -> None:
    write_rules(tmp_path, 5.0)
    files = sorted(map(str, tmp_path.glob("*.json")))
    done = subprocess.run([real("promtool"), "check", "rules", *files], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


async def test_an_alert_reaches_the_inbox_with_the_text_of_our_templates(
    inbox: Inbox, client: aiohttp.ClientSession, real: Callable[[str], str], tmp_path: Path
) -> None:
    told: list[Notice] = []
    inbox.deliver_to(told.append, lambda: None)
    manager = await Alertmanager.start(real("prometheus-alertmanager"), inbox.address, free_port(), tmp_path)
    try:
        await manager.ready()
        labels = {"alertname": "DataCentreDown", "severity": "critical", "area": "system", "centre": "ttdl-tinh"}
        annotations = {
            "summary": "Trung tâm dữ liệu ngừng",
            "summary_en": "A centre is down",
            "description": "Mất hết.",
        }
        async with client.post(
            manager.url / "api/v2/alerts", json=[{"labels": labels, "annotations": annotations}]
        ) as answer:
            assert answer.status == 200
        await until(lambda: asyncio.sleep(0, told), within=10)
        assert (sorted(told[0].receivers), told[0].vi) == (["doi-ttdl-tinh", "truc-ban"], "Trung tâm dữ liệu ngừng")
        async with client.get("/") as page:
            assert "[NGHIÊM TRỌNG] Trung tâm dữ liệu ngừng\n• Mất hết. (từ " in await page.text()
    finally:
        await manager.stop()
