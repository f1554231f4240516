"""The demo as a user plays it: real Prometheus, the script of faults, nothing else disturbed.

One run of about three minutes, without the long scenes; the tests judge what Prometheus remembers of it.
"""

from __future__ import annotations

import asyncio
import math
import re
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.serving import SYSTEM, until
from tests.system.demo_run import MARGIN, ROOT, Demo, Samples, Timing, complaints, demo, listed
from tests.system.seen import LABEL, complaints_of_notices, complaints_of_panel, offered, shown, table

pytestmark = [pytest.mark.system, pytest.mark.demo, pytest.mark.timeout(400)]

SCRAPE = 5.0
FIRST_RESULTS = 20.0  # of what is polled once a minute, after the stage is set
REMEMBERING = 15.0  # to ask Prometheus for everything
LONG = {"centre-isolated", "uplink-lost"}  # see test_demo_scenes.py
ADDED, ADDED_SYSTEM = "them-vao", "he-thong-them-vao"
SELECTOR = re.compile(r"([a-zA-Z_]\w*)\{([^}]*)\}")
# What moves by itself in a healthy province cannot tell that something else moved it.
MOVING = {
    "probe_duration_seconds",
    "probe_http_duration_seconds",
    "pg_connections_used_ratio",
    "pg_stat_replication_replay_lag_seconds",
}
# Several faults move the same figures of coverage, each by its own: see tests/collector/demo/test_mobile_feeds.py.
COUNTED = {
    "hatang_cells",
    "hatang_feed_records",
    "hatang_operator_coverage_ratio",
    "hatang_sites",
    "hatang_villages_covered",
    "hatang_zones_covered",
}
FEEDS = {"geojson", "json", "pm3gpp", "table"}
# The report's figures, as long as nothing is wrong.
REPORTED = {
    'hatang_coverage_ratio{technology="4G",bound="lower"}': 1.0,
    'hatang_zones_covered{category="industrial-park-dung-quat",technology="5G",bound="lower"}': 4.0,
    'hatang_zones_covered{category="industrial-park",technology="5G",bound="lower"}': 1.0,
    'hatang_zones_covered{category="industrial-cluster",technology="5G",bound="lower"}': 2.0,
    'hatang_zones_covered{category="transport-hub",technology="5G",bound="lower"}': 9.0,
}
ASSUMED = "max(hatang_coverage_assumed_ratio)"
MOST_SERIES = 40_000


@dataclass(slots=True)
class Played:
    """What one run left behind."""

    faults: list[dict[str, Any]] = field(default_factory=list)
    events: dict[tuple[str, bool], float] = field(default_factory=dict)
    begun: float = 0.0
    ended: float = 0.0
    said: str = ""
    status: int | None = None
    targets: int = 0
    shown: dict[str, list[tuple[dict[str, str], Samples]]] = field(default_factory=dict)
    changed: list[dict[str, str]] = field(default_factory=list)
    up: Samples = field(default_factory=list)
    success: dict[str, Samples] = field(default_factory=dict)
    count: Samples = field(default_factory=list)
    figures: dict[str, Samples] = field(default_factory=dict)
    series: float = 0.0
    panels: dict[str, list[Samples]] = field(default_factory=dict)
    offered: dict[str, set[str]] = field(default_factory=dict)
    appeared: float = 0.0
    vanished: float = 0.0
    left_over: list[int] = field(default_factory=list)


@pytest.fixture(scope="module")
def played(plays: Callable[[str], Played]) -> Played:
    """The run."""
    return plays(__name__)


async def play(directory: Path) -> Played:
    """Play it once."""
    if shutil.which("prometheus") is None:
        pytest.fail("prometheus is not installed")
    config = directory / "config"
    await asyncio.to_thread(shutil.copytree, ROOT / "config", config)
    faults = await asyncio.to_thread(listed, config)
    chosen = ",".join(fault["id"] for fault in faults if fault["id"] not in LONG)
    told = Played(faults=await asyncio.to_thread(listed, config, "--faults", chosen))
    over = _over(told.faults)
    async with demo(config, "--for", f"{over + REMEMBERING:.0f}s", "--faults", chosen, faults=len(told.faults)) as it:
        told.begun = time.time()
        children = it.children()
        await _add_and_remove(it, config, told)
        await it.over.wait()
        told.ended = told.begun + over
        await asyncio.sleep(told.ended - time.time())
        await _remember(it, told)
        told.status = await it.process.wait()
    told.events = {(fault, begins): moment for moment, fault, begins in it.events}
    told.said = "".join(it.said)
    told.left_over = [pid for pid in children if Path(f"/proc/{pid}").exists()]
    return told


