"""What coverage is counted over, as files say it."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from collector.places import Environment, Places
from collector.records import Technology
from collector.settings import SettingsError, load

SHIPPED = Path(__file__).parents[3] / "config"
SYSTEMS = """
owners: [{id: so, name_vi: Sở, name_en: Department}]
systems:
  - {id: op-a, name_vi: A, name_en: A, category: mobile-operator, owner: so}
  - {id: op-b, name_vi: B, name_en: B, category: mobile-operator, owner: so}
"""
PLACES = """
territory: quang-ngai
communes:
  - {id: "21025", name: Phường Cẩm Thành, kind: phuong, lat: 15.1, lon: 108.8, territory: quang-ngai}
villages:
  - {id: thon-1, name: Thôn 1, commune: "21025", lat: 15.11, lon: 108.81, population: 800, official: 4G}
zones:
  - {id: vsip, name_vi: VSIP, name_en: VSIP, category: industrial-park, lat: 15.2, lon: 108.8,
     polygon: [[108.79, 15.19], [108.81, 15.19], [108.81, 15.21]]}
operators:
  - {id: op-a, plmn: [452-04], aliases: [Tên khác]}
  - {id: op-b, plmn: [452-07], roams_on: [op-a]}
"""


def written(directory: Path, **files: str) -> Path:
    folder = directory / "inventory.d"
    folder.mkdir(parents=True)
    for name, text in files.items():
        (folder / f"{name}.yaml").write_text(text)
    (folder / "technologies.yaml").write_text((SHIPPED / "inventory.d" / "technologies.yaml").read_text())
    return directory


def places_of(directory: Path, text: str) -> Places:
    found = load([written(directory, systems=SYSTEMS, places=text)]).places
    assert found is not None
    return found


def faults_of(directory: Path, text: str) -> list[str]:
    with pytest.raises(SettingsError) as refused:
        load([written(directory, systems=SYSTEMS, places=text)])
    return [str(fault) for fault in refused.value.faults]


def test_everything_that_may_be_said(tmp_path: Path) -> None:
    places = places_of(tmp_path, PLACES)
    (commune,), (village,), (zone,) = places.communes, places.villages, places.zones
    assert (commune.code, commune.surroundings, places.territory) == ("21025", Environment.TOWN, "quang-ngai")
    assert (village.commune, village.population, village.official) == ("21025", 800, Technology.G4)
    assert zone.geometry is not None
    assert zone.geometry.area > 0
    assert [(one.id, one.plmn, one.roams_on) for one in places.operators] == [
        ("op-a", ("452-04",), ()),
        ("op-b", ("452-07",), ("op-a",)),
    ]


def test_2g_stopped_counting_on_the_day_that_it_was_switched_off(tmp_path: Path) -> None:
    rules = {rule.technology: rule for rule in places_of(tmp_path, "").technologies}
    assert rules[Technology.G2].holds(date(2026, 9, 14))
    assert not rules[Technology.G2].holds(date(2026, 9, 15))
    assert rules[Technology.G5].holds(date(2026, 9, 15))


def test_without_ranges_there_is_no_coverage(tmp_path: Path) -> None:
    directory = written(tmp_path, systems=SYSTEMS)
    (directory / "inventory.d" / "technologies.yaml").unlink()
    assert load([directory]).places is None


def test_a_synthetic_file_makes_synthetic_places(tmp_path: Path) -> None:
    places = places_of(tmp_path, "synthetic: true\n" + PLACES)
    assert places.villages[0].synthetic
    assert places.zones[0].synthetic


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('commune: "21025"', 'commune: "21026"', "villages[thon-1].commune: unknown commune '21026'"),
        ("id: op-b, plmn", "id: op-c, plmn", "unknown mobile operator 'op-c'"),
        ("roams_on: [op-a]", "roams_on: [op-x]", "unknown operator 'op-x'"),
        ("plmn: [452-07]", "plmn: [452-04]", "'452-04' stands for op-a and for op-b"),
        ("lat: 15.1,", "lat: 150.1,", "communes[21025].lat: "),
        ("kind: phuong", "kind: thon", "communes[21025].kind: "),
        ("official: 4G", "official: 6G", "villages[thon-1].official: "),
        (
            "[[108.79, 15.19], [108.81, 15.19], [108.81, 15.21]]",
            "[[108.79, 15.19], [108.80, 15.19], [108.81, 15.19]]",
            "zones[vsip].polygon: geometry: the rings enclose no area",
        ),
        ("territory: quang-ngai\n", "territory: quang-ngaj\n", "unknown territory 'quang-ngaj'; did you mean"),
        ("territory: quang-ngai\n", "territory: [quang-ngai]\n", "territory: expected text"),
    ],
)
def test_a_fault_says_where_and_what(tmp_path: Path, old: str, new: str, said: str) -> None:
    faults = faults_of(tmp_path, PLACES.replace(old, new))
    assert len(faults) == 1
    assert faults[0].startswith("inventory.d/places.yaml:")
    assert said in faults[0]


@pytest.mark.parametrize("day", ["31536000", "15/9/2026", '"0026-09-15"', "2026-W38-2", '"2026-02-30"'])
def test_the_days_of_a_technology_are_dates(tmp_path: Path, day: str) -> None:
    """A number is no date: it would count from 1970."""
    directory = written(tmp_path, systems=SYSTEMS)
    (directory / "inventory.d" / "days.yaml").write_text(f"technologies: [{{id: 3G, valid_from: {day}}}]")
    (directory / "inventory.d" / "technologies.yaml").unlink()
    with pytest.raises(SettingsError) as refused:
        load([directory])
    (fault,) = refused.value.faults
    assert str(fault).startswith("inventory.d/days.yaml:1:37: technologies[3G].valid_from: ")


def test_an_outline_that_crosses_itself_is_mended(tmp_path: Path) -> None:
    bow_tie = "[[108.79, 15.19], [108.81, 15.21], [108.81, 15.19], [108.79, 15.21]]"
    places = places_of(tmp_path, PLACES.replace("[[108.79, 15.19], [108.81, 15.19], [108.81, 15.21]]", bow_tie))
    geometry = places.zones[0].geometry
    assert geometry is not None
    assert geometry.is_valid
    assert geometry.area > 0


OUTLINE = (
    '{"type": "FeatureCollection", "features": [{"type": "Feature", "properties": {"code": "%s"}, "geometry": %s}]}'
)
SQUARE = '{"type": "Polygon", "coordinates": [[[108, 15], [109, 15], [109, 16], [108, 16], [108, 15]]]}'


def outlined(directory: Path, text: str) -> Path:
    written(directory, systems=SYSTEMS, places=PLACES)
    (directory / "inventory.d" / "communes.geojson").write_text(text)
    return directory


def test_outlines_of_communes(tmp_path: Path) -> None:
    directory = outlined(tmp_path, OUTLINE % ("21025", SQUARE))
    config = load([directory])
    assert config.places is not None
    assert config.places.communes[0].geometry is not None
    assert config.places.communes[0].geometry.area == 1
    again = load([directory], config)
    assert again.places == config.places
    (directory / "inventory.d" / "communes.geojson").unlink()
    without = load([directory], again)
    assert without.hash != config.hash
    assert without.places is not None
    assert without.places.communes[0].geometry is None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (OUTLINE % ("21026", SQUARE), "inventory.d/communes.geojson:1:1: unknown commune '21026'"),
        (OUTLINE % ("21025", '{"type": "Point", "coordinates": [108, 15]}'), "features[1]: geometry: a Point"),
        ("[]", "expected a FeatureCollection"),
        ("<html>", "the body is not JSON"),
    ],
)
def test_a_faulty_outline_is_told(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(SettingsError, match=r"communes\.geojson") as refused:
        load([outlined(tmp_path, text)])
    assert said in str(refused.value)
