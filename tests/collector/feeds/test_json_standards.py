"""The shipped maps, on documents in the shape that TM Forum and 3GPP give them."""

from __future__ import annotations

from typing import Any

import pytest

from collector.feeds.json import KIND
from collector.records import Batch, Cell, CellState, Dataset, Outage, Sense, Technology
from tests.feeding import batch, saying, shipped

ACTIVE, DOWN, PLANNED = CellState.ACTIVE, CellState.DOWN, CellState.PLANNED
SLEEPING, UNKNOWN = CellState.SLEEPING, CellState.UNKNOWN
RAISED = 1795402800.0


async def read(name: str, document: Any, headers: dict[str, str] | None = None) -> Batch:
    """What the map makes of the document."""
    return await batch(KIND, saying(document, headers), map=shipped(name))


def resource(**settings: Any) -> dict[str, Any]:
    """A cell as a TMF639 v5 resource."""
    traits = settings.pop("traits", {})
    values = {
        "lat": 15.1214, "lon": 108.8044, "band": 1800, "technology": "LTE", "height": 35, "azimuth": 120, **traits
    }  # fmt: skip
    return {
        "id": "QNI0001-L18-1",
        "href": "https://oss.viettel.example/tmf-api/resourceInventory/v5/resource/QNI0001-L18-1",
        "name": "Trạm Bình Sơn 1",
        "category": "RadioCell",
        "administrativeState": "unlocked",
        "operationalState": "enabled",
        "usageState": "active",
        "alarmStatus": [],
        "place": [{"@type": "RelatedPlaceRefOrValue", "role": "site", "id": "QNI0001"}],
        "resourceCharacteristic": [
            {"@type": "StringCharacteristic", "name": name, "value": value, "valueType": "string"}
            for name, value in values.items()
        ],
        "@type": "LogicalResource",
        **settings,
    }


async def test_tmf639_resources_are_cells() -> None:
    others = resource(id="rack", category="Rack", resourceCharacteristic=[])
    found = await read("tmf639-v5-cells", [resource(), others], {"X-Total-Count": "2", "X-Result-Count": "2"})
    assert found.records == (
        Cell(
            "viettel",
            "QNI0001-L18-1",
            Technology.G4,
            site="QNI0001",
            name="Trạm Bình Sơn 1",
            lat=15.1214,
            lon=108.8044,
            band=1800,
            height=35.0,
            azimuth=120.0,
            state=ACTIVE,
        ),
    )
    assert (found.rows, found.unreadable, found.complete) == (1, 0, True)
    assert (await read("tmf639-v5-cells", [resource()], {"X-Total-Count": "2"})).complete is False


@pytest.mark.parametrize(
    ("states", "expected"),
    [
        ({}, ACTIVE),
        ({"usageState": "idle"}, ACTIVE),
        ({"operationalState": "enable"}, ACTIVE),
        ({"operationalState": "disabled"}, DOWN),
        ({"operationalState": "disable", "availabilityStatus": ["failed"]}, DOWN),
        ({"administrativeState": "locked"}, PLANNED),
        ({"administrativeState": "locked", "operationalState": "disabled"}, PLANNED),
        ({"administrativeState": "shuttingDown"}, PLANNED),
        ({"availabilityStatus": "failed"}, DOWN),
        ({"availabilityStatus": ["degraded", "powerOff"]}, DOWN),
        ({"availabilityStatus": "offline"}, DOWN),
        ({"availabilityStatus": ["degraded"]}, ACTIVE),
        ({"availabilityStatus": []}, ACTIVE),
        ({"availabilityStatus": ["offDuty"]}, SLEEPING),
        ({"administrativeState": None}, UNKNOWN),
        ({"operationalState": None}, UNKNOWN),
    ],
)
async def test_states_of_tmf639_resources(states: dict[str, Any], expected: CellState) -> None:
    found = await read("tmf639-v5-cells", [resource(**states)])
    assert [record.state for record in found.records if isinstance(record, Cell)] == [expected]
    assert found.unreadable == 0


async def test_a_state_that_nobody_knows_is_unknown_and_said() -> None:
    found = await read("tmf639-v5-cells", [resource(administrativeState="sideways")])
    assert [record.state for record in found.records if isinstance(record, Cell)] == [UNKNOWN]
    assert "sideways" in found.faults[0]


