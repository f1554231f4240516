"""The shipped profiles against agents that answer as such devices do, with the quirks of each."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from collector.devices import plan_of
from collector.model import MetricType, Outcome, Result
from collector.probes.snmp import KIND
from tests.device_profiles import SHIPPED, context, shipped
from tests.pinned import GOLDEN
from tests.probing import probing, values
from tests.snmp_agent import GET, GET_BULK, agent, counter, counter64, integer, oid, text, ticks
from tests.snmpd import Snmpd, snmpd

NAMES = sorted(path.stem for path in SHIPPED.glob("*.yaml"))
OPEN: dict[str, Any] = {"version": "2c", "community": "public", "host": "127.0.0.1"}

ELTEK = "1.3.6.1.4.1.12148.10"
# As a controller in the field answered, without what is not read.
ELTEK_ANSWERS: dict[str, int | str] = {
    "2.1.0": 1, "2.2.0": 2, "2.3.0": 3, "2.5.0": "Trà Bồng 2", "2.6.0": "Micropack System", "2.7.0": "190220",
    "2.15.0": 1, "2.17.0": 0, "3.1.0": 1, "3.2.5.0": 0, "3.3.0": 3,
    "3.4.1.2.1": 1, "3.4.1.2.2": 1, "3.4.1.2.3": 4, "3.4.1.6.1": 228, "3.4.1.6.2": 229, "3.4.1.6.3": 0,
    "5.2.5.0": 63, "5.3.5.0": 12, "5.4.5.0": 0, "5.5.0": 2,
    "5.6.1.2.1": 1, "5.6.1.2.2": 1, "5.6.1.2.3": 6, "5.6.1.3.1": 31, "5.6.1.3.2": 33, "5.6.1.3.3": 0,
    "5.6.1.4.1": 227, "5.6.1.4.2": 226, "5.6.1.4.3": 0, "5.6.1.5.1": "FLATPACK2 48/2000 HE",
    "5.6.1.5.2": "FLATPACK2 48/2000 HE", "5.6.1.10.1": "180371001613", "5.6.1.10.2": "180371001667",
    "9.2.5.0": 51, "9.3.0": 1, "10.1.0": 1, "10.4.0": 1, "10.5.5.0": 5416, "10.6.5.0": -2,
    "10.7.1.0": 4, "10.7.5.0": 0, "10.8.1.0": 4, "10.8.5.0": 356, "10.9.1.0": 1, "10.9.5.0": 210,
    "10.12.1.0": 4, "10.12.5.0": 0, "10.13.1.0": 1,
    "10.18.3.1.2.1.1": 1, "10.18.3.1.2.1.2": 4, "10.18.3.1.3.1.1": "BatteryTemp1.1", "10.18.3.1.3.1.2": "x",
    "10.18.3.1.6.1.1": 18, "10.18.3.1.6.1.2": -100,
    "11.2.1.2.1.1": 3, "11.2.1.2.1.2": 4, "11.2.1.2.1.3": 1, "11.2.1.3.1.1": "Cua tu", "11.2.1.3.1.2": "Du phong",
    "11.2.1.3.1.3": "Khoi", "11.2.1.6.1.1": 1, "11.2.1.6.1.2": 0, "11.2.1.6.1.3": 0,
}  # fmt: skip
NETSURE = "1.3.6.1.4.1.6302.2.1"
NONE = 2147483647
NETSURE_ANSWERS: dict[str, int | str] = {
    "1.2.0": "NetSure 531", "1.4.0": "Ba Tơ 1", "2.1.0": 5, "2.2.0": 48210, "2.3.0": 21500, "2.4.0": NONE,
    "2.5.1.0": 48150, "2.5.2.0": -21300, "2.5.3.0": 71, "2.6.1.0": 0, "2.6.2.0": NONE, "2.6.3.0": NONE,
    "2.7.1.0": 31250, "2.7.2.0": NONE, "2.8.0": 2, "2.9.0": 8, "2.11.1.0": 3, "2.11.2.0": 0, "2.11.3.0": NONE,
    "2.7.3.1.2.1": 31250, "2.7.3.1.2.2": NONE, "2.7.3.1.3.1": "Ac quy", "2.7.3.1.3.2": "Phong may",
    "2.7.3.1.4.1": 2, "2.7.3.1.4.2": 1, "2.11.4.1.5.1": "01151", "2.11.4.1.7.1": "R1", "2.11.4.1.8.1": 2,
    "4.1.4.7": 5, "4.1.4.9": 4, "4.1.5.7": "Mat dien luoi", "4.1.5.9": "Cua mo",
}  # fmt: skip
SMU = "1.3.6.1.4.1.2011.6.164.1"
SMU_ANSWERS: dict[str, int | str] = {
    "1.1.2.0": "Sơn Tây 3", "1.1.9.0": 2, "1.2.3.0": 2, "1.2.100.1.2.1": "Mains Failure", "1.2.100.1.2.2": "Door Alarm",
    "1.2.100.1.3.1": 2, "1.2.100.1.3.2": 5, "3.2.2.1.2.1": 152, "3.2.2.1.3.1": 535, "3.2.2.1.99.1": 1,
    "4.2.1.0": -105, "4.2.2.0": 240, "4.2.3.0": 3, "4.4.2.1.2.1": -52, "4.4.2.1.3.1": 875, "4.4.2.1.6.1": 285,
    "4.4.2.1.99.1": 1, "4.4.2.1.2.2": -53, "4.4.2.1.3.2": 870, "4.4.2.1.6.2": -99999, "4.4.2.1.99.2": 255,
    "5.2.1.1.4.1": 0, "5.2.1.1.5.1": 2214, "5.2.1.1.6.1": 2209, "5.2.1.1.99.1": 3,
    "6.1.3.0": 535, "6.1.4.0": 1203, "6.1.5.0": 6436,
}  # fmt: skip
UPS = "1.3.6.1.2.1.33.1"
UPS_ANSWERS: dict[str, int | str] = {
    "1.1.0": "Santak", "1.2.0": "3C20KS", "2.1.0": 2, "2.2.0": 95, "2.3.0": 41, "2.4.0": 88, "2.5.0": 2730,
    "2.6.0": 253, "2.7.0": 27, "3.1.0": 4, "3.3.1.2.1": 0, "3.3.1.3.1": 0, "3.3.1.4.1": 0, "3.3.1.5.1": 0,
    "4.1.0": 5, "4.2.0": 500, "4.4.1.2.1": 220, "4.4.1.3.1": 126, "4.4.1.4.1": 2700, "4.4.1.5.1": 45, "6.1.0": 2,
    "6.2.1.2.1": "oid:1.3.6.1.2.1.33.1.6.3.2", "6.2.1.2.4": "oid:1.3.6.1.2.1.33.1.6.3.6",
    "6.2.1.3.1": 1000, "6.2.1.3.4": 1050,
}  # fmt: skip
ENTITY = "1.3.6.1.2.1"
ENTITY_ANSWERS: dict[str, int | str] = {
    **{f"47.1.1.1.1.7.{index}": name for index, name in ((10, "Nhiet do"), (11, "Do am"), (12, ""), (13, "Dien ap"))},
    "47.1.1.1.1.2.12": "Cong suat tong", "47.1.1.1.1.2.13": "unused",
    # celsius, 1 decimal; percent; kilowatts, 2 decimals; millivolts, broken; hertz, a negative precision; overflow
    **{f"99.1.1.1.1.{index}": kind for index, kind in ((10, 8), (11, 9), (12, 6), (13, 4), (14, 7), (15, 8))},
    **{f"99.1.1.1.2.{index}": scale for index, scale in ((10, 9), (11, 9), (12, 10), (13, 8), (14, 9), (15, 9))},
    **{f"99.1.1.1.3.{index}": digits for index, digits in ((10, 1), (11, 0), (12, 2), (13, 0), (14, -2), (15, 0))},
    **{f"99.1.1.1.4.{index}": value for index, value in ((10, 235), (11, 61), (12, 1234), (13, 5), (14, 50))},
    "99.1.1.1.4.15": 1000000000,
    **{f"99.1.1.1.5.{index}": status for index, status in ((10, 1), (11, 1), (12, 1), (13, 3), (14, 1), (15, 1))},
}  # fmt: skip


def overrides() -> Iterator[str]:
    sources = ((ELTEK, ELTEK_ANSWERS), (NETSURE, NETSURE_ANSWERS), (SMU, SMU_ANSWERS), (UPS, UPS_ANSWERS))
    for root, answers in (*sources, (ENTITY, ENTITY_ANSWERS)):
        for tail, answer in answers.items():
            if isinstance(answer, int):
                yield f"override {root}.{tail} integer {answer}"
            elif answer.startswith("oid:"):
                yield f"override {root}.{tail} object_id {answer[4:]}"
            elif answer:
                yield f'override {root}.{tail} octet_str "{answer}"'


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Snmpd]:
    with snmpd("snmpd", tmp_path_factory.mktemp("snmpd"), *overrides()) as running:
        yield running


@pytest.fixture
def device(real: Callable[[str], str], request: pytest.FixtureRequest) -> Snmpd:
    real("snmpd")
    running = request.getfixturevalue("server")
    assert isinstance(running, Snmpd)
    return running


async def poll(port: int, name: str, **settings: Any) -> Result:
    async with probing(KIND) as prober:
        chosen = {**OPEN, "port": port, "profiles": [name], **settings}
        return await prober.run(timeout=5.0, context=context(shipped(name)), **chosen)


async def read(port: int, name: str, **settings: Any) -> dict[str, float]:
    result = await poll(port, name, **settings)
    assert (result.outcome, result.detail) == (Outcome.OK, "")
    found = values(result)
    assert found["snmp_scrape_unreadable_values"] == 0
    return found


def of(found: dict[str, float], *starts: str) -> dict[str, float]:
    return {name: value for name, value in found.items() if name.startswith(starts)}


@pytest.mark.real
@pytest.mark.parametrize("version", ["1", "2c"])
async def test_eltek_enexus(device: Snmpd, version: str) -> None:
    found = await read(device.port, "eltek-enexus", version=version)
    assert found["powerSystemStatus"] == found["mainsStatus"] == found["batteryStatus"] == 1
    assert found["powerSystemSite_info{Trà Bồng 2}"] == found["powerSystemMode{float}"] == 1
    # Hundredths, and tenths as powerSystemCurrentDecimalSetting says.
    assert found["batteryVoltageValue"] == 54.16
    assert found["batteryCurrentsValue"] == -0.2
    assert found["loadCurrentValue"] == 5.1
    assert found["rectifiersCurrentValue"] == 6.3
    assert of(found, "rectifierOutput", "rectifierInput", "rectifierSerial") == {
        "rectifierOutputCurrentValue{1,FLATPACK2 48/2000 HE}": 3.1,
        "rectifierOutputCurrentValue{2,FLATPACK2 48/2000 HE}": 3.3,
        "rectifierInputVoltageValue{1,FLATPACK2 48/2000 HE}": 227,
        "rectifierInputVoltageValue{2,FLATPACK2 48/2000 HE}": 226,
        "rectifierSerialNumber_info{1,FLATPACK2 48/2000 HE,180371001613}": 1,
        "rectifierSerialNumber_info{2,FLATPACK2 48/2000 HE,180371001667}": 1,
    }
    # What is disabled (4) has a value that means nothing, and must not alarm.
    assert of(found, "mainsVoltageValue") == {"mainsVoltageValue{1}": 228, "mainsVoltageValue{2}": 229}
    assert of(found, "batteryTemp", "batteryTimeLeft", "batteryQuality", "batteryRemaining") == {
        "batteryTemperatureValue{1,1,BatteryTemp1.1}": 18,
        "batteryRemainingCapacityValue": 210,
    }
    assert of(found, "inputControlUnitInputStatus") == {
        "inputControlUnitInputStatus{1,1,Cua tu}": 3,
        "inputControlUnitInputStatus{1,3,Khoi}": 1,
    }
    assert found["snmp_scrape_missing_values"] == 0


@pytest.mark.parametrize(
    ("kind", "decimals", "total", "load"),
    [(1, 1, 63, 5.1), (2, 1, 6.3, 5.1), (3, 0, 63, 51), (1, None, 63, 5.1)],
    ids=["smartpack2", "smartpack-s", "compack-in-amperes", "without-the-setting"],
)
async def test_eltek_controllers_count_amperes_in_different_ways(
    kind: int, decimals: int | None, total: float, load: float
) -> None:
    tree = {f"{ELTEK}.2.2.0": integer(kind), f"{ELTEK}.5.2.5.0": integer(63), f"{ELTEK}.9.2.5.0": integer(51)}
    if decimals is not None:
        tree[f"{ELTEK}.2.15.0"] = integer(decimals)
    async with agent(tree) as running:
        found = await read(running.port, "eltek-enexus")
    assert (found["rectifiersCurrentValue"], found["loadCurrentValue"]) == (total, load)


@pytest.mark.real
async def test_netsure_has_thousandths_and_a_number_that_means_none(device: Snmpd) -> None:
    found = await read(device.port, "netsure")
    assert of(found, "systemV", "systemC", "systemU", "psBatteryV", "psTotal", "psInput", "psTemperature") == {
        "systemVoltage": 48.21,
        "systemCurrent": 21.5,
        "psBatteryVoltage": 48.15,
        "psTotalBatteryCurrent": -21.3,
        "psInputLineAVoltage": 0,
        "psTemperature1": 31.25,
        "psTemperatureMeasurement{1,Ac quy,battery}": 31.25,
    }
    assert found["systemStatus{major}"] == found["psStatusBatteryMode{acFail}"] == 1
    assert found["psStatusBatteryMode{floatCharging}"] == 0
    assert of(found, "numberOf") == {"numberOfInstalledRectifiers": 3, "numberOfRectifiersCommunicating": 0}
    assert found["psRectifierFail{1,R1,deactivated}"] == found["psRectifierSerialNumber_info{1,R1,01151}"] == 1
    assert of(found, "alarmSeverity") == {"alarmSeverity{Mat dien luoi}": 5, "alarmSeverity{Cua mo}": 4}


@pytest.mark.real
async def test_huawei_smu_has_tenths_cleared_alarms_and_probes_that_are_not_there(device: Snmpd) -> None:
    found = await read(device.port, "huawei-smu")
    assert of(found, "hwDcs", "hwBattsT", "hwBattsP", "hwAp", "hwBp", "hwRectO", "hwSiteName") == {
        "hwSiteName_info{Sơn Tây 3}": 1,
        "hwDcsTotalVoltage": 53.5,
        "hwDcsTotalCurrent": 120.3,
        "hwDcsTotalPower": 6436,
        "hwBattsTotalCurrent": -10.5,
        "hwBattsPreDischargeTime": 240,
        "hwApOrAblVoltage{1}": 0,
        "hwBpOrBclVoltage{1}": 221.4,
        "hwRectOutputCurrent{1}": 15.2,
        "hwRectOutputVoltage{1}": 53.5,
        "hwRectOperStatus{1}": 1,
    }
    assert found["hwSiteDGWorkStatus{working}"] == found["hwBattsChargeStatus{disCharge}"] == 1
    assert found["hwAcInputOperStatus{1,acAbsent}"] == 1
    assert of(found, "hwAlarmLevel") == {"hwAlarmLevel{Mains Failure}": 2}
    assert of(found, "hwBattStringT") == {"hwBattStringTemprature{1}": 28.5}


async def test_huawei_smu_that_names_itself_as_net_snmp_and_has_nothing_of_its_own_is_still_polled() -> None:
    tree = {"1.3.6.1.2.1.1.2.0": oid("1.3.6.1.4.1.8072.3.2.10"), "1.3.6.1.2.1.1.3.0": ticks(4711)}
    async with agent(tree) as running:
        found = await read(running.port, "huawei-smu")
    assert found["sysUpTime"] == 47.11
    assert found["snmp_scrape_missing_values"] == 9
    assert of(found, "hw") == {}


@pytest.mark.real
async def test_ups_on_battery(device: Snmpd) -> None:
    found = await read(device.port, "ups-mib")
    assert of(found, "upsB", "upsE", "upsS") == {
        "upsBatteryStatus{unknown}": 0,
        "upsBatteryStatus{batteryNormal}": 1,
        "upsBatteryStatus{batteryLow}": 0,
        "upsBatteryStatus{batteryDepleted}": 0,
        "upsSecondsOnBattery": 95,
        "upsEstimatedMinutesRemaining": 41,
        "upsEstimatedChargeRemaining": 88,
        "upsBatteryVoltage": 273,
        "upsBatteryCurrent": 25.3,
        "upsBatteryTemperature": 27,
    }
    assert found["upsOutputSource{battery}"] == 1
    assert found["upsOutputSource{normal}"] == 0
    assert found["upsInputVoltage{1}"] == 0
    assert (found["upsOutputCurrent{1}"], found["upsOutputPercentLoad{1}"]) == (12.6, 45)
    assert (found["upsInputLineBads"], found["upsAlarmsPresent"]) == (4, 2)
    assert of(found, "upsAlarmTime") == {
        "upsAlarmTime{upsAlarmOnBattery}": 10,
        "upsAlarmTime{upsAlarmInputBad}": 10.5,
    }


@pytest.mark.real
async def test_sensors_are_scaled_by_two_other_columns_and_only_read_while_they_are_ok(device: Snmpd) -> None:
    found = await read(device.port, "entity-sensor")
    assert of(found, "entPhySensorValue") == {
        "entPhySensorValue{10,Nhiet do,celsius}": 23.5,
        "entPhySensorValue{11,Do am,percentRH}": 61,
        "entPhySensorValue{12,Cong suat tong,watts}": 12340,
        "entPhySensorValue{14,,hertz}": 50,
    }
    assert found["entPhySensorOperStatus{13,Dien ap,nonoperational}"] == 1
    assert found["entPhySensorOperStatus{10,Nhiet do,ok}"] == 1


async def test_storage_is_in_bytes_also_where_the_signed_count_of_units_has_wrapped() -> None:
    root = "1.3.6.1.2.1.25.2.3.1"
    tree: dict[str, bytes] = {}
    for index, (name, kind, unit, size, used) in enumerate(
        [("/du-lieu", 4, 4096, 2**31 - 1, 1000), ("/to", 4, 4096, -(2**31), -1), ("/proc", 1, 4096, 0, 0)], start=31
    ):
        cells = {
            2: oid(f"1.3.6.1.2.1.25.2.1.{kind}"),
            3: text(name),
            4: integer(unit),
            5: integer(size),
            6: integer(used),
        }
        tree |= {f"{root}.{column}.{index}": cell for column, cell in cells.items()}
    async with agent(tree) as running:
        found = await read(running.port, "host-resources")
    assert of(found, "hrStorage") == {
        "hrStorageSize{31,/du-lieu,fixedDisk}": (2**31 - 1) * 4096,
        "hrStorageUsed{31,/du-lieu,fixedDisk}": 1000 * 4096,
        "hrStorageSize{32,/to,fixedDisk}": 2**31 * 4096,
        "hrStorageUsed{32,/to,fixedDisk}": (2**32 - 1) * 4096,
    }


def interface(index: int, name: str, alias: str, admin: int, oper: int, octets: int) -> dict[str, bytes]:
    extension = {1: text(name), 6: counter64(octets), 10: counter64(1), 15: integer(1000, 0x42), 18: text(alias)}
    table = {2: text(f"descr {index}"), 7: integer(admin), 8: integer(oper), 10: counter(1), 14: counter(2)}
    return {f"1.3.6.1.2.1.31.1.1.1.{column}.{index}": cell for column, cell in extension.items()} | {
        f"1.3.6.1.2.1.2.2.1.{column}.{index}": cell for column, cell in table.items()
    }


async def test_interfaces_that_are_switched_off_are_left_out_and_the_others_have_names_and_wide_counters() -> None:
    tree = {
        "1.3.6.1.2.1.1.3.0": ticks(1),
        **interface(1, "Gi0/1", "Tới UBND tỉnh", 1, 1, 2**53 + 5),
        **interface(2, "Gi0/2", "", 2, 2, 7),
        **interface(3, "Gi0/3", "dự phòng\n# giả", 1, 7, 2**53),
        **interface(4, "", "", 1, 2, 9),
    }
    async with agent(tree) as running:
        result = await poll(running.port, "if-mib")
        packets = [asked.kind for asked in running.questions]
    found = values(result)
    assert of(found, "ifHCInOctets", "ifHighSpeed") == {
        "ifHCInOctets{Gi0/1,Tới UBND tỉnh}": 5,
        "ifHCInOctets{Gi0/3,dự phòng\N{REPLACEMENT CHARACTER}# giả}": 2**53,
        "ifHCInOctets{descr 4,}": 9,
        "ifHighSpeed{Gi0/1,Tới UBND tỉnh}": 1000,
        "ifHighSpeed{Gi0/3,dự phòng\N{REPLACEMENT CHARACTER}# giả}": 1000,
        "ifHighSpeed{descr 4,}": 1000,
    }
    assert found["ifOperStatus{Gi0/1,Tới UBND tỉnh,up}"] == 1
    assert found["ifOperStatus{Gi0/3,dự phòng\N{REPLACEMENT CHARACTER}# giả,lowerLayerDown}"] == 1
    types = {sample.metric.type for sample in result.samples if sample.metric.name == "ifHCInOctets"}
    assert types == {MetricType.UNKNOWN}
    # One column is walked; of the rows that count, cells are asked for by GET.
    assert packets == [GET, GET_BULK, GET, GET, GET, GET]


async def test_an_agent_without_the_newer_interface_table_has_names_from_the_older_one() -> None:
    tree = {
        name: cell for name, cell in interface(1, "x", "y", 1, 1, 1).items() if not name.startswith("1.3.6.1.2.1.31")
    }
    async with agent(tree) as running:
        found = await read(running.port, "if-mib")
    assert found["ifOperStatus{descr 1,,up}"] == 1
    assert of(found, "ifHC") == {}


@pytest.mark.parametrize("name", NAMES)
def test_the_series_of_each_profile_are_pinned(name: str) -> None:
    metrics = plan_of((shipped(name),)).metrics
    lines = sorted(f"{each.name}{{{','.join(each.labels)}}}" if each.labels else each.name for each in metrics)
    path, written = GOLDEN / f"snmp-{name}.txt", "".join(f"{line}\n" for line in lines)
    if os.environ.get("HATANG_GOLDEN"):
        path.write_text(written)
    assert path.read_text() == written


def test_all_promised_profiles_are_shipped_and_can_be_read_together() -> None:
    promised = {"system", "host-resources", "if-mib", "ups-mib", "entity-sensor", "net-snmp"}
    assert {*promised, "eltek-enexus", "netsure", "huawei-smu"} <= set(NAMES)
    plan = plan_of(tuple(map(shipped, NAMES)))
    assert len({metric.name for metric in plan.metrics}) == len(plan.metrics)


@pytest.mark.parametrize("name", NAMES)
def test_every_shipped_metric_says_what_it_measures_in_our_own_words(name: str) -> None:
    for metric in plan_of((shipped(name),)).metrics:
        assert metric.help.endswith("."), metric.name
        assert "\n" not in metric.help
        assert len(metric.help) < 400
    assert Path(SHIPPED / f"{name}.yaml").read_text().startswith("# ")
