"""SNMP agents by pysnmp: one engine answers for many devices, told apart by the address they were asked at.

Each device has a UDP socket of its own, registered as a transport domain of the engine; the command responder finds
the device by the domain that a request came in on. Access control is the community or the user alone.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, TypeAlias

from pysnmp.carrier.asyncio.dgram import udp
from pysnmp.entity import config
from pysnmp.entity.engine import SnmpEngine
from pysnmp.entity.rfc3413 import cmdrsp
from pysnmp.entity.rfc3413.context import SnmpContext
from pysnmp.proto.api import v2c

from collector.demo.agents.tree import Oid, Tree, Value

# A datagram on loopback takes more, but a client may not.
MAX_VARBINDS = 100

_AUTHENTICATION = {
    "md5": config.USM_AUTH_HMAC96_MD5,
    "sha1": config.USM_AUTH_HMAC96_SHA,
    "sha224": config.USM_AUTH_HMAC128_SHA224,
    "sha256": config.USM_AUTH_HMAC192_SHA256,
    "sha384": config.USM_AUTH_HMAC256_SHA384,
    "sha512": config.USM_AUTH_HMAC384_SHA512,
}
_PRIVACY = {
    "des": config.USM_PRIV_CBC56_DES,
    "aes128": config.USM_PRIV_CFB128_AES,
    "aes192": config.USM_PRIV_CFB192_AES_BLUMENTHAL,
    "aes256": config.USM_PRIV_CFB256_AES_BLUMENTHAL,
    "aes192c": config.USM_PRIV_CFB192_AES,
    "aes256c": config.USM_PRIV_CFB256_AES,
}


@dataclass(frozen=True, slots=True)
class Community:
    """SNMPv2c."""

    name: str


@dataclass(frozen=True, slots=True)
class User:
    """SNMPv3, RFC 3414; no privacy without authentication."""

    name: str
    auth_protocol: str | None = None
    auth_password: str | None = None
    priv_protocol: str | None = None
    priv_password: str | None = None


Credentials: TypeAlias = Community | User
STRANGER = Community("khac-mo-phong")


class _Transport(udp.UdpTransport):  # type: ignore[misc]  # pysnmp has no types
    """A device's socket; a silent one takes requests and says nothing."""

    silent = False

    def datagram_received(self, datagram: bytes, transportAddress: Any) -> None:  # noqa: N803
        if not self.silent:
            super().datagram_received(datagram, transportAddress)


class Agent:
    """One device on the network: its objects, its socket, who may ask."""

    def __init__(self, tree: Tree, credentials: Credentials, domain: Oid, transport: _Transport) -> None:
        self.tree = tree
        self.credentials = credentials
        self.domain = domain
        self.transport = transport

    def silence(self, silent: bool) -> None:
        """Stop or resume answering at all."""
        self.transport.silent = silent


class Agents:
    """All simulated SNMP devices. Needs a running loop."""

    def __init__(self) -> None:
        self._engines: dict[Credentials, SnmpEngine] = {}
        self._agents: dict[Oid, Agent] = {}

    async def add(self, tree: Tree, credentials: Credentials, address: str) -> tuple[Agent, int]:
        """Serve `tree` on a free UDP port of `address`; returns the agent and its port."""
        listener = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        listener.setblocking(False)
        listener.bind((address, 0))
        port: int = listener.getsockname()[1]
        domain = (*udp.DOMAIN_NAME, len(self._agents) + 1)
        transport = _Transport()
        agent = self._agents[domain] = Agent(tree, credentials, domain, transport)
        config.add_transport(await self._engine(credentials), domain, transport)
        await asyncio.get_running_loop().create_datagram_endpoint(lambda: transport, sock=listener)
        return agent, port

    async def change_credentials(self, agent: Agent, credentials: Credentials) -> None:
        """From now on the device only listens to these."""
        before, after = await self._engine(agent.credentials), await self._engine(credentials)
        config.delete_transport(before, agent.domain)
        agent.credentials = credentials
        config.add_transport(after, agent.domain, agent.transport)

    def close(self) -> None:
        """Close every socket."""
        for engine in self._engines.values():
            engine.close_dispatcher()

    async def _engine(self, credentials: Credentials) -> SnmpEngine:
        if credentials not in self._engines:
            # pysnmp reads the code of its MIBs from files
            self._engines[credentials] = await asyncio.to_thread(_engine, credentials, self._agents)
        return self._engines[credentials]


