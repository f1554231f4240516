"""Who may be heard, and how often: all that is decided about a datagram before anybody reads it."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from collector.snmp.credentials import Credentials

# Notifications fill a packet at most; what reading one costs grows with its length: 40 ms for so many bytes.
LONGEST = 8192
# So many seconds' worth may come at once: a switch that loses its uplink says so for every port.
BURST_SECONDS = 5.0


class Dropped(StrEnum):
    """Why a datagram went no further. Closed, because it is a label."""

    RATE = "rate"
    UNKNOWN_SOURCE = "unknown_source"
    MALFORMED = "malformed"
    AUTHENTICATION = "authentication"


@dataclass(frozen=True, slots=True)
class Source:
    """An address that configured devices have: what each community, or each user, there stands for.

    `communities` holds the ids of the targets that use it; `users`, by user name, credentials with theirs.
    """

    address: str
    communities: Mapping[bytes, tuple[str, ...]] = field(repr=False)
    users: Mapping[bytes, tuple[tuple[Credentials, tuple[str, ...]], ...]] = field(repr=False)


class Bucket:
    """Tokens that come at `rate` a second, up to `size`; `now` is seconds of any clock that does not jump."""

    __slots__ = ("_rate", "_size", "_tokens", "_when")

    def __init__(self, rate: float, size: float, now: float) -> None:
        self._rate = rate
        self._size = size
        self._tokens = size
        self._when = now

    def take(self, now: float) -> bool:
        """Take a token if there is one."""
        self._tokens = min(self._size, self._tokens + (now - self._when) * self._rate)
        self._when = now
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True


class Admission:
    """Lets in datagrams of known sources, each at most `per_source` a second and all at most `in_all`."""

    def __init__(self, per_source: float, in_all: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._per_source = per_source
        self._clock = clock
        self._all = Bucket(in_all, max(1.0, in_all * BURST_SECONDS), clock())
        self._sources: dict[str, Source] = {}
        self._buckets: dict[str, Bucket] = {}

    def know(self, sources: Mapping[str, Source]) -> None:
        """From now on these are the known sources; what a source has used up stays used up."""
        self._sources = dict(sources)
        for gone in self._buckets.keys() - sources.keys():
            del self._buckets[gone]

    def admit(self, address: str, length: int) -> Source | Dropped:
        """The source at `address` (as a socket gives it), if `length` bytes from there may be read."""
        source = self._sources.get(address) or self._sources.get(plain(address))
        if source is None:
            return Dropped.UNKNOWN_SOURCE
        now = self._clock()
        bucket = self._buckets.get(source.address)
        if bucket is None:
            size = max(1.0, self._per_source * BURST_SECONDS)
            bucket = self._buckets[source.address] = Bucket(self._per_source, size, now)
        if not bucket.take(now):
            return Dropped.RATE
        if length > LONGEST:
            return Dropped.MALFORMED
        return source if self._all.take(now) else Dropped.RATE


def plain(address: str) -> str:
    """The address without its zone; IPv4 as such where a socket for both families shows it as IPv6."""
    address = address.partition("%")[0]
    return address.removeprefix("::ffff:") if "." in address else address
