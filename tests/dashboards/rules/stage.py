"""A province that is only its series, a real Prometheus and a real Alertmanager, with timers some times as fast."""

from __future__ import annotations

import asyncio
import json
import re
from asyncio.subprocess import DEVNULL, Process
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from aiohttp import web

from collector.demo.alarms.faster import faster_routes, faster_rules
from collector.demo.children import stop
from dashboards.rules.__main__ import ALERTMANAGER
from dashboards.rules.compose import OUTPUT
from dashboards.rules.receivers import Receivers
from dashboards.rules.routing import configuration
from tests.system.process import free_port

FASTER = 20
OPERATORS = ("op-vinaphone", "op-mobifone", "op-viettel", "op-vietnamobile", "op-gtel")
COMMUNES = tuple(str(21025 + 3 * number) for number in range(96))
STATIONS = 740
CENTRES = ("ttdl-tinh", "ttdl-tich-hop")
HOSTED = 9
UP, DOWN, UNREACHABLE, MAINTENANCE = 1, 0, 3, 4
FILES = ("alerts-systems", "alerts-mobile", "alerts-self", "alerts-feeds-plan", "mobile", "names")
Key = tuple[str, int]


@dataclass
class Province:
    """What hatang would expose. `down` are stations by operator and number."""

    down: set[Key] = field(default_factory=set)
    states: dict[str, int] = field(default_factory=dict)

    def systems(self) -> dict[str, tuple[str, str]]:
        """Category and centre of each."""
        found = dict.fromkeys(CENTRES, ("data-centre", ""))
        found |= {f"{centre}-he-thong-{one}": ("portal", centre) for centre in CENTRES for one in range(HOSTED)}
        return found | dict.fromkeys(OPERATORS, ("mobile-operator", ""))

    def text(self) -> str:
        """The exposition."""
        return "\n".join([*self._systems(), *self._stations(), *self._villages(), ""])

    def _systems(self) -> list[str]:
        lines = ["hatang_journal_saved_timestamp_seconds 9999999999", "hatang_config_last_reload_successful 1"]
        for name, (category, centre) in self.systems().items():
            owner, names = 'owner="so-khcn",tier=""', f'name_vi="Hệ thống {name}",name_en="System {name}"'
            lines.append(
                f'hatang_system_info{{system="{name}",category="{category}",centre="{centre}",{owner},{names}}} 1'
            )
            lines.append(f'hatang_system_state{{system="{name}"}} {self.states.get(name, UP)}')
            hosted = [f"{name}-he-thong-{one}" for one in range(HOSTED)] if name in CENTRES else []
            lines.append(f'hatang_system_dependents{{system="{name}"}} {len(hosted)}')
            lines += [
                f'hatang_system_dependent_rank{{system="{name}",dependent="{one}"}} {place}'
                for place, one in enumerate(hosted, 1)
            ]
        return lines

    def _stations(self) -> list[str]:
        lines = []
        for operator in OPERATORS:
            down = sum(name == operator for name, _ in self.down)
            lines.append(f'hatang_sites{{operator="{operator}",state="active"}} {STATIONS - down}')
            lines.append(f'hatang_sites{{operator="{operator}",state="down"}} {down}')
            for number in range(STATIONS):
                own = f'site="{operator}-{number}",operator="{operator}"'
                lines.append(f'hatang_site_info{{{own},commune="{commune_of(number)}",name="QNI {number}"}} 1')
                lines.append(f"hatang_site_up{{{own}}} {int((operator, number) not in self.down)}")
        return lines

    def _villages(self) -> list[str]:
        """Each commune has ten villages; none has signal where more than half of all stations are down."""
        lines, lost = [], 0
        for number, commune in enumerate(COMMUNES):
            down = sum(other % len(COMMUNES) == number for _, other in self.down)
            gone = 10 if down > len(OPERATORS) * STATIONS / len(COMMUNES) / 2 else 0
            lost += gone
            lines.append(f'hatang_villages{{commune="{commune}"}} 10')
            lines.append(f'hatang_villages_covered{{commune="{commune}",technology="3G",bound="upper"}} {10 - gone}')
        return [*lines, f'hatang_villages_uncovered{{technology="3G"}} {lost}']


def commune_of(number: int) -> str:
    """Where a station is."""
    return COMMUNES[number % len(COMMUNES)]


@dataclass
class Sink:
    """Takes what Alertmanager sends: texts by Telegram's protocol, JSON by webhook, the watchdog's calls."""

    texts: list[str] = field(default_factory=list)
    bodies: list[dict[str, Any]] = field(default_factory=list)
    watchdog: int = 0

    def notices(self, mark: str) -> list[str]:
        """Texts that begin like this."""
        return [text for text in self.texts if text.startswith(mark)]

    async def telegram(self, request: web.Request) -> web.Response:
        """sendMessage of the Bot API."""
        sent = await request.json()
        assert sent.get("parse_mode", "") == ""
        self.texts.append(sent["text"])
        said = {"message_id": 1, "date": 1, "chat": {"id": 1, "type": "private"}, "text": "x"}
        return web.json_response({"ok": True, "result": said})

    async def webhook(self, request: web.Request) -> web.Response:
        """Alertmanager's JSON."""
        self.bodies.append(await request.json())
        return web.Response()

    async def call(self, _: web.Request) -> web.Response:
        """The watchdog."""
        self.watchdog += 1
        return web.Response()


