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
    "coverage-lower": Query(
        'technology:hatang_coverage:avg1h{bound="lower", technology=~"$technology"}', "{{technology}} ≥"
    ),
    "coverage-upper": Query(
        'technology:hatang_coverage:avg1h{bound="upper", technology=~"$technology"}', "{{technology}} ≤"
    ),
    "coverage-5g-lower": Query('technology:hatang_coverage:avg1h{bound="lower", technology="5G"}', _LOWER),
    "coverage-5g-upper": Query('technology:hatang_coverage:avg1h{bound="upper", technology="5G"}', _UPPER),
    "population-now": Query('hatang_population_covered_ratio{bound="lower"}', "{{technology}}"),
    "population-5g-target": Query(
        'max(hatang_plan_target{indicator="5g-population"})', text("Chỉ tiêu dân số 5G", "Target, 5G population")
    ),
    "population-5g-lower": Query('technology:hatang_population_coverage:avg1h{technology="5G", bound="lower"}', _LOWER),
    "population-5g-upper": Query('technology:hatang_population_coverage:avg1h{technology="5G", bound="upper"}', _UPPER),
    "villages-uncovered": Query("hatang_villages_uncovered", "{{technology}}"),
    "villages-uncovered-hours": Query("technology:hatang_villages_uncovered:max1h", "{{technology}}"),
    "villages-single-operator": Query("hatang_villages_single_operator", "{{technology}}"),
    "villages-single-site": Query("hatang_villages_single_site", "{{technology}}"),
    "coverage-n1": Query("hatang_coverage_n1_ratio", "{{technology}}"),
    "coverage-assumed": Query("hatang_coverage_assumed_ratio", "{{technology}}"),
    "outage-30d": Query("technology:hatang_village_outage_seconds:increase30d / 3600", "{{technology}}"),
    "outage-1d": Query("technology:hatang_village_outage_seconds:increase1d / 3600", "{{technology}}"),
    "zones-total": Query("max by (category) (hatang_zones)"),
    "zones-lower": Query('max by (category) (hatang_zones_covered{technology="5G", bound="lower"})'),
    "zones-upper": Query('max by (category) (hatang_zones_covered{technology="5G", bound="upper"})'),
    "zones-ratio": Query(
        'max by (category) (category_technology:hatang_zone_coverage:ratio{technology="5G", bound="lower"})'
    ),
    "zones-days": Query(
        'category_technology:hatang_zone_coverage:avg1d{technology="5G", bound="lower"}', "{{category}}"
    ),
    "operators-days": Query(
        'operator_technology:hatang_coverage:avg1d{bound="lower", technology="4G"}', "{{operator}}"
    ),
    "operators-coverage": Query('hatang_operator_coverage_ratio{bound="lower", technology="4G"}', "{{operator}}"),
    "communes-villages": Query("max by (commune) (hatang_villages)"),
    "communes-3g": Query('max by (commune) (commune_technology:hatang_coverage:ratio{technology="3G", bound="lower"})'),
    "communes-4g": Query('max by (commune) (commune_technology:hatang_coverage:ratio{technology="4G", bound="lower"})'),
    "communes-5g": Query('max by (commune) (commune_technology:hatang_coverage:ratio{technology="5G", bound="lower"})'),
    "critical-sites": Query(
        "topk(20, max by (site) (hatang_site_critical_villages)) * on (site) group_left (name, commune) "
        "max by (site, name, commune) (hatang_site_info)"
    ),
}
