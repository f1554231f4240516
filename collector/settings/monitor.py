"""The models of monitor.yaml: what holds for the whole service."""

from __future__ import annotations

import ipaddress
import re
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from pydantic_core import PydanticCustomError

from collector.fields import Duration

_LISTEN = re.compile(r"(?:\[[0-9A-Fa-f:.]+\]|[^\s:\[\]]*):(\d{1,5})")
_NAMED = re.compile(r"[^\s:\[\]/@]+")


def _port(digits: str) -> bool:
    return digits.isascii() and digits.isdigit() and 1 <= int(digits) <= 65535


def _split(text: str) -> tuple[str, str]:
    """Host and port of `host`, `host:port`, `:port`, `[v6]:port` or a bare IPv6 address; the port may be empty."""
    if text.startswith("["):
        host, _, rest = text[1:].partition("]")
        return host, rest.removeprefix(":") if rest else ""
    if text.count(":") > 1:
        return text, ""
    host, _, port = text.partition(":")
    return host, port


def _address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return bool(_NAMED.fullmatch(text)) and "*" not in text
    return True


def _redirection(text: str) -> str:
    host, port = _split(text)
    whole = text == f":{port}" if not host else _address(host)
    if not whole or (port and not _port(port)) or text.endswith(":") or (not host and not port):
        raise PydanticCustomError("redirection", "expected an address, address:port or :port")
    return text


def _pattern(text: str) -> str:
    host, _, port = text.partition(":")
    if not _NAMED.fullmatch(host) or (":" in text and not _port(port)):
        raise PydanticCustomError("pattern", "expected a host or host:port; * stands for any characters of the host")
    return text


def _listen(text: str) -> str:
    match = _LISTEN.fullmatch(text)
    if match is None or int(match[1]) > 65535:
        raise PydanticCustomError("listen", "expected host:port, such as 127.0.0.1:9464")
    return text


def _server(text: str) -> str:
    host, port = _split(text)
    try:
        ipaddress.ip_address(host)
    except ValueError:
        raise PydanticCustomError("server", "expected the IP address of a name server, or address:port") from None
    if port and not _port(port):
        raise PydanticCustomError("server", "expected a port from 1 to 65535 after the address")
    return text


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
        "127.0.0.1:9464", description="host:port of /metrics, the API and the landing page."
    )


class Monitor(Section):
    """monitor.yaml without its `defaults`, which are resolved into the targets."""

    limits: Limits = Field(Limits(), description="Bounds on the work in flight.")
    resolver: ResolverSettings = Field(ResolverSettings(), description="Name resolution.")
    address_map: dict[Annotated[str, AfterValidator(_pattern)], Annotated[str, AfterValidator(_redirection)]] = Field(
        {},
        description="Points configured hosts elsewhere: host, host:port or pattern -> address, address:port or :port. "
        "What is said to the peer (Host header, TLS name) stays as configured.",
    )
    web: Web = Field(Web(), description="The HTTP side of the service.")
