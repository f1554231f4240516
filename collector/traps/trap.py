"""What a device said without being asked, and the names of what it may say."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

Oid: TypeAlias = tuple[int, ...]
OTHER = "other"


def _oid(dotted: str) -> Oid:
    return tuple(map(int, dotted.split(".")))


# RFC 3418 (coldStart, warmStart, authenticationFailure), RFC 2863 (linkDown, linkUp), RFC 3584 section 3.1 for the
# sixth, which only SNMPv1 knows.
_GENERIC = ("coldStart", "warmStart", "linkDown", "linkUp", "authenticationFailure", "egpNeighborLoss")
# RFC 1628 section 3, in the order of their numbers.
_UPS = ("upsTrapOnBattery", "upsTrapTestCompleted", "upsTrapAlarmEntryAdded", "upsTrapAlarmEntryRemoved")
_SNMP_TRAPS, _UPS_TRAPS = _oid("1.3.6.1.6.3.1.1.5"), _oid("1.3.6.1.2.1.33.2")
NAMES = (*_GENERIC, *_UPS, OTHER)
_BY_OID: dict[Oid, str] = {
    **{(*_SNMP_TRAPS, number): name for number, name in enumerate(_GENERIC, start=1)},
    **{(*_UPS_TRAPS, number): name for number, name in enumerate(_UPS, start=1)},
    # What an SNMPv1 trap becomes on the way to version 2 (RFC 3584, section 3.1).
    **{(*_UPS_TRAPS, 0, number): name for number, name in enumerate(_UPS, start=1)},
}
# The objects that the notifications above carry, without their instance.
_OBJECTS: dict[Oid, str] = {
    _oid("1.3.6.1.2.1.2.2.1.1"): "ifIndex",
    _oid("1.3.6.1.2.1.2.2.1.2"): "ifDescr",
    _oid("1.3.6.1.2.1.2.2.1.7"): "ifAdminStatus",
    _oid("1.3.6.1.2.1.2.2.1.8"): "ifOperStatus",
    _oid("1.3.6.1.2.1.31.1.1.1.1"): "ifName",
    _oid("1.3.6.1.2.1.31.1.1.1.18"): "ifAlias",
    _oid("1.3.6.1.2.1.33.1.2.2"): "upsSecondsOnBattery",
    _oid("1.3.6.1.2.1.33.1.2.3"): "upsEstimatedMinutesRemaining",
    _oid("1.3.6.1.2.1.33.1.6.2.1.1"): "upsAlarmId",
    _oid("1.3.6.1.2.1.33.1.6.2.1.2"): "upsAlarmDescr",
    _oid("1.3.6.1.2.1.33.1.7.1"): "upsTestId",
    _oid("1.3.6.1.2.1.33.1.7.3"): "upsTestResultsSummary",
    _oid("1.3.6.1.2.1.33.1.7.4"): "upsTestResultsDetail",
    _oid("1.3.6.1.2.1.33.1.9.7"): "upsConfigLowBattTime",
}
_LONGEST = max(map(len, _OBJECTS))


def name_of(trap: Oid) -> str:
    """The name of a notification: one of NAMES, the last for all that have none."""
    return _BY_OID.get(trap, OTHER)


def object_name(name: Oid) -> str:
    """`ifIndex.3` where the object belongs to a notification that we know; else the numbers."""
    for length in range(min(_LONGEST, len(name)), 0, -1):
        known = _OBJECTS.get(name[:length])
        if known is not None:
            return ".".join((known, *map(str, name[length:])))
    return dotted(name)


def dotted(name: Oid) -> str:
    """`1.3.6`."""
    return ".".join(map(str, name))


@dataclass(frozen=True, slots=True)
class Trap:
    """A trap or inform of a configured device.

    `at` is Unix seconds of its arrival, `source` the address it came from, `targets` the ids of the targets at that
    address, `version` "1", "2c" or "3". Only an `authenticated` one is certainly the device's: SNMPv3 with a digest,
    within the time window (RFC 3414, section 3.2, 7). `name` is one of NAMES; `bindings` are (object, value), bounded
    and printable.
    """

    at: float
    source: str
    targets: tuple[str, ...]
    version: str
    inform: bool
    authenticated: bool
    oid: str
    name: str
    bindings: tuple[tuple[str, str], ...] = ()

    def __str__(self) -> str:
        """One line for people, of what the device says."""
        what = f"{self.name} ({self.oid})" if self.name == OTHER else self.name
        sure = "authenticated" if self.authenticated else "unauthenticated"
        said = ", ".join(f"{name}={value}" for name, value in self.bindings)
        kind = "inform" if self.inform else "trap"
        return f"{what}: SNMPv{self.version} {kind} from {self.source}, {sure}{'; ' if said else ''}{said}"
