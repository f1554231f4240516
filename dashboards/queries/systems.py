"""Systems: how they stand, how available they were, what they owe."""

from __future__ import annotations

from dashboards.queries.query import Query
from dashboards.words import text

# Joined for people's names; every system has exactly one.
NAMED = "* on (system) group_left (name_LANG) hatang_system_info"
_STATE = "max by (system) (hatang_system_state)"
_FILTER = 'hatang_system_info{category=~"$category", owner=~"$owner"}'


def _of_filtered(expr: str) -> str:
    """By system, with names and what tables show, for the systems that the page is narrowed to."""
    return f"{expr} * on (system) group_left (name_LANG, category, owner, centre, tier) {_FILTER}"


QUERIES = {
    "systems-up": Query(f"count({_STATE} == 1) or vector(0)", text("Hoạt động", "Up")),
    "systems-degraded": Query(f"count({_STATE} == 2) or vector(0)", text("Suy giảm", "Degraded")),
    "systems-down": Query(f"count({_STATE} == 0) or vector(0)", text("Ngừng", "Down")),
    "systems-unreachable": Query(f"count({_STATE} == 3) or vector(0)", text("Không tới được", "Unreachable")),
    "systems-maintenance": Query(f"count({_STATE} == 4) or vector(0)", text("Bảo trì", "Maintenance")),
    "systems-unknown": Query(f"count({_STATE} == 5) or vector(0)", text("Không rõ", "Unknown")),
    "systems-all": Query(f"count({_STATE})", text("Tất cả", "All")),
    "systems-not-well": Query(
        f'sort(({_STATE} != 1) {NAMED}) or on () label_replace(vector(1), "name_LANG", "✓", "", "")', "{{name_LANG}}"
    ),
    "system-states": Query(f"sort({_STATE} {NAMED})", "{{name_LANG}}"),
    "systems-changed": Query(
        f"({_STATE} and on (system) max by (system) (changes(hatang_system_state[6h])) > 0) {NAMED}", "{{name_LANG}}"
    ),
    "centre-states": Query(
        f'{_STATE} * on (system) group_left (name_LANG) hatang_system_info{{category="data-centre"}}', "{{name_LANG}}"
    ),
    "network-states": Query(
        f'{_STATE} * on (system) group_left (name_LANG) hatang_system_info{{category="network"}}', "{{name_LANG}}"
    ),
    "availability-now-30d": Query("province:hatang_availability:ratio_30d", text("30 ngày", "30 days")),
    "availability-now-1d": Query("province:hatang_availability:ratio_1d", text("24 giờ", "24 hours")),
    "availability-categories": Query("category:hatang_availability:ratio_1d", "{{category}}"),
    "worst-systems": Query(f"bottomk(10, system:hatang_availability:ratio_30d < 1) {NAMED}", "{{name_LANG}}"),
    # The table of the page sla; one row a system.
    "sla-state": Query(_of_filtered(_STATE)),
    "sla-availability": Query(_of_filtered("system:hatang_availability:ratio_30d")),
    "sla-owner-availability": Query(_of_filtered("system:hatang_availability_owner:ratio_30d")),
    "sla-objective": Query(_of_filtered("hatang_system_objective_ratio")),
    "sla-budget": Query(_of_filtered("system:hatang_budget_remaining:ratio_30d")),
    "sla-observed": Query(_of_filtered("system:hatang_observed:ratio_30d")),
    "sla-basis": Query(
        f"max by (system, indicator, basis, due) (hatang_system_objective_info) and on (system) {_FILTER}"
    ),
    "sla-overspent": Query(
        "count(system:hatang_budget_remaining:ratio_30d < 0) or vector(0)", text("Vượt mức", "Overspent")
    ),
    "sla-meeting": Query(
        "count(system:hatang_availability:ratio_30d >= on (system) hatang_system_objective_ratio) or vector(0)",
        text("Đạt mục tiêu", "Meeting it"),
    ),
    "sla-unobserved": Query(
        "count(system:hatang_observed:ratio_30d < 0.99) or vector(0)", text("Quan sát dưới 99%", "Observed under 99%")
    ),
    "sla-owners": Query("owner:hatang_availability_owner:ratio_30d", "{{owner}}"),
    # One system.
    "system-name": Query('hatang_system_info{system="$system"}', "{{name_LANG}}"),
    "system-state": Query('max by (system) (hatang_system_state{system="$system"})', text("Trạng thái", "State")),
    "system-since": Query('hatang_system_state_timestamp_seconds{system="$system"} * 1000', text("Từ lúc", "Since")),
    "system-availability-1d": Query(
        'system:hatang_availability:ratio_1d{system="$system"}', text("24 giờ", "24 hours")
    ),
    "system-availability-30d": Query(
        'system:hatang_availability:ratio_30d{system="$system"}', text("30 ngày", "30 days")
    ),
    "system-owner-availability-30d": Query(
        'system:hatang_availability_owner:ratio_30d{system="$system"}', text("Phần của chủ quản", "Owner's part")
    ),
    "system-objective": Query('hatang_system_objective_ratio{system="$system"}', text("Mục tiêu", "Objective")),
    # The objective as a line of its own: it has been the same for as long as the recorded series go back.
    "system-objective-line": Query(
        'system:hatang_availability:ratio_1h{system="$system"} * 0 + on (system) '
        'hatang_system_objective_ratio{system="$system"}',
        text("Mục tiêu", "Objective"),
    ),
    "system-objective-basis": Query('hatang_system_objective_info{system="$system"}', "{{basis}} {{indicator}}"),
    "system-budget": Query(
        'system:hatang_budget_remaining:ratio_30d{system="$system"}', text("Ngân sách lỗi", "Error budget")
    ),
    "system-observed": Query('system:hatang_observed:ratio_30d{system="$system"}', text("Được quan sát", "Observed")),
    "system-hours": Query('system:hatang_availability:ratio_1h{system="$system"}', text("Theo giờ", "Hourly")),
    "system-days": Query('system:hatang_availability:ratio_1d{system="$system"}', text("Theo ngày", "Daily")),
    "system-seconds": Query('system:hatang_system_state_seconds:increase_30d{system="$system"}', "{{state}}"),
    # One data centre and what runs there.
    "centre-state": Query('max by (system) (hatang_system_state{system="$centre"})', text("Trạng thái", "State")),
    "centre-hosted": Query(
        f'sort({_STATE} * on (system) group_left (name_LANG) hatang_system_info{{centre="$centre"}})', "{{name_LANG}}"
    ),
    "centre-hosted-count": Query('count(hatang_system_info{centre="$centre"})', text("Hệ thống", "Systems")),
    "centre-hosted-not-up": Query(
        f'count(({_STATE} != 1) and on (system) hatang_system_info{{centre="$centre"}}) or vector(0)',
        text("Không hoạt động tốt", "Not up"),
    ),
    "centre-availability-30d": Query(
        'centre:hatang_availability:ratio_30d{centre="$centre"}', text("30 ngày", "30 days")
    ),
    "centre-availability-1d": Query(
        'centre:hatang_availability:ratio_1d{centre="$centre"}', text("24 giờ", "24 hours")
    ),
    "firing": Query(
        "count by (alertname, severity, area, system, centre, operator, commune, site, target, indicator) "
        '(ALERTS{alertstate="firing", alertname!="Watchdog"})'
    ),
    "firing-count": Query(
        'count(ALERTS{alertstate="firing", alertname!="Watchdog", severity=~"critical|warning"}) or vector(0)',
        text("Cảnh báo", "Alerts"),
    ),
    "system-firing": Query(
        "count by (alertname, severity, target, area) "
        '(ALERTS{alertstate="firing", alertname!="Watchdog", system="$system"})'
    ),
    "centre-firing": Query(
        "count by (alertname, severity, system, target, area) "
        '(ALERTS{alertstate="firing", alertname!="Watchdog", system="$centre"}'
        ' or ALERTS{alertstate="firing", alertname!="Watchdog", centre="$centre"})'
    ),
    "operator-firing": Query(
        "count by (alertname, severity, commune, site, target, area) "
        '(ALERTS{alertstate="firing", alertname!="Watchdog", operator="$operator"})'
    ),
}
