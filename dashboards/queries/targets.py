"""Targets: what is polled, how it answered, and how fresh that is."""

from __future__ import annotations

from dashboards.queries.query import Query
from dashboards.words import text

_ONE = 'system="$system", target=~"$target"'

QUERIES = {
    "targets-kind": Query(
        f"max by (target, kind, synthetic) (hatang_target_info{{{_ONE}}}) * 0 + on (target) group_left () "
        f"max by (target) (probe_success{{{_ONE}}})"
    ),
    "targets-duration": Query(f"max by (target) (probe_duration_seconds{{{_ONE}}})"),
    "targets-age": Query(
        f"time() - max by (target) (hatang_run_timestamp_seconds and on (target) hatang_target_info{{{_ONE}}})"
    ),
    "targets-certificate": Query(f"(min by (target) (probe_ssl_earliest_cert_expiry{{{_ONE}}}) - time()) / 86400"),
    "targets-reason": Query(
        f"max by (target, reason) (hatang_target_failure_info and on (target) hatang_target_info{{{_ONE}}})"
    ),
    "target-results": Query(f"probe_success{{{_ONE}}}", "{{target}}"),
    "target-durations": Query(f"probe_duration_seconds{{{_ONE}}}", "{{target}}"),
    "target-http-phases": Query(f"sum by (phase) (probe_http_duration_seconds{{{_ONE}}})", "{{phase}}"),
    "target-certificate": Query(
        f"(min(probe_ssl_earliest_cert_expiry{{{_ONE}}}) - time()) / 86400", text("Chứng thư", "Certificate")
    ),
    "synthetic-targets": Query(
        'count(hatang_target_info{synthetic="true"}) or vector(0)', text("Mục tiêu mô phỏng", "Simulated targets")
    ),
    "synthetic-of-system": Query(
        'count(hatang_target_info{synthetic="true", system="$system"}) or vector(0)',
        text("Mục tiêu mô phỏng", "Simulated targets"),
    ),
    "synthetic-of-centre": Query(
        'count(hatang_target_info{synthetic="true", system="$centre"}) or vector(0)',
        text("Mục tiêu mô phỏng", "Simulated targets"),
    ),
    "oldest-poll": Query("max(time() - hatang_run_timestamp_seconds)", text("Lần thăm dò cũ nhất", "Oldest poll")),
}
