"""What is drawn across all panels: alerts that fired, and planned work."""

from __future__ import annotations

from dataclasses import dataclass

from dashboards import spec
from dashboards.durations import RAW_LIMIT, seconds
from dashboards.palette import MAINTENANCE, SEVERITIES, Colour
from dashboards.words import Language, text


@dataclass(frozen=True, slots=True)
class Track:
    """One sort of annotation."""

    name: str
    expr: str
    colour: Colour
    title: str
    text: str
    tags: str = ""


_FIRING = {
    "critical": text("Cảnh báo nghiêm trọng", "Critical alerts"),
    "warning": text("Cảnh báo", "Warnings"),
}
# Nobody draws these: single stations have them, by the thousand.
UNDRAWN = ("Watchdog", "BtsDown", "TowerPowerLost")
_PLANNED = text("Bảo trì", "Maintenance")


def tracks(one: spec.Dashboard, language: Language) -> list[Track]:
    """The tracks of a page."""
    undrawn = "|".join(UNDRAWN)
    found = [
        Track(
            name=_FIRING[severity].of(language),
            expr=f'ALERTS{{alertstate="firing",alertname!~"{undrawn}",severity="{severity}"}}',
            colour=colour,
            title="{{alertname}}",
            text="{{system}}{{target}} {{centre}} {{operator}} {{commune}} {{site}} {{indicator}}",
            tags="area,severity",
        )
        for severity, colour in SEVERITIES.items()
    ]
    if one.maintenance != "none":
        found.append(_maintenance(one, language))
    return found


def _maintenance(one: spec.Dashboard, language: Language) -> Track:
    name = _PLANNED.of(language)
    if seconds(one.past) > RAW_LIMIT:
        expr = 'province:hatang_systems:count{state="maintenance"} > 0'
        return Track(name, expr, MAINTENANCE, name, "")
    which = '{system="$system"}' if one.maintenance == "system" else ""
    return Track(name, f"hatang_system_state{which} == 4", MAINTENANCE, f"{name}: {{{{system}}}}", "")
