"""Networks: links, traffic, losses."""

from __future__ import annotations

from dashboards.queries.query import Query
from dashboards.words import text

_MANY = 'system=~"$system"'
_PORT = "by (target, ifName, ifAlias)"

QUERIES = {
    "links-up": Query(f'sum(ifOperStatus{{{_MANY}, ifOperStatus="up"}})', text("Thông", "Up")),
    "links-down": Query(f'sum(ifOperStatus{{{_MANY}, ifOperStatus="down"}}) or vector(0)', text("Ngừng", "Down")),
    "links-state": Query(f'max {_PORT} (ifOperStatus{{{_MANY}, ifOperStatus="up"}})'),
    "links-speed": Query(f"max {_PORT} (ifHighSpeed{{{_MANY}}}) * 1e6"),
    "links-in": Query(f"max {_PORT} (rate(ifHCInOctets{{{_MANY}}}[5m])) * 8"),
    "links-out": Query(f"max {_PORT} (rate(ifHCOutOctets{{{_MANY}}}[5m])) * 8"),
    "links-errors": Query(f"max {_PORT} (rate(ifInErrors{{{_MANY}}}[5m]) + rate(ifOutErrors{{{_MANY}}}[5m]))"),
    "traffic-in": Query(f"topk(10, interface:ifHCInOctets:rate5m{{{_MANY}}} * 8)", "{{target}} {{ifName}} ↓"),
    "traffic-out": Query(f"topk(10, interface:ifHCOutOctets:rate5m{{{_MANY}}} * 8)", "{{target}} {{ifName}} ↑"),
    "errors-top": Query(
        f"topk(10, rate(ifInErrors{{{_MANY}}}[$__rate_interval]) + rate(ifOutErrors{{{_MANY}}}[$__rate_interval]))",
        "{{target}} {{ifName}}",
    ),
    "discards-top": Query(
        f"topk(10, rate(ifInDiscards{{{_MANY}}}[$__rate_interval]) + rate(ifOutDiscards{{{_MANY}}}[$__rate_interval]))",
        "{{target}} {{ifName}}",
    ),
    "loss": Query(f"probe_icmp_loss_ratio{{{_MANY}}}", "{{target}}"),
    "loss-worst": Query(f"max(probe_icmp_loss_ratio{{{_MANY}}})", text("Mất gói cao nhất", "Worst loss")),
    "round-trip": Query(f"probe_icmp_rtt_avg_seconds{{{_MANY}}}", "{{target}}"),
    "network-results": Query(f"probe_success{{{_MANY}}}", "{{target}}"),
}
