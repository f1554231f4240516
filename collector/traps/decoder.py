"""From datagrams to traps: blocking work, for one thread of its own.

pysnmp reads and writes messages and checks digests. Decided here is what it leaves open: which users a source may be,
which level of security is enough, whether a message is fresh, and when to start over.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from pysnmp.proto import errind

from collector.traps.admission import Dropped, Source
from collector.traps.engine import Denial, Engine, Heard
from collector.traps.freshness import Freshness
from collector.traps.identity import Identity
from collector.traps.reading import Unreadable, objects, trap_oid
from collector.traps.trap import Trap, dotted, name_of
from collector.traps.users import Users, claim

_AUTHENTIC = 2  # authNoPriv, of RFC 3411's SnmpSecurityLevel
_VERSIONS = {0: "1", 1: "2c", 3: "3"}
# A message that breaks off leaves a little in pysnmp's caches, and users of made-up engines stay in its tables.
_MOST_FAILURES = 5000
_MOST_USERS = 5000


@dataclass(frozen=True, slots=True)
class Decoded:
    """What a datagram was: a trap, or why it is none; neither for a step of a handshake. `replies` are to be sent.

    `detail` says more of why, for people.
    """

    trap: Trap | None = None
    dropped: Dropped | None = None
    replies: tuple[bytes, ...] = ()
    detail: str = ""


class Decoder:
    """Reads datagrams of known sources and writes the answers to informs."""

    def __init__(self, identity: Identity, clock: Callable[[], float] = time.monotonic) -> None:
        self._identity = identity
        self._begun = time.monotonic()
        self._users = Users()
        self._freshness = Freshness(clock)
        self._failures = 0
        self._engine = Engine(identity, self._begun)

    def decode(self, datagram: bytes, source: Source, at: float) -> Decoded:
        """What `datagram`, which came from `source` at Unix time `at`, is. Raises nothing."""
        try:
            decoded = self._decoded(datagram, source, at)
        except Exception as error:  # noqa: BLE001  pysnmp trips over malformed messages in many ways
            # Only the kind of error: its text may quote the message, and with it a community.
            decoded = Decoded(dropped=Dropped.MALFORMED, detail=type(error).__name__)
        self._failures += decoded.dropped is not None
        if self._failures > _MOST_FAILURES or len(self._users) > _MOST_USERS:
            self._start_over()
        return decoded

    def _start_over(self) -> None:
        self._engine = Engine(self._identity, self._begun)
        self._users.forget()
        self._failures = 0

    def _decoded(self, datagram: bytes, source: Source, at: float) -> Decoded:
        heard = self._engine.receive(datagram, source.communities)
        if heard.denial is not None and self._learn(datagram, source, heard.denial):
            heard = self._engine.receive(datagram, source.communities)
        if heard.bindings is None:
            return self._refused(heard)
        targets = self._targets(heard, source)
        if targets is None:
            return Decoded(None, Dropped.AUTHENTICATION, detail="less security than the user has keys for")
        try:
            trap = self._trap(heard, source, targets, at)
        except Unreadable:
            return Decoded(None, Dropped.MALFORMED, tuple(heard.replies), "it does not say which notification it is")
        return Decoded(trap, None, tuple(heard.replies))

    def _learn(self, datagram: bytes, source: Source, denial: Denial) -> bool:
        """Have the engine know the user that it does not, or not with this key, if the message proves to be theirs."""
        if denial.parameters is None:
            return False
        claimed = claim(denial.parameters)
        known = self._users.known(claimed.engine_id, claimed.user)
        for credentials, _ in source.users.get(claimed.user, ()):
            if credentials == known or (denial.level >= _AUTHENTIC) != bool(credentials.auth_protocol):
                continue
            if self._users.proven(claimed, credentials, datagram):
                self._users.add(self._engine.snmp, claimed, credentials)
                return True
        return False

    def _refused(self, heard: Heard) -> Decoded:
        denial, replies = heard.denial, tuple(heard.replies)
        if denial is not None:
            # Asking for our engine's id and time is part of sending an inform.
            handshake = isinstance(denial.indication, (errind.UnknownEngineID, errind.NotInTimeWindow)) and replies
            return Decoded(None, None if handshake else Dropped.AUTHENTICATION, replies, str(denial.indication))
        if heard.sender is not None and heard.sender.engine_id != self._identity.engine_id:
            return Decoded(None, Dropped.AUTHENTICATION, replies, "meant for another SNMP engine than ours")
        return Decoded(None, Dropped.MALFORMED, replies, "no notification")

    def _targets(self, heard: Heard, source: Source) -> tuple[str, ...] | None:
        """Targets that the sender speaks for; None when it is not who it must be."""
        if heard.community is not None:
            return source.communities[heard.community]
        if heard.sender is None:
            return None
        known = self._users.known(heard.sender.engine_id, heard.sender.user)
        for credentials, targets in source.users.get(heard.sender.user, ()):
            if credentials == known and (heard.level >= _AUTHENTIC or not credentials.auth_protocol):
                return targets
        return None

    def _trap(self, heard: Heard, source: Source, targets: tuple[str, ...], at: float) -> Trap:
        oid = trap_oid(heard.bindings or ())
        return Trap(
            at=at,
            source=source.address,
            targets=targets,
            version=_VERSIONS[heard.model],
            inform=heard.inform,
            authenticated=self._authenticated(heard, source),
            oid=dotted(oid),
            name=name_of(oid),
            bindings=objects(heard.bindings or ()),
        )

    def _authenticated(self, heard: Heard, source: Source) -> bool:
        sender = heard.sender
        if sender is None or heard.level < _AUTHENTIC:
            return False
        # What is sent to our own engine, pysnmp has held against our own clock.
        ours = sender.engine_id == self._identity.engine_id
        return ours or self._freshness.fresh(source.address, sender.engine_id, sender.boots, sender.time)
