"""What the demo invents is marked so, and adds up to the figures that were reported."""

from __future__ import annotations

import unicodedata
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import yaml

from collector.derive.systems import in_order
from collector.model import Dependency, Target
from collector.mqtt.spec import MqttSpec
from collector.probes.snmp import SnmpSpec
from collector.settings import Config, load

ROOT = Path(__file__).parents[2]
CONFIG = ROOT / "config"
DEMO = ROOT / "collector" / "demo"
OVERLAY = DEMO / "overlay"
FILES = sorted([*OVERLAY.glob("*.d/*.yaml"), *(DEMO / "devices").glob("*.yaml"), DEMO / "stations.yaml"])
FACTS: dict[str, dict[str, Any]] = {
    entry["id"]: entry
    for entry in yaml.load((ROOT / "tests" / "facts" / "systems.yaml").read_text(), Loader=yaml.CSafeLoader)["systems"]
}
COMMUNES = 96  # of the province since 2025-07-01
PROFILES = {
    "server": {"host-resources", "net-snmp", "if-mib"},
    "storage": {"host-resources"},
    "switch": {"if-mib"},
    "router": {"if-mib"},
    "ups": {"ups-mib"},
    "sensor": {"entity-sensor"},
    "eltek": {"eltek-enexus"},
    "netsure": {"netsure"},
    "smu": {"huawei-smu"},
}


@pytest.fixture(scope="module")
def province() -> Config:
    """The inventory with what the demo adds to it."""
    return load([CONFIG, OVERLAY])


@pytest.fixture(scope="module")
def devices() -> dict[str, dict[str, Any]]:
    """Simulated devices by host."""
    found: dict[str, dict[str, Any]] = {}
    for path in (DEMO / "devices").glob("*.yaml"):
        described = yaml.load(path.read_text(), Loader=yaml.CSafeLoader)["devices"]
        assert not found.keys() & described.keys()
        found |= described
    return found


def hosted(province: Config) -> Counter[str]:
    return Counter(system.hosting for system in province.systems.values() if system.hosting)


def capacity(device: dict[str, Any]) -> int:
    """Bytes of all volumes."""
    return sum(volume["unit"] * volume["units"] for volume in device["volumes"])


def of_kind(province: Config, kind: str) -> list[Target]:
    return [target for target in province.targets.values() if target.kind == kind]


# ---------------------------------------------------------------- marked as simulated


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_every_file_says_that_it_is_simulated(path: Path) -> None:
    text = path.read_text()
    said = yaml.load(text, Loader=yaml.CSafeLoader)
    # A map of rows is true of whatever looks so; what is read by it is synthetic by its target.
    assert "(simulated)" in said["title"] if path.parent.name == "feeds.d" else said["synthetic"] is True
    assert text.startswith("# MÔ PHỎNG")
    assert "SIMULATED" in text
    assert unicodedata.is_normalized("NFC", text)


def test_added_is_synthetic_and_stated_is_not(province: Config) -> None:
    stated = load([CONFIG])
    assert {name for name, system in province.systems.items() if system.synthetic} == set(province.systems) - set(
        stated.systems
    )
    assert {name for name, target in province.targets.items() if target.synthetic} == set(province.targets) - set(
        stated.targets
    )


def test_loads_without_a_warning(province: Config) -> None:
    """What is invented may hold its secrets in plain sight."""
    assert [str(warning) for warning in province.warnings] == []


def test_invented_systems_say_so_in_both_languages(province: Config) -> None:
    invented = [system for system in province.systems.values() if system.synthetic]
    assert invented
    assert all("mô phỏng" in system.name_vi and "simulated" in system.name_en for system in invented)


# ---------------------------------------------------------------- adds up


def test_hosting_adds_up_to_the_reported_totals(province: Config) -> None:
    count = hosted(province)
    assert count["ttdl-tinh"] == FACTS["ttdl-tinh"]["figures"]["hosted-systems"]
    assert count["ttdl-tinh"] + count["ttdl-tich-hop"] + count["ttdl-dung-chung"] == 60


def test_stated_hosting_is_kept(province: Config) -> None:
    for name, fact in FACTS.items():
        if "hosting" in fact:
            assert province.systems[name].hosting == fact["hosting"]


