"""The faults that can befall single systems, hosts and devices of the simulated province, one function each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from collector.demo.authority import Validity
from collector.demo.casting import Cast
from collector.demo.effects import Do, Effect
from collector.demo.postgres.database import MAX_CONNECTIONS, STANDBY
from collector.demo.roles import Casting, Happening, broken, one, several
from collector.demo.shows import Show, link_down, series
from collector.demo.wiring import has_community, host_of
from collector.model import Target

WEEK = 7 * 86400
DELAY = 3.0
# A page that answers normally takes some milliseconds.
SLOW = 2.0
FILLED = 0.97
FULL = 0.95
# Of a database: more connections than the share that its target allows, and seconds more than its replica may lag.
CROWDED, CROWD = 0.9, 0.97 * MAX_CONNECTIONS
BEHIND, LAG = 60.0, 900.0


def _system_down(cast: Cast) -> Casting:
    """Every port of a system that has several, and no device that would answer on."""
    systems: dict[str, list[Target]] = {}
    for target in cast.targets.values():
        systems.setdefault(target.system, []).append(target)
    quick = {target.id for kind in ("http", "tcp") for target in cast.alone(kind)}
    several_ports = (them for them in systems.values() if len(them) > 1 and any(one.required for one in them))
    whole = [them for them in several_ports if all(one.id in quick for one in them)]
    members = cast.pick(sorted(whole, key=lambda them: them[0].id), lambda them: host_of(them[0]))
    effects = [Effect(Do.CLOSE, member.spec.peer.lower()) for member in members]
    return several(members[0].system, members, effects, "refused")


def _slow(cast: Cast) -> Casting:
    target = cast.pick(cast.pages(), host_of)
    return one(
        target,
        Effect(Do.DELAY, str(_url(target)), amount=DELAY),
        Show(series("probe_duration_seconds", target=target.id), ">", SLOW),
        Show(series("probe_http_duration_seconds", target=target.id, phase="processing"), ">", SLOW),
    )


def _wrong_content(cast: Cast) -> Casting:
    target = cast.pick(cast.pages(), host_of)
    regex = Show(series("probe_failed_due_to_regex", target=target.id), "==", 1)
    return broken(target, Effect(Do.MAINTENANCE, str(_url(target))), "unexpected", regex)


def _flapping(cast: Cast) -> Casting:
    target = cast.pick(cast.pages(), host_of)
    window = 2 * target.interval
    changes = f"changes({series('probe_success', target=target.id)}[{window:g}s])"
    flaps = Show(changes, ">=", 1, recovered=window)
    # Every other run fails: never so many in a row that the system would count as down.
    return replace(one(target, Effect(Do.FLAP, str(_url(target))), flaps), steady=(target.system,))


def _url(target: Target) -> Any:
    spec: Any = target.spec
    return spec.url


def _secured(target: Target) -> bool:
    spec: Any = target.spec
    if target.kind == "http":
        return bool(spec.url.scheme == "https")
    return target.kind == "tcp" and bool(spec.tls or spec.starttls)


def _certificate(cast: Cast, validity: Validity) -> tuple[str, Sequence[Target], Effect]:
    """A web host all of whose targets speak TLS and are polled often enough."""
    quick = {target.id for kind in ("http", "tcp") for target in cast.of_kind(kind)}
    fit = (page for page in cast.pages() if all(_secured(one) and one.id in quick for one in cast.at(host_of(page))))
    host = host_of(cast.pick(fit, host_of))
    return host, cast.at(host), Effect(Do.CERTIFICATE, host, validity)


def _expiry(target: Target, compare: str, seconds: float) -> Show:
    return Show(f"{series('probe_ssl_earliest_cert_expiry', target=target.id)} - time()", compare, seconds)


def _expiring(cast: Cast) -> Casting:
    host, targets, effect = _certificate(cast, Validity.EXPIRING)
    shows = tuple(_expiry(target, "<", WEEK) for target in targets)
    return Casting(host, tuple(target.id for target in targets), (effect,), shows)


def _expired(cast: Cast) -> Casting:
    host, targets, effect = _certificate(cast, Validity.EXPIRED)
    return several(host, targets, [effect], "tls", *(_expiry(target, "<", 0) for target in targets))


def _unresolved(cast: Cast) -> Casting:
    target = cast.pick(cast.alone("tcp"), host_of)
    return broken(target, Effect(Do.UNRESOLVE, host_of(target)), "resolve")


def _silent(cast: Cast) -> Casting:
    target, _ = cast.pick(cast.devices_with("server", "sensor"), _device_host)
    return broken(target, Effect(Do.SILENCE, host_of(target)), "timeout")


def _wrong_community(cast: Cast) -> Casting:
    with_community = ((target, it) for target, it in cast.devices_with() if has_community(target))
    target, _ = cast.pick(with_community, _device_host)
    return broken(target, Effect(Do.CREDENTIALS, host_of(target)), "timeout")


def _device_host(pair: tuple[Target, Any]) -> str:
    return host_of(pair[0])


def _on_battery(cast: Cast) -> Casting:
    target, ups = cast.pick(cast.devices_with("ups"), _device_host)
    name = target.id
    return one(
        target,
        Effect(Do.MAINS, host_of(target)),
        Show(series("upsOutputSource", target=name, upsOutputSource="battery"), "==", 1),
        Show(series("upsOutputSource", target=name, upsOutputSource="normal"), "==", 0),
        Show(series("upsSecondsOnBattery", target=name), ">", 0),
        Show(series("upsAlarmTime", target=name, upsAlarmDescr="upsAlarmOnBattery"), ">", 0),
        Show(series("upsAlarmTime", target=name, upsAlarmDescr="upsAlarmInputBad"), ">", 0),
        Show(series("upsAlarmsPresent", target=name), "==", 2),
        Show(series("upsEstimatedMinutesRemaining", target=name), "<", ups.battery_minutes),
        *(
            Show(series("upsInputVoltage", target=name, upsInputLineIndex=str(line)), "==", 0)
            for line, _ in enumerate(ups.input_volts, start=1)
        ),
    )


def _filling(cast: Cast) -> Casting:
    disks = [(target, volume) for target, it in cast.devices_with("storage") for volume in it.volumes]
    target, volume = cast.pick(disks, _device_host)
    used, size = (
        series(name, target=target.id, hrStorageDescr=volume.name) for name in ("hrStorageUsed", "hrStorageSize")
    )
    effect = Effect(Do.FILL, host_of(target), volume.name, FILLED)
    return one(target, effect, Show(f"{used} / {size}", ">", FULL))


def _link_down(cast: Cast) -> Casting:
    ports = [
        (target, port)
        for target, it in cast.devices_with("switch", "router")
        for port in it.interfaces
        if port.up and port.admin_up
    ]
    target, port = cast.pick(ports, _device_host)
    return one(target, Effect(Do.LINK, host_of(target), port.name), *link_down(target.id, port.name))


def _figure_off(cast: Cast, figure: tuple[str, float], metric: str, limit: float, **labels: str) -> Casting:
    """A figure of a database is such that a metric goes over the limit of its query."""
    target, query = cast.pick(_asking(cast, metric), lambda pair: host_of(pair[0]))
    spec: Any = target.spec
    return broken(
        target,
        Effect(Do.FIGURE, spec.peer.lower(), *figure),
        "unexpected",
        Show(series(metric, target=target.id, **labels), ">", limit),
        Show(series("probe_sql_query_success", target=target.id, query=query), "==", 0),
    )


def _asking(cast: Cast, metric: str) -> Iterator[tuple[Target, str]]:
    """Targets, and the name of their query for this metric."""
    for target in cast.of_kind("sql"):
        spec: Any = target.spec
        yield from ((target, query.name) for query in spec.queries if any(one.name == metric for one in query.metrics))


def _full_of_connections(cast: Cast) -> Casting:
    return _figure_off(cast, ("connections", CROWD), "pg_connections_used_ratio", CROWDED)


def _replica_behind(cast: Cast) -> Casting:
    metric = "pg_stat_replication_replay_lag_seconds"
    return _figure_off(cast, ("replay_lag", LAG), metric, BEHIND, application_name=STANDBY)


HAPPENINGS = (
    Happening("system-down", "Hệ thống ngừng hoạt động", "System down", _system_down),
    Happening("slow", "Trang trả lời chậm", "Slow answers", _slow),
    Happening("wrong-content", "Trang báo đang bảo trì", "Wrong content: a maintenance page", _wrong_content),
    Happening("certificate-expiring", "Chứng thư số sắp hết hạn", "Certificate about to expire", _expiring),
    Happening("certificate-expired", "Chứng thư số đã hết hạn", "Certificate expired", _expired),
    Happening("ups-on-battery", "Mất điện lưới, UPS chạy ắc quy", "UPS on battery", _on_battery),
    Happening("storage-filling", "Ổ lưu trữ sắp đầy", "Storage filling up", _filling),
    Happening("interface-down", "Mất kết nối một cổng mạng", "Interface down", _link_down),
    Happening("flapping", "Trang lúc được lúc mất", "Flapping", _flapping),
    Happening("device-silent", "Thiết bị không trả lời", "Device silent", _silent),
    Happening("wrong-community", "Thiết bị đã đổi chuỗi community", "Wrong community", _wrong_community),
    Happening(
        "database-full-of-connections",
        "Cơ sở dữ liệu sắp hết kết nối",
        "Database full of connections",
        _full_of_connections,
    ),
    Happening("replica-behind", "Bản sao cơ sở dữ liệu bị chậm", "Replica behind", _replica_behind),
    Happening("name-not-resolving", "Tên miền không phân giải được", "Name not resolving", _unresolved),
)
