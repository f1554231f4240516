"""Who serves whom: an operator's word before its map, its map before the model, and the official figure last."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from shapely import box

from collector.coverage.serving import Source
from collector.places import Commune, Environment, Operator, Zone
from collector.records import Area, Technology
from tests.collector.coverage.small import (
    ACTIVE,
    DOWN,
    LAT,
    LON,
    UNKNOWN,
    cell,
    east,
    figures,
    level,
    linked,
    places,
    served,
    village,
)

G4, G5 = Technology.G4, Technology.G5
ROAD = places([village("near", 0.9), village("far", 1.1), village("farther", 4.0)])


def _area(begin: float, end: float, operator: str = "viettel", technology: Technology = G4) -> Area:
    """What lies along so many kilometres of the road."""
    return Area(operator, technology, box(east(begin), LAT - 0.01, east(end), LAT + 0.01))


def test_a_cell_serves_what_is_in_its_range() -> None:
    assert served(linked([cell("a")], ROAD)) == ["near"]


def test_the_range_is_that_of_the_village_s_surroundings() -> None:
    town = (Commune("1", "Phường Một", "phuong", LAT, LON),)
    assert served(linked([cell("a")], places([village("v", 0.51), village("w", 0.53)], communes=town))) == ["v"]
    hills = (Commune("1", "Xã Một", "xa", LAT, LON, environment=Environment.MOUNTAIN),)
    assert served(linked([cell("a")], places([village("v", 0.40), village("w", 0.43)], communes=hills))) == ["v"]


@pytest.mark.parametrize(("azimuth", "there"), [(None, True), (90, True), (16, True), (14, False), (270, False)])
def test_a_sector_is_150_degrees_wide(azimuth: float | None, there: bool) -> None:
    assert bool(served(linked([cell("a", azimuth=azimuth)], ROAD))) is there


def test_next_to_the_mast_the_sector_does_not_matter() -> None:
    where = places([village("here", 0.19), village("there", 0.21), village("on it", 0.0)])
    assert served(linked([cell("a", azimuth=270.0)], where)) == ["here", "on it"]


def test_an_operator_s_word_replaces_the_model_for_that_technology_of_its_own() -> None:
    said = [cell("a", villages=("farther",)), cell("b"), cell("c", technology="5G"), cell("d", operator="vinaphone")]
    links = linked(said, ROAD)
    found = level(links, DOWN, ACTIVE, DOWN, DOWN)
    assert found.covered.lower == 0, "cell b serves nobody: its operator declares who is served"
    assert level(links).made[Source.DECLARED] == 1
    assert served(links) == ["near", "far", "farther"], "of the other technology, and of others, the model still says"


def test_names_that_nobody_knows_are_counted_and_no_word() -> None:
    links = linked([cell("a", villages=("elsewhere",))], ROAD)
    assert (links.strays, served(links)) == (1, ["near"])


def test_in_a_declared_area_cells_in_range_serve_else_the_nearest() -> None:
    links = linked([cell("a"), cell("b", 3.0)], ROAD, [_area(0.5, 2)])
    assert served(links) == ["near", "far"]


def test_a_village_in_a_declared_area_hangs_on_its_nearest_mast_alone() -> None:
    links = linked([cell("a"), cell("a2"), cell("b", 3.5)], places([village("far", 2.0)]), [_area(0.5, 2.5)])
    assert level(links, ACTIVE, ACTIVE, DOWN).covered.lower == 0
    links = linked([cell("a"), cell("a2"), cell("b", 4.5)], places([village("far", 2.0)]), [_area(0.5, 2.5)])
    assert level(links, DOWN, ACTIVE, DOWN).covered.lower == 1, "cells of one mast are as near as each other"


def test_the_nearest_mast_is_taken_only_where_none_is_in_range() -> None:
    cells = [cell("turned away", 0.3, azimuth=270.0), cell("in range", 1.3)]
    links = linked(cells, places([village("v", 0.6)]), [_area(0, 1)])
    assert level(links, ACTIVE, DOWN).covered.lower == 0


def test_outside_the_declared_area_nobody_is_served() -> None:
    assert served(linked([cell("a")], ROAD, [_area(2, 3)])) == []


def test_an_area_is_of_one_operator_s_technology() -> None:
    links = linked([cell("a"), cell("b", operator="vinaphone")], ROAD, [_area(2, 3), _area(0, 9, "mobifone")])
    assert [level(links, DOWN).covered.lower, level(links, ACTIVE, DOWN).covered.lower] == [1, 0]


def test_a_word_is_stronger_than_a_map() -> None:
    links = linked([cell("a", villages=("far",))], ROAD, [_area(0, 9)])
    assert served(links) == ["far"]


def test_what_only_the_official_figure_says_is_assumed() -> None:
    where = places([village("v", 2.5, official=G4), village("w", 3.2, official=G4), village("x", 2.6)])
    cells = [cell("a"), cell("b", 0.3), cell("c", operator="vinaphone"), cell("d", technology="5G")]
    found = level(linked(cells, where))
    assert found.covered == (0, 2), "w is within three ranges of b, x has no official figure"
    assert (found.assumed, found.made[Source.ASSUMED]) == (2, 2)
    assert level(linked(cells, where), ACTIVE, DOWN, DOWN).covered == (0, 0), "only the nearest of each operator"
    assert level(linked(cells, where), technology=G5).covered == (0, 0), "the official figure says nothing of 5G"


def test_where_the_model_reaches_nothing_is_assumed() -> None:
    where = places([village("v", 0.9, official=G4)])
    found = level(linked([cell("a"), cell("b", 2.0, operator="vinaphone")], where), DOWN)
    assert (found.covered, found.assumed) == ((0, 0), 0)


def test_2g_counts_until_it_was_switched_off() -> None:
    cells = [cell("a", technology="2G")]
    where = places([village("v", 1.0)])
    eve, morning = (datetime(2026, 9, 14, hour, tzinfo=UTC).timestamp() for hour in (16, 17))
    before, after = linked(cells, where, at=eve), linked(cells, where, at=morning)
    assert figures(before).levels[Technology.G2].covered == (1, 1)
    assert Technology.G2 not in figures(after).links.technologies
    assert figures(after).levels == {}
    assert before.until == morning
    assert after.until == float("inf")


def test_newer_technology_satisfies_older_demands() -> None:
    found = figures(linked([cell("a", technology="5G")], ROAD)).levels
    assert [found[technology].covered.lower for technology in found] == [2, 2, 2]


def test_cells_of_strangers_serve_nobody() -> None:
    assert figures(linked([cell("a", operator="nobody")], ROAD)).levels == {}


def test_too_many_operators_are_refused() -> None:
    crowd = places([], operators=tuple(Operator(str(number)) for number in range(17)))
    with pytest.raises(ValueError, match="at most 16"):
        linked([], crowd)


def test_sixteen_operators_are_told_apart() -> None:
    crowd = places([village("v", 0.1)], operators=tuple(Operator(str(number)) for number in range(16)))
    links = linked([cell(str(number), technology="5G", operator=str(number)) for number in range(16)], crowd)
    for number in range(16):
        states = [DOWN] * 16
        states[number] = ACTIVE
        found = level(links, *states, technology=G5)
        assert {name for name, bounds in found.operators.items() if bounds.lower} == {str(number)}


def test_a_zone_with_a_border_is_covered_when_95_hundredths_of_it_are() -> None:
    # 101 points in a row, 200 m apart, of which the declared area holds so many.
    long = box(east(0), LAT - 1e-6, east(20), LAT + 1e-6)
    for kilometres, enough in ((19.1, True), (18.9, False)):
        zone = Zone("z", "Khu", "Park", "park", LAT, LON, long)
        links = linked([cell("a")], places([], zones=(zone,)), [_area(-1, kilometres)])
        assert links.spots.zone_sizes.tolist() == [101]
        assert level(links).zones == {"park": (enough, enough)}


def test_a_zone_too_small_for_the_grid_is_a_point_inside_it() -> None:
    tiny = Zone("z", "Ga", "Station", "station", 0.0, 0.0, box(east(0.5), LAT, east(0.51), LAT + 1e-4))
    assert level(linked([cell("a")], places([], zones=(tiny,)))).zones == {"station": (1, 1)}


def test_an_operator_s_word_may_be_of_zones() -> None:
    zone = Zone("z", "Khu", "Park", "park", LAT, east(9))
    links = linked([cell("a", villages=("z",))], places([village("v", 0.5)], zones=(zone,)))
    assert level(links).zones == {"park": (1, 1)}
    assert served(links) == ["v"], "of villages it says nothing"


def test_unknown_is_a_state() -> None:
    found = level(linked([cell("a")], ROAD), UNKNOWN)
    assert (found.covered, found.uncovered, found.lost) == ((0, 1), 2, 0)
    assert found.freshness == (0.0, None)


def test_communes_by_the_declared_code_then_by_the_border_then_by_the_nearest_centre() -> None:
    other = Commune("2", "Xã Hai", "xa", LAT, east(5), geometry=box(east(0.5), LAT - 0.1, east(9), LAT + 0.1))
    third = Commune("3", "Xã Ba", "xa", LAT, east(5), geometry=box(east(0.7), LAT - 0.1, east(9), LAT + 0.1))
    communes = (Commune("1", "Xã Một", "xa", LAT, LON), other, third)
    villages = [village("a", 0.1), village("b", 0.8), village("c", 0.8, commune="1"), village("d", 0.8, commune="?")]
    found = figures(linked([cell("x", 0.8)], places(villages, communes=communes)))
    assert found.communes.tolist() == [2, 2, 0]
    assert found.links.site_commune.tolist() == [1], "of two that overlap, the first"
