"""How feeds of a configuration become desks of the simulated province, and what is refused there."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
import yaml

from collector.demo.effects import Do, Effect
from collector.demo.lab import OVERLAYS
from collector.demo.mischief import Mischief
from collector.demo.mobile.air import Air
from collector.demo.mobile.figures import figures
from collector.demo.mobile.network import MOBIFONE, network
from collector.demo.province import Province
from collector.demo.wiring import Plan, host_of, plan
from collector.records import CellState
from collector.settings import Config, load

PROJECT = Path(__file__).parents[3]
FEED: dict[str, Any] = {
    "id": "nguon-thu",
    "system": "op-viettel",
    "kind": "table",
    "operator": "op-viettel",
    "period": "1m",
    "map": "mo-phong-tram-csv",
}


def planned(tmp_path: Path, source: dict[str, str]) -> Plan:
    """For the demo's configuration with one more feed."""
    (tmp_path / "targets.d").mkdir()
    (tmp_path / "targets.d" / "them.yaml").write_text(yaml.safe_dump({"targets": [{**FEED, "source": source}]}))
    config = load([PROJECT / "config", *OVERLAYS, tmp_path])
    feeds = [target for target in config.targets.values() if target.kind in {"table", "json"}]
    return plan(feeds, {})


def shipped() -> Config:
    return load([PROJECT / "config", *OVERLAYS])


def test_every_shipped_feed_has_a_desk_of_its_operator() -> None:
    feeds = [target for target in shipped().targets.values() if target.kind in {"table", "json", "geojson", "pm3gpp"}]
    made = plan(feeds, {})
    assert made.feeds == {"table", "json", "geojson", "pm3gpp"}
    assert sum(len(site.desks) for site in made.sites.values()) == len(feeds) == 9
    assert {operator for site in made.sites.values() for operator in site.desks.values()} == {
        "op-viettel",
        "op-vinaphone",
        "op-mobifone",
        "op-vietnamobile",
    }
    assert all(site.secure for site in made.sites.values())


def test_a_feed_that_no_desk_answers_says_what_there_is(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"khac\.csv: no station feed can be made up; what there is: .*/tram-3g\.csv"):
        planned(tmp_path, {"url": "https://du-lieu.op-viettel.quangngai.example/khac.csv"})


def test_a_feed_of_files_is_left_alone(tmp_path: Path) -> None:
    """Nor is a certificate to trust set for its kind: a folder has none."""
    made = planned(tmp_path, {"folder": str(tmp_path)})
    assert made.feeds == {"json"}
    assert sum(len(site.desks) for site in made.sites.values()) == 7


def test_a_feed_elsewhere_is_not_simulated(tmp_path: Path) -> None:
    made = planned(tmp_path, {"url": "https://elsewhere.example.org/tram.csv"})
    assert made.feeds == {"json", "table"}
    assert not any(host.endswith("example.org") for host, _ in made.sites)


async def test_what_cannot_fail_is_named(tmp_path: Path) -> None:
    province = await asyncio.to_thread(Province, Plan(), {}, {}, tmp_path)
    with pytest.raises(KeyError, match="no stations are simulated"):
        await Mischief(province).apply(Effect(Do.BLACKOUT, "21025"), True)


def test_stations_are_back_when_nothing_keeps_them_out() -> None:
    config = shipped()
    assert config.places is not None
    made = network(config.places, figures(config.plan))
    now = 1000.0
    air = Air(made, lambda: now)
    some = made.within(made.stations[0].mast.commune)
    one = some[0]
    air.fail(some, "power", failed=True)
    now = 1010.0
    air.fail([one], "node", failed=True)
    now = 1020.0
    air.fail(some, "power", failed=False)
    assert (air.state(one), air.state(some[1])) == (CellState.DOWN, CellState.ACTIVE)
    assert air.since(one) == 1000.0
    now = 1030.0
    air.fail([one], "node", failed=False)
    assert air.state(one) is CellState.ACTIVE
    assert [air.downtime(each, 1005.0, 1025.0) for each in some[:2]] == [20.0, 15.0]
    with pytest.raises(KeyError, match="23430"):
        made.within("23430")


def test_a_node_takes_the_nearest_masts_of_its_operator() -> None:
    config = shipped()
    assert config.places is not None
    made = network(config.places, figures(config.plan))
    hub = made.of(MOBIFONE)[0].mast
    masts = made.around(MOBIFONE, hub.number, 60)
    assert masts[0] == hub
    assert len(masts) == 60
    assert {station.mast for station in made.on(masts, MOBIFONE)} == set(masts)
    assert {station.operator for station in made.on(masts, MOBIFONE)} == {MOBIFONE}


def test_files_have_no_host(tmp_path: Path) -> None:
    (tmp_path / "targets.d").mkdir()
    feed = {**FEED, "source": {"folder": str(tmp_path)}}
    (tmp_path / "targets.d" / "them.yaml").write_text(yaml.safe_dump({"targets": [feed]}))
    target = load([PROJECT / "config", *OVERLAYS, tmp_path]).targets["nguon-thu"]
    assert host_of(target) == ""