def _engine(credentials: Credentials, agents: dict[Oid, Agent]) -> SnmpEngine:
    engine = SnmpEngine()
    _admit(engine, credentials)
    context = SnmpContext(engine)
    for responder in (_Get, _GetNext, _GetBulk):
        responder(engine, context, cbCtx=agents)
    return engine


def _admit(engine: SnmpEngine, credentials: Credentials) -> None:
    if isinstance(credentials, Community):
        config.add_v1_system(engine, "reader", credentials.name)
        return
    config.add_v3_user(
        engine,
        credentials.name,
        _AUTHENTICATION[credentials.auth_protocol] if credentials.auth_protocol else config.USM_AUTH_NONE,
        credentials.auth_password,
        _PRIVACY[credentials.priv_protocol] if credentials.priv_protocol else config.USM_PRIV_NONE,
        credentials.priv_password,
    )


def _asked(engine: SnmpEngine, agents: dict[Oid, Agent], reference: Any) -> Tree:
    domain, _ = engine.message_dispatcher.get_transport_info(reference)
    return agents[domain].tree


def _names(pdu: Any) -> list[Oid]:
    return [tuple(name) for name, _ in v2c.apiPDU.get_varbinds(pdu)]


class _Answering:
    """The one way in which our responders differ from pysnmp's: what they read, and for whom."""

    cbCtx: dict[Oid, Agent]  # noqa: N815

    def handle_management_operation(self, snmpEngine: SnmpEngine, stateReference: Any, _: Any, PDU: Any) -> None:  # noqa: N803
        tree = _asked(snmpEngine, self.cbCtx, stateReference)
        varbinds = list(self.read(tree, PDU))
        self.send_varbinds(snmpEngine, stateReference, 0, 0, varbinds)  # type: ignore[attr-defined]
        self.release_state_information(stateReference)  # type: ignore[attr-defined]

    def read(self, tree: Tree, pdu: Any) -> Iterable[tuple[Oid, Value]]:
        raise NotImplementedError


class _Get(_Answering, cmdrsp.GetCommandResponder):  # type: ignore[misc]
    def read(self, tree: Tree, pdu: Any) -> Iterable[tuple[Oid, Value]]:
        return ((name, tree.get(name)) for name in _names(pdu))


class _GetNext(_Answering, cmdrsp.NextCommandResponder):  # type: ignore[misc]
    def read(self, tree: Tree, pdu: Any) -> Iterable[tuple[Oid, Value]]:
        return (tree.after(name) for name in _names(pdu))


class _GetBulk(_Answering, cmdrsp.BulkCommandResponder):  # type: ignore[misc]
    """RFC 3416, section 4.2.3: fewer repetitions than asked for are allowed."""

    def read(self, tree: Tree, pdu: Any) -> Iterable[tuple[Oid, Value]]:
        names = _names(pdu)
        once = min(max(0, int(v2c.apiBulkPDU.get_non_repeaters(pdu))), len(names))
        yield from (tree.after(name) for name in names[:once])
        row = names[once:]
        wanted = max(0, int(v2c.apiBulkPDU.get_max_repetitions(pdu)))
        for _ in range(min(wanted, MAX_VARBINDS // len(row)) if row else 0):
            found = [tree.after(name) for name in row]
            yield from found
            following = [name for name, _ in found]
            if following == row:
                return  # every column is at the end of the view
            row = following
