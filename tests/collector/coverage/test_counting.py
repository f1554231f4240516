"""What is counted of states, sites, operators and people."""

from __future__ import annotations

from collector.coverage.lost import LONGEST_STEP, Lost
from collector.places import Commune
from collector.records import CellState, Technology
from tests.collector.coverage.small import (
    ACTIVE,
    DOWN,
    LAT,
    LON,
    PLANNED,
    SLEEPING,
    UNKNOWN,
    cell,
    figures,
    level,
    linked,
    places,
    village,
)

G4 = Technology.G4
ONE = places([village("v", 0.1, population=100), village("w", 9.0, population=300)])


def test_cells_within_50_m_are_on_one_site_whoever_they_are_of() -> None:
    found = level(linked([cell("a"), cell("b", 0.049, operator="vinaphone")], ONE))
    assert (found.single_site, found.twofold, found.single_operator) == (1, 0, 0)
    found = level(linked([cell("a"), cell("b", 0.051)], ONE))
    assert (found.single_site, found.twofold, found.single_operator) == (0, 1, 1)


def test_a_declared_code_makes_one_site_of_an_operator_s_cells_at_any_distance() -> None:
    assert linked([cell("a", site="S"), cell("b", 9.0, site="S")], ONE).sites.ids == ["S"]


def test_two_operators_share_a_code_only_where_they_may_share_a_mast() -> None:
    near = linked([cell("a", site="S"), cell("b", 0.4, operator="vinaphone", site="S")], ONE)
    assert near.sites.ids == ["S"]
    far = linked([cell("a", site="S"), cell("b", 0.6, operator="vinaphone", site="S")], ONE)
    assert sorted(far.sites.ids) == ["S", "S@vinaphone"]
    unplaced = linked([cell("a", site="S"), cell("b", None, operator="vinaphone", site="S")], ONE)
    assert unplaced.sites.ids == ["S"]


def test_a_cell_that_does_not_say_where_it_is_is_at_its_site() -> None:
    links = linked([cell("a", site="S"), cell("b", None, technology="5G", site="S")], ONE)
    assert level(links, DOWN, technology=Technology.G5).covered.lower == 1


def test_a_cell_of_which_nothing_is_known_is_a_site_of_its_own() -> None:
    links = linked([cell("a", None), cell("b", None)], ONE)
    assert links.sites.ids == ["viettel/a", "viettel/b"]
    assert level(links).covered == (0, 0)
    assert links.site_commune.tolist() == [-1, -1]


def test_a_site_without_a_code_goes_by_its_position() -> None:
    assert linked([cell("a")], ONE).sites.ids == [f"{LAT:.5f},{LON:.5f}"]


def test_a_site_does_what_the_best_of_its_cells_does() -> None:
    links = linked([cell("a"), cell("b"), cell("c", operator="vinaphone")], ONE)
    for states, expected in (
        ((ACTIVE, DOWN), ACTIVE),
        ((UNKNOWN, DOWN), UNKNOWN),
        ((DOWN, PLANNED), DOWN),
        ((PLANNED, SLEEPING), PLANNED),
        ((SLEEPING, SLEEPING), SLEEPING),
    ):
        found = figures(links, *states)
        assert found.presence_states() == [expected, ACTIVE]
        assert found.sites["viettel", expected] == 1
        assert sum(found.sites.values()) == 2


def test_every_state_of_an_operator_s_technology_is_counted_from_the_start() -> None:
    found = figures(linked([cell("a"), cell("b")], ONE), DOWN).cells
    assert found == {("viettel", G4, state): int(state in {ACTIVE, DOWN}) for state in CellState}


def test_planned_work_is_told_apart() -> None:
    links = linked([cell("a"), cell("b")], ONE)
    found = level(links, PLANNED, DOWN)
    assert (found.covered, found.lost, found.lost_planned) == ((0, 0), 1, 1)
    found = level(links, DOWN, DOWN)
    assert (found.covered, found.lost, found.lost_planned) == ((0, 0), 1, 0)


def test_a_sleeping_cell_is_missed_only_where_no_other_serves() -> None:
    links = linked([cell("a"), cell("b")], ONE)
    assert level(links, SLEEPING).lost == 0
    assert level(links, SLEEPING, SLEEPING).lost == 1


def test_where_no_cell_ever_reached_nothing_is_lost() -> None:
    found = level(linked([cell("a")], ONE))
    assert (found.uncovered, found.lost) == (1, 0)


