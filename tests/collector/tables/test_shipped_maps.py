"""The maps of config/feeds.d for tables, on files in the shape that they are for."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from collector.records import Batch, Cell, CellState, Dataset, Outage, Sense, Technology
from tests import tables_of_others as others
from tests.feeding import FEEDS, shipped
from tests.tabling import refused, table

PARIS = ZoneInfo("Europe/Paris")
SAVED = 1795392000.0


def read(name: str, content: bytes | str, operator: str | None = None) -> Batch:
    """What a shipped map makes of a file, which must be well."""
    batch = table(content, shipped(name), operator, modified=SAVED)
    assert (batch.unreadable, batch.faults, batch.complete) == (0, (), True)
    return batch


def at(text: str) -> float:
    """Unix seconds of a time in Paris."""
    return datetime.fromisoformat(text).replace(tzinfo=PARIS).timestamp()


def cells(batch: Batch) -> list[Cell]:
    """The cells of a batch."""
    assert all(isinstance(record, Cell) for record in batch.records)
    return [record for record in batch.records if isinstance(record, Cell)]


def test_every_shipped_map_is_well() -> None:
    names = sorted(path.stem for path in FEEDS.glob("*.yaml"))
    assert len(names) >= 7
    for name in names:
        plan = shipped(name)
        assert plan.title
        assert (plan.table is None) or (plan.document is None)


def test_arcep_sites() -> None:
    batch = read("arcep-sites", others.ARCEP)
    assert (batch.dataset, batch.sense, batch.rows, batch.as_of) == (Dataset.CELLS, Sense.POSITIVE, 3, SAVED)
    assert [(cell.operator, cell.key, cell.site, cell.band) for cell in cells(batch)] == [
        ("20801", "00000001A1/2G", "00000001A1", None),
        ("20801", "00000001A1/3G", "00000001A1", None),
        ("20801", "00000001A1/4G", "00000001A1", None),
        ("20801", "00000001A1/5G/2100", "00000001A1", 2100),
        ("20801", "00000001A1/5G/3500", "00000001A1", 3500),
        ("20801", "00000002A1/3G", "P0042", None),
        ("20801", "00000002A1/4G", "P0042", None),
        ("20820", "T11001/2G", "P0042", None),
        ("20820", "T11001/3G", "P0042", None),
        ("20820", "T11001/4G", "P0042", None),
        ("20820", "T11001/5G", "P0042", None),
    ]
    first = cells(batch)[0]
    assert (first.lat, first.lon, first.name, first.state) == (48.857, 2.351, "Paris", None)


def test_arcep_sites_of_before_5g_had_bands() -> None:
    header, *rows = others.ARCEP.splitlines()
    older = "\n".join(";".join(line.split(";")[:24]) for line in (header, *rows)) + "\n"
    assert [cell.key for cell in cells(read("arcep-sites", older))][3] == "00000001A1/5G"


def test_free_outages() -> None:
    batch = read("free-outages", others.FREE, "free")
    assert (batch.dataset, batch.sense, batch.rows, batch.as_of) == (Dataset.OUTAGES, Sense.NEGATIVE, 3, SAVED)
    assert batch.records == (
        Outage("free", lat=46.2052, lon=5.2255),
        Outage("free", lat=41.9192, lon=8.7386),
    )
    nothing = read("free-outages", others.FREE.splitlines(keepends=True)[0], "free")
    assert (nothing.records, nothing.as_of) == ((), SAVED)


def test_orange_outages() -> None:
    content = others.ORANGE.encode("cp1250")
    batch = read("orange-outages", content, "orange")
    grenoble: dict[str, Any] = {"since": at("2026-11-22T06:31:05"), "until": at("2026-11-25T00:00")}
    ville: dict[str, Any] = {"since": at("2026-11-21T23:10:00"), "until": at("2026-11-26T00:00")}
    assert batch.records == (
        *(
            Outage("orange", lat=45.1885, lon=5.7245, technology=each, **grenoble)
            for each in (Technology.G2, Technology.G3, Technology.G4)
        ),
        *(
            Outage("orange", lat=45.764, lon=4.8357, technology=each, **ville)
            for each in (Technology.G4, Technology.G5)
        ),
    )
    assert "utf-8, not windows-1250" in refused(others.ORANGE, shipped("orange-outages"))


def test_sfr_outages_whose_x_is_the_latitude() -> None:
    batch = read("sfr-outages", others.SFR, "sfr")
    assert batch.records == (Outage("sfr", lat=43.2965, lon=5.3698), Outage("sfr", lat=48.3904, lon=-4.4861))
    assert read("sfr-outages", others.SFR.encode("cp1252"), "sfr").records == batch.records


def test_sfr_outages_without_the_lines_below_are_refused() -> None:
    """Else the last rows, which are outages, would be taken for a legend."""
    rows = "".join(f"13;13{number:03d};X;43.2;5.3;HS;HS\n" for number in range(20))
    head = "".join(others.SFR.splitlines(keepends=True)[:4])
    assert "a row where 8 lines are to end the table" in refused(head + rows, shipped("sfr-outages"))


def test_bouygues_outages() -> None:
    batch = read("bouygues-outages", others.BOUYGUES, "bouygues")
    power: dict[str, Any] = {
        "since": at("2026-11-22T05:12"),
        "until": at("2026-11-23T18:00"),
        "reason": "Incident/Coupure d'énergie",
    }
    assert batch.records == (
        *(
            Outage("bouygues", site="T11001", lat=48.8391, lon=2.3861, technology=each, **power)
            for each in (Technology.G2, Technology.G3, Technology.G4)
        ),
        Outage(
            "bouygues",
            site="T22002",
            lat=47.2184,
            lon=-1.5536,
            technology=Technology.G4,
            state=CellState.PLANNED,
            since=at("2026-11-23T00:00"),
            reason="Maintenance/",
        ),
    )


@pytest.mark.parametrize("header", [others.OPENCELLID_HEADER, ""])
def test_opencellid_with_and_without_a_header(header: str) -> None:
    batch = read("opencellid", header + others.OPENCELLID)
    assert [(cell.operator, cell.key, cell.technology.value) for cell in cells(batch)] == [
        ("viettel", "2G-10151-12345", "2G"),
        ("vinaphone", "3G-2-6", "3G"),
        ("mobifone", "4G-500473-110", "4G"),
        ("viettel", "5G-68719476735", "5G"),
    ]
    assert (batch.rows, batch.as_of) == (5, 1609459500.0)
    assert (cells(batch)[0].lat, cells(batch)[0].lon) == (15.1203, 108.8004)


def test_the_departments_workbook() -> None:
    batch = read("so-khcn-tram-bts", others.department())
    found = {cell.key: cell for cell in cells(batch)}
    assert list(found) == ["QNI0001/2G", "QNI0001/3G", "QNI0001/4G", "QNI0002/4G", "QNI0002/5G", "QNI0003/4G"]
    assert (batch.rows, batch.as_of) == (3, datetime.fromisoformat("2026-11-20T00:00+07:00").timestamp())
    assert [found[key].operator for key in ("QNI0001/4G", "QNI0002/4G", "QNI0003/4G")] == [
        "viettel",
        "vinaphone",
        "viettel",
    ]
    assert [found[key].state for key in ("QNI0001/4G", "QNI0002/4G", "QNI0003/4G")] == [
        CellState.ACTIVE,
        CellState.DOWN,
        CellState.PLANNED,
    ]
    assert [found[key].height for key in ("QNI0001/4G", "QNI0002/4G", "QNI0003/4G")] == [45.0, 30.5, 50.0]
    lat, lon = found["QNI0002/5G"].lat, found["QNI0002/5G"].lon
    assert [lat, lon] == pytest.approx([15.107544, 108.820503], abs=1e-5)
    seen = [found[key].observed_at for key in ("QNI0001/4G", "QNI0002/4G", "QNI0003/4G")]
    assert seen == [datetime.fromisoformat(f"2026-11-{day}T00:00+07:00").timestamp() for day in (19, 18, 19)]