def tmf_alarm(**settings: Any) -> dict[str, Any]:
    """An alarm of TMF642 v4."""
    return {
        "id": "4711",
        "externalAlarmId": "ems-4711",
        "alarmRaisedTime": "2026-11-23T10:00:00.000+07:00",
        "alarmChangedTime": "2026-11-23T10:05:00.000+07:00",
        "alarmReportingTime": "2026-11-23T10:00:07.000+07:00",
        "alarmType": "equipmentAlarm",
        "perceivedSeverity": "critical",
        "probableCause": "powerSupplyFailure",
        "specificProblem": "Mất điện lưới",
        "state": "raised",
        "serviceAffecting": True,
        "isRootCause": True,
        "alarmedObjectType": "EUtranCell",
        "alarmedObject": {"id": "QNI0001-L18-1", "@referredType": "LogicalResource"},
        "@type": "Alarm",
        **settings,
    }


async def test_tmf642_alarms_are_outages() -> None:
    alarms = [
        tmf_alarm(),
        tmf_alarm(alarmedObjectType="Site", alarmedObject={"id": "QNI0002"}, plannedOutageIndicator="OutOfService"),
        tmf_alarm(alarmedObjectType=None, alarmedObject={"id": "c3"}, plannedOutageIndicator="InService"),
        tmf_alarm(serviceAffecting=None, alarmedObject={"id": "c4"}, state="updated"),
    ]
    found = await read("tmf642-v4-alarms", alarms, {"X-Total-Count": "4"})
    why = "Mất điện lưới"
    assert found.records == (
        Outage("viettel", cell="QNI0001-L18-1", since=RAISED, reason=why),
        Outage("viettel", site="QNI0002", since=RAISED, reason=why, state=PLANNED),
        Outage("viettel", cell="c3", since=RAISED, reason=why),
        Outage("viettel", cell="c4", since=RAISED, reason=why),
    )
    assert (found.dataset, found.sense, found.complete, found.unreadable) == (Dataset.OUTAGES, Sense.NEGATIVE, True, 0)
    assert found.as_of is not None


@pytest.mark.parametrize(
    "settings",
    [
        {"state": "cleared"},
        {"state": "CLEARED"},
        {"perceivedSeverity": "cleared"},
        {"alarmClearedTime": "2026-11-23T10:07:00Z"},
        {"serviceAffecting": False},
        {"serviceAffecting": "false"},
    ],
)
async def test_tmf642_alarms_that_are_over_or_harm_nobody_are_none(settings: dict[str, Any]) -> None:
    found = await read("tmf642-v4-alarms", [tmf_alarm(**settings)])
    assert (found.records, found.rows, found.unreadable, found.complete) == ((), 0, 0, True)


async def test_tmf642_lists_without_what_they_are_of_are_not_believed() -> None:
    lists: list[list[Any]] = [[{}], [tmf_alarm(alarmedObject=None)], [3], [None], [tmf_alarm(), "x"]]
    for alarms in lists:
        found = await read("tmf642-v4-alarms", alarms)
        assert not found.complete or found.unreadable, alarms
    assert (await read("tmf642-v4-alarms", [])).complete


DN = "SubNetwork=QNI,ManagedElement=gnb-47,GnbDuFunction=1"


def alarm(**settings: Any) -> dict[str, Any]:
    """An alarm record of TS 28.532; its alarmId is its key."""
    return {
        "objectInstance": f"{DN},NrCellDu=11",
        "notificationId": 12,
        "alarmRaisedTime": "2026-11-23T03:00:00Z",
        "alarmChangedTime": "2026-11-23T03:00:00Z",
        "alarmType": "COMMUNICATIONS_ALARM",
        "probableCause": 17,
        "specificProblem": "Cell out of service",
        "perceivedSeverity": "CRITICAL",
        "rootCauseIndicator": False,
        "ackState": "UNACKNOWLEDGED",
        **settings,
    }


