"""What other views and targets say becomes the values of indicators."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from hypothesis import HealthCheck, given, settings

from collector.coverage.counting import count
from collector.coverage.links import build
from collector.derive.plan_figures import of_coverage, of_systems
from collector.model import Metric, Objective, Sample, Spec, System, SystemState, Target
from collector.plan import NOTHING_KNOWN, Figure, Measured, Plan, Stated, Statement, Unit, Value, live_values
from tests.collector.coverage.provinces import Province, provinces
from tests.collector.plan.planning import indicator

AT = datetime(2026, 9, 16, 12, tzinfo=UTC).timestamp()
SIZE = Metric("hrStorageSize", "Bytes.", labels=("hrStorageIndex",))
TARGETS = [
    Target(f"disk-{number}", system, "snmp", Spec(), 30, 5, labels=(("device", device),))
    for number, (system, device) in enumerate(
        (("centre", "storage"), ("centre", "storage"), ("centre", "server"), ("x", "storage"))
    )
]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(provinces())
def test_figures_of_coverage_are_those_of_the_view(province: Province) -> None:
    figures = count(
        build(province.cells, province.areas, province.places, province.places.ranges, AT), province.history[0]
    )
    found = of_coverage(figures)
    for technology, level in figures.levels.items():
        villages = found.get(Figure("coverage", "villages", technology.value))
        assert (villages is None) == (figures.villages == 0)
        if villages is not None:
            assert villages.lower * figures.villages == pytest.approx(level.covered.lower)
        people = found.get(Figure("coverage", "population", technology.value))
        assert people is None or figures.inhabitants
        for category, covered in level.zones.items():
            zones = found[Figure("coverage", "zones", technology.value, category)]
            assert zones.upper * figures.zones[category] == pytest.approx(covered.upper)
    known = {one.id for one in province.places.operators}
    placed = zip(province.cells, figures.links.sites.of_cell.tolist(), strict=True)
    stations = {(cell.operator, site, cell.technology) for cell, site in placed if cell.operator in known}
    pairs = {(operator, site) for operator, site, _ in stations}
    sites = [site for _, site in pairs]
    if not stations:
        assert Figure("coverage", "base-stations") not in found
        return
    assert found[Figure("coverage", "base-stations")] == Value.exactly(len(stations))
    fives = [one for one in stations if one[2] == "5G"]
    assert found[Figure("coverage", "base-stations", "5G")] == Value.exactly(len(fives))
    assert found[Figure("coverage", "positions")] == Value.exactly(len(set(sites)))
    shared = [site for site in set(sites) if sites.count(site) > 1]
    assert found[Figure("coverage", "shared-positions")].lower == pytest.approx(len(shared) / len(set(sites)))


def system(name: str, category: str = "portal", objective: str = "", part_of: str | None = None) -> System:
    return System(name, "", "", category, "o", None, None, "", part_of, objective=Objective(0.99, indicator=objective))


def test_systems_are_counted_by_what_chooses_them() -> None:
    systems = {one.id: one for one in (system("a", "app", "o"), system("b", "portal", "o", "a"), system("c", "app"))}
    figures = [
        Figure("systems", "count"),
        Figure("systems", "count", category="app"),
        Figure("systems", "count", objective="o"),
        Figure("systems", "count", part_of="a"),
        Figure("systems", "count", category="database"),
    ]
    plan = Plan(tuple(replace(indicator(name=str(number)), source=one) for number, one in enumerate(figures)))
    found = of_systems(plan, systems, {})
    assert [found[one].lower if one in found else None for one in figures] == [3, 2, 2, 1, None]


@pytest.mark.parametrize(
    ("states", "value"),
    [
        (["up", "degraded", "down", "unreachable"], Value(0.5, 0.5)),
        (["up", "unknown"], Value(0.5, 1.0)),
        (["up", "maintenance"], Value(1.0, 1.0)),
        (["maintenance"], NOTHING_KNOWN),
        ([None], Value(0.0, 1.0)),
    ],
)
def test_what_is_planned_is_neither_available_nor_not(states: list[str | None], value: Value) -> None:
    systems = {str(number): system(str(number)) for number in range(len(states))}
    known = {str(number): SystemState(state) for number, state in enumerate(states) if state is not None}
    figure = Figure("systems", "available")
    plan = Plan((replace(indicator(), source=figure),))
    assert of_systems(plan, systems, known) == {figure: value}


def series(values: dict[str, list[float]], target: str) -> list[Sample] | None:
    return (
        [Sample(SIZE, (str(number),), value) for number, value in enumerate(values[target])]
        if target in values
        else None
    )


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"disk-0": [1e12, 2e12], "disk-1": [4e12], "disk-2": [64e12], "disk-3": [128e12]}, Value.exactly(7.0)),
        ({"disk-0": [1e12, 2e12]}, Value(3.0, math.inf)),
        ({}, Value(0.0, math.inf)),
    ],
)
def test_series_are_added_up_over_the_targets_that_are_meant(values: dict[str, list[float]], expected: Value) -> None:
    source = Measured("hrStorageSize", system="centre", labels=(("device", "storage"),), scale=1e-12)
    plan = Plan((replace(indicator(unit=Unit.TERABYTE), source=source),))
    assert live_values(plan, {}, TARGETS, lambda name: series(values, name), ()) == {"one": expected}
    assert live_values(plan, {}, TARGETS[2:], lambda name: series(values, name), ()) == {}


def test_labels_of_series_choose_too() -> None:
    source = Measured("hrStorageSize", target="disk-0", labels=(("hrStorageIndex", "1"),))
    plan = Plan((replace(indicator(), source=source),))
    values = {"disk-0": [5.0, 7.0]}
    assert live_values(plan, {}, TARGETS, lambda name: series(values, name), ()) == {"one": Value.exactly(7.0)}


def test_feeds_state_the_latest_day_and_nothing_while_they_are_stale() -> None:
    plan = Plan((replace(indicator(), source=Stated()), replace(indicator(name="two"), source=Stated("kpi"))))

    def values(*statements: Statement) -> dict[str, Value]:
        return live_values(plan, {}, (), lambda _: None, statements)

    older, newer = (
        Statement("kpi", "one", date(2026, 1, 1), 0.1, True),
        Statement("kpi", "one", date(2026, 2, 1), 0.2, True),
    )
    assert values(newer, older) == {"one": Value.exactly(0.2)}
    assert values(newer._replace(fresh=False), older._replace(fresh=False)) == {"one": NOTHING_KNOWN}
    # Another feed that is fresh counts for whoever takes any, and not for who names one.
    stale = Statement("kpi", "two", date(2026, 2, 1), 0.2, False)
    other = Statement("other", "two", date(2026, 1, 1), 0.3, True)
    assert values(stale, other) == {"two": NOTHING_KNOWN}
    assert values(other) == {}
