"""Each rule finds what it is there for."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy

import pytest

from dashboards.lint import faults, promql
from dashboards.words import Json

UID = "hatang-noc-wall-vi"
Change = Callable[[Json], None]


def _expr(text: str) -> Change:
    def change(page: Json) -> None:
        page["panels"][0]["targets"][0]["expr"] = text

    return change


def _drawn(text: str) -> Change:
    """In the timeline, which is drawn over time."""

    def change(page: Json) -> None:
        page["panels"][8]["targets"][0]["expr"] = text

    return change


def _panel(**values: object) -> Change:
    return lambda page: page["panels"][0].update(values)


def _page(**values: object) -> Change:
    return lambda page: page.update(values)


def _url(text: str) -> Change:
    def change(page: Json) -> None:
        page["panels"][0]["fieldConfig"]["defaults"]["links"] = [{"title": "x", "url": text}]

    return change


_GOOD_URL = "?${datasource:queryparam}&${__url_time_range}"
BROKEN: dict[str, tuple[Change, str]] = {
    "no such series": (_expr("count(hatang_systm_state)"), "hatang_systm_state: no such series"),
    "no such label": (_expr('hatang_system_state{sytem="a"}'), "has no label sytem"),
    "no PromQL": (_expr("count(hatang_system_state"), "is no PromQL"),
    "no such variable": (_expr('hatang_system_state{system="$sistem"}'), "$sistem is no variable"),
    "raw counter": (_expr("sum(hatang_runs_total)"), "a counter, outside rate"),
    "looks back too far": (_expr("max_over_time(hatang_system_state[1d])"), "looks 24 h back"),
    "offset too far": (_expr("hatang_system_state offset 7d"), "looks 168 h back"),
    "subquery too far": (_expr("max_over_time((hatang_system_state)[2d:1h])"), "looks 48 h back"),
    "fixed window over time": (_drawn("rate(hatang_runs_total[5m])"), "$__rate_interval"),
    "another data source": (_panel(datasource={"type": "prometheus", "uid": "mine"}), "does not ask ${datasource}"),
    "no description": (_panel(description=None), "lacks title or description"),
    "no plugin version": (_panel(pluginVersion=None), "lacks pluginVersion"),
    "asks nothing": (_panel(targets=[]), "asks nothing"),
    "unknown type": (_panel(type="graph"), "which not every Grafana has"),
    "transformation": (_panel(transformations=[{"id": "formatTime"}]), "formatTime is not of those that last"),
    "id twice": (_panel(id=2), "two panels have the same id"),
    "overlap": (_panel(gridPos={"x": 3, "y": 0, "w": 4, "h": 4}), "covers"),
    "too wide": (_panel(gridPos={"x": 22, "y": 90, "w": 4, "h": 4}), "wider than the page"),
    "colour": (_panel(title="#ff0000"), "#ff0000 is not of the palette"),
    "decomposed": (_panel(title="e\u0301"), "not in NFC"),
    "schema": (_page(schemaVersion=42), "schemaVersion is 42"),
    "editable": (_page(editable=True), "editable is True"),
    "id": (_page(id=4), "has an id"),
    "uid": (_page(uid="Hatang " + "x" * 50), "the uid is not"),
    "tags": (_page(tags=[]), "lacks the tag"),
    "dead link": (_url(f"/d/hatang-nowhere-vi{_GOOD_URL}"), "leads to no page"),
    "other language": (_url(f"/d/hatang-sla-en{_GOOD_URL}"), "changes the language"),
    "lost time": (_url("/d/hatang-sla-vi?"), "loses data source or time"),
    "no such variable there": (
        _url(f"/d/hatang-sla-vi{_GOOD_URL}&var-site=${{__field.labels.site}}"),
        "sets site, which hatang-sla-vi does not have",
    ),
    "same words": (_panel(description="Systems whose required targets are all well."), "the same in both languages"),
    "other query": (_expr("count(hatang_system_info)"), "asks something else in English"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_fault_is_found(name: str, pages: dict[str, Json]) -> None:
    """One change, one complaint that names it."""
    change, complaint = BROKEN[name]
    some = {uid: pages[uid] for uid in (UID, "hatang-noc-wall-en", "hatang-sla-vi", "hatang-sla-en")}
    assert not [one for one in faults(some) if complaint in one and one.startswith(UID) and "no page" not in complaint]
    some[UID] = deepcopy(pages[UID])
    change(some[UID])
    assert [one for one in faults(some) if complaint in one and one.startswith(UID)]


def test_a_page_without_its_other_language_is_found(pages: dict[str, Json]) -> None:
    """Both or none."""
    alone = {uid: page for uid, page in pages.items() if uid != "hatang-iot-en"}
    assert "hatang-iot-vi: lacks its other language" in faults(alone)


def test_the_range_of_the_page_is_as_long_as_the_page(pages: dict[str, Json]) -> None:
    """$__range of six hours may read raw series, of thirty days not."""
    some = {UID: deepcopy(pages[UID])}
    some[UID]["panels"][0]["targets"][0]["expr"] = "max_over_time(hatang_system_state[$__range])"
    assert not [one for one in faults(some) if "h back" in one]
    some[UID]["time"]["from"] = "now-30d"
    assert [one for one in faults(some) if "hatang_system_state: looks 720 h back" in one]


@pytest.mark.parametrize("everything", [".+", None])
def test_all_is_all_that_a_variable_lists(everything: str | None, pages: dict[str, Json]) -> None:
    """Of a label .+; but all networks are not all systems."""
    some = {uid: deepcopy(pages[uid]) for uid in ("hatang-network-vi", "hatang-sla-vi")}
    for page in some.values():
        page["templating"]["list"][1]["allValue"] = everything
    complaint = "all is .+, which is more" if everything else "variable category: all is not .+"
    assert len([one for one in faults(some) if complaint in one]) == 1


def test_recorded_series_may_be_drawn_for_long(pages: dict[str, Json]) -> None:
    """The rule is for raw ones."""
    long = {**pages, UID: {**pages[UID], "time": {"from": "now-30d", "to": "now"}}}
    assert [one for one in faults(long) if "is drawn over 720 h" in one]
    assert not [one for one in faults(pages) if "hatang-sla" in one]


def test_uses_name_functions_and_reach() -> None:
    """What is read, inside what, from how long ago."""
    one, two = promql.uses('sum(rate(a_total{x="$y"}[$__rate_interval] offset 1h)) / max_over_time(b:c:d[1d:1m])')
    assert (one.name, one.inside, one.window, one.back) == ("a_total", ("rate",), 300, 3900)
    assert one.labels == {"x"}
    assert (two.name, two.inside, two.back) == ("b:c:d", ("max_over_time",), 86400)