def _over(faults: list[dict[str, Any]]) -> float:
    """Seconds from when the stage is set until nothing is left of any fault."""
    found = []
    for fault in faults:
        begins = fault["begins_seconds"]
        timing = Timing(begins, begins + fault["lasts_seconds"], fault["polled_within_seconds"], SCRAPE)
        found += [timing.gone_by(show) for show in fault["shows"]]
    return max(found) + MARGIN


async def _add_and_remove(it: Demo, config: Path, told: Played) -> None:
    async with it.client.get(f"{it.address}/api/v1/targets") as answer:
        told.targets = sum(target["kind"] not in FEEDS for target in (await answer.json())["targets"])
    target: dict[str, Any] = {
        "id": ADDED,
        "system": ADDED_SYSTEM,
        "kind": "tcp",
        "host": "edge.enterprise-hosting.quangngai.example",
    }
    target |= {"port": 443, "tls": True, "interval": "1s", "timeout": "900ms"}
    system = SYSTEM | {"owner": "unstated", "id": ADDED_SYSTEM}
    path = config / "targets.d" / "them.yaml"
    query = f'probe_success{{target="{ADDED}"}} == 1'
    added = time.time()
    path.write_text(yaml.safe_dump({"systems": [system], "targets": [target]}))
    await until(lambda: it.query(query), within=60)
    told.appeared = time.time() - added
    told.offered["system"] = await offered(it, "system", "system")
    told.offered["target"] = await offered(it, "system", "target", system=ADDED_SYSTEM)
    path.unlink()
    removed = time.time()

    async def gone() -> bool:
        return not await it.query(query)

    await until(gone, within=60)
    told.vanished = time.time() - removed


async def _remember(it: Demo, told: Played) -> None:
    span = told.begun, told.ended
    for fault in told.faults:
        told.panels[fault["id"]] = await shown(it, fault, span)
        for show in fault["shows"] + fault["keeps"]:
            told.shown[show["query"]] = await it.values(show["query"], *span)
    window = f"[{int(told.ended - told.begun)}s]"
    for name in {selector["__name__"] for selector in _named(told)} - MOVING - COUNTED:
        moved = await it.query(f"changes({name}{window}) > 0")
        told.changed += [{**one["metric"], "__name__": name} for one in moved]
    told.up = (await it.values('up{job="hatang"}', *span))[0][1]
    told.count = (await it.values("count(probe_success)", *span))[0][1]
    for query in (*REPORTED, ASSUMED):
        told.figures[query] = (await it.values(query, *span))[0][1]
    told.series = (await it.values('max_over_time(scrape_samples_scraped{job="hatang"}[5m])', *span))[0][1][-1][1]
    told.success = {labels["target"]: samples for labels, samples in await it.values("probe_success", *span)}


def test_the_run_ended_by_itself_with_success_and_left_nothing_behind(played: Played) -> None:
    assert played.status == 0, played.said
    assert played.left_over == []
    assert "SIMULATED" in played.said


def test_faults_are_announced_in_both_languages(played: Played) -> None:
    for fault in played.faults:
        assert f"Bắt đầu / begins {fault['id']}: {fault['name_vi']} / {fault['name_en']}" in played.said
        assert fault["shows"][0]["expression"] in played.said


def test_every_listed_fault_was_played(played: Played) -> None:
    assert {fault for fault, _ in played.events} == {fault["id"] for fault in played.faults}
    assert len(played.events) == 2 * len(played.faults)


def test_prometheus_had_the_service_up_and_every_probe_target(played: Played) -> None:
    assert {value for _, value in played.up} == {1.0}
    counts = {value for moment, value in played.count if moment > played.begun + FIRST_RESULTS}
    assert counts <= {played.targets, played.targets + 1.0}  # one was added and removed
    assert played.count[-1][1] == played.targets


def test_each_fault_shows_within_one_interval_and_only_while_it_lasts(played: Played) -> None:
    wrong = [complaint for fault in played.faults for complaint in _complaints(played, fault)]
    assert not wrong, "\n".join(wrong)


