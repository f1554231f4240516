"""An SNMP engine of pysnmp, handed one datagram at a time: no sockets, no timers, no loop."""

from __future__ import annotations

import secrets
import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from pysnmp.carrier.base import AbstractTransportAddress, AbstractTransportDispatcher
from pysnmp.entity import config
from pysnmp.entity.engine import SnmpEngine
from pysnmp.entity.rfc3413.ntfrcv import NotificationReceiver
from pysnmp.proto.api import v2c
from pysnmp.proto.rfc1902 import OctetString

from collector.traps.identity import Identity

_FRAMEWORK = "__SNMP-FRAMEWORK-MIB"


@dataclass(frozen=True, slots=True)
class Sender:
    """Who an SNMPv3 message is from, by its own words; true when the message turns out to be authentic."""

    engine_id: bytes
    user: bytes
    boots: int
    time: int


@dataclass(frozen=True, slots=True)
class Denial:
    """Why the security model let a message go no further.

    `indication` is one of pysnmp's errind; `parameters` are the message's own (msgSecurityParameters), None below
    SNMPv3; `level` is RFC 3411's SnmpSecurityLevel that it claims.
    """

    indication: Any
    parameters: bytes | None
    level: int


@dataclass(slots=True)
class Heard:
    """How far one message came. `bindings` are pysnmp's (name, value) of a notification, as SNMPv2 has them."""

    communities: Collection[bytes] = field(repr=False)
    community: bytes | None = field(default=None, repr=False)
    sender: Sender | None = None
    denial: Denial | None = None
    model: int = 0
    level: int = 0
    inform: bool = False
    bindings: list[tuple[Any, Any]] | None = None
    replies: list[bytes] = field(default_factory=list)


class _Address(tuple[str, int], AbstractTransportAddress):  # type: ignore[misc]  # pysnmp has no types
    """Stands for the other side: where an answer goes is not pysnmp's affair."""

    __slots__ = ()


class _Outbox(AbstractTransportDispatcher):  # type: ignore[misc]
    """Takes what pysnmp wants to send."""

    def __init__(self) -> None:
        super().__init__()
        self.messages: list[bytes] = []

    def send_message(self, outgoingMessage: bytes, transportDomain: Any, transportAddress: Any) -> None:  # noqa: ARG002, N803
        self.messages.append(outgoingMessage)


class Engine:
    """One engine. `begun` is the moment, by the monotonic clock, since which the engine has this number of boots."""

    def __init__(self, identity: Identity, begun: float) -> None:
        self._begun = begun
        self._heard = Heard(())
        # The only community that pysnmp knows: that of a message is judged here, and replaced by this one.
        self._admitted = secrets.token_hex(16)
        self.snmp = SnmpEngine()
        self._outbox = _Outbox()
        self.snmp.register_transport_dispatcher(self._outbox)
        self._take_on(identity)
        config.add_v1_system(self.snmp, "traps", self._admitted)
        NotificationReceiver(self.snmp, self._on_notification)
        observe = self.snmp.observer.register_observer
        observe(self._on_community, "rfc2576.processIncomingMsg:writable")
        observe(self._on_user, "rfc3414.processIncomingMsg")
        observe(self._on_denial, "rfc2576.prepareDataElements:sm-failure", "rfc3412.prepareDataElements:sm-failure")
        observe(self._on_request, "rfc3412.receiveMessage:request")

    def receive(self, datagram: bytes, communities: Collection[bytes]) -> Heard:
        """Take in a message, whose community must be one of `communities` if it has one.

        Raises whatever pysnmp does on messages that nobody writes in earnest.
        """
        heard = self._heard = Heard(communities)
        self._outbox.messages = heard.replies
        self._keep_time()
        self.snmp.message_dispatcher.receive_message(self.snmp, config.SNMP_UDP_DOMAIN, _Address(("", 0)), datagram)
        return heard

    def _take_on(self, identity: Identity) -> None:
        # pysnmp itself would count boots in a folder of /tmp.
        engine_id, boots = self._symbols("snmpEngineID", "snmpEngineBoots")
        engine_id.syntax = engine_id.syntax.clone(identity.engine_id)
        boots.syntax = boots.syntax.clone(identity.boots)
        self.snmp.snmpEngineID = engine_id.syntax

    def _keep_time(self) -> None:
        """Have snmpEngineTime follow the monotonic clock, and caches grow old."""
        now = time.monotonic()
        (symbol,) = self._symbols("snmpEngineTime")
        # pysnmp's value is the Unix time of the beginning: a jump of the wall clock would make us seem another age.
        begun = int(time.time() - (now - self._begun))
        if abs(begun - int(symbol.syntax)) > 1:
            symbol.syntax = symbol.syntax.clone(begun)
        self._outbox.handle_timer_tick(now)

    def _symbols(self, *names: str) -> Any:
        return self.snmp.get_mib_builder().import_symbols(_FRAMEWORK, *names)

    # pysnmp calls these on a message's way through it.

    def _on_community(self, _engine: Any, _point: str, variables: dict[str, Any], _context: Any) -> None:
        community = variables["communityName"].asOctets()
        if community in self._heard.communities:
            self._heard.community = community
            variables["communityName"] = OctetString(self._admitted)

    def _on_user(self, _engine: Any, _point: str, variables: Mapping[str, Any], _context: Any) -> None:
        self._heard.sender = Sender(
            variables["securityEngineId"].asOctets(),
            OctetString(variables["userName"]).asOctets(),
            int(variables["snmpEngineBoots"]),
            int(variables["snmpEngineTime"]),
        )

    def _on_denial(self, _engine: Any, _point: str, variables: Mapping[str, Any], _context: Any) -> None:
        parameters = variables["securityParameters"]
        self._heard.denial = Denial(
            variables["statusInformation"].get("errorIndication"),
            None if isinstance(parameters, tuple) else parameters.asOctets(),
            int(variables["securityLevel"]),
        )

    def _on_request(self, _engine: Any, _point: str, variables: Mapping[str, Any], _context: Any) -> None:
        self._heard.model = int(variables["messageProcessingModel"])
        self._heard.level = int(variables["securityLevel"])
        self._heard.inform = variables["pdu"].tagSet == v2c.InformRequestPDU.tagSet

    def _on_notification(self, *arguments: Any) -> None:
        *_, self._heard.bindings, _ = arguments
