"""Which addresses the configured devices have, and who may speak from there."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import socket
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from collector.fields import IpProtocol
from collector.model import ProbeFailed, Target
from collector.net import AddressMap, Net
from collector.probes.snmp import SnmpSpec
from collector.settings.monitor import Traps
from collector.snmp.credentials import Credentials
from collector.traps.admission import Source

_LOOKUPS = 8  # at a time: polls look names up too
_FAMILIES = {IpProtocol.IP4: (socket.AF_INET,), IpProtocol.IP6: (socket.AF_INET6,)}
_BOTH = (socket.AF_INET, socket.AF_INET6)


class _Agent(NamedTuple):
    host: str
    port: int
    ip: IpProtocol


class AddressBook:
    """Addresses of the devices that are polled by SNMP; those of a host that cannot be looked up stay as they were."""

    def __init__(self, net: Net) -> None:
        self._net = net
        self._names: dict[_Agent, tuple[str, ...]] = {}

    async def sources(self, targets: Iterable[Target], settings: Traps) -> dict[str, Source]:
        """What may come from each address of a polled device. Looks every name up, which takes a while."""
        specs = {target.id: target.spec for target in targets if isinstance(target.spec, SnmpSpec)}
        # Thousands of devices take a tenth of a second to go through.
        hosts, literal = await asyncio.to_thread(_hosts, specs.values(), self._net.address_map)
        for gone in self._names.keys() - hosts:
            del self._names[gone]
        waiting = list(hosts)
        await asyncio.gather(*(self._look_up(waiting, hosts) for _ in range(_LOOKUPS)))
        return await asyncio.to_thread(_sources, specs, literal | self._names, settings)

    async def _look_up(self, waiting: list[_Agent], hosts: Mapping[_Agent, str]) -> None:
        while waiting:
            agent = waiting.pop()
            found: list[str] = []
            for family in _FAMILIES.get(agent.ip, _BOTH):
                with contextlib.suppress(ProbeFailed, OSError):
                    found += await self._net.resolver.lookup(hosts[agent], family)
            if found:
                self._names[agent] = tuple(map(_usual, found))


def _hosts(
    specs: Iterable[SnmpSpec], address_map: AddressMap
) -> tuple[dict[_Agent, str], dict[_Agent, tuple[str, ...]]]:
    """Names to look up, and addresses of those that need no looking up."""
    names: dict[_Agent, str] = {}
    literal: dict[_Agent, tuple[str, ...]] = {}
    for agent in {_agent(spec) for spec in specs}:
        host, _ = address_map.redirect(agent.host, agent.port)
        try:
            literal[agent] = (_usual(host),)
        except ValueError:
            names[agent] = host
    return names, literal


def _sources(
    specs: Mapping[str, SnmpSpec], addresses: Mapping[_Agent, tuple[str, ...]], settings: Traps
) -> dict[str, Source]:
    by_address: dict[str, dict[str, SnmpSpec]] = {}
    for target_id, spec in specs.items():
        for address in addresses.get(_agent(spec), ()):
            by_address.setdefault(address, {})[target_id] = spec
    return {address: _source(address, there, settings) for address, there in by_address.items()}


def _usual(address: str) -> str:
    """An address as sockets show it, without its zone. Raises ValueError for what is none."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    return str((ip.ipv4_mapped if ip.version == 6 else None) or ip)


def _agent(spec: SnmpSpec) -> _Agent:
    return _Agent(spec.host, spec.port, spec.ip)


def _source(address: str, there: Mapping[str, SnmpSpec], settings: Traps) -> Source:
    """The targets at an address speak with their own credentials, and all of them with those of the settings."""
    communities: dict[bytes, tuple[str, ...]] = {}
    users: dict[Credentials, tuple[str, ...]] = {}
    for target_id, spec in there.items():
        own = spec.credentials
        if own.user:
            users[own] = (*users.get(own, ()), target_id)
        else:
            name = own.community.encode()
            communities[name] = (*communities.get(name, ()), target_id)
    everybody = tuple(there)
    for community in settings.communities:
        communities.setdefault(community.value.encode(), everybody)
    for user in settings.users:
        users.setdefault(user.credentials, everybody)
    by_name: dict[bytes, tuple[tuple[Credentials, tuple[str, ...]], ...]] = {}
    for credentials, targets in users.items():
        name = credentials.user.encode()
        by_name[name] = (*by_name.get(name, ()), (credentials, targets))
    return Source(address, communities, by_name)
