"""The shipped places are the facts: every commune, every operator, nothing invented."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from collector.mobile import Operators
from collector.places import Places
from collector.settings import load

ROOT = Path(__file__).parents[2]
FACTS = ROOT.parent / "shared" / "facts"
# Research on the operators: network codes and hosts (research/coverage.md, section 3.5).
CODES = {
    "op-vinaphone": "452-02",
    "op-mobifone": "452-01",
    "op-viettel": "452-04",
    "op-vietnamobile": "452-05",
    "op-gtel": "452-07",
}


@pytest.fixture(scope="module")
def places() -> Places:
    """What `config/` alone says."""
    found = load([ROOT / "config"]).places
    assert found is not None
    return found


def facts(name: str) -> Any:
    path = FACTS / name
    if not path.exists():
        pytest.skip("the facts are not beside this checkout")
    return yaml.load(path.read_text(), Loader=yaml.CSafeLoader)


def test_communes_are_those_of_the_facts(places: Places) -> None:
    said = [
        {
            "code": commune.code,
            "name": commune.name,
            "kind": commune.kind,
            "lat": commune.lat,
            "lon": commune.lon,
            "area_km2": commune.area_km2,
            "former_province": commune.territory,
        }
        for commune in places.communes
    ]
    assert said == facts("communes.yaml")["communes"]


def test_figures_are_of_the_province_before_the_merger(places: Places) -> None:
    former = [commune for commune in places.communes if commune.territory == places.territory]
    assert (len(places.communes), len(former)) == (96, 56)


def test_operators_are_known_by_every_name_of_the_report(places: Places) -> None:
    operators = Operators(places.operators)
    mobile = [entry for entry in facts("seed-inventory.yaml")["entries"] if entry["kind"] == "mobile-operator"]
    assert {entry["id"] for entry in mobile} == {operator.id for operator in places.operators}
    for entry in mobile:
        for name in (entry["name_vi"], *entry.get("aliases", ())):
            assert operators.find(name) == entry["id"]
        (code,) = (operator.plmn for operator in places.operators if operator.id == entry["id"])
        assert code == (CODES[entry["id"]],)
        assert CODES[entry["id"]] in entry["note"]


def test_only_one_operator_uses_the_network_of_another(places: Places) -> None:
    assert {one.id: one.roams_on for one in places.operators if one.roams_on} == {"op-gtel": ("op-vinaphone",)}


def test_nothing_is_made_up(places: Places) -> None:
    """The report names neither villages nor zones, nor where they are."""
    assert places.villages == ()
    assert places.zones == ()
