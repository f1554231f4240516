"""The faults that are about systems and what they depend on, one function each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import groupby
from typing import Any

from collector.demo.casting import Cast
from collector.demo.effects import Do, Effect
from collector.demo.roles import LASTS, Casting, Happening, NothingFits, several
from collector.demo.shows import Show, link_down, series
from collector.demo.wiring import has_community, host_of
from collector.derive.systems import parents_of
from collector.model import Target

# As many systems as the largest centres host.
MANY = 20
ISOLATED, UPLINK_LOST = 120.0, 45.0
# A night's work is announced longer than it takes: what it stopped is up again, and seen to be, before the end.
RESERVE = 30.0
# Targets that a fault would otherwise show of too late, and how soon they are polled when their device sends a trap.
SELDOM, TRAP_POLLED_WITHIN = 30.0, 1.0
_IMPAIRED = series("hatang_observer_impaired", cause="uplink")
_NONE_DOWN = Show("sum(hatang_system_state == bool 0)", "==", 0)


def _silenced(targets: Iterable[Target]) -> list[Target]:
    """Those of the targets that a silent host fails.

    Echo requests are not: to an address of loopback the operating system answers by itself, and only a privileged
    user could keep it from doing so. What counts as an outage here is what TCP and UDP services show.
    """
    return [target for target in targets if target.kind != "icmp"]


def _silence(targets: Iterable[Target]) -> tuple[Effect, ...]:
    return tuple(Effect(Do.SILENCE, host) for host in sorted({host_of(target) for target in targets}))


def _isolated(cast: Cast) -> Casting:
    """The way into a centre: of nothing in it, nor of the systems that it hosts, any answer comes."""
    centre, hosted = cast.pick(_large_centres(cast), lambda found: found[0])
    inside = cast.members([centre, *hosted])
    cast.take(map(host_of, inside))
    failing = _silenced(inside)
    # Nobody blames those who run the systems: not one second counts as down.
    info = series("hatang_system_info", centre=centre)
    blamed = f'sum(increase(hatang_system_state_seconds_total{{state="down"}}[1m]) * on(system) group_left {info})'
    return replace(several(centre, failing, _silence(failing), "timeout"), keeps=(Show(blamed, "==", 0),))


def _large_centres(cast: Cast) -> Iterator[tuple[str, list[str]]]:
    """Data centres that host many systems, all of which would be cut off, and can be seen to be down themselves."""
    for name, system in sorted(cast.systems.items()):
        hosted = sorted(other for other, one in cast.systems.items() if one.hosting == name)
        own = _silenced(cast.members([name]))
        if system.category == "data-centre" and len(hosted) >= MANY and any(target.required for target in own):
            yield name, hosted


def _maintenance(cast: Cast) -> Casting:
    """Work on a system, announced: it is switched off meanwhile, and nobody minds."""
    systems = [(name, list(members)) for name, members in groupby(_by_system(cast), lambda target: target.system)]
    reachable = {target.id for kind in ("http", "tcp") for target in cast.alone(kind)}
    whole = [(name, members) for name, members in systems if all(member.id in reachable for member in members)]
    name, members = cast.pick(whole, lambda found: host_of(found[1][0]))
    cast.take(map(host_of, members))
    effects = [Effect(Do.CLOSE, member.spec.peer.lower()) for member in members]
    night = Effect(Do.ANNOUNCE, name, amount=LASTS + RESERVE)
    return replace(several(name, members, [night, *effects], "refused"), planned=(name,), reserve=RESERVE)


def _by_system(cast: Cast) -> list[Target]:
    return sorted(cast.targets.values(), key=lambda target: (target.system, target.id))


def _uplink_lost(cast: Cast) -> Casting:
    """Our own way out: nothing answers any more, which says nothing of anybody else."""
    if not cast.uplink:
        raise NothingFits
    targets = _silenced(target for _, target in sorted(cast.whole.items()))
    names = tuple(target.id for target in targets)
    impaired = Show(_IMPAIRED, "==", 1)
    return Casting("uplink", names, _silence(targets), (impaired,), unseen=names, keeps=(_NONE_DOWN,))


def _trapped(cast: Cast) -> Casting:
    """A port of a device that is polled seldom: it says so itself, and is looked at at once."""
    depended_on = {name for system in cast.systems.values() for name in parents_of(system)}
    ports = [
        (target, port)
        for target, device in cast.devices_with("switch", "router", often=False)
        if target.interval >= SELDOM and target.system not in depended_on and has_community(target)
        for port in device.interfaces
        if port.up and port.admin_up
    ]
    target, port = cast.pick(ports, lambda found: host_of(found[0]))
    host = host_of(target)
    told = series("hatang_trap_timestamp_seconds", target=target.id, trap="linkDown")
    # No system depends on this one, whose state would be known only as often as the device is polled.
    return Casting(
        target.id,
        (target.id,),
        (Effect(Do.LINK, host, port.name), Effect(Do.TRAP, host, port.name)),
        (*link_down(target.id, port.name), Show(f"time() - {told}", "<", LASTS + 1)),
        polled_within=TRAP_POLLED_WITHIN,
    )


def _silent_river(cast: Cast) -> Casting:
    """All stations of one river: they send nothing any more, and the broker knows nothing of it."""
    rivers = [target for target in cast.of_kind("mqtt") if "river" in dict(target.labels) and _knows_silence(target)]
    target = cast.pick(rivers, host_of)
    others = [other for other in rivers if other is not target]
    if not others:
        raise NothingFits
    spec: Any = target.spec
    mute = [Effect(Do.MUTE, spec.peer.lower(), each.filter.plain) for each in spec.subscriptions]
    old = [Show(silent, "==", 0) for each in spec.subscriptions for silent in _freshness(target.id, each)]
    well = f'sum(probe_success{{target=~"{"|".join(other.id for other in others)}"}})'
    keeps = (Show(series("hatang_mqtt_connected", target=target.id), "==", 1), Show(well, "==", len(others)))
    longest = max(each.max_age for each in spec.subscriptions)
    made = several(target.id, [target], mute, "unexpected", *old)
    return replace(made, keeps=keeps, polled_within=longest + target.interval)


def _knows_silence(target: Target) -> bool:
    """Whether a target says by name who must not be silent."""
    spec: Any = target.spec
    return all(each.expect and isinstance(each.expect, tuple) for each in spec.subscriptions)


def _freshness(target: str, subscription: Any) -> Iterator[str]:
    """The series that tell which stations are heard."""
    topics = subscription.filter
    for name in subscription.expect:
        values = topics.values(name)
        labels = {"topic": topics.filled(values), **dict(zip(topics.labels, values, strict=True))}
        yield series("hatang_mqtt_topic_fresh", target=target, **labels)


SCENES = (
    Happening(
        "centre-isolated",
        "Trung tâm dữ liệu mất kết nối",
        "Data centre isolated",
        _isolated,
        lasts=ISOLATED,
        systems=True,
    ),
    Happening("maintenance-night", "Đêm bảo trì đã báo trước", "Maintenance night", _maintenance, systems=True),
    Happening("silent-river-stations", "Các trạm của một sông im lặng", "Silent river stations", _silent_river),
    Happening("trap-before-poll", "Thiết bị tự báo trước kỳ hỏi", "A trap before the poll", _trapped),
    Happening(
        "uplink-lost",
        "Hệ thống giám sát mất đường truyền",
        "The monitoring system's own uplink lost",
        _uplink_lost,
        lasts=UPLINK_LOST,
        alone=True,
    ),
)
