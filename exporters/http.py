"""The HTTP surface: metrics for Prometheus, answers for people and programs; it takes calls of jobs, and a reload."""

from __future__ import annotations

import asyncio
import gzip
import json
from typing import Any

import structlog
from aiohttp import web
from prometheus_client import CollectorRegistry, GCCollector, PlatformCollector, ProcessCollector
from prometheus_client.exposition import choose_encoder

from collector.model import Metric, Sample
from collector.nearest import nearest
from collector.service import Service
from collector.settings import SettingsError, masked
from collector.state import state_owner, values_owner
from exporters import answers, landing, systems
from exporters.connections import REQUEST_EVERY, Connections
from exporters.coverage import CoverageDesk
from exporters.exposition import Exposition
from exporters.heartbeat import HeartbeatDesk
from exporters.plan import PlanDesk

TEXT = "text/plain; version=0.0.4; charset=utf-8"
OPENMETRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"
SERIES = Metric("hatang_exposed_series", "Samples that targets and service gave to the last exposition.")
# Prometheus' time limit less what the answer needs on its way.
SCRAPE_TIMEOUT = "X-Prometheus-Scrape-Timeout-Seconds"
SCRAPE_MARGIN = 0.5
GZIP_LEVEL = 1

log = structlog.get_logger(__name__)


class Web:
    """Handlers over a service and the sample table that it fills."""

    def __init__(self, service: Service, exposition: Exposition) -> None:
        self._service = service
        self._exposition = exposition
        self._process = CollectorRegistry()
        for collector in (ProcessCollector, PlatformCollector, GCCollector):
            collector(registry=self._process)

    def application(self) -> web.Application:
        """All routes."""
        app = web.Application(client_max_size=0)
        app.add_routes(
            [
                web.get("/", self.page),
                web.get("/metrics", self.metrics),
                web.get("/probe", self.probe),
                web.get("/sd", self.service_discovery),
                web.get("/api/v1/targets", self.targets),
                web.get("/api/v1/systems", self.systems),
                web.get("/config", self.config),
                *CoverageDesk(self._service).routes(),
                *PlanDesk(self._service).routes(),
                *HeartbeatDesk(self._service).routes(),
                web.get("/-/healthy", self.healthy),
                web.get("/-/ready", self.ready),
                web.post("/-/reload", self.reload),
                web.put("/-/reload", self.reload),
            ]
        )
        return app

    async def metrics(self, request: web.Request) -> web.Response:
        """Text 0.0.4 or OpenMetrics 1.0, as the scraper accepts."""
        encode, content_type = choose_encoder(request.headers.get("Accept", ""))
        openmetrics = content_type.startswith("application/openmetrics-text")
        self._service.refresh()
        process = await asyncio.to_thread(encode, self._process)
        self._exposition.put("exposition", (), [Sample(SERIES, (), self._exposition.series)])
        body = self._exposition.render(openmetrics) + process
        return await _compressed(request, body, OPENMETRICS if openmetrics else TEXT)

    async def probe(self, request: web.Request) -> web.Response:
        """Run one configured target now and answer with its series; `debug=true` explains the run."""
        name = request.query.get("target")
        if name is None:
            return _plain("say which: /probe?target=NAME (names are at /api/v1/targets)\n", 400)
        target = self._service.config.targets.get(name)
        if target is None:
            return _plain(f"no target is called {name!r}{nearest(name, self._service.config.targets)}\n", 404)
        try:
            async with asyncio.timeout(_time_limit(request, target.timeout)):
                result = await self._service.probe(name)
        except TimeoutError:
            return _plain("the run did not end within the scraper's time limit\n", 504)
        except KeyError:
            return _plain(f"{name} was removed meanwhile\n", 404)
        if request.query.get("debug") == "true":
            record = self._service.state.records[name]
            return _plain(answers.debug(record, result, self._service.config.origin(name)))
        body = self._exposition.render_owner(values_owner(name), state_owner(name))
        return await _compressed(request, body, TEXT)

    async def service_discovery(self, request: web.Request) -> web.Response:
        """The inventory as Prometheus HTTP service discovery; `?kind=` and `?system=` narrow it."""
        chosen = answers.choose(self._service.state.records.values(), request.query)
        return await _json(lambda: answers.discovery(chosen, self._service.config))

    async def targets(self, request: web.Request) -> web.Response:
        """Every target with its last result; `?kind=`, `?system=` and `?outcome=` narrow it."""
        chosen = answers.choose(self._service.state.records.values(), request.query)
        return await _json(lambda: {"targets": [answers.target(record) for record in chosen]})

    async def systems(self, request: web.Request) -> web.Response:
        """Every system, how it stands and why; `?system=`, `?state=`, `?owner=`, `?centre=`, `?category=` narrow it."""
        found = systems.described(self._service, systems.choose(self._service, request.query))
        return await _json(lambda: systems.written(found))

    async def config(self, _: web.Request) -> web.Response:
        """The configuration in force, secrets masked."""
        return _plain(await asyncio.to_thread(masked, self._service.config))

    async def page(self, _: web.Request) -> web.Response:
        """A small page with links and what is not well."""
        records = list(self._service.state.records.values())
        text = await asyncio.to_thread(landing.render, records, self._service.config, self._service.last_reload)
        return web.Response(text=text, content_type="text/html")

    async def healthy(self, _: web.Request) -> web.Response:
        """Alive."""
        return _plain("healthy\n")

    async def ready(self, _: web.Request) -> web.Response:
        """Whether the configuration is loaded and the first runs are planned."""
        return _plain("ready\n") if self._service.ready else _plain("starting\n", 503)

    async def reload(self, _: web.Request) -> web.Response:
        """Read the configuration again; its faults are in the answer."""
        try:
            await self._service.reload()
        except SettingsError as error:
            return _plain(f"refused, the configuration in force stays:\n{error}\n", 400)
        return _plain(f"loaded: {len(self._service.config.targets)} targets\n")


