"""Putting pages into a Grafana: against a server that answers as its HTTP API is documented."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from typer.testing import CliRunner

from dashboards.__main__ import TOKEN, app
from dashboards.grafana import Grafana, Refused, differs
from dashboards.push import Place, push
from dashboards.words import Json, Language
from tests.peers import peer, says

GOOD = "glsa_good"
AS_BUILT = Place()


class FakeGrafana:
    """Folders and dashboards as /api/folders, /api/dashboards/uid and /api/dashboards/db give and take them."""

    def __init__(self) -> None:
        self.folders: dict[str, str] = {}
        self.pages: dict[str, tuple[Json, str]] = {}
        self.writes: list[str] = []
        self.editor = True

    def application(self) -> web.Application:
        """The server."""
        application = web.Application(client_max_size=16 << 20, middlewares=[self._authorised])
        application.add_routes(
            [
                web.get("/api/folders/{uid}", self._folder),
                web.post("/api/folders", self._make_folder),
                web.get("/api/dashboards/uid/{uid}", self._page),
                web.post("/api/dashboards/db", self._put),
            ]
        )
        return application

    @web.middleware
    async def _authorised(self, request: web.Request, handler: Any) -> web.StreamResponse:
        if request.headers.get("Authorization") != f"Bearer {GOOD}":
            return web.json_response({"message": "Invalid API key"}, status=401)
        if request.method == "POST" and not self.editor:
            return web.json_response({"message": "Access denied"}, status=403)
        answer: web.StreamResponse = await handler(request)
        return answer

    async def _folder(self, request: web.Request) -> web.Response:
        uid = request.match_info["uid"]
        if uid not in self.folders:
            return web.json_response({"message": "folder not found"}, status=404)
        return web.json_response({"uid": uid, "title": self.folders[uid]})

    async def _make_folder(self, request: web.Request) -> web.Response:
        body = await request.json()
        self.folders[body["uid"]] = body["title"]
        self.writes.append(body["uid"])
        return web.json_response({"uid": body["uid"], "title": body["title"]})

    async def _page(self, request: web.Request) -> web.Response:
        found = self.pages.get(request.match_info["uid"])
        if found is None:
            return web.json_response({"message": "Dashboard not found"}, status=404)
        return web.json_response({"dashboard": found[0], "meta": {"folderUid": found[1], "provisioned": False}})

    async def _put(self, request: web.Request) -> web.Response:
        body = await request.json()
        page, uid = body["dashboard"], body["dashboard"]["uid"]
        if body["folderUid"] not in self.folders:
            return web.json_response({"message": "folder not found"}, status=400)
        if uid in self.pages and not body["overwrite"]:
            return web.json_response({"message": "exists", "status": "name-exists"}, status=412)
        # Grafana counts versions and fills in what panels leave out.
        self.pages[uid] = ({**page, "id": 7, "version": 3, "preload": False}, body["folderUid"])
        self.writes.append(uid)
        return web.json_response({"uid": uid, "status": "success"})


@pytest.fixture
def fake() -> FakeGrafana:
    """An empty Grafana."""
    return FakeGrafana()


@pytest.fixture
async def url(fake: FakeGrafana) -> AsyncIterator[str]:
    """Its address."""
    async with TestServer(fake.application()) as server:
        yield str(server.make_url("/"))


async def put(grafana: Grafana, pages: dict[str, Json], *, dry: bool = False, place: Place = AS_BUILT) -> list[str]:
    """What `push` says, from a thread."""
    return await asyncio.to_thread(lambda: list(push(grafana, pages, list(Language), place, dry=dry)))


async def test_only_what_changed_is_put(fake: FakeGrafana, url: str, pages: dict[str, Json]) -> None:
    """First all, then nothing, then the one that somebody changed."""
    grafana = Grafana(url, GOOD)
    first = await put(grafana, pages)
    assert len(first) == len(pages) + 2
    assert {folder for _, folder in fake.pages.values()} == {"hatang-vi", "hatang-en"}
    assert fake.folders == {"hatang-vi": "Hạ tầng số", "hatang-en": "Digital infrastructure"}
    fake.writes.clear()
    assert {line.rpartition(": ")[2] for line in await put(grafana, pages)} == {"unchanged"}
    fake.pages["hatang-iot-vi"][0]["panels"][0]["title"] = "khác"
    fake.pages["hatang-sla-vi"] = (fake.pages["hatang-sla-vi"][0], "general")
    said = await put(grafana, pages)
    assert "hatang-iot-vi: changed" in said
    assert "hatang-sla-vi: moved here from folder general" in said
    assert fake.writes == ["hatang-iot-vi", "hatang-sla-vi"]


async def test_a_dry_run_writes_nothing(fake: FakeGrafana, url: str, pages: dict[str, Json]) -> None:
    """It says what would be done."""
    said = await put(Grafana(url, GOOD), pages, dry=True)
    assert "hatang-noc-wall-vi: made" in said
    assert fake.writes == []


async def test_tiles_and_api_of_an_installation(fake: FakeGrafana, url: str, pages: dict[str, Json]) -> None:
    """Only maps differ."""
    place = Place(tiles="https://tiles.example/{z}/{x}/{y}.png", api="https://hatang.example/")
    await put(Grafana(url, GOOD), pages, place=place)
    there = fake.pages["hatang-coverage-map-vi"][0]
    (options,) = [one["options"] for one in there["panels"] if one["type"] == "geomap"]
    assert options["basemap"]["config"]["url"] == "https://tiles.example/{z}/{x}/{y}.png"
    assert options["layers"][0]["config"]["src"] == "https://hatang.example/api/v1/villages.geojson"
    assert not differs(pages["hatang-iot-vi"], fake.pages["hatang-iot-vi"][0])


def test_a_map_in_a_closed_row_is_fitted_too(pages: dict[str, Json]) -> None:
    page = pages["hatang-coverage-map-en"]
    (found,) = (one for one in page["panels"] if one["type"] == "geomap")
    closed = {**page, "panels": [{"type": "row", "panels": [found]}]}
    fitted = Place(tiles="https://tiles.example/{z}/{x}/{y}.png").fitted(closed)
    assert fitted["panels"][0]["panels"][0]["options"]["basemap"]["config"]["url"].startswith("https://tiles.example/")


async def test_refusals_say_what_to_do(fake: FakeGrafana, url: str, pages: dict[str, Json]) -> None:
    """A bad token, too few rights, nobody there, no Grafana at all: never the token."""
    with pytest.raises(Refused, match=r"GET /api/folders/hatang-vi: 401: the token is not valid") as caught:
        await put(Grafana(url, "glsa_bad"), pages)
    assert "glsa_bad" not in str(caught.value)
    fake.editor = False
    with pytest.raises(Refused, match=r"POST /api/folders: 403: .*permissions of an editor.* - Access denied"):
        await put(Grafana(url, GOOD), pages)
    with pytest.raises(Refused, match=r"no answer: .*refused"):
        await put(Grafana("http://127.0.0.1:9", GOOD), pages)
    for address in ("file:///etc/passwd", "http://grafana:port", "http://[::1"):
        with pytest.raises(Refused, match="no http or https address"):
            Grafana(address, GOOD)


async def test_a_redirect_is_not_followed(pages: dict[str, Json]) -> None:
    """It could carry the token to another server."""

    async def away(_: web.Request) -> web.Response:
        raise web.HTTPFound("http://127.0.0.1:9/login")

    application = web.Application()
    application.router.add_route("*", "/{path:.*}", away)
    async with TestServer(application) as server:
        with pytest.raises(Refused, match="302: it is somewhere else, or a login page"):
            await put(Grafana(str(server.make_url("/")), GOOD), pages)


async def test_what_is_no_grafana_is_said(pages: dict[str, Json]) -> None:
    """A page of HTML with status 200."""

    async def page(_: web.Request) -> web.Response:
        return web.Response(text="<html>", content_type="text/html")

    application = web.Application()
    application.router.add_route("*", "/{path:.*}", page)
    async with TestServer(application) as server:
        with pytest.raises(Refused, match="is no Grafana: no JSON"):
            await put(Grafana(str(server.make_url("/")), GOOD), pages)


async def test_what_speaks_json_or_no_http_is_no_grafana_either(pages: dict[str, Json]) -> None:
    async def everything(_: web.Request) -> web.Response:
        return web.json_response(["hello"])

    application = web.Application()
    application.router.add_route("*", "/{path:.*}", everything)
    async with TestServer(application) as server:
        with pytest.raises(Refused, match=r"GET /api/dashboards/.*: what answered is no Grafana: no dashboard"):
            await put(Grafana(str(server.make_url("/")), GOOD), pages)
    async with peer(says("SSH-2.0-OpenSSH_9.2\r\n")) as port:
        with pytest.raises(Refused, match=r"GET /api/folders/.*: what answered is no Grafana: no HTTP"):
            await put(Grafana(f"http://127.0.0.1:{port}", GOOD), pages)


async def test_command(fake: FakeGrafana, url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The token comes from a file or the environment; without one nothing is sent."""
    monkeypatch.delenv(TOKEN, raising=False)
    run = CliRunner()
    done = await asyncio.to_thread(run.invoke, app, ["push", "--url", url])
    assert done.exit_code == 1
    assert "no usable token" in done.output
    file = tmp_path / "token"
    file.write_text(GOOD + "\n")
    arguments = ["push", "--url", url, "--token-file", str(file), "--lang", "vi"]
    done = await asyncio.to_thread(run.invoke, app, arguments)
    assert done.exit_code == 0, done.output
    assert "hatang-noc-wall-vi: made" in done.output
    assert all(uid.endswith("-vi") for uid in fake.pages)
    assert GOOD not in done.output
    assert json.dumps(sorted(fake.folders)) == '["hatang-vi"]'
