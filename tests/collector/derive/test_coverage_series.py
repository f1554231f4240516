"""The series of coverage: names, labels, and nothing of nothing."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace

from hypothesis import given, settings

from collector.coverage.counting import count
from collector.coverage.links import build
from collector.coverage.lost import Lost
from collector.derive import coverage
from collector.model import MetricType, Sample
from collector.places import Commune, Zone
from collector.records import Technology
from tests.collector.coverage.provinces import Province, provinces
from tests.collector.coverage.small import (
    ACTIVE,
    DOWN,
    LAT,
    LON,
    NOW,
    PLANNED,
    UNKNOWN,
    cell,
    east,
    figures,
    linked,
    places,
    village,
)

WHERE = places(
    [village("v", 0.1, population=100), village("w", 9.0, population=300)],
    zones=(Zone("p", "Cảng", "Port", "port", LAT, LON), Zone("q", "Cảng", "Port", "port", LAT, east(9))),
)
CELLS = [
    cell("a", site="A", name="Trạm A"),
    cell("b", operator="vinaphone", site="A"),
    cell("c", 9.0, technology="5G", site="C"),
]

Values = dict[str, dict[tuple[str, ...], float]]


def _values(samples: list[Sample]) -> Values:
    found: Values = defaultdict(dict)
    for metric, labels, value in samples:
        assert metric in coverage.COVERAGE_METRICS
        assert len(labels) == len(metric.labels)
        assert labels not in found[metric.name], "a series comes once"
        found[metric.name][labels] = value
    return found


def test_the_catalogue() -> None:
    found = _values(coverage.samples(figures(linked(CELLS, WHERE), DOWN, ACTIVE, UNKNOWN)))
    assert found["hatang_coverage_ratio"] == {
        ("3G", "lower"): 0.5,
        ("3G", "upper"): 1,
        ("4G", "lower"): 0.5,
        ("4G", "upper"): 1,
        ("5G", "lower"): 0,
        ("5G", "upper"): 0.5,
    }
    assert found["hatang_operator_coverage_ratio"]["gtel", "4G", "lower"] == 0.5
    assert found["hatang_population_covered_ratio"]["4G", "lower"] == 0.25
    assert found["hatang_population_covered_ratio"]["4G", "upper"] == 1
    assert found["hatang_best_operator_coverage_ratio"]["4G", "lower"] == 0.5
    assert found["hatang_best_operator_population_ratio"]["4G", "lower"] == 0.25
    assert found["hatang_villages"] == {("1",): 2}
    assert found["hatang_villages_covered"]["1", "5G", "upper"] == 1
    assert found["hatang_villages_uncovered"] == {("3G",): 0, ("4G",): 0, ("5G",): 1}
    assert found["hatang_villages_single_operator"]["4G",] == 1
    assert found["hatang_villages_single_site"]["4G",] == 1
    assert found["hatang_coverage_n1_ratio"]["4G",] == 0
    assert found["hatang_coverage_assumed_ratio"]["4G",] == 0
    assert found["hatang_coverage_fresh_ratio"]["5G",] == 0
    assert found["hatang_coverage_timestamp_seconds"] == {("3G",): NOW, ("4G",): NOW}
    assert found["hatang_site_critical_villages"] == {("A",): 1}
    assert found["hatang_zones"] == {("port",): 2}
    assert found["hatang_zones_covered"]["port", "4G", "lower"] == 1
    assert found["hatang_zones_covered"]["port", "5G", "upper"] == 1
    assert found["hatang_cells"]["viettel", "4G", "down"] == 1
    assert found["hatang_cells"]["viettel", "4G", "active"] == 0
    assert found["hatang_sites"]["vinaphone", "active"] == 1
    assert found["hatang_site_up"] == {("A", "viettel"): 0, ("A", "vinaphone"): 1}


def test_planned_work_on_a_site_is_said_beside_it() -> None:
    found = _values(coverage.samples(figures(linked(CELLS, WHERE), PLANNED)))
    assert found["hatang_site_up"]["A", "viettel"] == 0
    assert found["hatang_site_planned"] == {("A", "viettel"): 1}


def test_who_is_on_which_site() -> None:
    links = linked([*CELLS, cell("d", None)], WHERE)
    found = _values(coverage.site_samples(links))["hatang_site_info"]
    assert ("A", "viettel", "1", "Trạm A", f"{LAT:.5f}", f"{LON:.5f}") in found
    assert ("A", "vinaphone", "1", "", f"{LAT:.5f}", f"{LON:.5f}") in found
    assert ("viettel/d", "viettel", "", "", "", "") in found


def test_of_nothing_there_is_no_figure() -> None:
    bare = places([])
    assert coverage.samples(figures(linked([], bare))) == []
    names = {sample.metric.name for sample in coverage.samples(figures(linked(CELLS, bare)))}
    assert not any("ratio" in name and name != "hatang_coverage_fresh_ratio" for name in names)
    assert not any("village" in name and name != "hatang_site_critical_villages" for name in names)


def test_before_any_cell_is_known_nothing_is_said_of_coverage() -> None:
    found = _values(coverage.samples(figures(linked([], WHERE))))
    assert set(found) == {"hatang_villages", "hatang_zones"}


def test_a_commune_without_villages_has_no_figure() -> None:
    where = replace(WHERE, communes=(*WHERE.communes, Commune("2", "Xã Hai", "xa", 16.0, LON)))
    found = _values(coverage.samples(figures(linked(CELLS, where))))
    assert {labels[0] for labels in found["hatang_villages_covered"]} == {"1"}


def test_only_the_most_critical_sites_are_named() -> None:
    crowd = places([village(str(number), 3.0 * number) for number in range(60)])
    found = _values(coverage.samples(figures(linked([cell(str(number), 3.0 * number) for number in range(60)], crowd))))
    assert len(found["hatang_site_critical_villages"]) == coverage.MOST_CRITICAL


def test_the_time_lost() -> None:
    lost, links = Lost(), linked(CELLS, WHERE)
    lost.advance(figures(links, DOWN, DOWN), 0.0)
    lost.advance(figures(links, DOWN, PLANNED), 10.0)
    lost.advance(figures(links), 25.0)
    found = _values(coverage.lost_samples(coverage.lost_totals(lost)))
    assert found["hatang_village_outage_seconds_total"] == {("3G",): 10, ("4G",): 10, ("5G",): 0}
    assert found["hatang_village_planned_outage_seconds_total"] == {("3G",): 15, ("4G",): 15, ("5G",): 0}


def test_what_the_journal_kept_of_the_time_lost_goes_on() -> None:
    lost, links = Lost(), linked(CELLS, WHERE)
    lost.advance(figures(links, DOWN, PLANNED), 0.0)
    lost.advance(figures(links), 10.0)
    kept = {
        **coverage.lost_totals(lost),
        ("another_total", "4G"): 1.0,
        ("hatang_village_outage_seconds_total", "9G"): 2.0,
    }
    again = coverage.restored(kept)
    assert (again.seconds, again.planned) == (lost.seconds, lost.planned)
    again.advance(figures(links, DOWN, DOWN), 3.0)
    again.advance(figures(links), 5.0)
    assert again.seconds[Technology.G4] == lost.seconds[Technology.G4] + 2


def test_only_counters_end_in_total() -> None:
    for metric in coverage.COVERAGE_METRICS:
        assert metric.name.endswith("_total") == (metric.type is MetricType.COUNTER)
        assert metric.name.startswith("hatang_")


@settings(max_examples=100, deadline=None)
@given(provinces())
def test_series_of_any_province_are_sound(province: Province) -> None:
    where = province.places
    counted = count(build(province.cells, province.areas, where, where.ranges, NOW), province.history[0])
    found = _values([*coverage.samples(counted), *coverage.site_samples(counted.links)])
    for name, series in found.items():
        for labels, value in series.items():
            assert value >= 0
            assert value <= 1 or "ratio" not in name
            if labels[-1] == "lower":
                assert value <= series[(*labels[:-1], "upper")]
