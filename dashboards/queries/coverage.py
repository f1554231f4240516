"""Coverage of villages, people and zones. Every figure has a lower bound (unknown is down) and an upper one."""

from __future__ import annotations

from dashboards.queries.query import Query
from dashboards.words import text

_LOWER, _UPPER = (
    text("Cận dưới (chưa rõ tính là mất)", "Lower (unknown is down)"),
    text("Cận trên", "Upper (unknown is up)"),
)

QUERIES = {
    "coverage-now": Query('hatang_coverage_ratio{bound="lower", technology=~"$technology"}', "{{technology}}"),
    "coverage-now-all": Query('hatang_coverage_ratio{bound="lower"}', "{{technology}}"),
    "coverage-fresh": Query("hatang_coverage_fresh_ratio", "{{technology}}"),
    "coverage-age": Query("time() - min(hatang_coverage_timestamp_seconds)", text("Số liệu cũ nhất", "Oldest state")),
    "coverage-lower": Query(
        'province:hatang_coverage:mean_1h{bound="lower", technology=~"$technology"}', "{{technology}} ≥"
    ),
    "coverage-upper": Query(
        'province:hatang_coverage:mean_1h{bound="upper", technology=~"$technology"}', "{{technology}} ≤"
    ),
    "coverage-5g-lower": Query('province:hatang_coverage:mean_1h{bound="lower", technology="5G"}', _LOWER),
    "coverage-5g-upper": Query('province:hatang_coverage:mean_1h{bound="upper", technology="5G"}', _UPPER),
    "population-now": Query('hatang_population_covered_ratio{bound="lower"}', "{{technology}}"),
    "population-5g-lower": Query('province:hatang_population_covered:mean_1h{technology="5G", bound="lower"}', _LOWER),
    "population-5g-upper": Query('province:hatang_population_covered:mean_1h{technology="5G", bound="upper"}', _UPPER),
    # Targets as lines: they hold for as long as the recorded series go back.
    "villages-target-line": Query(
        "max(province:hatang_coverage:mean_1h) * 0 "
        '+ scalar(max(hatang_plan_target{indicator="villages-mobile-broadband"}))',
        text("Chỉ tiêu", "Target"),
    ),
    "population-target-line": Query(
        "max(province:hatang_population_covered:mean_1h) * 0 "
        '+ scalar(max(hatang_plan_target{indicator="5g-population"}))',
        text("Chỉ tiêu", "Target"),
    ),
    "villages-uncovered": Query("hatang_villages_uncovered", "{{technology}}"),
    "villages-uncovered-hours": Query("province:hatang_villages_uncovered:max_1h", "{{technology}}"),
    "villages-single-site": Query("hatang_villages_single_site", "{{technology}}"),
    "coverage-n1": Query("hatang_coverage_n1_ratio", "{{technology}}"),
    "coverage-assumed": Query("hatang_coverage_assumed_ratio", "{{technology}}"),
    "outage-30d": Query("province:hatang_village_outage_seconds:increase_30d / 3600", "{{technology}}"),
    "outage-1d": Query("province:hatang_village_outage_seconds:increase_1d / 3600", "{{technology}}"),
    "zones-total": Query("max by (category) (hatang_zones)"),
    "zones-lower": Query('max by (category) (hatang_zones_covered{technology="5G", bound="lower"})'),
    "zones-upper": Query('max by (category) (hatang_zones_covered{technology="5G", bound="upper"})'),
    "zones-ratio": Query('max by (category) (zone:hatang_zones_covered:ratio{technology="5G", bound="lower"})'),
    "zones-days": Query('zone:hatang_zones_covered:mean_1d{technology="5G", bound="lower"}', "{{category}}"),
    "communes-villages": Query(
        "max by (commune) (hatang_villages) * on (commune) group_left (commune_name) commune:hatang_name:info"
    ),
    "communes-3g": Query('max by (commune) (commune:hatang_villages_covered:ratio{technology="3G", bound="lower"})'),
    "communes-4g": Query('max by (commune) (commune:hatang_villages_covered:ratio{technology="4G", bound="lower"})'),
    "communes-5g": Query('max by (commune) (commune:hatang_villages_covered:ratio{technology="5G", bound="lower"})'),
    # A position may have a name of each operator: one of them.
    "critical-sites": Query(
        "topk(20, max by (site) (hatang_site_critical_villages)) * on (site) group_left (name, commune) "
        "topk by (site) (1, max by (site, name, commune) (hatang_site_info)) "
        "* on (commune) group_left (commune_name) commune:hatang_name:info"
    ),
}