def _time_limit(request: web.Request, timeout: float) -> float:
    # A run may wait for its place before its own clock starts.
    try:
        return max(SCRAPE_MARGIN, float(request.headers[SCRAPE_TIMEOUT]) - SCRAPE_MARGIN)
    except (KeyError, ValueError):
        return 2 * timeout + SCRAPE_MARGIN


def _plain(text: str, status: int = 200) -> web.Response:
    return web.Response(text=text, status=status)


async def _json(make: Any) -> web.Response:
    body = await asyncio.to_thread(lambda: json.dumps(make(), ensure_ascii=False).encode())
    return web.Response(body=body, content_type="application/json", charset="utf-8")


async def _compressed(request: web.Request, body: bytes, content_type: str) -> web.Response:
    headers = {"Content-Type": content_type}
    if "gzip" in request.headers.get("Accept-Encoding", ""):
        body = await asyncio.to_thread(gzip.compress, body, GZIP_LEVEL)
        headers["Content-Encoding"] = "gzip"
    return web.Response(body=body, headers=headers)


class Server:
    """The application on a TCP address, until closed."""

    def __init__(self, service: Service, exposition: Exposition, connections: Connections | None = None) -> None:
        self._connections = connections or Connections()
        app = Web(service, exposition).application()
        app.middlewares.append(self._connections.middleware)
        self._runner = web.AppRunner(
            app, access_log=None, handle_signals=False, keepalive_timeout=REQUEST_EVERY, shutdown_timeout=2
        )
        self._server: asyncio.Server | None = None

    async def start(self, host: str, port: int) -> tuple[str, int]:
        """Listen; port 0 takes a free one. Returns the address in use. Raises OSError when it is taken."""
        await self._runner.setup()
        inner = self._runner.server
        if inner is None:
            raise RuntimeError("the application has no server")
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: self._connections.accept(inner), host, port, backlog=1024)
        address: tuple[str, int] = self._server.sockets[0].getsockname()[:2]
        log.info("listening", host=address[0], port=address[1])
        return address

    async def stop(self) -> None:
        """Close the listener and its connections."""
        if self._server is not None:
            self._server.close()
        self._connections.close()
        await self._runner.cleanup()
