"""The plan: where each indicator stands against its dated targets."""

from __future__ import annotations

from dashboards.queries.query import Query, coded
from dashboards.words import text

_BY = "indicator, due"
_STATUSES = ("missed", "behind", "unknown", "on-track", "met")


def _spread(metric: str, selector: str = "") -> str:
    """A series of each indicator, beside each of its targets."""
    beside = f"max by (indicator) ({metric}{selector})"
    return f"max by ({_BY}) (0 * hatang_plan_target) + on (indicator) group_left () {beside}"


def _table(name: str, unit: str) -> dict[str, Query]:
    """The columns of a table of the indicators with such a unit; each of the same rows."""
    those = f"and on (indicator) hatang_plan_info{{{unit}}}"
    rows = {
        "target": f"max by ({_BY}) (hatang_plan_target)",
        "lower": _spread("hatang_plan_actual", '{bound="lower"}'),
        "upper": _spread("hatang_plan_actual", '{bound="upper"}'),
        "gap": f'max by ({_BY}) (hatang_plan_gap{{bound="lower"}})',
        "required": f"max by ({_BY}) (hatang_plan_required_pace_per_day) * 30",
        "observed": f"({_spread('hatang_plan_observed_pace_per_day')}) * 30",
        "projected": f"max by ({_BY}) (hatang_plan_projected_timestamp_seconds) * 1000",
        "status": coded("hatang_plan_status", "status", _STATUSES, _BY),
    }
    found = {f"{name}-{column}": Query(f"({expr}) {those}") for column, expr in rows.items()}
    named = f"max by (indicator, name_LANG, basis) (hatang_plan_info{{{unit}}})"
    found[f"{name}-named"] = Query(
        f"max by ({_BY}) (0 * hatang_plan_target) + on (indicator) group_left (name_LANG, basis) {named}"
    )
    return found


def _count(status: str) -> str:
    return f'count(hatang_plan_status{{status="{status}"}} == 1) or vector(0)'


QUERIES = {
    **_table("plan-ratio", 'unit="ratio"'),
    **_table("plan-number", 'unit!="ratio"'),
    **_table("plan-coverage", 'unit="ratio", indicator=~"villages-.*|5g-.*"'),
    # What is known and has no target.
    "figures-lower": Query(
        'max by (indicator) (hatang_plan_actual{bound="lower"}) unless on (indicator) hatang_plan_target'
    ),
    "figures-upper": Query(
        'max by (indicator) (hatang_plan_actual{bound="upper"}) unless on (indicator) hatang_plan_target'
    ),
    "figures-named": Query(
        "max by (indicator, name_LANG, unit) (hatang_plan_info) unless on (indicator) hatang_plan_target"
    ),
    "plan-missed": Query(_count("missed"), text("Không đạt", "Missed")),
    "plan-behind": Query(_count("behind"), text("Chậm", "Behind")),
    "plan-on-track": Query(_count("on-track"), text("Đúng tiến độ", "On track")),
    "plan-met": Query(_count("met"), text("Đạt", "Met")),
    "plan-unknown": Query(_count("unknown"), text("Không rõ", "Unknown")),
}
