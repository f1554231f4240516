"""Data centres: power, cooling, servers, storage."""

from __future__ import annotations

from dashboards.queries.query import Query
from dashboards.words import text

_ONE = 'system="$centre"'
_DISKS = 'hrStorageType=~"fixedDisk|networkDisk|flashMemory"'

QUERIES = {
    "ups-minutes": Query(f"min by (target) (upsEstimatedMinutesRemaining{{{_ONE}}})", "{{target}}"),
    "ups-charge": Query(f"min by (target) (upsEstimatedChargeRemaining{{{_ONE}}}) / 100", "{{target}}"),
    "ups-load": Query(f"max by (target) (upsOutputPercentLoad{{{_ONE}}}) / 100", "{{target}}"),
    "ups-on-battery": Query(f'max by (target) (upsOutputSource{{{_ONE}, upsOutputSource="battery"}})', "{{target}}"),
    "sensors-temperature": Query(
        f'entPhySensorValue{{{_ONE}, entPhySensorType="celsius"}}', "{{target}} {{entPhysicalName}}"
    ),
    "sensors-hottest": Query(
        f'max(entPhySensorValue{{{_ONE}, entPhySensorType="celsius"}})', text("Nóng nhất", "Hottest")
    ),
    "sensors-humidity": Query(
        f'entPhySensorValue{{{_ONE}, entPhySensorType="percentRH"}}', "{{target}} {{entPhysicalName}}"
    ),
    "servers-load": Query(f"avg by (target) (hrProcessorLoad{{{_ONE}}}) / 100", "{{target}}"),
    "servers-memory": Query(
        f"1 - (memAvailReal{{{_ONE}}} + memBuffer{{{_ONE}}} + memCached{{{_ONE}}}) / memTotalReal{{{_ONE}}}",
        "{{target}}",
    ),
    "storage-size": Query(
        f"max by (target, storage) (label_replace(hrStorageSize{{{_ONE}, {_DISKS}}}, "
        '"storage", "$1", "hrStorageDescr", "(.*)"))'
    ),
    "storage-used": Query(f"max by (target, storage) (storage:hatang_used:ratio{{{_ONE}}})"),
    "storage-fullest": Query(f"max(storage:hatang_used:ratio{{{_ONE}}})", text("Ổ đầy nhất", "Fullest storage")),
    "devices-result": Query(f"max by (target) (probe_success{{{_ONE}}})"),
    "devices-named": Query(f"max by (target, device, synthetic) (hatang_target_info{{{_ONE}}})"),
    "devices-age": Query(
        f"time() - max by (target) (hatang_run_timestamp_seconds and on (target) hatang_target_info{{{_ONE}}})"
    ),
}
