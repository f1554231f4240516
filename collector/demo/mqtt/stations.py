"""Simulated stations: each says its figures again and again on a topic of its own, until it is muted."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from pathlib import Path

from pydantic import TypeAdapter

from collector.demo.agents.descriptions import plain
from collector.demo.agents.motion import Clock, Wave
from collector.demo.mqtt.broker import Broker
from collector.demo.mqtt.packets import AT_LEAST_ONCE, Message
from collector.demo.pages import SIMULATED
from collector.mqtt.topics import TopicFilter
from collector.settings import SettingsError
from collector.settings.document import read

FILE = Path(__file__).parent.parent / "stations.yaml"
EVERY = 1.0
_SWING = 0.01
# Mean figures by their names in a message, by topic.
Figures = Mapping[str, Mapping[str, float]]
_FILE: TypeAdapter[dict[str, dict[str, dict[str, float]]]] = TypeAdapter(dict[str, dict[str, dict[str, float]]])


def read_stations(path: Path = FILE) -> dict[str, dict[str, dict[str, float]]]:
    """The figures by topic, by host of the broker. Blocks on the file.

    Raises SettingsError when it is not YAML, pydantic's ValidationError when a figure is none.
    """
    document = read(path, str(path))
    if document.root is None:
        raise SettingsError(document.faults)
    return _FILE.validate_python(plain(document.root).get("stations", {}))


class Stations:
    """The stations of one broker; `broker` is theirs."""

    def __init__(self, logins: Mapping[str, str], figures: Figures, clock: Clock) -> None:
        # A new listener hears at once how things are, and need not wait for the next time.
        self.broker = Broker(logins, self._speak)
        self._clock = clock
        self._waves = {
            topic: {name: Wave(f"{topic} {name}", mean, _SWING) for name, mean in means.items()}
            for topic, means in figures.items()
        }
        self._muted: set[str] = set()
        self._speaking: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to speak."""
        self._speaking = asyncio.get_running_loop().create_task(self._go_on())

    def mute(self, topics: str, muted: bool) -> None:
        """Have the stations on the topics that match a filter send nothing, or send again. Raises KeyError for none."""
        wanted = TopicFilter(topics)
        found = {topic for topic in self._waves if wanted.match(topic) is not None}
        if not found:
            raise KeyError(topics)
        self._muted = self._muted | found if muted else self._muted - found

    def silence(self, silent: bool) -> None:
        """Have the broker neither answer nor hand on anything on the connections that there are, or go on."""
        self.broker.silence(silent)

    async def stop(self) -> None:
        """Be silent for ever, and close the broker's connections."""
        if self._speaking is not None:
            self._speaking.cancel()
        await self.broker.stop()

    async def _go_on(self) -> None:
        everything = TopicFilter("#")
        while True:
            self._speak(everything)
            await asyncio.sleep(EVERY)

    def _speak(self, wanted: TopicFilter) -> None:
        for topic in self._waves.keys() - self._muted:
            if wanted.match(topic) is not None:
                self.broker.publish(Message(topic, self._figures(topic), AT_LEAST_ONCE, retain=True))

    def _figures(self, topic: str) -> bytes:
        moment = self._clock()
        figures = {name: round(wave.at(moment), 2) for name, wave in self._waves[topic].items()}
        return json.dumps({**figures, "simulated": SIMULATED}, ensure_ascii=False).encode()
