"""What can be done to the simulated province, as one line of JSON each."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any


class Do(StrEnum):
    """An effect; `on` names what it is laid on."""

    CLOSE = "close"  # on host:port: connections are refused
    DELAY = "delay"  # on a URL: answers come `amount` seconds late
    MAINTENANCE = "maintenance"  # on a URL: another page, with status 200
    FLAP = "flap"  # on a URL: every other answer is 503
    CERTIFICATE = "certificate"  # on a host: the validity `part`
    UNRESOLVE = "unresolve"  # on a host: its name does not exist
    SILENCE = "silence"  # on a host: nothing that comes is answered
    CREDENTIALS = "credentials"  # on a device's host: it listens to others only
    MAINS = "mains"  # on a UPS' host: the input is lost
    FILL = "fill"  # on a device's host: the share `amount` of volume `part` is used
    LINK = "link"  # on a device's host: interface `part` is down
    FIGURE = "figure"  # on a database's host:port: its figure `part` is `amount`
    MUTE = "mute"  # on a broker's host:port: the stations on topics that match `part` send nothing
    TRAP = "trap"  # on a device's host: it says how interface `part` is now, at the beginning and at the end
    SPOIL = "spoil"  # on a URL of a feed: what it gives is wrong in the way `part` (collector.demo.mobile.rows.Twist)
    NODE = "node"  # on an operator: its stations on the `amount` masts nearest to the mast number `part` are out
    BLACKOUT = "blackout"  # on the code of a commune: all stations there are out
    SWITCH_ON = "switch-on"  # on the id of a zone: the station that is to come there is on the air
    ANNOUNCE = "announce"  # on a system: work that lasts `amount` seconds; in the configuration, not in the province


@dataclass(frozen=True, slots=True)
class Effect:
    """One effect."""

    do: Do
    on: str
    part: str = ""
    amount: float = 0.0


@dataclass(frozen=True, slots=True)
class Command:
    """Begin or end an effect. `number` comes back in the answer."""

    number: int
    begin: bool
    effect: Effect

    def line(self) -> bytes:
        """As one line."""
        return json.dumps(asdict(self), ensure_ascii=False).encode() + b"\n"

    @classmethod
    def parse(cls, line: bytes) -> Command:
        """Raises ValueError, KeyError or TypeError for a line that is no command."""
        raw: dict[str, Any] = json.loads(line)
        effect = raw.pop("effect")
        return cls(effect=Effect(**{**effect, "do": Do(effect["do"])}), **raw)
