"""The files that a stock Grafana takes as they are."""

from __future__ import annotations

import json
from pathlib import Path

import yaml

from dashboards import manifests
from dashboards.maps import API, API_UID
from dashboards.push import FOLDERS, title
from dashboards.words import Json, Language

DEPLOY = Path(__file__).parents[2] / "deploy" / "grafana"


def _read(name: str) -> Json:
    found: Json = yaml.safe_load((DEPLOY / name).read_text(encoding="utf-8"))
    return found


def test_data_sources_have_fixed_uids() -> None:
    """The same in the file and in the ConfigMap; the API is the one that maps ask."""
    files = _read("provisioning/datasources/hatang.yaml")
    cluster = yaml.safe_load(_read("kubernetes/datasources.yaml")["data"]["hatang.yaml"])
    for found in (files, cluster):
        sources = {one["uid"]: one for one in found["datasources"]}
        assert set(sources) == {"hatang-prometheus", API_UID}
        assert found["apiVersion"] == 1
        assert all(one["type"] == "prometheus" and one["access"] == "proxy" for one in sources.values())
        assert [uid for uid, one in sources.items() if one.get("isDefault")] == ["hatang-prometheus"]
        # The variable `datasource` leaves out what begins so.
        assert sources[API_UID]["name"].startswith("hatang API")
    assert API.endswith(API_UID)


def test_a_provider_for_each_language() -> None:
    """Folders as `push` names them; nobody edits in the browser what a file says."""
    providers = {one["folderUid"]: one for one in _read("provisioning/dashboards/hatang.yaml")["providers"]}
    assert set(providers) == set(FOLDERS.values())
    for language in Language:
        one = providers[FOLDERS[language]]
        assert one["folder"] == title(language)
        assert one["type"] == "file"
        assert one["allowUiUpdates"] is False
        assert one["options"]["path"].endswith(f"/{language.value}")


def test_config_maps_are_found_by_the_sidecar(pages: dict[str, Json]) -> None:
    """One a page, with the label, under the limit of Kubernetes."""
    texts = manifests.files(pages)
    assert {path.stem for path in texts} == set(pages)
    for path, text in texts.items():
        found = yaml.safe_load(text)
        assert found["metadata"]["labels"]["grafana_dashboard"] == "1"
        assert found["metadata"]["name"] == path.stem
        assert len(text.encode()) < manifests.LIMIT
        assert json.loads(found["data"][f"{path.stem}.json"]) == pages[path.stem]