def test_lgsp_has_as_many_systems_as_reported(province: Config) -> None:
    connected = [system for system in province.systems.values() if system.part_of == "lgsp"]
    assert len(connected) == FACTS["lgsp"]["figures"]["connected-systems"]
    assert {system.id for system in connected} == {f"lgsp-connected-{number:02}" for number in range(1, 35)}
    assert all(Dependency(("lgsp",)) in system.depends_on for system in connected)


def test_what_runs_in_a_centre_depends_on_it(province: Config) -> None:
    hosted = [system for system in province.systems.values() if system.hosting]
    assert hosted
    assert all(Dependency((str(system.hosting),)) in system.depends_on for system in hosted)


def test_what_a_centre_takes_along(province: Config) -> None:
    """Directly 24 systems and, through LGSP, all that are connected to it."""
    lost = {"ttdl-tinh"}
    for name in in_order(province.systems):
        if any(lost.issuperset(group.systems) for group in province.systems[name].depends_on):
            lost.add(name)
    assert len(lost) == 1 + 24 + sum(
        system.part_of == "lgsp" and system.hosting != "ttdl-tinh" for system in province.systems.values()
    )


def test_arrays_hold_the_reported_capacity(province: Config, devices: dict[str, dict[str, Any]]) -> None:
    """To the byte; and each count of units fits hrStorageSize, a signed 32-bit number (RFC 2790)."""
    arrays = [
        devices[target.spec.host]
        for target in of_kind(province, "snmp")
        if isinstance(target.spec, SnmpSpec)
        and target.system == "ttdl-tinh"
        and dict(target.labels)["device"] == "storage"
    ]
    assert {array["model"] for array in arrays} == {"storage"}
    terabytes = FACTS["ttdl-tinh"]["figures"]["storage-capacity"]
    assert sum(map(capacity, arrays)) == terabytes * 10**12 == 170_000_000_000_000


def test_sizes_fit_the_wire(devices: dict[str, dict[str, Any]]) -> None:
    for device in devices.values():
        for volume in [*device.get("volumes", []), *(device[part] for part in ("memory", "swap") if part in device)]:
            assert 0 < volume["units"] <= 2**31 - 1
            assert 0 <= volume["used"] <= 1


def test_each_commune_has_one_link(devices: dict[str, dict[str, Any]]) -> None:
    aliases = [
        interface["alias"]
        for host, device in devices.items()
        if host.startswith("agg-")
        for interface in device["interfaces"]
        if interface["name"].startswith("Gi1/")
    ]
    assert len(aliases) == len(set(aliases)) == COMMUNES


# ---------------------------------------------------------------- can be played


def test_size_of_the_demo(province: Config) -> None:
    assert 200 <= len(province.targets) <= 350
    assert 60 <= len(of_kind(province, "snmp")) <= 90


def test_each_snmp_target_is_one_device_of_its_model(province: Config, devices: dict[str, dict[str, Any]]) -> None:
    targets = of_kind(province, "snmp")
    assert len(targets) == len(devices)
    for target in targets:
        assert isinstance(target.spec, SnmpSpec)
        device = devices[target.spec.host]
        assert device["sysname"] == target.id
        assert {profile.name for profile in target.spec.profiles} == {"system"} | PROFILES[device["model"]]


def test_each_station_is_expected_by_one_mqtt_target(province: Config) -> None:
    written = yaml.load((DEMO / "stations.yaml").read_text(), Loader=yaml.CSafeLoader)["stations"]
    expected = [
        (target.spec.host, each.filter.filled(each.filter.values(name)))
        for target in of_kind(province, "mqtt")
        if isinstance(target.spec, MqttSpec)
        for each in target.spec.subscriptions
        for name in each.expect
    ]
    assert Counter(expected) == Counter((host, topic) for host, topics in written.items() for topic in topics)


def test_each_river_has_a_target(province: Config) -> None:
    rivers = [
        dict(target.labels)["river"] for target in of_kind(province, "mqtt") if target.system == "iot-canh-bao-lu"
    ]
    assert len(set(rivers)) == len(rivers) == FACTS["canh-bao-lu"]["figures"]["rivers-covered"]
