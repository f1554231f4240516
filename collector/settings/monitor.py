"""The models of monitor.yaml: what holds for the whole service."""

from __future__ import annotations

import ipaddress
import re
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from collector.fields import Duration, Secret
from collector.net import AddressMap
from collector.snmp.credentials import Credentials
from collector.snmp.keys import AuthProtocol, PrivProtocol, check_keys

_LISTEN = re.compile(r"(?:\[[0-9A-Fa-f:.]+\]|[^\s:\[\]]*):(\d{1,5})")
_SERVER = re.compile(r"\[([^\]]+)\](?::(\d{1,5}))?|([^:]+):(\d{1,5})")


def _host(text: str) -> str:
    try:
        AddressMap({text: ":1"})
    except ValueError:
        raise PydanticCustomError("host", "expected a host or host:port; * stands for any text in the host") from None
    return text


def _address(text: str) -> str:
    try:
        AddressMap({"host": text})
    except ValueError:
        raise PydanticCustomError("address", "expected an address, address:port or :port") from None
    return text


def _listen(text: str) -> str:
    match = _LISTEN.fullmatch(text)
    if match is None or int(match[1]) > 65535:
        raise PydanticCustomError("listen", "expected host:port, such as 127.0.0.1:9464")
    return text


def _server(text: str) -> str:
    match = _SERVER.fullmatch(text)
    address, port = (match[1] or match[3], match[2] or match[4]) if match else (text, None)
    try:
        ipaddress.ip_address(address)
    except ValueError:
        address = ""
    if not address or not 0 < int(port or 53) < 65536:
        raise PydanticCustomError("server", "expected the IP address of a name server, or address:port")
    return text


def _retention(seconds: float) -> float:
    if seconds < 31 * 86400:
        raise PydanticCustomError("retention", "must be at least 31d: months are reported from it")
    return seconds


def _file(path: Path) -> Path:
    if not path.name:
        raise PydanticCustomError("file", "expected the path of a file")
    return path


class Section(BaseModel):
    """A part of the configuration: frozen, unknown keys refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Limits(Section):
    """How much runs at a time."""

    in_flight: int = Field(5000, ge=1, description="Runs at a time in all; never more than the descriptors allow.")
    per_peer: int = Field(4, ge=1, description="Runs at a time against one device.")


class ResolverSettings(Section):
    """Who is asked for names."""

    servers: tuple[Annotated[str, AfterValidator(_server)], ...] = Field(
        (), description="Name servers as address or address:port; none: those of the system."
    )
    timeout: Duration = Field(2.0, description="Time limit of one question.")


class Web(Section):
    """Where the service answers."""

    listen: Annotated[str, AfterValidator(_listen)] = Field(
        "127.0.0.1:9464",
        description="host:port of /metrics, the API and the landing page. Takes effect at the next start.",
    )


class TrapUser(Section):
    """An SNMPv3 user."""

    user: str = Field(min_length=1, max_length=32, description="User name.")
    auth_protocol: AuthProtocol | None = Field(None, description="How its messages must be authenticated.")
    auth_password: Secret | None = Field(None, description="Password that the authentication key is made from.")
    priv_protocol: PrivProtocol | None = Field(None, description="How its messages are encrypted.")
    priv_password: Secret | None = Field(None, description="Password that the encryption key is made from.")

    @model_validator(mode="after")
    def _consistent(self) -> TrapUser:
        check_keys(self)
        return self

    @property
    def credentials(self) -> Credentials:
        """The user as devices are polled."""
        auth, priv = (secret.value if secret else "" for secret in (self.auth_password, self.priv_password))
        return Credentials("3", "", self.user, self.auth_protocol or "", auth, self.priv_protocol or "", priv)


class Traps(Section):
    """How SNMP traps and informs are taken."""

    listen: Annotated[str, AfterValidator(_listen)] = Field(
        "0.0.0.0:9162",
        description="host:port to take them at, by UDP; not used where systemd hands over a socket for port 162.",
    )
    communities: tuple[Secret, ...] = Field(
        (), description="Communities that devices send traps with, beside those that they are polled with."
    )
    users: tuple[TrapUser, ...] = Field(
        (), description="SNMPv3 users that devices send traps as, beside those that they are polled as."
    )
    per_source: float = Field(10.0, gt=0, allow_inf_nan=False, description="Traps a second to read of one device.")
    in_all: float = Field(
        50.0, gt=0, le=500, allow_inf_nan=False, description="Traps a second to read of all: each takes about a ms."
    )
    poll_gap: Duration = Field(5.0, description="Least time between two polls of a target that traps bring about.")
    engine_file: Path = Field(
        Path("var/snmp-engine.json"),
        description="File that keeps our SNMP engine's id and number of starts, which devices that send SNMPv3 informs "
        "remember; from the working directory of the service.",
    )


class ObserverSettings(Section):
    """How the service knows that it can see."""

    uplink: tuple[str, ...] = Field(
        (),
        description="Ids of targets that stand for our own uplink, such as the first gateways: while none of them "
        "answers, what cannot be reached is our fault and not the targets'.",
    )


class JournalSettings(Section):
    """What is remembered over restarts, and for how long."""

    path: Annotated[Path, AfterValidator(_file)] = Field(
        Path("var/journal.sqlite"),
        description="File of the journal, from the working directory of the service; its log, its lock and a daily "
        "copy stand beside it. Takes effect at the next start.",
    )
    retention: Annotated[Duration, AfterValidator(_retention)] = Field(
        5 * 365 * 86400.0,
        description="How long changes of state, planned work and corrections are kept (`1825d`: five years).",
    )
    event_retention: Duration = Field(
        90 * 86400.0, description="How long traps, reloads and restarts are kept (`90d`)."
    )
    compaction: Duration = Field(
        86400.0, ge=60.0, description="How often what is older goes, and a copy of the rest is made (`1d`)."
    )


class FeedSettings(Section):
    """How feeds are taken."""

    refused: Path = Field(
        Path("var/refused"),
        description="Folder for documents of refused batches, from the working directory of the service: the newest "
        "five of each feed.",
    )


class Monitor(Section):
    """monitor.yaml without its `defaults`, which are resolved into the targets."""

    limits: Limits = Field(Limits(), description="Bounds on the work in flight.")
    resolver: ResolverSettings = Field(ResolverSettings(), description="Name resolution.")
    address_map: dict[Annotated[str, AfterValidator(_host)], Annotated[str, AfterValidator(_address)]] = Field(
        {},
        description="Points configured hosts elsewhere: host, host:port or pattern -> address, address:port or :port. "
        "What is said to the peer (Host header, TLS name) stays as configured.",
    )
    feeds: FeedSettings = Field(FeedSettings(), description="What operators and others send.")
    observer: ObserverSettings = Field(ObserverSettings(), description="The service's own sight.")
    web: Web = Field(Web(), description="The HTTP side of the service.")
    journal: JournalSettings = Field(JournalSettings(), description="What is remembered over restarts.")
    traps: Traps | None = Field(
        None, description="Take SNMP traps and informs of the devices that are polled by SNMP; absent: do not."
    )