def test_a_roaming_operator_has_what_its_host_has_and_adds_no_network() -> None:
    links = linked([cell("a", operator="vinaphone")], ONE)
    found = level(links)
    assert found.operators == {"vinaphone": (1, 1), "gtel": (1, 1)}
    assert found.single_operator == 1
    assert level(links, DOWN).operators["gtel"] == (0, 0)


def test_the_best_operator_is_judged_by_its_own_network() -> None:
    cells = [cell("a", operator="vinaphone"), cell("b", 9.0, operator="gtel")]
    found = level(linked(cells, ONE))
    assert found.operators["gtel"] == (2, 2)
    assert found.best == (1, 1)
    assert found.best_inhabitants == (300, 300)


def test_people_count_where_a_village_says_how_many_they_are() -> None:
    where = places([village("v", 0.1, population=100), village("w", 9.0, population=300), village("x", 0.2)])
    found = figures(linked([cell("a")], where))
    assert found.inhabitants == 400
    assert found.levels[G4].inhabitants == (100, 100)
    silent = figures(linked([cell("a")], places([village("x", 0.2)])))
    assert silent.inhabitants is None
    assert silent.levels[G4].inhabitants is None


def test_province_figures_are_of_the_territory_and_communes_of_all() -> None:
    communes = (
        Commune("1", "Xã Một", "xa", LAT, LON, territory="quang-ngai"),
        Commune("2", "Xã Hai", "xa", LAT, LON, territory="kon-tum"),
    )
    villages = [village("v", 0.1, commune="1"), village("w", 0.2, commune="2")]
    found = figures(linked([cell("a")], places(villages, communes=communes, territory="quang-ngai")))
    assert (found.villages, found.levels[G4].covered) == (1, (1, 1))
    assert found.levels[G4].communes.lower.tolist() == [1, 1]


def test_who_hangs_on_a_site() -> None:
    cells = [cell("a", site="A"), cell("b", 0.4, site="B"), cell("c", 0.4, operator="vinaphone", site="B")]
    where = places([village("v", -0.9), village("w", 0.2), village("x", 1.3)])
    found = level(linked(cells, where))
    assert found.critical.tolist() == [1, 1]
    assert level(linked(cells, where), DOWN).critical.tolist() == [0, 2]


def test_how_fresh_figures_are() -> None:
    cells = [cell("a"), cell("b"), cell("unheard", 50.0)]
    found = level(linked(cells, ONE), UNKNOWN)
    assert found.freshness.share == 0.5


def test_seconds_lost_are_of_the_count_before() -> None:
    links = linked([cell("a")], ONE)
    lost = Lost()
    for state, now in ((DOWN, 0.0), (PLANNED, 10.0), (UNKNOWN, 15.0), (DOWN, 20.0), (DOWN, 10.0), (ACTIVE, 11.0)):
        lost.advance(figures(links, state), now)
    assert lost.seconds[G4] == 11
    assert lost.planned[G4] == 5


def test_nobody_is_charged_for_time_that_nobody_saw() -> None:
    links = linked([cell("a")], ONE)
    lost = Lost({G4: 100.0})
    lost.advance(figures(links, DOWN), 5.0)
    lost.advance(figures(links, DOWN), 5.0 + LONGEST_STEP + 1)
    assert lost.seconds[G4] == 100


def test_a_count_holds_until_the_next_one_however_often_it_is_credited() -> None:
    """A save does not wait for a count, and what is credited by then is not credited again."""
    links = linked([cell("a")], ONE)
    lost = Lost()
    lost.credit(1.0)
    lost.advance(figures(links, DOWN), 2.0)
    for now in (3.0, 7.0, 7.0, 6.0):
        lost.credit(now)
    assert lost.seconds[G4] == 5
    lost.advance(figures(links, ACTIVE), 10.0)
    assert lost.seconds[G4] == 8
    lost.advance(figures(links, DOWN), 20.0)
    lost.credit(20.0 + LONGEST_STEP)
    lost.credit(21.0 + LONGEST_STEP)
    assert lost.seconds[G4] == 8 + LONGEST_STEP
    lost.advance(figures(links, DOWN), 500.0)
    lost.pause()
    lost.credit(510.0)
    assert lost.seconds[G4] == 8 + LONGEST_STEP
