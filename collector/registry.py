"""The only list of kinds: a new probe is one file and one name here."""

from __future__ import annotations

from typing import Any

from collector.model import Kind
from collector.probes import dns, heartbeat, http, icmp, mqtt, rest, snmp, sql, tcp

KINDS: tuple[Kind[Any, Any], ...] = (
    dns.KIND,
    heartbeat.KIND,
    http.KIND,
    icmp.KIND,
    mqtt.KIND,
    rest.KIND,
    snmp.KIND,
    sql.KIND,
    tcp.KIND,
)
BY_NAME = {kind.name: kind for kind in KINDS}
