"""The `geojson` feed: files and OGC API Features, points of sites and polygons of declared coverage."""

from __future__ import annotations

import time
from functools import partial
from typing import Literal

from pydantic import Field, model_validator

from collector.features.collection import OGC_PAGING
from collector.mapping.position import check_system
from collector.mapping.spec import MappedSpec
from collector.measures import fault
from collector.model import Emit, Kind
from collector.net import Context
from collector.records import Batch
from collector.rest.shape import Paging
from collector.selection.fitness import check
from collector.selection.moment import live
from collector.sources.fetch import SOURCE_METRICS
from collector.sources.fetched import Fetched
from collector.sources.made import Shelf, shelved
from collector.sources.spec import HttpSource


class GeoJsonSpec(MappedSpec):
    """Features that a map makes records of."""

    paging: Literal["ogc", "none"] | Paging = Field(
        "ogc",
        description="For `url`: `ogc` follows the link `next` of OGC API Features until there is none; `none` is for a "
        "file, which is asked for again only where it changed.",
    )
    crs: int = Field(
        4326, ge=1024, le=32_767, description="EPSG number of the coordinates; 5898 is VN-2000 / TM-3 108-00."
    )
    axes: Literal["lon-lat", "lat-lon"] = Field(
        "lon-lat", description="Order of the coordinates; RFC 7946 has longitude (easting) first."
    )
    max_features: int = Field(400_000, ge=1, le=2_000_000, description="Most features in one run; more are a failure.")
    max_values: int = Field(
        1_000_000,
        ge=1000,
        le=50_000_000,
        description="Most values of a document (a position is three, an object four).",
    )

    @model_validator(mode="after")
    def _is_readable(self) -> GeoJsonSpec:
        if isinstance(self.paging, Paging) and not isinstance(self.source, HttpSource):
            raise fault("`paging` is for sources with `url`")
        check(self.map)
        check_system(self.crs)
        return self


async def probe(spec: GeoJsonSpec, emit: Emit, context: Context[Shelf]) -> Batch:
    """What the features say. Raises ProbeFailed; OSError when the fault is ours."""
    asked = time.time()
    documents = await _documents(spec, emit, context)
    return await context.resource.batch(spec, documents, partial(_read, spec, documents), live(spec.map.as_of, asked))


async def _documents(spec: GeoJsonSpec, emit: Emit, context: Context[Shelf]) -> tuple[Fetched, ...]:
    sources = context.resource.sources
    if not isinstance(spec.source, HttpSource) or spec.paging == "none":
        return await sources.fetch(spec.source, context, emit)
    paging = OGC_PAGING if spec.paging == "ogc" else spec.paging
    return await sources.pages(spec.source, paging, context, emit)


def _read(spec: GeoJsonSpec, documents: tuple[Fetched, ...]) -> Batch:
    # Geometries take memory that services without such a feed do not need.
    from collector.features.reading import Form, GeoJsonReader  # noqa: PLC0415

    form = Form(spec.crs, spec.axes, spec.max_features, spec.max_values)
    return GeoJsonReader(spec.map, spec.sense, form, spec.operator, spec.operators).read(documents)


KIND = Kind(
    "geojson",
    "Reads GeoJSON files and OGC API Features: points of sites, polygons of declared coverage.",
    GeoJsonSpec,
    SOURCE_METRICS,
    probe,
    shelved,
    feed=True,
)
