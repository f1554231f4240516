"""Which simulated servers a configuration needs: hosts, sites, services, name servers, devices."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from yarl import URL

from collector.demo.agents.engine import Community, Credentials, User
from collector.demo.mobile.desks import COUNTERS
from collector.demo.pages import Answer, address, health, page
from collector.demo.postgres.database import Database
from collector.demo.services import BY_NAME, BY_PORT, Quiet, Speech
from collector.fields import Secret
from collector.model import Target
from collector.sources.feed import FeedSpec
from collector.sources.spec import HttpSource

ZONE = "quangngai.example"
MAIL_HOST = f"mail-cong-vu.{ZONE}"
POSTGRESQL = 5432
# 127.57.0.0/16, after Resolution 57; every host of the zone gets an address of its own.
FIRST_ADDRESS = ipaddress.IPv4Address("127.57.0.1")


@dataclass(slots=True)
class SitePlan:
    """A web server: its pages by path, and the operators whose stations other paths tell of."""

    secure: bool
    answers: dict[str, Answer] = field(default_factory=dict)
    desks: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ServicePlan:
    """A TCP service: `secure` speaks TLS from the start."""

    speech: type[Speech]
    secure: bool


@dataclass(slots=True)
class BrokerPlan:
    """An MQTT broker: whether it speaks TLS, and passwords by user."""

    secure: bool
    logins: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Plan:
    """Everything to start; keys are (host, port) as the targets name them."""

    addresses: dict[str, str] = field(default_factory=dict)
    sites: dict[tuple[str, int], SitePlan] = field(default_factory=dict)
    services: dict[tuple[str, int], ServicePlan] = field(default_factory=dict)
    databases: dict[tuple[str, int], Database] = field(default_factory=dict)
    brokers: dict[tuple[str, int], BrokerPlan] = field(default_factory=dict)
    name_servers: dict[tuple[str, int], bool] = field(default_factory=dict)  # by TLS
    devices: dict[tuple[str, int], Credentials] = field(default_factory=dict)
    feeds: set[str] = field(default_factory=set)  # kinds whose sources are all on the network, and some of them here

    @property
    def tells_of_stations(self) -> bool:
        """Whether any site says how base stations are."""
        return any(site.desks for site in self.sites.values())

    @property
    def servers(self) -> int:
        """How many servers that is, with the one that answers the collector's own lookups."""
        tcp = len(self.sites) + len(self.services) + len(self.databases) + len(self.brokers)
        return tcp + len(self.name_servers) + len(self.devices) + 1

    @property
    def certificates(self) -> list[str]:
        """Hosts that need a certificate: any TCP service or database may be asked for TLS midway."""
        hosts = {host for (host, _), site in self.sites.items() if site.secure}
        hosts |= {host for (host, _), broker in self.brokers.items() if broker.secure}
        hosts |= {host for host, _ in (*self.services, *self.databases)}
        hosts |= {host for (host, _), tls in self.name_servers.items() if tls}
        return sorted(hosts)


def plan(targets: Iterable[Target], written: Mapping[str, Answer]) -> Plan:
    """What to start for the targets in the simulated zone; `written` holds answers by URL.

    Raises ValueError for a page or an answer of a database that cannot be made up.
    """
    made = Plan()
    targets = list(targets)
    ours = [target for target in targets if in_zone(host_of(target))]
    for target in ours:
        _ADDERS[target.kind](made, target.spec, written)
    feeds = [target for target in targets if isinstance(target.spec, FeedSpec)]
    # What is set for all sources of a kind must be fit for each of them.
    files = {target.kind for target in feeds if not host_of(target)}
    made.feeds = {target.kind for target in feeds if in_zone(host_of(target))} - files
    for key in made.services.keys() & (made.sites.keys() | made.databases.keys() | made.brokers.keys()):
        del made.services[key]  # the web or database server or the broker takes its connections
    hosts = sorted({host_of(target) for target in ours} | {ZONE})
    made.addresses = {host: str(FIRST_ADDRESS + index) for index, host in enumerate(hosts)}
    return made


