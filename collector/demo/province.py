"""The province in a box: real servers on loopback for everything that the configuration's targets contact.

    python -m collector.demo.province DIRECTORY CONFIG...

Speaks JSON lines. On standard output: `{"step": ..., "done": n, "of": n}` while it starts, then one `{"ready": ...}`
with what a collector needs, then `{"done": number}` or `{"failed": number, "why": ...}` for each command
(collector.demo.effects.Command) that comes on standard input. Ends when standard input does.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from ssl import SSLContext

import uvloop

from collector.demo.agents import notices
from collector.demo.agents.build import Device, build
from collector.demo.agents.descriptions import Description, describe
from collector.demo.agents.engine import Agent, Agents, Community, Credentials
from collector.demo.agents.motion import Clock
from collector.demo.authority import Authority
from collector.demo.doors import Door
from collector.demo.effects import Command
from collector.demo.mischief import Mischief
from collector.demo.mobile.air import Air
from collector.demo.mobile.desks import Desk
from collector.demo.mobile.figures import figures
from collector.demo.mobile.network import Network, network
from collector.demo.mqtt.stations import Figures, Stations, read_stations
from collector.demo.pages import read_answers
from collector.demo.postgres.database import Database
from collector.demo.postgres.session import Session
from collector.demo.services import Conversation
from collector.demo.sites import Site
from collector.demo.wiring import MAIL_HOST, ZONE, BrokerPlan, Plan, ServicePlan, SitePlan, plan
from collector.demo.zone import NameServer, Zone
from collector.settings import SettingsError, load

# Of the name server that the collector asks, and where it listens itself.
OUR_ADDRESS = "127.0.0.1"
Report = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class Ready:
    """What a collector needs: `resolver` is address:port, `address_map` as in monitor.yaml.

    At `traps`, host:port, it has to listen for what devices say unasked. `feeds` are kinds whose sources trust it.
    """

    resolver: str
    ca_file: str
    address_map: dict[str, str]
    traps: str
    servers: int
    feeds: list[str]


@dataclass(frozen=True, slots=True)
class PoweredDevice:
    """A device and its agent on the network."""

    device: Device
    agent: Agent
    credentials: Credentials


class Province:
    """All simulated servers; they live on the loop that `start` runs on.

    `described` are devices, and `sent` what stations send to a broker, both by host. `mobile` are the base stations.
    """

    def __init__(
        self,
        made: Plan,
        described: Mapping[str, Description],
        sent: Mapping[str, Figures],
        directory: Path,
        mobile: Network | None = None,
    ) -> None:
        self.plan = made
        self.air = Air(mobile) if mobile is not None else None
        self.zone = Zone(ZONE, made.addresses, MAIL_HOST)
        self.authority = Authority(directory)
        self.agents = Agents()
        self.contexts: dict[str, SSLContext] = {}
        self.sites: dict[tuple[str, int], Site] = {}
        self.doors: dict[tuple[str, int], Door] = {}
        self.devices: dict[str, PoweredDevice] = {}
        self.stations: dict[tuple[str, int], Stations] = {}
        self._described = described
        self._sent = sent
        self._clock = Clock()
        self._name_servers: dict[tuple[str, int], NameServer] = {}
        self._resolver = NameServer(self.zone)
        self._map: dict[str, str] = {}
        self._traps = OUR_ADDRESS, 0

    async def start(self, report: Report) -> Ready:
        """Open everything; `report` is told step, done and total.

        Raises OSError, and KeyError for a device that nobody described.
        """
        await self._certify(report)
        total = self.plan.servers
        resolver = await self._resolver.start(OUR_ADDRESS)
        self._traps = OUR_ADDRESS, notices.free_port(OUR_ADDRESS)
        for (host, port), tls in self.plan.name_servers.items():
            server = self._name_servers[host, port] = NameServer(self.zone)
            self._found(host, port, await server.start(self.plan.addresses[host], self._tls(host, tls)))
        for key, site in self.plan.sites.items():
            await self._site(*key, site)
            report("servers", len(self._map), total)
        for key, service in self.plan.services.items():
            await self._service(*key, service)
            report("servers", len(self._map), total)
        for key, database in self.plan.databases.items():
            await self._database(*key, database)
            report("servers", len(self._map), total)
        for key, broker in self.plan.brokers.items():
            await self._broker(*key, broker)
            report("servers", len(self._map), total)
        for key, credentials in self.plan.devices.items():
            await self._device(*key, credentials)
            report("servers", len(self._map), total)
        report("servers", total, total)
        traps = "{}:{}".format(*self._traps)
        resolving, trusted = f"{OUR_ADDRESS}:{resolver}", str(self.authority.ca_file)
        return Ready(resolving, trusted, self._map, traps, total, sorted(self.plan.feeds))

    def silence(self, host: str, silent: bool) -> None:
        """Stop or resume answering what comes to a host. Raises KeyError for one that has no server."""
        servers: list[Agent | Door | NameServer | Stations] = []
        for ours in (self.doors, self._name_servers, self.stations):
            servers += [server for (name, _), server in ours.items() if name == host]
        if host in self.devices:
            servers.append(self.devices[host].agent)
        if not servers:
            raise KeyError(host)
        for server in servers:
            server.silence(silent)

    def tell(self, host: str, interface: str) -> None:
        """Have a device send a trap of how an interface is now.

        Raises KeyError for a device or interface that there is not, ValueError for one of SNMPv3, OSError.
        """
        powered = self.devices[host]
        if not isinstance(powered.credentials, Community):
            raise ValueError(f"{host} sends no traps")
        message = notices.link_trap(powered.device, interface, powered.credentials.name)
        notices.send(message, self.plan.addresses[host], self._traps)

    async def stop(self) -> None:
        """Close everything."""
        for door in self.doors.values():
            door.close()
        for site in self.sites.values():
            await site.close()
        for stations in self.stations.values():
            await stations.stop()
        for server in (self._resolver, *self._name_servers.values()):
            server.stop()
        self.agents.close()

    async def _certify(self, report: Report) -> None:
        hosts = self.plan.certificates
        for number, host in enumerate(hosts, start=1):
            self.contexts[host] = await asyncio.to_thread(self.authority.server_context, host)
            report("certificates", number, len(hosts))

    def _found(self, host: str, port: int, bound: int) -> None:
        self._map[f"{host}:{port}"] = f":{bound}"

    async def _site(self, host: str, port: int, made: SitePlan) -> None:
        site = self.sites[host, port] = Site()
        site.answers = dict(made.answers)
        if self.air is not None:
            site.desks = {path: Desk(self.air, operator, path) for path, operator in made.desks.items()}
        await self._door(host, port, Door(site.server, self.plan.addresses[host], self._tls(host, made.secure)))

    async def _service(self, host: str, port: int, made: ServicePlan) -> None:
        factory = partial(_converse, made, self._tls(host, not made.secure))
        await self._door(host, port, Door(factory, self.plan.addresses[host], self._tls(host, made.secure)))

    async def _database(self, host: str, port: int, made: Database) -> None:
        context = self.contexts[host]
        door = Door(lambda: Conversation(Session(made), context), self.plan.addresses[host])
        await self._door(host, port, door)

    async def _broker(self, host: str, port: int, made: BrokerPlan) -> None:
        stations = self.stations[host, port] = Stations(made.logins, self._sent.get(host, {}), self._clock)
        stations.start()
        factory = stations.broker.conversation
        await self._door(host, port, Door(factory, self.plan.addresses[host], self._tls(host, made.secure)))

    async def _door(self, host: str, port: int, door: Door) -> None:
        self.doors[host, port] = door
        self._found(host, port, await door.open())

    async def _device(self, host: str, port: int, credentials: Credentials) -> None:
        device = build(host, self._described[host], self._clock)
        agent, found = await self.agents.add(device.tree, credentials, self.plan.addresses[host])
        self.devices[host] = PoweredDevice(device, agent, credentials)
        self._found(host, port, found)

    def _tls(self, host: str, wanted: bool) -> SSLContext | None:
        return self.contexts[host] if wanted else None


def _converse(made: ServicePlan, context: SSLContext | None) -> Conversation:
    return Conversation(made.speech(), context)


def prepare(directories: Sequence[Path], work: Path) -> Province:
    """A province for a configuration; `work` is an empty directory of its own. Blocks.

    Raises SettingsError, ValueError.
    """
    config = load(directories)
    made = plan(config.targets.values(), read_answers())
    mobile = None
    if made.tells_of_stations and config.places is not None:
        mobile = network(config.places, figures(config.plan))
    return Province(made, describe(), read_stations(), work, mobile)


def _say(**words: object) -> None:
    sys.stdout.write(json.dumps(words, ensure_ascii=False) + "\n")
    sys.stdout.flush()


def _progress(step: str, done: int, of: int) -> None:
    _say(step=step, done=done, of=of)


async def _serve(province: Province) -> None:
    lines = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    try:
        ready = await province.start(_progress)
        _say(ready=asdict(ready))
        mischief = Mischief(province)
        async for line in lines:
            await _obey(mischief, line)
    finally:
        await province.stop()


async def _obey(mischief: Mischief, line: bytes) -> None:
    command = Command.parse(line)
    try:
        await mischief.apply(command.effect, command.begin)
    except (KeyError, ValueError, OSError) as error:
        _say(failed=command.number, why=f"{type(error).__name__}: {error}")
    else:
        _say(done=command.number)


def main(arguments: Sequence[str]) -> int:
    """Returns the exit status."""
    work, *directories = map(Path, arguments)
    try:
        province = prepare(directories, work)
        uvloop.run(_serve(province))
    except (SettingsError, ValueError, KeyError, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
