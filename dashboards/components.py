"""The types of components that definitions are composed of, for grafana-dashboard-builder.

It reads YAML, puts named and inline components together and expands `{lang}`. Its own panels are not used: what they
write is the JSON of 2015, of which today's Grafana drops the limits. Our panels only check what is written; pages are
made by plain functions (`page.py`), so that this file is all that knows the builder.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml
from grafana_dashboards.components.base import ComponentRegistry, JsonGenerator, JsonListGenerator
from grafana_dashboards.components.projects import Project as StockProject
from grafana_dashboards.exporter import DashboardExporter, ProjectProcessor
from pydantic import ValidationError

from dashboards import spec
from dashboards.page import page
from dashboards.words import Json

KINDS = ("stat", "gauge", "bar-gauge", "time-series", "state-timeline", "status-history", "table", "text", "geomap")
DEFINITIONS = Path(__file__).parent / "definitions"


class Faulty(Exception):
    """A definition says what it may not."""


class PanelsItem(JsonGenerator):
    """A panel; its kind is its type."""

    def gen_json_from_data(self, data: Any, context: Any) -> Json:  # noqa: ARG002  the builder asks so
        """What the definition says of it."""
        return {"kind": self.kind, **data}


def _kind(name: str) -> type[PanelsItem]:
    camel = "".join(word.capitalize() for word in name.split("-"))
    return type(camel, (PanelsItem,), {"kind": name, "__doc__": f"A panel of kind {name}."})


PANELS = {name: _kind(name) for name in KINDS}


class Panels(JsonListGenerator):
    """Panels of a row."""

    def __init__(self, data: Any, registry: Any) -> None:
        super().__init__(data, registry, PanelsItem)


class RowsItem(JsonGenerator):
    """What rows consist of."""


class Row(RowsItem):
    """A row: a title if wanted, and panels."""

    def gen_json_from_data(self, data: Any, context: Any) -> Json:  # noqa: ARG002  the builder asks so
        """The same, with its panels put together."""
        panels = self.registry.create_component(Panels, {"panels": data.get("panels", [])}).gen_json()
        return {**data, "panels": panels}


class Rows(JsonListGenerator):
    """Rows of a page; with a name, a block that several pages share."""

    def __init__(self, data: Any, registry: Any) -> None:
        super().__init__(data, registry, RowsItem)


class Dashboard(JsonGenerator):
    """A page in one language."""

    def gen_json_from_data(self, data: Any, context: Any) -> Json:  # noqa: ARG002  the builder asks so
        """Grafana's JSON. Raises Faulty."""
        rows = self.registry.create_component(Rows, {"rows": data.get("rows", [])}).gen_json()
        stem = self.name.removesuffix("-{lang}")
        try:
            return page(stem, spec.Dashboard.model_validate({**data, "rows": rows}))
        except ValidationError as error:
            raise Faulty(f"{stem}: {_told(error)}") from error
        except KeyError as error:
            raise Faulty(f"{stem}: nothing in the catalogue is called {error}") from error


class Project(StockProject):
    """Which pages, in which languages."""

    def get_dashboards(self) -> list[Dashboard]:
        """The pages it names."""
        return [self.registry.get_component(Dashboard, name) for name in self._get_dashboard_names()]


def _told(error: ValidationError) -> str:
    return "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors())


class Registry(ComponentRegistry):
    """Knows our types only, and takes nothing that it does not understand."""

    TYPES: Mapping[str, type] = {
        **PANELS,
        "panels": Panels,
        "row": Row,
        "rows": Rows,
        "dashboard": Dashboard,
        "project": Project,
    }

    def __init__(self) -> None:
        self._types = dict(self.TYPES)
        self._components: dict[type, dict[str, Any]] = {kind: {} for kind in self.TYPES.values()}

    def add(self, component: dict[str, Any]) -> None:
        """Take a component with a name. Raises Faulty."""
        types = component.keys() - {"name"}
        if not isinstance(component.get("name"), str) or len(types) != 1 or not types <= self._types.keys():
            raise Faulty(f"a component has a name and one of {', '.join(self.TYPES)}; this one has {sorted(component)}")
        super().add(component)


class _Collected(DashboardExporter):
    """Keeps the pages instead of writing them."""

    def __init__(self) -> None:
        self.pages: dict[str, Json] = {}

    def process_dashboard(self, project_name: str, dashboard_name: str, dashboard_data: Json) -> None:  # noqa: ARG002
        """Keep one. Raises Faulty where two have the same name."""
        uid = dashboard_data["uid"]
        if uid in self.pages:
            raise Faulty(f"two pages are called {uid}")
        self.pages[uid] = dashboard_data


def pages(files: Iterable[Path]) -> dict[str, Json]:
    """Every page that the definitions describe, by uid. Raises Faulty."""
    registry = Registry()
    for file in files:
        try:
            for component in _components(file):
                registry.add(component)
        except (yaml.YAMLError, Faulty) as error:
            raise Faulty(f"{file.name}: {error}") from error
    collected = _Collected()
    ProjectProcessor([collected]).process_projects(registry[Project])
    return collected.pages


def _components(file: Path) -> Iterator[dict[str, Any]]:
    for document in yaml.safe_load_all(file.read_text(encoding="utf-8")):
        yield from document or ()


def definitions() -> list[Path]:
    """The files, in a fixed order."""
    return sorted(DEFINITIONS.glob("*.yaml"))