@dataclass(frozen=True)
class Stage:
    """Everything that runs."""

    province: Province
    sink: Sink
    prometheus: str

    async def until(self, happened: Callable[[], bool], limit: float) -> None:
        """Wait for it. Raises TimeoutError."""
        async with asyncio.timeout(limit):
            while not happened():
                await asyncio.sleep(0.2)


def paced_rules(work: Path, pace: int) -> None:
    """The generated rules with shorter intervals and waits."""
    for name in FILES:
        content = yaml.safe_load((OUTPUT / f"{name}.yaml").read_text())
        made = faster_rules(content, pace, scraped_every(pace))
        (work / f"{name}.rules.yaml").write_text(yaml.safe_dump(made, allow_unicode=True))


def scraped_every(pace: int) -> int:
    """Seconds."""
    return max(1, 15 // pace)


def paced_alertmanager(sink: str, pace: int) -> dict[str, Any]:
    """The generated configuration, with all receivers at the sink."""
    told = Receivers.model_validate(
        {
            "telegram": {"token_file": "/dev/null", "api": sink},
            "watchdog": f"{sink}/watchdog",
            "hours": {"days": "sunday:saturday", "from": "00:00", "to": "24:00"},
            "receivers": {
                "truc-ban": {"telegram": 1, "webhook": {"url": f"{sink}/webhook"}},
                "ky-thuat": {"telegram": 2},
                "lanh-dao": {"telegram": 3},
            },
            "duty": "truc-ban",
            "tickets": "ky-thuat",
            "plan": "lanh-dao",
        }
    )
    made = configuration(told, "1:x")
    route = faster_routes(made["route"], pace)
    return made | {"route": route, "templates": [str(ALERTMANAGER / "templates" / "*.tmpl")]}


@asynccontextmanager
async def serving(sink: Sink, province: Province) -> AsyncIterator[str]:
    """The sink's and the province's HTTP server."""

    async def metrics(_: web.Request) -> web.Response:
        return web.Response(
            text=await asyncio.to_thread(province.text), headers={"Content-Type": "text/plain; version=0.0.4"}
        )

    app = web.Application()
    app.router.add_post("/bot1:x/sendMessage", sink.telegram)
    app.router.add_post("/webhook", sink.webhook)
    app.router.add_post("/watchdog", sink.call)
    app.router.add_get("/metrics", metrics)
    runner = web.AppRunner(app)
    await runner.setup()
    port = free_port()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    try:
        yield f"127.0.0.1:{port}"
    finally:
        await runner.cleanup()


@asynccontextmanager
async def staged(work: Path, real: Callable[[str], str], pace: int = FASTER) -> AsyncIterator[Stage]:
    """Start all of it."""
    province, sink = Province(), Sink()
    async with serving(sink, province) as address:
        alertmanager, prometheus = free_port(), free_port()
        await asyncio.to_thread(_write, work, address, alertmanager, pace)
        programs = (
            (
                *(
                    real("prometheus-alertmanager"),
                    f"--config.file={work / 'alertmanager.yml'}",
                    "--cluster.listen-address=",
                ),
                *(
                    f"--storage.path={work / 'am'}",
                    f"--web.listen-address=127.0.0.1:{alertmanager}",
                    "--log.level=warn",
                ),
            ),
            (
                *(
                    real("prometheus"),
                    f"--config.file={work / 'prometheus.yml'}",
                    "--log.level=warn",
                    "--rules.alert.resend-delay=3s",
                ),
                *(f"--storage.tsdb.path={work / 'tsdb'}", f"--web.listen-address=127.0.0.1:{prometheus}"),
            ),
        )
        started: list[Process] = []
        try:
            for number, words in enumerate(programs):
                with (work / f"{number}.log").open("wb") as log:
                    started.append(await asyncio.create_subprocess_exec(*words, stdout=DEVNULL, stderr=log))
            yield Stage(province, sink, f"http://127.0.0.1:{prometheus}")
        finally:
            for process in started:
                await stop(process)


def _write(work: Path, address: str, alertmanager: int, pace: int) -> None:
    paced_rules(work, pace)
    (work / "alertmanager.yml").write_text(
        yaml.safe_dump(paced_alertmanager(f"http://{address}", pace), allow_unicode=True)
    )
    prometheus = {
        "global": {"scrape_interval": f"{scraped_every(pace)}s", "scrape_timeout": "1s"},
        "rule_files": [str(work / "*.rules.yaml")],
        "alerting": {"alertmanagers": [{"static_configs": [{"targets": [f"127.0.0.1:{alertmanager}"]}]}]},
        "scrape_configs": [{"job_name": "hatang", "static_configs": [{"targets": [address]}]}],
    }
    (work / "prometheus.yml").write_text(json.dumps(prometheus))


BROKEN = re.compile(r"error expanding|<no value>|%!|<error")
