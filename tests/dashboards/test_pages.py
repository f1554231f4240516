"""The pages themselves: current, without faults, the same each time."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.cog.plugins import register_default_plugins
from grafana_foundation_sdk.models import dashboard as model

from dashboards import components, manifests, output
from dashboards.lint import faults
from dashboards.queries.annotations import UNDRAWN
from dashboards.rules.compose import alerts
from dashboards.words import Json

STEMS = {
    *("noc-wall", "overview", "sla", "system", "data-centre", "coverage", "coverage-map"),
    *("operator", "network", "iot", "collector"),
}
# Of the models that older Grafana wrote, and of the data source, which the library does not read back.
_NOT_READ = frozenset({"expr", "step", "titleFormat", "textFormat", "tagKeys"})


def test_every_page_is_there_in_both_languages(pages: dict[str, Json]) -> None:
    """The set that the design names."""
    assert set(pages) == {f"hatang-{stem}-{language}" for stem in STEMS for language in ("vi", "en")}


def test_pages_have_no_faults(pages: dict[str, Json]) -> None:
    """Every rule holds for every page."""
    assert faults(pages) == []


def test_what_single_stations_have_is_not_drawn_across_panels(pages: dict[str, Json]) -> None:
    """A storm would be thousands of lines; what explains it is drawn."""
    assert {rule.alert for _, rule in alerts()} > set(UNDRAWN)
    drawn = [one["expr"] for page in pages.values() for one in page["annotations"]["list"] if "ALERTS" in one["expr"]]
    assert len(drawn) == 2 * len(pages)
    undrawn = "|".join(UNDRAWN)
    assert all(f'alertname!~"{undrawn}"' in expr for expr in drawn)


def test_what_is_committed_is_current(pages: dict[str, Json]) -> None:
    """Nobody edited the JSON, nobody forgot to make it anew (`make dashboards`)."""
    assert output.differing(output.files(pages), output.WRITTEN) == []
    assert output.differing(manifests.files(pages), manifests.FOLDER) == []


def test_two_builds_are_the_same(pages: dict[str, Json]) -> None:
    """Nothing depends on what was built before."""
    again = components.pages(components.definitions())
    assert output.files(again) == output.files(pages)


def test_the_models_know_every_key(pages: dict[str, Json]) -> None:
    """Read and written by the models of Grafana's library, no key of ours is lost."""
    register_default_plugins()
    for page in pages.values():
        again = json.loads(json.dumps(model.Dashboard.from_json(page), cls=JSONEncoder))
        lost = [path for path in _lost(page, again, "") if path.rpartition("/")[2] not in _NOT_READ]
        assert lost == []


def _lost(before: Any, after: Any, path: str) -> Iterator[str]:
    if isinstance(before, dict) and isinstance(after, dict):
        for key, value in before.items():
            if key not in after:
                if value not in (None, [], {}, ""):
                    yield f"{path}/{key}"
            else:
                yield from _lost(value, after[key], f"{path}/{key}")
    elif isinstance(before, list) and isinstance(after, list):
        for place, (one, other) in enumerate(zip(before, after, strict=True)):
            yield from _lost(one, other, f"{path}/{place}")
