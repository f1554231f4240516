"""Who is befallen: targets and devices that a fault can be laid on without touching anything else."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cached_property
from typing import Any, TypeVar

from collector.demo.agents.descriptions import Description
from collector.demo.consequences import Outlook
from collector.demo.mobile.figures import figures
from collector.demo.mobile.outlook import Outlook as MobileOutlook
from collector.demo.mobile.outlook import outlook
from collector.demo.pages import address
from collector.demo.roles import Casting, NothingFits
from collector.demo.wiring import host_of, in_zone
from collector.model import SystemState, Target, Verdict
from collector.settings import Config
from collector.sources.feed import FeedSpec

T = TypeVar("T")
# A fault must show, and be confirmed, within its own short life.
LONGEST_INTERVAL = 10.0


class Cast:
    """What a configuration offers; everything is cast once at most, so that no two faults meet."""

    def __init__(self, config: Config, devices: Mapping[str, Description], seed: int) -> None:
        self.devices = devices
        self.uplink = config.monitor.observer.uplink
        self.systems = config.systems
        self.whole = {name: target for name, target in config.targets.items() if in_zone(host_of(target))}
        self.targets = {name: target for name, target in self.whole.items() if name not in self.uplink}
        self._outlook = Outlook(config.systems, config.targets)
        self._verdicts: dict[str, Verdict] = {}
        self._planned: set[str] = set()
        self._disturbed: dict[str, SystemState] = {}
        self._steady: set[str] = set()
        self._chance = random.Random(seed)  # noqa: S311  a play, not a secret
        self._taken: set[str] = set()
        self._config = config
        self._looked_up = {str(spec.name).lower() for spec in self._specs("dns")}
        self._hosts = Counter(host_of(target) for target in self.targets.values())

    def pick(self, candidates: Iterable[T], host: Callable[[T], str]) -> T:
        """One candidate whose host is still free; takes the host. Raises NothingFits."""
        free = [one for one in candidates if host(one) not in self._taken]
        if not free:
            raise NothingFits
        chosen = self._chance.choice(free)
        self._taken.add(host(chosen))
        return chosen

    def take(self, hosts: Iterable[str]) -> None:
        """Keep hosts from others."""
        self._taken.update(hosts)

    @property
    def chance(self) -> random.Random:
        """What the seed decides by."""
        return self._chance

    def consequences(self, made: Casting) -> dict[str, SystemState]:
        """The systems whose state a casting changes, and that state."""
        return self._outlook.disturbed(made.verdicts, made.planned)

    def agree(self, made: Casting) -> bool:
        """Whether a casting changes other systems than those before, and does so independently; then it is kept."""
        own = self.consequences(made)
        verdicts, planned = self._verdicts | made.verdicts, self._planned | set(made.planned)
        apart, steady = {**self._disturbed, **own}, self._steady | set(made.steady)
        if own.keys() & self._disturbed.keys() or apart.keys() & steady:
            return False
        if self._outlook.disturbed(verdicts, planned) != apart:
            return False
        self._verdicts, self._planned, self._disturbed, self._steady = verdicts, planned, apart, steady
        return True

    @cached_property
    def mobile(self) -> MobileOutlook:
        """What is known of the base stations. Raises NothingFits where there are none."""
        config = self._config
        if config.places is None or not any(isinstance(target.spec, FeedSpec) for target in self.targets.values()):
            raise NothingFits
        try:
            return outlook(config.places, figures(config.plan))
        except ValueError:
            raise NothingFits from None

    @cached_property
    def dark(self) -> str:
        """The commune that loses its power. Raises NothingFits."""
        if not self.mobile.lonely:
            raise NothingFits
        return self._chance.choice(self.mobile.lonely)

    def shuffle(self, order: list[T]) -> list[T]:
        """In an order that the seed decides."""
        return self._chance.sample(order, len(order))

    def of_kind(self, kind: str, *, often: bool = True) -> Iterator[Target]:
        """Targets of a kind, by id: those that are polled often enough, or all."""
        for _, target in sorted(self.targets.items()):
            if target.kind == kind and (target.interval <= LONGEST_INTERVAL or not often):
                yield target

    def at(self, host: str) -> list[Target]:
        """All targets that contact a host, by id."""
        return [target for _, target in sorted(self.targets.items()) if host_of(target) == host]

    def alone(self, kind: str) -> Iterator[Target]:
        """Targets that nobody shares a host with, and whose name no DNS target asks for."""
        return (target for target in self.of_kind(kind) if self.lonely(target))

    def lonely(self, target: Target) -> bool:
        """Whether nobody shares its host with a target, and no DNS target asks for its name."""
        host = host_of(target)
        return self._hosts[host] == 1 and host not in self._looked_up

    def pages(self) -> Iterator[Target]:
        """Web pages of their own URL that are judged by their words."""
        urls = Counter(address(spec.url) for spec in self._specs("http"))
        for target in self.of_kind("http"):
            spec: Any = target.spec
            if spec.body_matches and urls[address(spec.url)] == 1:
                yield target

    def devices_with(self, *models: str, often: bool = True) -> Iterator[tuple[Target, Any]]:
        """SNMP targets and the description of their device, of the given models (any when none)."""
        for target in self.of_kind("snmp", often=often):
            described = self.devices.get(host_of(target))
            if described is not None and self.lonely(target) and (not models or described.model in models):
                yield target, described

    def members(self, systems: Iterable[str]) -> list[Target]:
        """All targets of these systems, by id."""
        wanted = set(systems)
        return [target for _, target in sorted(self.targets.items()) if target.system in wanted]

    def _specs(self, kind: str) -> Iterator[Any]:
        return (target.spec for target in self.targets.values() if target.kind == kind)
