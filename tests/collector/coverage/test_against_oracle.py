"""The engine says what a count by hand says, on any inventory and any states."""

from __future__ import annotations

import math
from collections import Counter
from datetime import UTC, datetime

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from collector.coverage import detail
from collector.coverage.counting import count
from collector.coverage.figures import Bounds, Figures, Level
from collector.coverage.links import build
from collector.coverage.lost import Lost
from collector.coverage.what_if import what_if
from collector.records import CellState, Technology
from tests.collector.coverage.oracle import Moment, Oracle
from tests.collector.coverage.provinces import Province, provinces

BEFORE, AFTER = (datetime(2026, 9, day, 12, tzinfo=UTC).timestamp() for day in (14, 16))
STABLE = settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)


def _both(province: Province, at: float, moment: int = 0) -> tuple[Figures, Moment]:
    links = build(province.cells, province.areas, province.places, province.places.ranges, at)
    known = province.history[moment]
    oracle = Oracle(province.cells, province.areas, province.places, at)
    return count(links, known), Moment(oracle, [one.state for one in known])


@STABLE
@given(provinces(), st.sampled_from([BEFORE, AFTER]))
def test_every_figure(province: Province, at: float) -> None:
    figures, moment = _both(province, at)
    oracle = moment.oracle
    assert list(figures.links.technologies) == oracle.valid
    assert figures.villages == len(moment.villages)
    _same_sites(figures, oracle)
    _same_cells(figures, province)
    usable = any(cell.operator in oracle.known and cell.technology in oracle.valid for cell in province.cells)
    assert set(figures.levels) == set(oracle.valid if usable else ())
    for technology, level in figures.levels.items():
        _same_villages(level, moment, technology)
        _same_redundancy(level, figures, moment, technology)
        _same_operators(level, figures, moment, technology)
        _same_people(level, figures, moment, technology)
        _same_communes(level, moment, technology)
        _same_zones(level, moment, technology)
        _same_freshness(level, province, moment, technology)


def _same_sites(figures: Figures, oracle: Oracle) -> None:
    groups: dict[int, set[int]] = {}
    for number, site in enumerate(figures.links.sites.of_cell.tolist()):
        groups.setdefault(site, set()).add(number)
    expected: dict[int, set[int]] = {}
    for number, site in enumerate(oracle.site):
        expected.setdefault(site, set()).add(number)
    assert sorted(map(sorted, groups.values())) == sorted(map(sorted, expected.values()))
    assert len(set(figures.links.sites.ids)) == len(groups)


def _same_cells(figures: Figures, province: Province) -> None:
    counted = Counter(
        (cell.operator, cell.technology, known.state)
        for cell, known in zip(province.cells, province.history[0], strict=True)
        if cell.operator != "nobody"
    )
    assert {key: value for key, value in figures.cells.items() if value} == counted


def _same_villages(level: Level, moment: Moment, technology: Technology) -> None:
    lower = [bool(moment.lower(technology, spot)) for spot in moment.villages]
    upper = [bool(moment.upper(technology, spot)) for spot in moment.villages]
    assert level.covered == Bounds(sum(lower), sum(upper))
    assert level.uncovered == len(upper) - sum(upper)
    every = set(CellState)
    able = [bool(moment.serving(technology, spot, every, True)) for spot in moment.villages]
    lost = [one and not served for one, served in zip(able, upper, strict=True)]
    on = {CellState.ACTIVE, CellState.UNKNOWN, CellState.PLANNED}
    planned = [bool(moment.serving(technology, spot, on, True)) for spot in moment.villages]
    assert level.lost == sum(lost)
    assert level.lost_planned == sum(one and other for one, other in zip(lost, planned, strict=True))
    surely = [bool(moment.serving(technology, spot, every, False)) for spot in moment.villages]
    assert level.assumed == sum(one and not other for one, other in zip(able, surely, strict=True))
    assert sum(level.made.values()) == sum(able)


def _same_redundancy(level: Level, figures: Figures, moment: Moment, technology: Technology) -> None:
    sites = [moment.sites(technology, spot) for spot in moment.villages]
    assert level.single_site == sum(len(one) == 1 for one in sites)
    assert level.twofold == sum(len(one) > 1 for one in sites)
    cells = moment.oracle.cells
    networks = [{cells[number].operator for number in moment.lower(technology, spot)} for spot in moment.villages]
    assert level.single_operator == sum(len(one) == 1 for one in networks)
    expected = Counter(next(iter(one)) for one in sites if len(one) == 1)
    of_cell = figures.links.sites.of_cell
    for number, site in enumerate(moment.oracle.site):
        assert level.critical[of_cell[number]] == expected[site]


def _same_operators(level: Level, figures: Figures, moment: Moment, technology: Technology) -> None:
    oracle = moment.oracle
    best = [0, 0]
    for operator in oracle.places.operators:
        bounds = []
        for side, serving in enumerate((moment.lower, moment.upper)):
            found = [serving(technology, spot) for spot in moment.villages]
            bounds.append(sum(bool(moment.of(numbers, operator)) for numbers in found))
            best[side] = max(best[side], sum(bool(moment.of(numbers, operator, False)) for numbers in found))
        able = range(len(oracle.cells)) if operator.id in {"viettel", "vinaphone", "gtel"} else ()
        counting = [number for number in able if oracle.cells[number].technology in oracle.valid]
        expected = Bounds(*bounds) if moment.of(counting, operator) else None
        assert level.operators.get(operator.id) == expected
    assert level.best == Bounds(*best)


