"""The geojson feed: files, OGC API Features with their pages, points, polygons, and coordinates that are wrong."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from pydantic import ValidationError
from pyproj import Transformer

from collector.feeds.geojson import KIND
from collector.model import Outcome, Reason
from collector.records import Area, Cell, CellState, Dataset, Outage, Technology
from tests.feeding import Handler, answer, batch, run, saying, shipped
from tests.http_peers import application
from tests.peers import leaving_nothing
from tests.probing import probing

LON, LAT = 108.8044, 15.1214


def point(number: int, coordinates: Any = (LON, LAT), **properties: Any) -> dict[str, Any]:
    """A cell as a feature."""
    return {
        "type": "Feature",
        "id": f"c{number}",
        "geometry": {"type": "Point", "coordinates": list(coordinates)},
        "properties": {"technology": "4G", "status": "hoạt động", **properties},
    }


def collection(*features: Any, **members: Any) -> dict[str, Any]:
    """A FeatureCollection."""
    return {"type": "FeatureCollection", "features": list(features), **members}


CELLS = shipped("geojson-cells")
AREAS = shipped("geojson-coverage")
SQUARE = [[108.7, 15.0], [108.9, 15.0], [108.9, 15.2], [108.7, 15.2], [108.7, 15.0]]


def area(kind: str = "Polygon", coordinates: Any = None, **properties: Any) -> dict[str, Any]:
    """A declared area as a feature."""
    geometry = {"type": kind, "coordinates": [SQUARE] if coordinates is None else coordinates}
    return {"type": "Feature", "geometry": geometry, "properties": {"technology": "5G", **properties}}


async def test_points_are_cells() -> None:
    stamp = {"timeStamp": "2026-11-23T03:00:00Z", "numberMatched": 2, "numberReturned": 2}
    document = collection(point(1, (LON, LAT, 35.0), site="QN1", band=1800), point(2, trang_thai="x"), **stamp)
    async with leaving_nothing():
        found = await batch(KIND, saying(document, content_type="application/geo+json"), map=CELLS)
    first, _ = found.records
    assert first == Cell(
        "viettel", "c1", Technology.G4, site="QN1", lat=LAT, lon=LON, band=1800, state=CellState.ACTIVE
    )
    assert (found.dataset, found.rows, found.complete, found.as_of) == (Dataset.CELLS, 2, True, 1795402800.0)


def ogc(features: list[Any], most: int, matched: int | None = None, **members: Any) -> Handler:
    """A server of OGC API Features, which gives at most `most` features a page, whatever it is asked for."""

    async def handler(request: web.BaseRequest) -> web.StreamResponse:
        offset, limit = int(request.query.get("offset", 0)), min(int(request.query.get("limit", 10)), most)
        part = features[offset : offset + limit]
        here = f"/collections/cells/items?offset={offset + limit}&limit={limit}"
        links = [{"rel": "self", "href": "/", "type": "application/geo+json"}]
        if offset + limit < len(features):
            links += [
                {"rel": "next", "href": "/collections/cells/items?f=html", "type": "text/html"},
                {"rel": "next", "href": here, "type": "application/geo+json"},
            ]
        counts = {"numberReturned": len(part)} | ({} if matched is None else {"numberMatched": matched})
        document = collection(*part, links=links, timeStamp="2026-11-23T03:00:00Z", **counts, **members)
        return answer(document, content_type="application/geo+json")

    return handler


@pytest.mark.parametrize("matched", [None, 25, 3])
async def test_pages_are_followed_until_there_is_no_next(matched: int | None) -> None:
    features = [point(number) for number in range(25)]
    found = await batch(KIND, ogc(features, 7, matched), "/collections/cells/items?limit=1000", map=CELLS)
    assert [record.key for record in found.records if isinstance(record, Cell)] == [f"c{n}" for n in range(25)]
    assert found.complete
    assert len(found.raw) == 4


async def test_fewer_features_than_matched_are_incomplete() -> None:
    features = [point(number) for number in range(25)]
    found = await batch(KIND, ogc(features, 7, 26), map=CELLS)
    assert (len(found.records), found.complete) == (25, False)
    # One that moved to a later page while we read stands twice, and hides one that is missing.
    found = await batch(KIND, ogc([*features[:24], features[3]], 7, 25), map=CELLS)
    assert (len(found.records), found.complete) == (25, False)


@pytest.mark.parametrize(
    ("members", "complete"),
    [
        ({"numberReturned": 2}, False),
        ({"numberReturned": 1, "numberMatched": 1}, True),
        ({"numberReturned": True, "numberMatched": "2"}, True),
        ({"exceededTransferLimit": True}, False),
        ({"properties": {"exceededTransferLimit": True}}, False),
    ],
)
async def test_what_a_collection_says_of_its_end(members: dict[str, Any], complete: bool) -> None:
    found = await batch(KIND, saying(collection(point(1), **members)), map=CELLS)
    assert found.complete is complete


async def test_pages_that_lead_in_a_circle_are_a_failure() -> None:
    async def handler(request: web.BaseRequest) -> web.StreamResponse:
        at = int(request.query.get("at", 0))
        return answer(collection(point(at), links=[{"rel": "next", "href": f"/?at={(at + 1) % 3}"}]))

    result = await run(KIND, handler, map=CELLS)
    assert (result.outcome, result.reason) == (Outcome.FAIL, Reason.UNEXPECTED), result


async def test_arcgis_pages_by_offset() -> None:
    features = [point(number) for number in range(5)]

    async def handler(request: web.BaseRequest) -> web.StreamResponse:
        offset = int(request.query.get("resultOffset", 0))
        more = {"properties": {"exceededTransferLimit": True}} if offset + 2 < len(features) else {}
        return answer(collection(*features[offset : offset + 2], **more))

    paging = {"by": "offset", "items": "features", "parameter": "resultOffset"}
    found = await batch(KIND, handler, map=CELLS, paging=paging)
    # Only the last page is the end of all: that those before it were cut is what pages are.
    assert len(found.records) == 5
    assert found.complete


async def test_a_file_is_asked_for_again_only_where_it_changed() -> None:
    asked: list[bool] = []

    async def handler(request: web.BaseRequest) -> web.StreamResponse:
        asked.append("If-None-Match" in request.headers)
        if asked[-1]:
            return web.Response(status=304)
        return answer(collection(point(1)), {"ETag": '"1"'})

    async with application(handler) as port, probing(KIND) as prober:
        source = {"url": f"http://127.0.0.1:{port}/cells.geojson"}
        settings = {"source": source, "paging": "none", "map": CELLS, "operator": "viettel", "period": "5m"}
        spec = KIND.spec.model_validate(settings)
        first, again = [(await prober.run_spec(spec)).batch for _ in range(2)]
    assert asked == [False, True]
    assert first is again


async def test_a_folder_of_files(tmp_path: Path) -> None:
    (tmp_path / "cells.geojson").write_text(json.dumps(collection(point(1))))
    os.utime(tmp_path / "cells.geojson", (1_795_392_000,) * 2)
    async with probing(KIND) as prober:
        result = await prober.run(source={"folder": str(tmp_path)}, map=CELLS, operator="viettel", period="1d")
    assert result.batch is not None, result
    assert len(result.batch.records) == 1


async def test_polygons_are_declared_areas() -> None:
    hole = [[108.75, 15.05], [108.8, 15.05], [108.8, 15.1], [108.75, 15.1], [108.75, 15.05]]
    multi = [[SQUARE, hole], [[[108.0, 15.0], [108.1, 15.0], [108.1, 15.1], [108.0, 15.0]]]]
    document = collection(area(observed_at="2026-11-23T03:00:00Z"), area("MultiPolygon", multi, technology="4G"))
    found = await batch(KIND, saying(document), map=AREAS)
    one, other = (record for record in found.records if isinstance(record, Area))
    assert (one.operator, one.technology, one.observed_at) == ("viettel", Technology.G5, 1795402800.0)
    assert one.geometry.area == pytest.approx(0.04)
    assert other.geometry.area == pytest.approx(0.04 - 0.0025 + 0.005)
    assert found.unreadable == 0


@pytest.mark.parametrize(
    ("geometry", "words"),
    [
        (None, "geometry: none"),
        ({}, "geometry: without a type"),
        ({"type": "Point", "coordinates": [LON, LAT]}, "a Point, not a Polygon"),
        ({"type": "GeometryCollection", "geometries": []}, "a GeometryCollection, not"),
        ({"type": "Polygon", "coordinates": []}, "no polygon in it"),
        ({"type": "Polygon", "coordinates": [[]]}, "less than three corners"),
        ({"type": "Polygon", "coordinates": [SQUARE[:2]]}, "less than three corners"),
        ({"type": "Polygon", "coordinates": [SQUARE, 3]}, "a ring is no list"),
        ({"type": "Polygon", "coordinates": [[[1], *SQUARE]]}, "a position is no list"),
        ({"type": "Polygon", "coordinates": [[["108", "15"], *SQUARE]]}, "a coordinate is no number"),
        ({"type": "Polygon", "coordinates": [[[True, 15], *SQUARE]]}, "a coordinate is no number"),
        ({"type": "Polygon", "coordinates": [[[10**400, 15], *SQUARE]]}, "is not finite"),
        ({"type": "Polygon", "coordinates": [[[1e999, 15], *SQUARE]]}, "is not finite"),
        ({"type": "Polygon", "coordinates": [[[15, 108], *SQUARE]]}, "are the axes swapped?"),
        ({"type": "Polygon", "coordinates": [[[1000, 500], *SQUARE]]}, "is nowhere"),
        ({"type": "Polygon", "coordinates": [[[1, 1], [2, 2], [3, 3], [1, 1]]]}, "no area"),
        ({"type": "MultiPolygon", "coordinates": [SQUARE]}, "a position is no list"),
        ({"type": "Polygon", "coordinates": [SQUARE] * 5001}, "more than 5000 rings"),
    ],
)
async def test_geometries_that_are_no_areas_are_counted(geometry: Any, words: str) -> None:
    document = collection({**area(), "geometry": geometry}, area())
    body = json.dumps(document).replace("Infinity", "1e999").encode()
    found = await batch(KIND, saying(body), map=AREAS)
    assert (len(found.records), found.rows, found.unreadable) == (1, 2, 1)
    assert found.faults[0].startswith("row 1: ")
    assert words in found.faults[0]


async def test_polygons_that_cross_themselves_are_mended_or_refused() -> None:
    bow = [[108.7, 15.0], [108.9, 15.2], [108.9, 15.0], [108.7, 15.2], [108.7, 15.0]]
    comb = [[108.7 + (i % 2) * 0.1, 15.0 + (i * 7919 % 400) / 2000] for i in range(400)]
    found = await batch(KIND, saying(collection(area(coordinates=[bow]), area(coordinates=[comb]))), map=AREAS)
    (one,) = (record for record in found.records if isinstance(record, Area))
    assert one.geometry.is_valid
    assert one.geometry.area == pytest.approx(0.02)
    assert found.faults == ("row 2: geometry: the rings cross themselves, too often to be mended",)


async def test_a_ring_without_its_last_position_is_closed() -> None:
    found = await batch(KIND, saying(collection(area(coordinates=[SQUARE[:-1]]))), map=AREAS)
    (one,) = (record for record in found.records if isinstance(record, Area))
    assert one.geometry.area == pytest.approx(0.04)


@pytest.mark.parametrize(
    ("feature", "words"),
    [
        (3, "it is no Feature"),
        (None, "it is no Feature"),
        ({"type": "Point", "coordinates": [1, 2]}, "it is no Feature"),
        ({**point(1), "properties": 3}, "it is no Feature"),
        ({**point(1), "properties": None}, "technology: blank"),
        ({**point(1), "geometry": {"type": "Point", "coordinates": []}}, "a position is no list"),
        ({**point(1), "geometry": {"type": "Point", "coordinates": [15.1, 108.8]}}, "are the axes swapped?"),
        ({**point(1), "geometry": {"type": "Point", "coordinates": [1e999, 15]}}, "is not finite"),
        ({**point(1), "geometry": area()["geometry"]}, "a Polygon, not a Point"),
        (point(1, technology={"a": 1}), "an object, not a value"),
        (point(1, technology="\ud800"), "characters that are none"),
    ],
)
async def test_features_that_are_no_cells_are_counted(feature: Any, words: str) -> None:
    body = json.dumps(collection(feature, point(2))).replace("Infinity", "1e999").encode()
    found = await batch(KIND, saying(body), map=CELLS)
    assert [record.key for record in found.records if isinstance(record, Cell)] == ["c2"]
    assert (found.rows, found.unreadable) == (2, 1)
    assert words in found.faults[0]


async def test_a_feature_without_a_place_is_a_cell_without_one() -> None:
    multi = {**point(2), "geometry": {"type": "MultiPoint", "coordinates": [[LON, LAT]]}}
    found = await batch(KIND, saying(collection({**point(1), "geometry": None}, multi)), map=CELLS)
    assert [(cell.lat, cell.lon) for cell in found.records if isinstance(cell, Cell)] == [(None, None), (LAT, LON)]


@pytest.mark.parametrize(
    "document",
    [
        [],
        {},
        {"type": "Feature collection", "features": []},
        {"type": "FeatureCollection"},
        {"type": "FeatureCollection", "features": {}},
        {"type": "Point", "coordinates": [LON, LAT]},
        {"type": 3},
        {"error": {"code": 400, "message": "Invalid URL"}},
        {"geometryType": "esriGeometryPoint", "features": [{"attributes": {}, "geometry": {"x": 1, "y": 2}}]},
        b'{"type": "FeatureCollection", "features": [',
        b'{"type": "FeatureCollection", "features": [{"type": "Feature", "geometry": NaN}]}',
    ],
)
async def test_what_is_no_collection_is_no_feed(document: Any) -> None:
    result = await run(KIND, saying(document), map=CELLS)
    assert (result.outcome, result.reason) == (Outcome.FAIL, Reason.PROTOCOL), result


async def test_one_feature_is_a_collection_of_it() -> None:
    found = await batch(KIND, saying(point(1)), map=CELLS)
    assert len(found.records) == 1


def named(name: Any) -> dict[str, Any]:
    """The member `crs` of GeoJSON 2008."""
    return {"crs": {"type": "name", "properties": {"name": name}}}


@pytest.mark.parametrize(
    ("name", "crs", "good"),
    [
        ("urn:ogc:def:crs:OGC:1.3:CRS84", 4326, True),
        ("http://www.opengis.net/def/crs/OGC/1.3/CRS84", 4326, True),
        ("urn:ogc:def:crs:EPSG::4326", 4326, True),
        ("EPSG:4326", 4326, True),
        ("EPSG:5898", 4326, False),
        ("urn:ogc:def:crs:EPSG::5898", 5898, True),
        ("http://www.opengis.net/def/crs/EPSG/0/5898", 5898, True),
        ("urn:ogc:def:crs:OGC:1.3:CRS84", 5898, False),
        ("Hà Nội 1972", 4326, False),
        (3, 4326, False),
        (None, 4326, False),
    ],
)
async def test_the_system_of_the_coordinates_must_be_the_declared_one(name: Any, crs: int, good: bool) -> None:
    result = await run(KIND, saying(collection(**named(name))), map=CELLS, crs=crs)
    assert (result.outcome is Outcome.OK) is good, result
    assert good or result.reason is Reason.UNEXPECTED


async def test_coordinates_of_vn_2000_become_wgs_84() -> None:
    easting, northing = Transformer.from_crs(4326, 5898, always_xy=True).transform(LON, LAT)
    ring = [[easting + x, northing + y] for x, y in ((0, 0), (1000, 0), (1000, 1000), (0, 1000), (0, 0))]
    for swapped in (False, True):
        turn = -1 if swapped else 1
        settings: dict[str, Any] = {"crs": 5898, "axes": "lat-lon" if swapped else "lon-lat"}
        found = await batch(KIND, saying(collection(point(1, (easting, northing)[::turn]))), map=CELLS, **settings)
        (cell,) = (record for record in found.records if isinstance(record, Cell))
        assert [cell.lat, cell.lon] == pytest.approx([LAT, LON], abs=1e-6)
        shape = area(coordinates=[[position[::turn] for position in ring]])
        found = await batch(KIND, saying(collection(shape)), map=AREAS, **settings)
        (one,) = (record for record in found.records if isinstance(record, Area))
        assert one.geometry.bounds == pytest.approx((LON, LAT, LON + 0.0093, LAT + 0.00904), abs=2e-4)


async def test_swapped_axes_can_be_declared() -> None:
    found = await batch(KIND, saying(collection(point(1, (LAT, LON)))), map=CELLS, axes="lat-lon")
    assert [(cell.lat, cell.lon) for cell in found.records if isinstance(cell, Cell)] == [(LAT, LON)]


async def test_points_are_outages_where_the_map_says_so() -> None:
    plan = {"dataset": "outages", "fields": {"lat": "@lat", "lon": "@lon", "reason": "lý do"}}
    feature = {**point(1), "properties": {"ly\u0301 do": "Mất điện"}}
    found = await batch(KIND, saying(collection(feature)), map=plan)
    assert found.records == (Outage("viettel", lat=LAT, lon=LON, reason="Mất điện"),)


async def test_nested_properties_are_selected_by_jmespath() -> None:
    fields = {"cell": '"@id"', "technology": "radio.generation", "lat": '"@lat"', "lon": '"@lon"'}
    plan = {"dataset": "cells", "document": {}, "fields": fields}
    found = await batch(KIND, saying(collection(point(1, radio={"generation": "5G"}))), map=plan)
    assert found.records == (Cell("viettel", "c1", Technology.G5, lat=LAT, lon=LON),)


@pytest.mark.parametrize("stamp", ["now", 3, {}])
async def test_a_collection_of_a_time_that_cannot_be_read_is_refused(stamp: Any) -> None:
    result = await run(KIND, saying(collection(point(1), timeStamp=stamp)), map=CELLS)
    assert (result.outcome, result.reason) == (Outcome.FAIL, Reason.UNEXPECTED), result


async def test_too_many_features_or_values_are_a_failure() -> None:
    document = collection(*(point(number) for number in range(200)))
    for limit, most in (("max_features", 199), ("max_values", 1000)):
        settings: dict[str, Any] = {limit: most}
        result = await run(KIND, saying(document), map=CELLS, **settings)
        assert (result.outcome, result.reason) == (Outcome.FAIL, Reason.TOO_LARGE), result


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"map": {**CELLS.model_dump(exclude_unset=True), "table": {}}}, "it is not for JSON"),
        ({"source": {"folder": "x"}, "paging": {"by": "link-header"}}, "`paging` is for sources with `url`"),
        ({"crs": 5899123}, "less than or equal to 32767"),
        ({"crs": 9999}, "EPSG:9999 is no coordinate system"),
        ({"map": {**CELLS.model_dump(exclude_unset=True), "as_of": {"by": "above", "pattern": "x"}}}, "is for tables"),
        ({"axes": "x-y"}, "'lon-lat' or 'lat-lon'"),
    ],
)
def test_settings_that_do_not_fit_are_refused(settings: dict[str, Any], words: str) -> None:
    given = {"source": {"url": "http://a/"}, "map": CELLS, "operator": "a", "period": "5m", **settings}
    with pytest.raises(ValidationError) as caught:
        KIND.spec.model_validate(given)
    assert words in str(caught.value)
