"""Who would lose signal."""

from __future__ import annotations

import pytest

from collector.coverage.what_if import what_if
from collector.places import Commune, Zone
from collector.records import Technology
from tests.collector.coverage.small import LAT, LON, cell, east, figures, linked, places, village

G3, G4 = Technology.G3, Technology.G4
WHERE = places(
    [village("v", 0.1, population=100), village("w", 0.5, population=50), village("x", 9.0)],
    zones=(Zone("port", "Cảng", "Port", "port", LAT, east(-0.5)),),
    communes=(Commune("1", "Xã Một", "xa", LAT, LON), Commune("2", "Xã Hai", "xa", LAT, east(1.2))),
)
CELLS = [cell("a", site="A"), cell("b", 1.0, operator="vinaphone", site="B")]
FIGURES = figures(linked(CELLS, WHERE))


def test_a_site_that_others_cannot_replace() -> None:
    found = what_if(FIGURES, site="A")
    assert (found.cells, found.sites) == (1, 1)
    assert found.losses[G4].villages == ()
    assert found.losses[G4].zones == ("port",)
    assert found.operators["viettel"][G4] == ("v", "w")
    assert found.after.levels[G4].single_site == 2


def test_an_operator_takes_along_who_roams_on_it() -> None:
    found = what_if(FIGURES, operator="vinaphone")
    assert found.operators["gtel"][G4] == ("v", "w")
    assert found.losses[G4].villages == ()


def test_a_commune() -> None:
    alone = figures(linked(CELLS[1:], WHERE))
    found = what_if(alone, commune="2")
    assert found.losses[G3].villages == ("v", "w")
    assert found.losses[G3].inhabitants == 150
    assert what_if(alone, commune="1").losses[G3].villages == ()


def test_several_together_narrow_it_down() -> None:
    assert what_if(FIGURES, operator="viettel", commune="2").cells == 0


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({}, "name a site, an operator or a commune"),
        ({"operator": "vietel"}, "unknown operator 'vietel'; did you mean 'viettel'?"),
        ({"site": "Z"}, "unknown site 'Z'"),
        ({"commune": "9"}, "unknown commune '9'"),
    ],
)
def test_what_cannot_be_asked(asked: dict[str, str], words: str) -> None:
    with pytest.raises(ValueError, match=words.replace("?", r"\?")):
        what_if(FIGURES, **asked)