async def test_ts28532_alarms_are_outages() -> None:
    alarms = {
        "a1": alarm(),
        "a2": alarm(objectInstance="SubNetwork=QNI,ManagedElement=gnb-48", additionalText="Mất truyền dẫn"),
        "a3": alarm(perceivedSeverity="INDETERMINATE", objectInstance=f"{DN},NrCellDu=12"),
        "a4": alarm(perceivedSeverity="MAJOR"),
        "a5": alarm(perceivedSeverity="CLEARED"),
        "a6": alarm(alarmClearedTime="2026-11-23T03:30:00Z"),
    }
    found = await read("ts28532-alarms", alarms)
    why = "Cell out of service"
    assert found.records == (
        Outage("viettel", cell=f"{DN},NrCellDu=11", since=RAISED, reason=why),
        Outage("viettel", site="gnb-48", since=RAISED, reason="Mất truyền dẫn"),
        Outage("viettel", cell=f"{DN},NrCellDu=12", since=RAISED, reason=why, state=UNKNOWN),
    )
    assert (found.rows, found.unreadable, found.complete) == (3, 0, True)


async def test_an_error_of_ts28532_is_no_empty_list_of_alarms() -> None:
    errors: list[dict[str, Any]] = [
        {"error": {"errorInfo": "maintenance"}},
        {"status": 500, "title": "x"},
        {"a": {}},
        {"a": None},
        {"a1": alarm(), "error": {}},
    ]
    for document in errors:
        found = await read("ts28532-alarms", document)
        assert not found.complete, document
    found = await read("ts28532-alarms", {})
    assert found.complete
    assert found.as_of is not None


def cell(number: int, **attributes: Any) -> dict[str, Any]:
    """An NrCellDu of TS 28.541."""
    return {
        "id": str(number),
        "objectClass": "NrCellDu",
        "objectInstance": f"{DN},NrCellDu={number}",
        "attributes": {
            "userLabel": f"Bình Sơn {number}",
            "administrativeState": "UNLOCKED",
            "operationalState": "ENABLED",
            "cellState": "ACTIVE",
            "cellLocalId": number,
            "nrPci": 101,
            "arfcnDL": 640000,
            "plmnInfoList": [{"plmnId": {"mcc": "452", "mnc": "04"}, "snssai": {"sst": 1}}],
            **attributes,
        },
    }


@pytest.mark.parametrize(
    ("attributes", "expected"),
    [
        ({}, ACTIVE),
        ({"cellState": "IDLE"}, ACTIVE),
        ({"cellState": None}, ACTIVE),
        ({"cellState": "INACTIVE"}, SLEEPING),
        ({"operationalState": "DISABLED"}, DOWN),
        ({"operationalState": "DISABLED", "cellState": "INACTIVE"}, DOWN),
        ({"administrativeState": "LOCKED"}, PLANNED),
        ({"administrativeState": "LOCKED", "operationalState": "DISABLED", "cellState": None}, PLANNED),
        ({"administrativeState": "SHUTTING_DOWN"}, PLANNED),
        ({"administrativeState": "SHUTTINGDOWN"}, PLANNED),
        ({"administrativeState": None}, UNKNOWN),
        ({"operationalState": None}, UNKNOWN),
    ],
)
async def test_states_of_ts28541_cells(attributes: dict[str, Any], expected: CellState) -> None:
    found = await read("ts28541-nrcelldu", {"NrCellDu": [cell(11, **attributes)]})
    assert found.records == (
        Cell("viettel", f"{DN},NrCellDu=11", Technology.G5, site="gnb-47", name="Bình Sơn 11", state=expected),
    )
    assert found.unreadable == 0


async def test_ts28541_cells_are_found_below_what_was_asked_for() -> None:
    functions = [{"id": "1", "NrCellDu": [cell(1), cell(2)]}, {"id": "2"}, {"id": "3", "NrCellDu": [cell(3)]}]
    elements = [{"id": "gnb-47", "GnbDuFunction": functions}, {"id": "gnb-48"}]
    for document in (
        {"GnbDuFunction": functions},
        {"ManagedElement": elements},
        {"SubNetwork": [{"id": "QNI", "ManagedElement": elements}, {"id": "other"}]},
    ):
        found = await read("ts28541-nrcelldu", document)
        keys = [record.key for record in found.records if isinstance(record, Cell)]
        assert keys == [f"{DN},NrCellDu={number}" for number in (1, 2, 3)]
