"""The real Alertmanager beside the demo: our routing, inhibition and texts, with everybody reached in one inbox."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

from collector.demo.agents.descriptions import plain
from collector.demo.alarms.faster import Node, faster_routes, faster_rules
from collector.demo.children import ChildFailed
from collector.demo.programs import Program
from collector.settings.document import read

SHIPPED = Path(__file__).parents[3] / "deploy"
RULES = SHIPPED / "prometheus" / "rules"
ROUTES = SHIPPED / "alertmanager" / "alertmanager.yml"
TEMPLATES = SHIPPED / "alertmanager" / "templates" / "*.tmpl"
# A minute of the play is an hour to rules and routes: then a fault of less than a minute is long enough to be told of.
PACE = 60
WATCHDOG = "watchdog"
MOST = 50  # alerts of one notification
ANY_TIME = [{"times": [{"start_time": "00:00", "end_time": "24:00"}]}]


def write_rules(folder: Path, scraped: float) -> None:
    """Write the shipped rules, faster, into an existing folder. Blocks. Raises ChildFailed."""
    for file in sorted(RULES.glob("*.yaml")):
        (folder / f"{file.stem}.json").write_text(json.dumps(faster_rules(_content(file), PACE, scraped)))


def _content(file: Path) -> Node:
    document = read(file, str(file))
    if document.root is None:
        raise ChildFailed(f"{file} cannot be read: {document.faults[0]}")
    content: Node = plain(document.root)
    return content


def configuration(shipped: Node, inbox: str) -> Node:
    """alertmanager.yml out of the shipped one: faster, at any time of the day, and all to the inbox at host:port."""
    names = [one["name"] for one in shipped["receivers"]]
    return {
        "global": {"resolve_timeout": shipped["global"]["resolve_timeout"]},
        "templates": [str(TEMPLATES)],
        "time_intervals": [{**one, "time_intervals": ANY_TIME} for one in shipped["time_intervals"]],
        "route": faster_routes(shipped["route"], PACE),
        "inhibit_rules": shipped["inhibit_rules"],
        "receivers": [_receiver(name, number, f"http://{inbox}") for number, name in enumerate(names, 1)],
    }


def _receiver(name: str, number: int, inbox: str) -> Node:
    if name == WATCHDOG:
        return {"name": name, "webhook_configs": [{"url": f"{inbox}/watchdog", "send_resolved": False}]}
    message = {
        "bot_token": "mo-phong",
        "api_url": inbox,
        "chat_id": number,
        "message": '{{ template "hatang.text" . }}',
        "parse_mode": "",
    }
    return {
        "name": name,
        "webhook_configs": [{"url": f"{inbox}/to/{name}", "max_alerts": MOST, "send_resolved": True}],
        "telegram_configs": [{**message, "send_resolved": True}],
    }


class Alertmanager(Program):
    """An Alertmanager process."""

    NAME, FILES = "Alertmanager", ("prometheus-alertmanager", "alertmanager")

    @classmethod
    async def start(cls, program: str, inbox: str, port: int, work: Path) -> Alertmanager:
        """Listens on loopback only, and has no peers. Raises OSError, ChildFailed."""
        config = work / "alertmanager.yml"
        made = configuration(await asyncio.to_thread(_content, ROUTES), inbox)
        await asyncio.to_thread(config.write_text, json.dumps(made, indent=2))
        words = (
            program,
            f"--config.file={config}",
            f"--storage.path={work / 'alertmanager'}",
            f"--web.listen-address=127.0.0.1:{port}",
            "--cluster.listen-address=",
            "--log.level=warn",
        )
        return await cls._launched(words, port, work)