def _same_people(level: Level, figures: Figures, moment: Moment, technology: Technology) -> None:
    people = {spot: moment.oracle.asked[spot].village.population for spot in moment.villages}  # type: ignore[union-attr]
    known = {spot: number for spot, number in people.items() if number is not None}
    assert figures.inhabitants == (sum(known.values()) if known else None)
    if not known:
        assert level.inhabitants is None
        return
    lower = sum(number for spot, number in known.items() if moment.lower(technology, spot))
    upper = sum(number for spot, number in known.items() if moment.upper(technology, spot))
    assert level.inhabitants == Bounds(lower, upper)


def _same_communes(level: Level, moment: Moment, technology: Technology) -> None:
    for side, serving in zip(level.communes, (moment.lower, moment.upper), strict=True):
        asked = enumerate(moment.oracle.asked)
        expected = Counter(one.commune for spot, one in asked if one.village is not None and serving(technology, spot))
        for number, counted in enumerate(side.tolist()):
            assert counted == expected[number]


def _same_zones(level: Level, moment: Moment, technology: Technology) -> None:
    expected: dict[str, list[int]] = {}
    for zone in moment.oracle.places.zones:
        both = expected.setdefault(zone.category, [0, 0])
        both[0] += moment.zone(technology, zone, most=False)
        both[1] += moment.zone(technology, zone, most=True)
    assert level.zones == {category: Bounds(*both) for category, both in expected.items()}


def _same_freshness(level: Level, province: Province, moment: Moment, technology: Technology) -> None:
    linked = {number for number, _ in moment.oracle.sure | moment.oracle.assumed}
    cells = [number for number in linked if province.cells[number].technology >= technology]
    known = [province.history[0][number] for number in cells if moment.states[number] is not CellState.UNKNOWN]
    seen = [one.observed_at for one in known if one.observed_at is not None]
    assert level.freshness.oldest == min(seen, default=None)
    assert level.freshness.share == (len(known) / len(cells) if cells else None)


@STABLE
@given(provinces())
def test_the_bounds_never_cross(province: Province) -> None:
    """What is sure is possible, whatever is unknown."""
    figures, _ = _both(province, AFTER)
    assert not (figures.lower & ~figures.upper).any()


@STABLE
@given(provinces(), st.data())
def test_what_if(province: Province, data: st.DataObject) -> None:
    """The villages that would lose signal are those that a count with the cells down no longer has."""
    figures, moment = _both(province, AFTER)
    if not province.cells:
        return
    number = data.draw(st.integers(0, len(province.cells) - 1))
    site = figures.links.sites.ids[figures.links.sites.of_cell[number]]
    found = what_if(figures, site=site)
    after = [
        CellState.DOWN if own == moment.oracle.site[number] else state
        for own, state in zip(moment.oracle.site, moment.states, strict=True)
    ]
    _same_losses(found.losses, moment, Moment(moment.oracle, after))
    operator = data.draw(st.sampled_from(["viettel", "vinaphone"]))
    found = what_if(figures, operator=operator)
    after = [
        CellState.DOWN if cell.operator == operator else state
        for cell, state in zip(province.cells, moment.states, strict=True)
    ]
    _same_losses(found.losses, moment, Moment(moment.oracle, after))


def _same_losses(losses: object, before: Moment, after: Moment) -> None:
    assert isinstance(losses, dict)
    for technology, loss in losses.items():
        expected = [
            asked.village.id
            for spot, asked in enumerate(before.oracle.asked)
            if asked.village is not None and before.lower(technology, spot) and not after.lower(technology, spot)
        ]
        assert list(loss.villages) == expected
        zones = [
            zone.id
            for zone in before.oracle.places.zones
            if before.zone(technology, zone, False) and not after.zone(technology, zone, False)
        ]
        assert list(loss.zones) == zones


@STABLE
@given(provinces())
def test_each_village_and_site(province: Province) -> None:
    figures, moment = _both(province, AFTER)
    cells = province.cells
    for spot, village in enumerate(detail.villages(figures)):
        for technology, signal in village.signal.items():
            serving = moment.lower(technology, spot)
            assert signal.lower == bool(serving)
            assert signal.upper == bool(moment.upper(technology, spot))
            assert signal.sites == len(moment.sites(technology, spot))
            assert set(signal.operators) == {cells[number].operator for number in serving}
            assert (signal.source is None) == (not moment.serving(technology, spot, set(CellState), True))
    for zone in detail.zones(figures):
        for technology, both in zone.covered.items():
            assert both == (moment.zone(technology, zone.zone, False), moment.zone(technology, zone.zone, True))
    known = {operator.id for operator in province.places.operators}
    on = {(moment.oracle.site[number], cell.operator) for number, cell in enumerate(cells) if cell.operator in known}
    assert sum(len(site.operators) for site in detail.sites(figures)) == len(on)


@STABLE
@given(provinces(moments=4), st.lists(st.floats(0.1, 100), min_size=3, max_size=3))
def test_time_without_signal(province: Province, steps: list[float]) -> None:
    """Village-seconds are what each count says, until the next count."""
    links = build(province.cells, province.areas, province.places, province.places.ranges, AFTER)
    oracle = Oracle(province.cells, province.areas, province.places, AFTER)
    lost, now = Lost(), 1000.0
    expected = dict.fromkeys(oracle.valid, 0.0)
    for number, known in enumerate(province.history):
        lost.advance(count(links, known), now)
        if number < len(steps):
            now += steps[number]
            moment = Moment(oracle, [one.state for one in known])
            for technology in expected:
                expected[technology] += steps[number] * sum(_out(moment, technology, spot) for spot in moment.villages)
    for technology in lost.seconds:
        total = lost.seconds[technology] + lost.planned[technology]
        assert math.isclose(total, expected[technology], rel_tol=1e-9, abs_tol=1e-9)


def _out(moment: Moment, technology: Technology, spot: int) -> bool:
    return bool(moment.serving(technology, spot, set(CellState), True)) and not moment.upper(technology, spot)
