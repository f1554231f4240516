"""The only list of kinds: a new probe is one file and one name here."""

from __future__ import annotations

from typing import Any

from collector.feeds import geojson, json, pm3gpp, table
from collector.model import Kind
from collector.probes import dns, heartbeat, http, icmp, mqtt, rest, snmp, sql, tcp

KINDS: tuple[Kind[Any, Any], ...] = (
    dns.KIND,
    geojson.KIND,
    heartbeat.KIND,
    http.KIND,
    icmp.KIND,
    json.KIND,
    mqtt.KIND,
    pm3gpp.KIND,
    rest.KIND,
    snmp.KIND,
    sql.KIND,
    table.KIND,
    tcp.KIND,
)
BY_NAME = {kind.name: kind for kind in KINDS}
