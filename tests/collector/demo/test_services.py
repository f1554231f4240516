"""The simulated TCP services and web servers, probed by the kinds that the service polls them with."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from collector.demo.authority import Authority, Validity
from collector.demo.doors import Door
from collector.demo.pages import Answer, health, page, under_maintenance
from collector.demo.services import BY_NAME, BY_PORT, Conversation, Quiet, Speech
from collector.demo.sites import Condition, Site
from collector.fields import Regex
from collector.model import Outcome, Reason, Result
from collector.probes import http, tcp
from tests.probing import Probing, probing, values

HOST = "may.quangngai.example"


@asynccontextmanager
async def service(speech: type[Speech], authority: Authority, secure: bool = False) -> AsyncIterator[int]:
    context = await asyncio.to_thread(authority.server_context, HOST)
    later = None if secure else context
    door = Door(lambda: Conversation(speech(), later), "127.0.0.1", context if secure else None)
    try:
        yield await door.open()
    finally:
        door.close()


async def converse(port: int, authority: Authority, **settings: Any) -> Result:
    async with probing(tcp.KIND, {HOST: "127.0.0.1"}) as it:
        return await it.run(host=HOST, port=port, tls_config={"ca_file": str(authority.ca_file)}, **settings)


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


@pytest.mark.parametrize("protocol", sorted(BY_NAME))
async def test_turns_to_tls_when_asked(protocol: str, authority: Authority) -> None:
    async with service(BY_NAME[protocol], authority) as port:
        result = await converse(port, authority, starttls=protocol)
    assert result.outcome is Outcome.OK, result.detail
    assert values(result)["probe_ssl_verified"] == 1


async def test_goes_on_talking_under_tls(authority: Authority) -> None:
    dialogue = [
        {"expect": "^220 ", "send": "EHLO hatang", "send_end": "\r\n"},
        {"expect": "^250-STARTTLS"},
        {"expect": "^250 ", "send": "STARTTLS", "send_end": "\r\n"},
        {"expect": "^220 ", "starttls": True},
        {"send": "EHLO hatang", "send_end": "\r\n"},
        {"expect": "^250-SIZE"},
        {"send": "QUIT", "send_end": "\r\n"},
        {"expect": "^221 "},
    ]
    async with service(BY_NAME["smtp"], authority) as port:
        result = await converse(port, authority, dialogue=dialogue)
    assert result.outcome is Outcome.OK, result.detail


async def test_imap_under_tls_from_the_start(authority: Authority) -> None:
    dialogue = [
        {"expect": "^\\* OK"},
        {"send": "a1 CAPABILITY", "send_end": "\r\n"},
        {"expect": "^\\* CAPABILITY .*IMAP4rev1"},
        {"expect": "^a1 OK"},
        {"send": "a2 LOGOUT", "send_end": "\r\n"},
        {"expect": "^\\* BYE"},
    ]
    async with service(BY_PORT[993], authority, secure=True) as port:
        result = await converse(port, authority, tls=True, dialogue=dialogue)
    assert result.outcome is Outcome.OK, result.detail


async def test_rtsp_and_ssh(authority: Authority) -> None:
    async with service(BY_PORT[554], authority) as port:
        said = await converse(
            port,
            authority,
            dialogue=[{"send": "OPTIONS * RTSP/1.0\r\nCSeq: 1\r\n", "send_end": "\r\n"}, {"expect": "^RTSP/1\\.0 200"}],
        )
    assert said.outcome is Outcome.OK, said.detail
    async with service(BY_PORT[22], authority) as port:
        greeted = await converse(port, authority, dialogue=[{"expect": "^SSH-2\\.0-.*simulated"}])
    assert greeted.outcome is Outcome.OK, greeted.detail


async def test_a_door_closes_and_opens_at_the_same_port(authority: Authority) -> None:
    door = Door(lambda: Conversation(Quiet(), None), "127.0.0.1")
    port = await door.open()
    assert (await converse(port, authority)).outcome is Outcome.OK
    door.close()
    assert (await converse(port, authority)).reason is Reason.REFUSED
    assert await door.open() == port
    assert (await converse(port, authority)).outcome is Outcome.OK
    door.close()


@pytest.mark.parametrize("secure", [False, True])
async def test_a_silent_door_lets_connections_hang_until_it_is_heard_again(authority: Authority, secure: bool) -> None:
    context = await asyncio.to_thread(authority.server_context, HOST) if secure else None
    door = Door(lambda: Conversation(Quiet(), None), "127.0.0.1", context)
    port = await door.open()
    for _ in range(2):
        door.silence(True)
        door.silence(True)  # twice is as good as once
        waiting = [asyncio.create_task(asyncio.open_connection("127.0.0.1", port)) for _ in range(3)]
        _, hanging = await asyncio.wait(waiting, timeout=0.5)
        assert hanging == set(waiting)
        for one in waiting:
            one.cancel()
        await asyncio.wait(waiting)
        door.silence(False)
        assert (await converse(port, authority, tls=secure)).outcome is Outcome.OK
    door.silence(True)
    door.close()
    assert (await converse(port, authority, tls=secure)).reason is Reason.REFUSED
    door.silence(True)
    assert await door.open() == port
    assert (await converse(port, authority, tls=secure)).outcome is Outcome.OK
    door.close()


@asynccontextmanager
async def web(authority: Authority, **pages: Answer) -> AsyncIterator[tuple[Site, Probing, str]]:
    """A site with the given pages, a way to probe it, and its URL."""
    site = Site()
    site.answers = {f"/{name}": answer for name, answer in pages.items()}
    door = Door(site.server, "127.0.0.1", await asyncio.to_thread(authority.server_context, HOST))
    try:
        port = await door.open()
        async with probing(http.KIND, {HOST: "127.0.0.1"}) as it:
            yield site, it, f"https://{HOST}:{port}/"
    finally:
        door.close()
        await site.close()


async def test_a_page_holds_the_words_its_target_looks_for(authority: Authority) -> None:
    words = ["Cổng [Tt]hông tin điện tử", "(?i)vinaphone", "Tổng hợp, phân tích dữ liệu", "mô phỏng / simulated"]
    made = page("thử", map(Regex.compile, words))
    async with web(authority, trang=made, suc_khoe=health()) as (_, it, url):
        trust = {"ca_file": str(authority.ca_file)}
        read = await it.run(url=f"{url}trang", tls=trust, body_matches=words, header_matches=[SIMULATED])
        well = await it.run(url=f"{url}suc_khoe", tls=trust, json_condition="status == 'UP' && simulated != `null`")
        lost = await it.run(url=f"{url}khac", tls=trust)
    assert read.outcome is Outcome.OK, read.detail
    assert well.outcome is Outcome.OK, well.detail
    assert (lost.reason, lost.detail) == (Reason.UNEXPECTED, "status 404")


SIMULATED = {"header": "X-Simulated", "regex": "^true$"}


def test_a_page_that_cannot_be_made_up_is_an_error() -> None:
    with pytest.raises(ValueError, match=r"answers\.yaml"):
        page("thử", [Regex.compile(r"\d{4} hồ sơ")])


async def test_conditions_of_a_page(authority: Authority) -> None:
    async with web(authority, trang=page("thử", [Regex.compile("Xin chào")])) as (site, it, url):
        settings: dict[str, Any] = {"url": f"{url}trang", "tls": {"ca_file": str(authority.ca_file)}}
        settings["body_matches"] = ["Xin chào"]
        site.conditions["/trang"] = Condition(delay=0.3)
        slow = await it.run(**settings)
        site.conditions["/trang"] = Condition(instead=under_maintenance("thử"))
        wrong = await it.run(**settings)
        site.conditions["/trang"] = Condition(flapping=True)
        flapping = [(await it.run(**settings)).outcome for _ in range(4)]
        site.conditions.clear()
        well = await it.run(**settings)
    assert slow.outcome is Outcome.OK
    assert slow.duration > 0.3
    assert wrong.reason is Reason.UNEXPECTED
    assert flapping == [Outcome.FAIL, Outcome.OK, Outcome.FAIL, Outcome.OK]
    assert well.outcome is Outcome.OK


async def test_a_certificate_changes_while_it_is_served(authority: Authority) -> None:
    context = await asyncio.to_thread(authority.server_context, HOST)
    door = Door(lambda: Conversation(Quiet(), None), "127.0.0.1", context)
    port = await door.open()
    outcomes = []
    for validity in (Validity.GOOD, Validity.EXPIRED, Validity.GOOD):
        await asyncio.to_thread(authority.present, context, HOST, validity)
        outcomes.append((await converse(port, authority, tls=True)).outcome)
    door.close()
    assert outcomes == [Outcome.OK, Outcome.FAIL, Outcome.OK]


@pytest.mark.parametrize(
    ("validity", "outcome", "days"),
    [(Validity.GOOD, Outcome.OK, 199), (Validity.EXPIRING, Outcome.OK, 4), (Validity.EXPIRED, Outcome.FAIL, -3)],
)
async def test_certificate_of_each_validity(
    authority: Authority, validity: Validity, outcome: Outcome, days: int
) -> None:
    context = await asyncio.to_thread(authority.server_context, HOST)
    await asyncio.to_thread(authority.present, context, HOST, validity)
    door = Door(lambda: Conversation(Quiet(), None), "127.0.0.1", context)
    result = await converse(await door.open(), authority, tls=True)
    door.close()
    assert result.outcome is outcome, result.detail
    left = (values(result)["probe_ssl_earliest_cert_expiry"] - result.started) // 86400
    assert left == days
    assert result.reason is (Reason.TLS if outcome is Outcome.FAIL else None)
