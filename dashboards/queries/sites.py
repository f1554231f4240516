"""Operators: sites, cells, feeds."""

from __future__ import annotations

from dashboards.queries.query import Query
from dashboards.words import text

_ONE = 'operator="$operator"'
_PLACED = "max by (site, operator, commune, name, lat, lon) (hatang_site_info{%s})"

QUERIES = {
    "sites-active-ratio": Query(
        'sum(hatang_sites{state=~"active|sleeping"}) / sum(hatang_sites{state=~"active|sleeping|down"})',
        text("Phát sóng", "On air"),
    ),
    "operators-active": Query("operator:hatang_sites_active:ratio", "{{operator}}"),
    "operators-sites": Query(
        "max by (operator) (operator:hatang_sites:sum) * on (operator) group_left (name_LANG) label_replace("
        'hatang_system_info{category="mobile-operator"}, "operator", "$1", "system", "(.+)")'
    ),
    "operators-down": Query('sum by (operator) (hatang_sites{state="down"})'),
    "operators-unknown": Query('sum by (operator) (hatang_sites{state="unknown"})'),
    "operators-down-ratio": Query("max by (operator) (operator:hatang_sites_down:ratio)"),
    "operators-availability": Query("max by (operator) (operator:hatang_sites_active:ratio_30d)"),
    "operators-4g": Query('max by (operator) (hatang_operator_coverage_ratio{technology="4G", bound="lower"})'),
    "operators-5g": Query('max by (operator) (hatang_operator_coverage_ratio{technology="5G", bound="lower"})'),
    # One operator.
    "operator-active": Query(f'sum(hatang_sites{{{_ONE}, state=~"active|sleeping"}})', text("Phát sóng", "On air")),
    "operator-down": Query(
        f'sum(hatang_sites{{{_ONE}, state="down"}}) or vector(0)', text("Không phát sóng", "Off air")
    ),
    "operator-unknown": Query(
        f'sum(hatang_sites{{{_ONE}, state="unknown"}}) or vector(0)', text("Không rõ", "Unknown")
    ),
    "operator-active-ratio": Query(f"operator:hatang_sites_active:ratio{{{_ONE}}}", text("Phát sóng", "On air")),
    "operator-availability-30d": Query(f"operator:hatang_sites_active:ratio_30d{{{_ONE}}}", text("30 ngày", "30 days")),
    "operator-hours": Query(f"operator:hatang_sites_active:ratio_1h{{{_ONE}}}", text("Theo giờ", "Hourly")),
    "operator-states": Query(f"sum by (state) (hatang_sites{{{_ONE}}})", "{{state}}"),
    "operator-cells": Query(f"sum by (technology, state) (hatang_cells{{{_ONE}}})", "{{technology}} {{state}}"),
    "operator-communes-down": Query(
        f"(sum by (commune) (operator_commune:hatang_sites_down:count{{{_ONE}}}) > 0) "
        "* on (commune) group_left (commune_name) commune:hatang_name:info"
    ),
    "operator-communes-known": Query(f"sum by (commune) (operator_commune:hatang_sites_known:count{{{_ONE}}})"),
    "operator-sites-down": Query(
        f"max by (site, operator) (hatang_site_up{{{_ONE}}} == 0) * on (site, operator) group_left (name, commune) "
        f"max by (site, operator, name, commune) (hatang_site_info{{{_ONE}}}) "
        "* on (commune) group_left (commune_name) commune:hatang_name:info"
    ),
    "operator-coverage": Query(f'hatang_operator_coverage_ratio{{{_ONE}, bound="lower"}}', "{{technology}}"),
    "operator-coverage-days": Query(f'operator:hatang_coverage:mean_1d{{{_ONE}, bound="lower"}}', "{{technology}}"),
    "sites-on-map": Query(
        'max by (site, operator) (hatang_site_up{operator=~"$operator"}) * on (site, operator) '
        "group_left (commune, name, lat, lon) " + _PLACED % 'operator=~"$operator", commune=~"$commune"'
    ),
    "map-sites-down": Query(
        'count((hatang_site_up{operator=~"$operator"} == 0) and on (site, operator) '
        'hatang_site_info{commune=~"$commune"}) or vector(0)',
        text("Trạm không phát sóng", "Sites off air"),
    ),
    "map-sites": Query('count(hatang_site_info{operator=~"$operator", commune=~"$commune"})', text("Trạm", "Sites")),
    # Feeds.
    "feeds-named": Query('max by (target, kind, synthetic) (hatang_target_info{kind=~"table|json|geojson|pm3gpp"})'),
    "feeds-records": Query("sum by (target) (hatang_feed_records)"),
    "feeds-age": Query("time() - max by (target) (hatang_feed_timestamp_seconds)"),
    "feeds-refused": Query("sum by (target) (increase(hatang_feed_refused_total[1h]))"),
    "feeds-unreadable": Query("max by (target) (hatang_feed_unreadable_rows)"),
    "feeds-oldest": Query("time() - min(hatang_feed_timestamp_seconds)", text("Dữ liệu cũ nhất", "Oldest data")),
    "operator-feeds-age": Query(
        "time() - max by (target) (hatang_feed_timestamp_seconds and on (target) "
        'hatang_target_info{system="$operator"})'
    ),
    "operator-feeds-records": Query(f"sum by (target) (hatang_feed_records{{{_ONE}}})"),
    "operator-feeds-refused": Query(
        "sum by (target) (increase(hatang_feed_refused_total[1h]) and on (target) "
        'hatang_target_info{system="$operator"})'
    ),
    "operator-battery": Query(
        'min by (target) (batteryTimeLeftValue{system="$operator"} or hwBattsPreDischargeTime{system="$operator"})'
    ),
    "operator-battery-lines": Query(
        'min by (target) (batteryTimeLeftValue{system="$operator"} or hwBattsPreDischargeTime{system="$operator"})',
        "{{target}}",
    ),
}
