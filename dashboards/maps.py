"""Maps that need nothing from the internet: our own API is read through Grafana, as a data source."""

from __future__ import annotations

from grafana_foundation_sdk.models import common, geomap

from dashboards import spec
from dashboards.palette import TECHNOLOGIES, Colour
from dashboards.words import Json, Language

# Grafana hands on what the browser asks for: no second address that the browser must reach, nobody without a login.
API_UID = "hatang-api"
API = f"/api/datasources/proxy/uid/{API_UID}"
# A transparent picture of one pixel stands for every tile; without a URL Grafana takes one from the internet.
BLANK_TILES = (
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAAC0lEQVR42mNgAAIAAAUAAen63NgAAAAASUVORK5CYII="
)
_CIRCLE = "img/icons/marker/circle.svg"


def geomap_options(one: spec.Geomap, value: str, language: Language) -> Json:
    """Points of the query over layers of our API; the points' colour is that of `value`."""
    points = common.MapLayerOptions(
        type_val="markers",
        name=one.title.of(language),
        tooltip=True,
        location=common.FrameGeometrySource(
            mode=common.FrameGeometrySourceMode.COORDS, latitude="lat", longitude="lon"
        ),
        config={"showLegend": True, "style": _style(value)},
    )
    layers = [_layer(layer, language) for layer in one.layers]
    return {
        # Typed as whole numbers, which a province needs not be centred on.
        "view": {"id": "coords", "lat": one.lat, "lon": one.lon, "zoom": one.zoom, "allLayers": True},
        "controls": geomap.ControlsOptions(
            show_zoom=True, mouse_wheel_zoom=True, show_attribution=False, show_scale=True, show_debug=False
        ),
        "tooltip": geomap.TooltipOptions(mode=geomap.TooltipMode.DETAILS),
        "basemap": {"type": "xyz", "name": "Basemap", "config": {"url": BLANK_TILES, "attribution": ""}},
        "layers": [*layers, points],
    }


def _style(value: str) -> Json:
    return {
        "color": {"field": value, "fixed": Colour.UNKNOWN.value},
        "size": {"fixed": 5, "min": 3, "max": 9},
        "symbol": {"mode": "fixed", "fixed": _CIRCLE},
        "opacity": 0.8,
    }


def _layer(layer: spec.MapLayer, language: Language) -> common.MapLayerOptions:
    dots: Json = {"size": {"fixed": layer.size}, "opacity": 0.5}
    rules = [
        {
            "check": {"property": layer.by, "operation": "eq", "value": name},
            "style": {"color": {"fixed": colour.value}, **dots},
        }
        for name, colour in TECHNOLOGIES.items()
    ]
    style: Json = {"color": {"fixed": Colour.UNKNOWN.value}, **dots}
    return common.MapLayerOptions(
        type_val="geojson",
        name=layer.title.of(language),
        tooltip=True,
        config={"src": f"{API}{layer.path}", "style": style, "rules": rules},
    )
