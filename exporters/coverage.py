"""Coverage for maps, people and programs: what Prometheus must not hold as series, a village or a site at a time."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from aiohttp import web

from collector.intake import Holding
from collector.service import Service
from collector.views import Coverage

if TYPE_CHECKING:  # loaded with the first places and feeds only: it takes memory
    from collector.coverage.detail import SiteDetail, VillageDetail, ZoneDetail
    from collector.coverage.figures import Bounds, Figures, Level
    from collector.coverage.what_if import WhatIf

GEOJSON = "application/geo+json"  # RFC 7946 section 12
NOTHING_YET = "no coverage is counted: it needs places in inventory.d and a feed of cells (see README)\n"
Json = dict[str, Any]


class CoverageDesk:
    """Handlers over the last count."""

    def __init__(self, service: Service) -> None:
        self._service = service

    def routes(self) -> list[web.RouteDef]:
        """All routes."""
        return [
            web.get("/api/v1/coverage", self.coverage),
            web.get("/api/v1/coverage/what-if", self.what_if),
            web.get("/api/v1/villages.geojson", self.villages),
            web.get("/api/v1/zones.geojson", self.zones),
            web.get("/api/v1/sites.geojson", self.sites),
        ]

    async def coverage(self, _: web.Request) -> web.Response:
        """Every figure of the province, how it was made and how fresh it is, and what each feed gave."""
        feeds = [self._feed(holding) for holding in self._service.holdings.by_target.values()]
        return await self._answer(lambda coverage: {**_province(coverage), "feeds": feeds}, "application/json")

    async def what_if(self, request: web.Request) -> web.Response:
        """Who would lose signal if what `?site=`, `?operator=` or `?commune=` names failed."""
        given = {name: request.query[name] for name in ("site", "operator", "commune") if name in request.query}
        return await self._answer(lambda coverage: _supposed(coverage.figures, given), "application/json")

    async def villages(self, request: web.Request) -> web.Response:
        """Every village with its signal; `?commune=` narrows it."""
        wanted = request.query.get("commune")

        def features(coverage: Coverage) -> Json:
            from collector.coverage.detail import villages  # noqa: PLC0415  see above

            found = villages(coverage.figures)
            return _collection(coverage, (_village(one) for one in found if wanted in (None, one.commune)))

        return await self._answer(features, GEOJSON)

    async def zones(self, request: web.Request) -> web.Response:
        """Every zone with the share of it that is served; `?category=` narrows it."""
        wanted = request.query.get("category")

        def features(coverage: Coverage) -> Json:
            from collector.coverage.detail import zones  # noqa: PLC0415  see above

            found = zones(coverage.figures)
            return _collection(coverage, (_zone(one) for one in found if wanted in (None, one.zone.category)))

        return await self._answer(features, GEOJSON)

    async def sites(self, request: web.Request) -> web.Response:
        """Every site with the state of each operator on it; `?commune=` and `?operator=` narrow it."""
        commune, operator = request.query.get("commune"), request.query.get("operator")

        def features(coverage: Coverage) -> Json:
            from collector.coverage.detail import sites  # noqa: PLC0415  see above

            found = (one for one in sites(coverage.figures) if commune in (None, one.commune))
            return _collection(coverage, (_site(one) for one in found if operator is None or operator in one.operators))

        return await self._answer(features, GEOJSON)

    async def _answer(self, make: Callable[[Coverage], Json], content_type: str) -> web.Response:
        coverage = self._service.views.coverage
        if coverage is None:
            return web.Response(text=NOTHING_YET, status=503)
        text = await asyncio.to_thread(lambda: json.dumps(make(coverage), ensure_ascii=False, allow_nan=False))
        # Grafana's map reads it from the browser, from another origin.
        return web.Response(text=text, content_type=content_type, headers={"Access-Control-Allow-Origin": "*"})

    def _feed(self, holding: Holding) -> Json:
        batch, refusal = holding.batch, holding.refusal
        return {
            "target": holding.target.id,
            "operator": holding.spec.operator,
            "dataset": holding.spec.dataset.value,
            "sense": holding.spec.sense.value,
            "synthetic": holding.target.synthetic,
            "fresh": self._service.holdings.fresh(holding),
            "as_of": holding.as_of if batch is not None else None,
            "records": len(batch.records) if batch is not None else 0,
            "unreadable_rows": batch.unreadable if batch is not None else 0,
            "accepted": holding.accepted,
            "refused": {guard.value: count for guard, count in sorted(holding.refused.items())},
            "refusal": {"guard": refusal.guard.value, "detail": refusal.detail} if refusal is not None else None,
        }


def _province(coverage: Coverage) -> Json:
    figures = coverage.figures
    places = figures.links.places
    return {
        "counted_at": coverage.at,
        "territory": places.territory,
        "synthetic": any(village.synthetic for village in places.villages),
        "villages": figures.villages,
        "population": figures.inhabitants,
        "zones": dict(figures.zones),
        "technologies": {one.value: _level(figures, level) for one, level in figures.levels.items()},
        "cells": _tally((operator, one.value, state.value, n) for (operator, one, state), n in figures.cells.items()),
        "sites": _tally((operator, "all", state.value, n) for (operator, state), n in figures.sites.items()),
        "unmatched_outages": coverage.network.unmatched,
        "unknown_declared_places": figures.links.strays,
    }


def _level(figures: Figures, level: Level) -> Json:
    villages = figures.villages
    return {
        "villages_covered": _bounds(level.covered),
        "ratio": _bounds(level.covered.ratio(villages)),
        "population_ratio": _population(figures, level.inhabitants),
        "uncovered": level.uncovered,
        "single_operator": level.single_operator,
        "single_site": level.single_site,
        "n1_ratio": level.twofold / villages if villages else None,
        "assumed": level.assumed,
        "made_by": {source.name.lower(): count for source, count in level.made.items()},
        "freshness": {"known_share": level.freshness.share, "oldest": level.freshness.oldest},
        "operators": {name: _bounds(bounds.ratio(villages)) for name, bounds in level.operators.items()},
        "best_operator": _bounds(level.best.ratio(villages)),
        "best_operator_population_ratio": _population(figures, level.best_inhabitants),
        "zones_covered": {category: _bounds(bounds) for category, bounds in level.zones.items()},
    }


def _population(figures: Figures, inhabitants: Bounds | None) -> Json | None:
    if inhabitants is None or figures.inhabitants is None:
        return None
    return _bounds(inhabitants.ratio(figures.inhabitants))


def _bounds(bounds: Bounds | None) -> Json | None:
    return None if bounds is None else {"lower": bounds.lower, "upper": bounds.upper}


def _tally(rows: Iterable[tuple[str, str, str, int]]) -> Json:
    """Nested by operator, technology and state."""
    found: Json = {}
    for operator, technology, state, count in rows:
        found.setdefault(operator, {}).setdefault(technology, {})[state] = count
    return found


def _supposed(figures: Figures, given: Mapping[str, str]) -> Json:
    from collector.coverage.detail import communes  # noqa: PLC0415  see above
    from collector.coverage.what_if import what_if  # noqa: PLC0415

    try:
        found: WhatIf = what_if(figures, **given)
    except ValueError as error:
        raise web.HTTPNotFound(text=f"{error}\n") from None
    places = figures.links.places
    named = zip(places.villages, communes(figures.links), strict=True)
    villages = {one.id: {"id": one.id, "name": one.name, "commune": commune} for one, commune in named}
    zones = {zone.id: zone for zone in places.zones}
    return {
        "failing": dict(given),
        "cells": found.cells,
        "sites": found.sites,
        "technologies": {
            technology.value: {
                "villages": [villages[one] for one in loss.villages],
                "zones": [
                    {"id": one, "name_vi": zones[one].name_vi, "name_en": zones[one].name_en} for one in loss.zones
                ],
                "population": loss.inhabitants,
            }
            for technology, loss in found.losses.items()
        },
        "operators": {
            operator: {technology.value: len(lost) for technology, lost in by.items()}
            for operator, by in found.operators.items()
        },
    }


def _collection(coverage: Coverage, features: Iterator[Json]) -> Json:
    return {"type": "FeatureCollection", "counted_at": coverage.at, "features": list(features)}


def _feature(name: str, lat: float | None, lon: float | None, properties: Json) -> Json:
    point = {"type": "Point", "coordinates": [lon, lat]} if lat is not None else None
    return {"type": "Feature", "id": name, "geometry": point, "properties": properties}


def _village(detail: VillageDetail) -> Json:
    village = detail.village
    signal = {
        f"{technology.value}": {
            "covered": {"lower": one.lower, "upper": one.upper},
            "sites": one.sites,
            "operators": list(one.operators),
            "made_by": one.source.name.lower() if one.source is not None else None,
        }
        for technology, one in detail.signal.items()
    }
    best = max((technology.value for technology, one in detail.signal.items() if one.lower), default="none")
    return _feature(
        village.id,
        village.lat,
        village.lon,
        {
            "name": village.name,
            "commune": detail.commune,
            "population": village.population,
            "synthetic": village.synthetic,
            "best": best,
            "signal": signal,
        },
    )


def _zone(detail: ZoneDetail) -> Json:
    zone = detail.zone
    return _feature(
        zone.id,
        zone.lat,
        zone.lon,
        {
            "name_vi": zone.name_vi,
            "name_en": zone.name_en,
            "category": zone.category,
            "synthetic": zone.synthetic,
            "covered": {
                one.value: dict(zip(("lower", "upper"), both, strict=True)) for one, both in detail.covered.items()
            },
            "share": {
                one.value: dict(zip(("lower", "upper"), both, strict=True)) for one, both in detail.shares.items()
            },
        },
    )


def _site(detail: SiteDetail) -> Json:
    states = {operator: state.value for operator, state in detail.operators.items()}
    return _feature(
        detail.id,
        detail.lat,
        detail.lon,
        {
            "name": detail.name,
            "commune": detail.commune,
            "operators": states,
            "active": sum(state == "active" for state in states.values()),
            "critical_villages": {technology.value: count for technology, count in detail.critical.items()},
        },
    )
