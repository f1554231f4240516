"""A device's objects by OID: constants, and values that are worked out when they are asked for."""

from __future__ import annotations

from bisect import bisect_right, insort
from collections.abc import Callable
from typing import Any, TypeAlias

from pysnmp.proto import rfc1902, rfc1905

Oid: TypeAlias = tuple[int, ...]
Value: TypeAlias = Any  # one of SNMPv2-SMI's types (RFC 2578, section 7.1) as pysnmp has them
Number: TypeAlias = int | Callable[[], int]

_COUNTER32 = 2**32
_COUNTER64 = 2**64


def oid(dotted: str) -> Oid:
    """`1.3.6.1` as a tuple."""
    return tuple(map(int, dotted.split(".")))


class Tree:
    """Objects in lexicographic order, as GETNEXT walks them (RFC 3416, section 4.2.2)."""

    def __init__(self) -> None:
        self._values: dict[Oid, Value | Callable[[], Value]] = {}
        self._order: list[Oid] = []

    def put(self, name: Oid, value: Value | Callable[[], Value]) -> None:
        """Add or replace one instance."""
        if name not in self._values:
            insort(self._order, name)
        self._values[name] = value

    def drop(self, name: Oid) -> None:
        """Remove one instance, if it is there."""
        if self._values.pop(name, None) is not None:
            self._order.remove(name)

    def get(self, name: Oid) -> Value:
        """The value of an instance; noSuchInstance when there is none."""
        value = self._values.get(name, rfc1905.noSuchInstance)
        # pysnmp's values are callable themselves only as classes, never as instances
        return value() if callable(value) else value

    def after(self, name: Oid) -> tuple[Oid, Value]:
        """The next instance and its value; endOfMibView under the same name when there is none."""
        index = bisect_right(self._order, name)
        if index == len(self._order):
            return name, rfc1905.endOfMibView
        found = self._order[index]
        return found, self.get(found)

    def __len__(self) -> int:
        return len(self._order)

    def integer(self, name: Oid, value: Number) -> None:
        """An INTEGER or Integer32."""
        self.put(name, _typed(rfc1902.Integer32, value))

    def gauge(self, name: Oid, value: Number) -> None:
        """A Gauge32 or Unsigned32."""
        self.put(name, _typed(rfc1902.Gauge32, value))

    def ticks(self, name: Oid, seconds: Callable[[], float]) -> None:
        """TimeTicks: hundredths of a second, wrapping after 497 days."""
        self.put(name, lambda: rfc1902.TimeTicks(int(seconds() * 100) % _COUNTER32))

    def counter(self, name: Oid, value: Callable[[], float]) -> None:
        """A Counter32, wrapping."""
        self.put(name, lambda: rfc1902.Counter32(int(value()) % _COUNTER32))

    def counter64(self, name: Oid, value: Callable[[], float]) -> None:
        """A Counter64."""
        self.put(name, lambda: rfc1902.Counter64(int(value()) % _COUNTER64))

    def zeros(self, *names: Oid) -> None:
        """Counter32s that never move."""
        for name in names:
            self.put(name, rfc1902.Counter32(0))

    def text(self, name: Oid, value: str | Callable[[], str]) -> None:
        """An OCTET STRING in UTF-8 (DisplayString, SnmpAdminString)."""
        if callable(value):
            self.put(name, lambda: rfc1902.OctetString(value().encode()))
        else:
            self.put(name, rfc1902.OctetString(value.encode()))

    def octets(self, name: Oid, value: bytes) -> None:
        """An OCTET STRING as it is."""
        self.put(name, rfc1902.OctetString(value))

    def identifier(self, name: Oid, value: Oid) -> None:
        """An OBJECT IDENTIFIER."""
        self.put(name, rfc1902.ObjectIdentifier(value))


def _typed(make: Callable[[int], Value], value: Number) -> Value | Callable[[], Value]:
    if callable(value):
        return lambda: make(value())
    return make(value)
