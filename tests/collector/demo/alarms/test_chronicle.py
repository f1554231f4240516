"""Which fault a notification comes from, what is new in it, and what a fault has led to."""

from __future__ import annotations

from typing import Any

import pytest

from collector.demo.alarms.chronicle import LINGERS, Chronicle
from collector.demo.alarms.notices import read
from collector.demo.alarms.traces import Traces
from collector.demo.faults import Fault
from collector.demo.shows import Show
from collector.model import SystemState
from tests.collector.demo.alarms.saying import alert, notification

UP, DOWN, UNREACHABLE = SystemState.UP, SystemState.DOWN, SystemState.UNREACHABLE


def fault(name: str, *queries: str, befalls: str = "", targets: tuple[str, ...] = ()) -> Fault:
    shows = tuple(Show(query, "==", 0) for query in queries)
    return Fault(name, name, name, 5.0, 48.0, befalls, targets, 10.0, (), shows, ())


CENTRE = fault(
    "centre-isolated",
    'hatang_system_state{system="ttdl"}',
    'hatang_system_state{system="soc"}',
    befalls="ttdl",
    targets=("ttdl-gateway",),
)
FEED = fault("feed-moved", 'hatang_feed_refused_total{target="tram",operator="op-a",guard="moved"}', targets=("tram",))
NODE = fault("node-down", 'hatang_sites{operator="op-a",state="down"}', 'hatang_villages_covered{commune="2"}')
DARK = fault("blackout", 'hatang_villages_covered{commune="1",technology="3G",bound="lower"}')
ALL = (CENTRE, FEED, NODE, DARK)


@pytest.mark.parametrize(
    ("labels", "cause"),
    [
        ({"alertname": "DataCentreDown", "centre": "ttdl"}, CENTRE),
        ({"alertname": "SystemDown", "system": "soc", "operator": ""}, CENTRE),
        ({"alertname": "FeedStale", "target": "tram", "operator": "op-a"}, FEED),
        ({"alertname": "BtsDown", "site": "op-a-1", "operator": "op-a", "commune": "7"}, NODE),
        ({"alertname": "OperatorCommuneDown", "operator": "op-a", "commune": "1"}, DARK),
        ({"alertname": "PlanTargetMissed", "indicator": "5g"}, None),
    ],
)
def test_an_alert_comes_from_the_fault_that_is_about_the_same(labels: dict[str, str], cause: Fault | None) -> None:
    assert Traces(ALL).cause(labels, ALL) is cause


class Time:
    """A clock that the test moves."""

    def __init__(self) -> None:
        self.now = 0.0
        self.states = {"ttdl": UP, "soc": UP}

    def chronicle(self) -> Chronicle:
        made = Chronicle(ALL, self.states.__getitem__, None, lambda: self.now)
        made.anew()
        return made


def told(chronicle: Chronicle, *alerts: dict[str, Any]) -> list[tuple[str, str | None]]:
    news = chronicle.hear(read("truc-ban", notification(*alerts)))
    return [(one.key, its.id if its else None) for one, its in news.alerts]


async def test_states_and_notifications_of_a_fault_are_written_down() -> None:
    time = Time()
    chronicle = time.chronicle()
    await chronicle.begins(CENTRE)
    time.now = 30.0
    time.states |= {"ttdl": DOWN, "soc": UNREACHABLE}
    assert told(chronicle, alert("DataCentreDown", centre="ttdl")) == [("DataCentreDown-ttdl", "centre-isolated")]
    (still,) = await chronicle.unended()
    course = await chronicle.ends(CENTRE)
    assert still is course
    assert course.states == {"ttdl": (UP, DOWN), "soc": (UP, UNREACHABLE)}
    assert {name: one.after for name, one in course.told.items()} == {"DataCentreDown": 30.0}
    assert await chronicle.unended() == []
    assert (chronicle.faults, chronicle.notices) == (1, 1)


async def test_only_what_changed_is_news() -> None:
    chronicle = Time().chronicle()
    await chronicle.begins(FEED)
    first = alert("FeedStale", target="tram")
    assert told(chronicle, first) == [("FeedStale-tram", "feed-moved")]
    assert told(chronicle, first) == []
    assert told(chronicle, first, alert("FeedStale", target="other")) == [("FeedStale-other", None)]
    assert told(chronicle, alert("FeedStale", "resolved", target="tram")) == [("FeedStale-tram", "feed-moved")]


async def test_what_is_told_long_after_a_fault_does_not_come_from_it() -> None:
    time = Time()
    chronicle = time.chronicle()
    await chronicle.begins(FEED)
    await chronicle.ends(FEED)
    time.now = LINGERS - 1
    assert told(chronicle, alert("FeedRefused", target="tram")) == [("FeedRefused-tram", "feed-moved")]
    time.now = LINGERS + 1
    assert told(chronicle, alert("FeedStale", target="tram")) == [("FeedStale-tram", None)]