def _complaints(played: Played, fault: dict[str, Any]) -> Iterator[str]:
    timing = Timing.of(fault, played.events, SCRAPE)
    for show in fault["shows"]:
        found = played.shown[show["query"]]
        if len(found) != 1:
            yield f"{fault['id']}: {show['query']} selects {len(found)} series"
        for complaint in complaints(timing, show, _by_second(found), (played.begun, played.ended)):
            yield f"{fault['id']}: {complaint}"


def _by_second(found: list[tuple[dict[str, str], Samples]]) -> dict[int, float]:
    """The value that a step of Prometheus shows for each second."""
    return {math.floor(moment): value for _, samples in found for moment, value in samples}


def test_each_fault_changes_what_a_panel_shows(played: Played) -> None:
    assert table().keys() == {fault["id"] for fault in played.faults} | LONG
    wrong = [
        complaint
        for fault in played.faults
        for complaint in complaints_of_panel(fault, Timing.of(fault, played.events, SCRAPE), played.panels[fault["id"]])
    ]
    assert not wrong, "\n".join(wrong)


def test_what_a_fault_leaves_alone_stays_as_it_is(played: Played) -> None:
    keeping = [(fault, show) for fault in played.faults for show in fault["keeps"]]
    assert {fault["id"] for fault, _ in keeping} >= {"flapping"}
    for fault, show in keeping:
        values = _by_second(played.shown[show["query"]])
        timing = Timing.of(fault, played.events, SCRAPE)
        meanwhile = {values[second] for second in range(int(timing.begins), int(timing.ends)) if second in values}
        assert meanwhile == {show["value"]}, f"{fault['id']}: {show['expression']}"


def _named(played: Played) -> list[dict[str, str]]:
    """The series that the faults' entries name, as labels."""
    queries = [show["query"] for fault in played.faults for show in fault["shows"]]
    found = [selector for query in queries for selector in SELECTOR.findall(query)]
    return [{"__name__": name, **dict(LABEL.findall(labels))} for name, labels in found]


def test_faults_change_no_series_but_those_they_name(played: Played) -> None:
    named = _named(played)
    others = [series for series in played.changed if not any(one.items() <= series.items() for one in named)]
    assert others == []
    assert played.changed


def test_the_report_s_figures_hold_before_the_faults_and_after_them(played: Played) -> None:
    """All villages, and 4/5, 1/2, 2/15 and 9/10 of the zones, on the lower bound, with nothing assumed at any time."""
    mobile = [show["query"] for fault in played.faults for show in fault["shows"] if "hatang_villages" in show["query"]]
    assert mobile
    for query, value in REPORTED.items():
        samples = [found for _, found in played.figures[query]]
        assert (samples[0], samples[-1]) == (value, value), query
    assert {value for _, value in played.figures[ASSUMED]} == {0.0}
    assert any(value < 1 for _, value in played.figures['hatang_coverage_ratio{technology="4G",bound="lower"}'])


def test_all_series_together_are_few(played: Played) -> None:
    assert 10_000 < played.series < MOST_SERIES


def test_everything_else_stays_healthy(played: Played) -> None:
    befallen = {target for fault in played.faults for target in fault["targets"]}
    unwell = {
        target
        for target, samples in played.success.items()
        if target not in befallen and any(v != 1 for _, v in samples)
    }
    assert unwell == set()
    assert len(played.success) == played.targets + 1


def test_a_new_file_is_in_prometheus_within_a_reload_and_two_scrapes_and_gone_after_one(played: Played) -> None:
    reload = 4.0
    assert played.appeared <= reload + 2 * SCRAPE
    assert played.vanished <= reload + SCRAPE


def test_a_new_file_is_offered_by_the_variables_of_pages(played: Played) -> None:
    assert ADDED_SYSTEM in played.offered["system"]
    assert played.offered["target"] == {ADDED}


def test_faults_lead_to_notifications_that_are_printed_with_their_cause(played: Played) -> None:
    assert "Watchdog" in played.said
    wrong = list(complaints_of_notices(played.faults, played.said))
    assert not wrong, "\n".join(wrong)


def test_each_fault_says_what_it_changed(played: Played) -> None:
    for fault in played.faults:
        _, _, after = played.said.partition(f"Kết thúc / ends {fault['id']}:")
        led_to = [line for line in after.splitlines()[1:8] if line.startswith("        → ")]
        assert any(": " in line and " → [" not in line for line in led_to), fault["id"]
