"""Maps of rows on their way into the feeds that are read by them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from collector.model import Target
from collector.settings import SettingsError, load, masked
from tests.configuring import with_base, write

SHIPPED = Path(__file__).parents[3] / "config" / "inventory.d"
CELLS = """\
title: Cells
dataset: cells
table: {}
fields: {site: site, technology: radio}
"""
FEED = """\
targets:
  - id: portal-cells
    system: portal
    kind: table
    source: {folder: /srv/cells}
    map: tram
    operator: op
    period: 1h
"""


def read_by(target: Target) -> Any:
    """The map of a feed."""
    return target.spec.map  # type: ignore[attr-defined]  # it is a feed


def faults(*directories: Path) -> list[str]:
    with pytest.raises(SettingsError) as caught:
        load(directories)
    return [str(fault) for fault in caught.value.faults]


def test_a_map_is_named_by_its_file(tmp_path: Path) -> None:
    config = load([with_base(tmp_path, feeds_d__tram=CELLS, targets_d__tram=FEED)])
    assert config.maps["tram"].name == "tram"
    assert read_by(config.targets["portal-cells"]) == config.maps["tram"]
    assert config.origin("portal-cells")["map"] == ("tram", "targets.d/tram.yaml:6")
    assert "\n  map: tram\n" in masked(config)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (CELLS.replace("site: site", "sites: site"), "4:10: fields.sites: unknown key 'sites'; did you mean 'site'?"),
        (CELLS.replace("cells", "cell"), "2:10: dataset: unknown value 'cell'; did you mean 'cells'?"),
        (CELLS + "crs: 1\n", "5:6: crs: must be at least 1024"),
        (CELLS + "times: {zone: Asia/Saigone}\n", "5:15: times.zone: unknown time zone 'Asia/Saigone'"),
    ],
)
def test_a_broken_map_is_told_once(tmp_path: Path, text: str, fault: str) -> None:
    """Not again at every feed that is read by it."""
    with_base(tmp_path, feeds_d__tram=text, targets_d__tram=FEED)
    (told,) = faults(tmp_path)
    assert told.startswith(f"feeds.d/tram.yaml:{fault}")


def test_a_map_that_there_is_not_is_told_where_it_is_named(tmp_path: Path) -> None:
    with_base(tmp_path, feeds_d__tram=CELLS, targets_d__tram=FEED.replace("map: tram", "map: trams"))
    assert faults(tmp_path) == [
        "targets.d/tram.yaml:6:10: targets[portal-cells].map: unknown map 'trams'; did you mean 'tram'?"
    ]


OPERATORS = """\
systems:
  - {id: op-viettel, name_vi: Viettel, name_en: Viettel, category: mobile-operator, owner: so-khcn}
  - {id: op-vinaphone, name_vi: Vinaphone, name_en: Vinaphone, category: mobile-operator, owner: so-khcn}
operators:
  - {id: op-viettel, plmn: ["452-04"], aliases: [Viettel Mobile]}
  - {id: op-vinaphone, plmn: ["452-02"]}
"""


@pytest.mark.parametrize(
    ("operator", "meant"), [("op-viettle", "op-viettel"), ("Viettel mobile", "op-viettel"), ("45202", "op-vinaphone")]
)
def test_an_operator_that_there_is_not_is_told_where_it_is_named(tmp_path: Path, operator: str, meant: str) -> None:
    """Not by each of its batches, which would all be refused."""
    text = FEED.replace("operator: op", f'operator: "{operator}"')
    ranges = (SHIPPED / "technologies.yaml").read_text()
    files = {"inventory_d__operators": OPERATORS, "inventory_d__technologies": ranges}
    with_base(tmp_path, feeds_d__tram=CELLS, targets_d__tram=text, **files)
    told = f"operator: unknown operator '{operator}'; did you mean '{meant}'?"
    assert faults(tmp_path) == [f"targets.d/tram.yaml:7:15: targets[portal-cells].{told}"]


def test_a_changed_map_reaches_unchanged_targets(tmp_path: Path) -> None:
    first = load([with_base(tmp_path, feeds_d__tram=CELLS, feeds_d__other=CELLS, targets_d__tram=FEED)])
    write(tmp_path, feeds_d__other=CELLS.replace("Cells", "Others"))
    second = load([tmp_path], first)
    assert second.targets["portal-cells"] is first.targets["portal-cells"]
    write(tmp_path, feeds_d__tram=CELLS.replace("Cells", "Ours"))
    third = load([tmp_path], second)
    assert read_by(third.targets["portal-cells"]).title == "Ours"