def host_of(target: Target) -> str:
    """The host that a target contacts; nothing for files."""
    spec: Any = target.spec
    if isinstance(spec, FeedSpec):
        return str(spec.source.url.host).lower() if isinstance(spec.source, HttpSource) else ""
    host = spec.url.host if target.kind == "http" else spec.server if target.kind == "dns" else spec.host
    return str(host).lower()


def in_zone(host: str) -> bool:
    """Whether the demo simulates this host."""
    return host == ZONE or host.endswith(f".{ZONE}")


def _add_http(made: Plan, spec: Any, written: Mapping[str, Answer]) -> None:
    url: URL = spec.url
    site = made.sites.setdefault((str(url.host).lower(), url.port or 0), SitePlan(url.scheme == "https"))
    answer = written.get(address(url))
    if answer is None:
        answer = health() if spec.json_condition is not None else page(str(url.host), spec.body_matches)
    site.answers[url.path] = answer


def _add_tcp(made: Plan, spec: Any, _: Mapping[str, Answer]) -> None:
    if spec.starttls == "postgres" or (spec.port == POSTGRESQL and not (spec.tls or spec.starttls)):
        _database(made, spec.host, spec.port)
        return
    speech = BY_NAME[spec.starttls] if spec.starttls else BY_PORT.get(spec.port, Quiet)
    made.services[spec.host.lower(), spec.port] = ServicePlan(speech, spec.tls)


def _add_sql(made: Plan, spec: Any, _: Mapping[str, Answer]) -> None:
    if spec.dialect != "postgresql":
        raise ValueError(f"{spec.peer}: of databases only PostgreSQL is simulated, not {spec.dialect}")
    database = _database(made, spec.host, spec.number)
    database.name = spec.database or spec.user
    database.passwords[spec.user] = _plain(spec.password) or ""
    for query in spec.queries:
        database.teach(query.sql, (*query.labels, *(one.column for one in query.metrics)))


def _database(made: Plan, host: str, port: int) -> Database:
    return made.databases.setdefault((host.lower(), port), Database(host.lower()))


def _add_dns(made: Plan, spec: Any, _: Mapping[str, Answer]) -> None:
    host, _, port = spec.peer.lower().rpartition(":")
    made.name_servers[host, int(port)] = spec.transport == "tls"


def _add_mqtt(made: Plan, spec: Any, _: Mapping[str, Answer]) -> None:
    host, port = spec.address
    broker = made.brokers.setdefault((host.lower(), port), BrokerPlan(spec.tls))
    if spec.username is not None:
        broker.logins[spec.username] = _plain(spec.password) or ""


def _add_snmp(made: Plan, spec: Any, _: Mapping[str, Answer]) -> None:
    made.devices[spec.host.lower(), spec.port] = _credentials(spec)


def _add_feed(made: Plan, spec: Any, _: Mapping[str, Answer]) -> None:
    url: URL = spec.source.url
    if url.path not in COUNTERS or spec.operator is None:
        raise ValueError(f"{url}: no station feed can be made up; what there is: {', '.join(COUNTERS)}")
    site = made.sites.setdefault((str(url.host).lower(), url.port or 0), SitePlan(url.scheme == "https"))
    site.desks[url.path] = spec.operator


def _add_nothing(_made: Plan, _spec: Any, _written: Mapping[str, Answer]) -> None:
    """An echo is answered by the operating system: an address is enough."""


_ADDERS = {
    "http": _add_http,
    "tcp": _add_tcp,
    "sql": _add_sql,
    "dns": _add_dns,
    "mqtt": _add_mqtt,
    "snmp": _add_snmp,
    "icmp": _add_nothing,
    **dict.fromkeys(("json", "table", "geojson", "pm3gpp"), _add_feed),
}


def _credentials(spec: Any) -> Credentials:
    if str(spec.version) != "3":
        return Community(_plain(spec.community) or "public")
    return User(
        spec.user, spec.auth_protocol, _plain(spec.auth_password), spec.priv_protocol, _plain(spec.priv_password)
    )


def has_community(target: Target) -> bool:
    """Whether an SNMP target speaks version 2c."""
    spec: Any = target.spec
    return str(spec.version) == "2c"


def _plain(secret: Secret | None) -> str | None:
    return secret.value if secret is not None else None
