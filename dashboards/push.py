"""Put pages into a Grafana: a folder a language, only what changed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass
from typing import Final

from dashboards.grafana import Grafana, differs
from dashboards.lint.walk import drawn
from dashboards.maps import API
from dashboards.output import language_of
from dashboards.words import Json, Language, Text, text

FOLDERS: Final[Mapping[Language, str]] = {language: f"hatang-{language.value}" for language in Language}
TITLES: Final[Mapping[Language, Text]] = {
    Language.VI: text("Hạ tầng số", "Hạ tầng số"),
    Language.EN: text("Digital infrastructure", "Digital infrastructure"),
}


@dataclass(frozen=True, slots=True)
class Place:
    """What differs between installations: tiles for maps, and where the browser finds our API."""

    tiles: str | None = None
    api: str | None = None

    def fitted(self, page: Json) -> Json:
        """The page for this installation."""
        found = deepcopy(page)
        for panel in drawn(found):
            if panel["type"] == "geomap":
                self._fit(panel["options"])
        return found

    def _fit(self, options: Json) -> None:
        if self.tiles is not None:
            options["basemap"]["config"]["url"] = self.tiles
        for layer in options["layers"]:
            source = layer.get("config", {}).get("src")
            if self.api is not None and source:
                layer["config"]["src"] = self.api.rstrip("/") + source.removeprefix(API)


def title(language: Language) -> str:
    """Title of the folder of a language."""
    return TITLES[language].of(language)


def push(
    grafana: Grafana, pages: Mapping[str, Json], languages: Iterable[Language], place: Place, *, dry: bool = False
) -> Iterator[str]:
    """Put what differs, page by page; says what was done. Raises Refused at the first refusal."""
    for language in languages:
        folder = FOLDERS[language]
        if grafana.ensure_folder(folder, title(language), dry=dry):
            yield f"folder {folder}: made"
        for uid, page in sorted(pages.items()):
            if language_of(uid) is language:
                yield f"{uid}: {_put(grafana, place.fitted(page), folder, dry=dry)}"


def _put(grafana: Grafana, page: Json, folder: str, *, dry: bool) -> str:
    there = grafana.page(page["uid"])
    if there is not None and there[1] == folder and not differs(page, there[0]):
        return "unchanged"
    if not dry:
        grafana.put(page, folder, "hatang: python -m dashboards push")
    if there is None:
        return "made"
    return "changed" if there[1] == folder else f"moved here from folder {there[1] or '(none)'}"
