"""The made-up mobile networks: exactly the report's figures, marked as made up, and the same every time."""

from __future__ import annotations

import time
from fractions import Fraction
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from collector.coverage.counting import count
from collector.coverage.figures import Figures as Counted
from collector.coverage.links import build
from collector.demo.lab import OVERLAYS
from collector.demo.mobile.__main__ import documents
from collector.demo.mobile.figures import Figures, figures
from collector.demo.mobile.land import Point, apart
from collector.demo.mobile.network import Network, network
from collector.demo.mobile.settling import served
from collector.places import Places
from collector.plan import Plan
from collector.records import CellState, Technology
from collector.settings import Config, load

PROJECT = Path(__file__).parents[3]
FACTS = PROJECT.parent / "shared" / "facts"
ZONES = {
    "cov-5g-kcn-dung-quat": "industrial-park-dung-quat",
    "cov-5g-kcn-khac": "industrial-park",
    "cov-5g-ccn": "industrial-cluster",
    "cov-5g-ga-cang-ben-xe": "transport-hub",
}
NOW = 1_795_000_000.0  # 2026-11-18


@lru_cache(maxsize=1)
def shipped() -> Config:
    return load([PROJECT / "config", *OVERLAYS])


def places() -> Places:
    found = shipped().places
    assert found is not None
    return found


@lru_cache(maxsize=1)
def made() -> Network:
    return network(places(), figures(shipped().plan))


@lru_cache(maxsize=1)
def counted() -> Counted:
    cells = [station.cell(CellState.ACTIVE) for station in made().stations]
    return count(build(cells, (), places(), places().ranges, NOW), cells)


def report(entry: str, metric: str) -> Any:
    """A figure of the report."""
    path = FACTS / "seed-inventory.yaml"
    if not path.exists():
        pytest.skip("the facts are not beside this checkout")
    entries = {one["id"]: one for one in yaml.load(path.read_text(), Loader=yaml.CSafeLoader)["entries"]}
    return next(figure for figure in entries[entry]["figures"] if figure["metric"] == metric)


def test_the_overlay_is_what_the_generator_writes() -> None:
    """Written from config/ alone: `python -m collector.demo.mobile`."""
    for path, text in documents(load([PROJECT / "config"])).items():
        assert path.read_text() == text, f"{path}: run python -m collector.demo.mobile"


def test_there_is_as_much_as_the_report_counts() -> None:
    found = counted()
    assert len(found.links.sites.ids) == report("mobile-access-network", "tower-sites")["value"]
    assert sum(found.cells.values()) == report("mobile-access-network", "base-stations")["value"]
    assert (
        len({operator for operator, _, _ in found.cells} | {"op-gtel"})
        == (report("mobile-access-network", "operators")["value"])
    )
    for entry, category in ZONES.items():
        assert found.zones[category] == report(entry, "sites-with-5g")["denominator"]


def test_the_report_s_five_coverage_figures_come_out_on_the_lower_bound() -> None:
    """All villages with 4G, and 5G in 4/5, 1/2, 2/15 and 9/10 of the zones: nothing assumed, nothing unknown."""
    levels = counted().levels
    villages = levels[Technology.G4]
    share = villages.covered.ratio(counted().villages)
    assert share is not None
    assert share.lower == share.upper == report("cov-mobile-villages", "villages-covered")["value"] == 1.0
    for entry, category in ZONES.items():
        bounds = levels[Technology.G5].zones[category]
        assert bounds.lower == bounds.upper == report(entry, "sites-with-5g")["numerator"]
    assert levels[Technology.G5].zones["urban-centre"].lower == counted().zones["urban-centre"] > 0
    for level in levels.values():
        assert level.assumed == 0
        assert level.freshness.share == 1.0


def test_every_village_hears_4g_by_bare_distance() -> None:
    """Within 0.31 km: less than LTE 1800 reaches anywhere but in mountains, of which none is declared."""
    masts = [station.mast.place for station in made().stations if station.technology is Technology.G4]
    near = [
        min(apart(Point(village.lat, village.lon), mast) for mast in masts if abs(mast.lat - village.lat) < 0.01)
        for village in places().villages
    ]
    assert max(near) < 0.31


def test_no_zone_without_5g_has_it_within_its_reach() -> None:
    shares = figures(shipped().plan).shares
    with_5g = served(places().zones, shares)
    modern = [station.mast.place for station in made().stations if station.technology is Technology.G5]
    for zone in places().zones:
        nearest = min(apart(Point(zone.lat, zone.lon), mast) for mast in modern)
        assert nearest < 0.31 if zone in with_5g else nearest > 2.6


def test_villages_and_zones_are_marked_as_made_up_and_lie_in_the_territory() -> None:
    found = places()
    ours = {commune.code for commune in found.communes if commune.territory == found.territory}
    assert {village.commune for village in found.villages} == ours
    assert 850 <= len(found.villages) <= 950
    assert all(village.synthetic for village in found.villages)
    assert all(zone.synthetic for zone in found.zones)
    assert all(village.population for village in found.villages)
    assert all("mô phỏng" in zone.name_vi for zone in found.zones)
    assert {station.mast.commune for station in made().stations} == ours


def test_operators_are_different_and_one_has_no_station() -> None:
    of_operator = {operator.id: len(made().of(operator.id)) for operator in places().operators}
    assert of_operator.pop("op-gtel") == 0
    assert all(of_operator.values())
    assert len({*of_operator.values()}) == len(of_operator)
    level = counted().levels[Technology.G4]
    assert level.operators["op-gtel"] == level.operators["op-vinaphone"]
    keys = [(station.operator, station.key) for station in made().stations]
    assert len(keys) == len(set(keys))


def test_the_zone_that_is_to_come_lacks_only_its_station() -> None:
    coming = made().coming
    cells = [station.cell(CellState.ACTIVE) for station in (*made().stations, coming)]
    after = count(build(cells, (), places(), places().ranges, NOW), cells)
    before = counted().levels[Technology.G5].zones
    (zone,) = [zone for zone in places().zones if zone.id == made().coming_at]
    assert after.levels[Technology.G5].zones == {
        category: bounds if category != zone.category else type(bounds)(bounds.lower + 1, bounds.upper + 1)
        for category, bounds in before.items()
    }
    assert len(after.links.sites.ids) == len(counted().links.sites.ids)


def test_it_is_the_same_again_and_quickly_made() -> None:
    begun = time.process_time()
    again = network(places(), figures(shipped().plan))
    assert time.process_time() - begun < 1.0
    assert again == made()


def test_a_plan_without_observations_says_what_is_missing() -> None:
    with pytest.raises(ValueError, match="the plan has no observation of positions"):
        figures(Plan())


def test_too_many_stations_for_the_masts_are_refused() -> None:
    wanted = Figures(positions=1000, stations=5000, with_5g=10, zones=(("industrial-cluster", Fraction(2, 15)),))
    with pytest.raises(ValueError, match="5000 stations do not fit on 1000 masts"):
        network(places(), wanted)
